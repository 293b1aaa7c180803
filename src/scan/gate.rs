//! The gate: every image of a scan is compared, as it comes, with those of the same camera and ring around it.
//!
//! An object looks different from every side, and everything that is measured of its images differs with it. So nothing is
//! compared with a fixed number but with the nearest images of the ring; how much those differ from each other widens the
//! limits; and what was found to be bad is no neighbour. Silhouettes are neighbours of silhouettes alone; of them only light
//! and lens are compared. All that is compared is in the journal: a scan that goes on has
//! the gate that it had.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::config::{self, GatePolicy};
use crate::model::Lighting;
use crate::plan::{CameraIndex, Plan, Point, ShotIndex};

use super::compare::{Sample, compare};
use super::object::References;
use super::record::{FrameFacts, Record, Stored};
use super::twins::{Taken, Twins};
use super::verdict::{Finding, FindingKind, Verdict};

/// Neighbours farther away show another side of the object.
const MOST: usize = 6;

/// Compares images. Pure: no clock, no files.
#[derive(Debug, Clone)]
pub struct Gate {
    plan: Arc<Plan>,
    limits: config::Gate,
    /// Of each point: which points it can be compared with.
    groups: Vec<u32>,
    /// By camera and group.
    seen: BTreeMap<(u16, u32), Vec<Seen>>,
    twins: Twins,
    references: References,
}

/// A stored image.
#[derive(Debug, Clone)]
struct Seen {
    shot: ShotIndex,
    attempt: u32,
    sample: Sample,
    compared: bool,
    bad: bool,
}

/// A verdict on an image that had too few neighbours when it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// Which shot.
    pub shot: ShotIndex,
    /// Of which attempt.
    pub attempt: u32,
    /// What is wrong with it.
    pub verdict: Verdict,
}

impl Gate {
    /// The gate of a scan that `records` tell of; what is behind its object, `references` show.
    pub fn new(plan: Arc<Plan>, limits: config::Gate, references: References, records: &[Record]) -> Self {
        let groups = groups(&plan);
        let mut gate =
            Self { plan, limits, groups, seen: BTreeMap::new(), twins: Twins::default(), references };
        for record in records {
            match record {
                Record::Stored(stored) => gate.insert(stored),
                Record::Flagged { shot, .. } => gate.mark_bad(*shot),
                Record::Lost { shot, .. } | Record::Retake { shot, .. } => gate.forget(*shot),
                Record::Opened { .. }
                | Record::Attempted { .. }
                | Record::AttemptFailed { .. }
                | Record::ShotFailed { .. }
                | Record::Extended { .. }
                | Record::Described(_)
                | Record::Paused { .. }
                | Record::Resumed
                | Record::Finished { .. } => {}
            }
        }
        gate
    }

    /// Goes on with `plan`, which is that of before, perhaps with points behind it. Those that there were are in the groups
    /// in which they were.
    pub fn follow(&mut self, plan: &Arc<Plan>) {
        if !Arc::ptr_eq(&self.plan, plan) {
            self.groups = groups(plan);
            self.plan = plan.clone();
        }
    }

    /// What is to be said of an image of `shot` that is about to be stored; none if nobody looks, or nothing was measured.
    pub fn judge(&self, shot: ShotIndex, facts: &FrameFacts) -> Option<Verdict> {
        if self.limits.policy == GatePolicy::Off {
            return None;
        }
        let sample = self.sample(shot, facts)?;
        let mut verdict = self.compare(shot, &sample);
        let (camera, _) = self.key(shot);
        let mut same = self.twins.originals(camera, facts.sensor_timestamp_ns, sample.measured.luma_crc32c);
        let original = same.find(|original| self.may_be_twins(*original, shot));
        verdict.findings.extend(original.map(|original| self.duplicate_of(original)));
        Some(verdict)
    }

    /// The camera of `shot`, if the empty rig was seen from there, but with other settings: it cannot be compared with that.
    pub fn other_settings(&self, shot: ShotIndex, facts: &FrameFacts) -> Option<CameraIndex> {
        let looks = self.limits.policy != GatePolicy::Off;
        (looks && self.references.has_other_settings(shot, facts)).then(|| self.plan.camera_of(shot))
    }

    /// Takes note of an image that is stored, and says what is wrong with others that could not be judged before.
    pub fn add(&mut self, stored: &Stored) -> Vec<Late> {
        if self.limits.policy == GatePolicy::Off {
            return Vec::new();
        }
        let key = self.key(stored.shot);
        let finding = self.duplicate_of(stored.shot);
        let mut late = Vec::new();
        for Taken { shot, attempt, .. } in self.twins.duplicates(key.0, stored) {
            if !self.may_be_twins(shot, stored.shot) {
                continue;
            }
            let verdict = Verdict { findings: vec![finding.clone()], ..Verdict::default() };
            late.push(Late { shot, attempt, verdict });
            self.mark_bad(shot);
        }
        self.insert(stored);
        late.extend(self.catch_up(key));
        late
    }

    /// Whether two pictures that are the same to the bit must be of one exposure. Two silhouettes may be black and white,
    /// with no noise to tell them apart.
    fn may_be_twins(&self, one: ShotIndex, other: ShotIndex) -> bool {
        [one, other].map(|shot| self.plan.lighting_of(shot)).contains(&Lighting::Front)
    }

    fn duplicate_of(&self, original: ShotIndex) -> Finding {
        let label = &self.plan.point(self.plan.point_of(original)).label;
        let message = format!("the same picture as {label}, to the bit");
        let value = f64::from(original.0);
        Finding { kind: FindingKind::Duplicate, value, limit: value, message }
    }

    fn mark_bad(&mut self, shot: ShotIndex) {
        let group = self.seen.entry(self.key(shot)).or_default();
        group.iter_mut().filter(|seen| seen.shot == shot).for_each(|seen| seen.bad = true);
    }

    /// What is wrong with images of an earlier run that ended before it could be said.
    pub fn left_over(&mut self) -> Vec<Late> {
        let keys: Vec<_> = self.seen.keys().copied().collect();
        keys.into_iter().flat_map(|key| self.catch_up(key)).collect()
    }

    fn insert(&mut self, stored: &Stored) {
        let Some(sample) = self.sample(stored.shot, &stored.facts) else { return };
        self.forget(stored.shot);
        let key = self.key(stored.shot);
        self.twins.add(key.0, stored);
        let verdict = stored.facts.verdict.as_deref();
        let compared = verdict.is_some_and(|verdict| verdict.neighbours > 0);
        let bad = verdict.is_some_and(Verdict::is_bad);
        let seen = Seen { shot: stored.shot, attempt: stored.attempt, sample, compared, bad };
        self.seen.entry(key).or_default().push(seen);
    }

    /// Compares those of a group that have not been.
    fn catch_up(&mut self, key: (u16, u32)) -> Vec<Late> {
        if self.limits.policy == GatePolicy::Off {
            return Vec::new();
        }
        let group = self.seen.get(&key).map(Vec::as_slice).unwrap_or_default();
        let verdicts: Vec<Option<Verdict>> = group
            .iter()
            .map(|seen| {
                let due = !seen.compared && !seen.bad;
                due.then(|| self.compare(seen.shot, &seen.sample)).filter(|verdict| verdict.neighbours > 0)
            })
            .collect();
        let mut late = Vec::new();
        for (seen, verdict) in self.seen.entry(key).or_default().iter_mut().zip(verdicts) {
            let Some(verdict) = verdict else { continue };
            (seen.compared, seen.bad) = (true, verdict.is_bad());
            if verdict.is_bad() {
                late.push(Late { shot: seen.shot, attempt: seen.attempt, verdict });
            }
        }
        late
    }

    fn forget(&mut self, shot: ShotIndex) {
        let key = self.key(shot);
        if let Some(group) = self.seen.get_mut(&key) {
            group.retain(|seen| seen.shot != shot);
        }
    }

    fn key(&self, shot: ShotIndex) -> (u16, u32) {
        let group = self.groups.get(self.plan.point_of(shot).0 as usize).copied().unwrap_or_default();
        (self.plan.camera_of(shot).0, group)
    }

    fn sample(&self, shot: ShotIndex, facts: &FrameFacts) -> Option<Sample> {
        let point = self.plan.points.get(self.plan.point_of(shot).0 as usize)?;
        Some(Sample {
            angle: point.pose.turntable.get(),
            lighting: point.lighting,
            bracketed: point.bracket.is_some(),
            measured: facts.measured.as_deref()?.clone(),
            object: self.references.object(shot, facts),
            white: facts.clipped_bright,
            black: facts.clipped_dark,
            lens: facts.focus.map(crate::units::Dioptres::get),
        })
    }

    /// The good images of the ring that are nearest to `sample`, but for `shot` itself.
    fn neighbours(&self, shot: ShotIndex, sample: &Sample) -> Vec<&Sample> {
        let group = self.seen.get(&self.key(shot)).map(Vec::as_slice).unwrap_or_default();
        let mut near: Vec<(f64, &Sample)> = group
            .iter()
            .filter(|seen| !seen.bad && seen.shot != shot)
            .map(|seen| (apart(seen.sample.angle, sample.angle), &seen.sample))
            .collect();
        near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        near.into_iter().take(MOST).map(|(_, sample)| sample).collect()
    }

    fn compare(&self, shot: ShotIndex, sample: &Sample) -> Verdict {
        compare(sample, &self.neighbours(shot, sample), &self.limits)
    }
}

/// Of each point: which points it can be compared with. Counted as they come, so points behind the others change nothing.
fn groups(plan: &Plan) -> Vec<u32> {
    let mut known = HashMap::new();
    let group = |(ring, point): (u32, &Point)| {
        let count = known.len() as u32;
        let focus = point.focus.map(|focus| focus.get().to_bits());
        let stops = point.bracket.map(|stops| stops.get().to_bits());
        *known.entry((ring, focus, stops, point.lighting)).or_insert(count)
    };
    plan.rings().into_iter().zip(&plan.points).map(group).collect()
}

/// Degrees between two angles of a turntable.
fn apart(a: f64, b: f64) -> f64 {
    let turn = (a - b).rem_euclid(360.0);
    turn.min(360.0 - turn)
}

#[cfg(test)]
mod tests;
