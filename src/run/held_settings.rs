//! Which settings a camera has for a shot: what is found automatically is held, so that images fit together.

use std::collections::HashMap;

use crate::config::HoldSettings;
use crate::model::{Controls, Lighting};
use crate::plan::{CameraIndex, Plan, Point, ShotIndex};
use crate::scan::{FrameFacts, Record};
use crate::units::{Dioptres, Seconds, Stops};

/// What a camera holds, and for which shots.
#[derive(Debug)]
pub(super) struct HeldSettings {
    hold: HoldSettings,
    /// For each point of the plan, the group of points that are held alike; none if nothing is.
    groups: Option<Vec<Group>>,
    /// For each point of the plan, its lens position in a focus stack.
    focus: Vec<Option<Dioptres>>,
    /// For each point of the plan, how much more than usual is exposed in a bracket.
    bracket: Vec<Option<Stops>>,
    /// The usual exposure, where that is configured.
    configured: Option<Seconds>,
    /// By group: in this run, or, as recorded, in an earlier one.
    known: HashMap<Group, Controls>,
    /// None while what the camera has is not known.
    now: Option<Now>,
}

/// Points of a scan or ring that are lit alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Group {
    number: u32,
    lighting: Lighting,
}

impl Group {
    /// The same points, seen from the front.
    const fn front(self) -> Self {
        Self { lighting: Lighting::Front, ..self }
    }
}

/// What the camera was told last.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Now {
    group: Option<Group>,
    focus: Option<Dioptres>,
    bracket: Option<Stops>,
}

/// What has to be done before a shot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Prepare {
    /// The camera has what it needs.
    Nothing,
    /// The camera has to find its settings, but for these, which are set before.
    Converge(Controls),
    /// These have to be set.
    Set(Controls),
    /// It is one of a bracket, and nobody knows the usual exposure.
    Unknown,
}

impl HeldSettings {
    /// Of a scan's `camera`, for which this exposure is `configured`, and whose earlier runs left `records`.
    pub(super) fn new(
        hold: HoldSettings,
        configured: Option<Seconds>,
        plan: &Plan,
        camera: CameraIndex,
        records: &[Record],
    ) -> Self {
        let (groups, focus, bracket) = (groups(hold, plan), focus(plan), bracket(plan));
        let mut known = HashMap::new();
        for record in records {
            if let (Record::Stored(stored), Some(groups)) = (record, &groups)
                && plan.camera_of(stored.shot) == camera
            {
                let point = plan.point_of(stored.shot).0 as usize;
                // A lens position of a stack is the point's, and not what autofocus found.
                let stacked = focus.get(point).copied().flatten().is_some();
                let stops = bracket.get(point).copied().flatten();
                if let Some(group) = groups.get(point) {
                    known.insert(*group, recorded(&stored.facts, !stacked, stops));
                }
            }
        }
        Self { hold, groups, focus, bracket, configured, known, now: Some(Now::default()) }
    }

    /// Goes on with `plan`, which is that of before with points behind it: what was found for a group holds for those of them
    /// that belong to it.
    pub(super) fn follow(&mut self, plan: &Plan) {
        (self.groups, self.focus, self.bracket) = (groups(self.hold, plan), focus(plan), bracket(plan));
    }

    /// What has to be done before `shot`.
    pub(super) fn prepare(&self, plan: &Plan, shot: ShotIndex) -> Prepare {
        let wanted = self.wanted(plan, shot);
        if Some(wanted) == self.now {
            return Prepare::Nothing;
        }
        match wanted.group.map(|group| self.known.get(&group)) {
            Some(None) => {
                // A lens that moves makes the picture larger or smaller: an outline fits only where it was for the surface.
                let front = wanted.group.and_then(|group| self.known.get(&group.front()));
                let focus = wanted.focus.or(front.and_then(|front| front.focus));
                Prepare::Converge(Controls { focus, ..Controls::default() })
            }
            Some(Some(held)) => self.set(*held, wanted),
            None => self.set(Controls::default(), wanted),
        }
    }

    /// The camera has found `controls` for the points that belong to that of `shot`.
    pub(super) fn found(&mut self, plan: &Plan, shot: ShotIndex, controls: Controls) {
        let wanted = self.wanted(plan, shot);
        let Some(group) = wanted.group else { return };
        let focus = if wanted.focus.is_some() { None } else { controls.focus };
        self.known.insert(group, Controls { focus, ..controls });
        // It was found for the usual exposure.
        self.now = Some(Now { bracket: None, ..wanted });
    }

    /// What [`prepare`](Self::prepare) asked for before `shot` is set.
    pub(super) fn is_set(&mut self, plan: &Plan, shot: ShotIndex) {
        self.now = Some(self.wanted(plan, shot));
    }

    /// The camera is being changed: what it has is known only once that is done.
    pub(super) fn changing(&mut self) {
        self.now = None;
    }

    fn wanted(&self, plan: &Plan, shot: ShotIndex) -> Now {
        let point = plan.point_of(shot).0 as usize;
        Now {
            group: self.groups.as_ref().and_then(|groups| groups.get(point).copied()),
            focus: self.focus.get(point).copied().flatten(),
            bracket: self.bracket.get(point).copied().flatten(),
        }
    }

    /// That `held` is set, but for what a point has of its own.
    fn set(&self, held: Controls, wanted: Now) -> Prepare {
        let over = Controls { focus: wanted.focus, ..Controls::default() }.over(held);
        let Some(stops) = wanted.bracket else { return Prepare::Set(over) };
        let Some(usual) = held.exposure.or(self.configured) else { return Prepare::Unknown };
        Prepare::Set(Controls { exposure: Some(usual * stops.factor()), ..over })
    }
}

/// Numbered as they come, so points behind the others change nothing.
fn groups(hold: HoldSettings, plan: &Plan) -> Option<Vec<Group>> {
    let numbers = match hold {
        HoldSettings::Scan => vec![0; plan.points.len()],
        HoldSettings::Ring => plan.rings(),
        HoldSettings::Never => return None,
    };
    let group = |(number, point): (u32, &Point)| Group { number, lighting: point.lighting };
    Some(numbers.into_iter().zip(&plan.points).map(group).collect())
}

fn focus(plan: &Plan) -> Vec<Option<Dioptres>> {
    plan.points.iter().map(|point| point.focus).collect()
}

fn bracket(plan: &Plan) -> Vec<Option<Stops>> {
    plan.points.iter().map(|point| point.bracket).collect()
}

/// What a stored image was taken with, with the exposure that is usual if this one was `stops` more.
fn recorded(facts: &FrameFacts, with_focus: bool, stops: Option<Stops>) -> Controls {
    let usual = facts.exposure * stops.map_or(1.0, Stops::factor).recip();
    Controls {
        // A camera that does not say has 0.
        exposure: Some(usual).filter(|exposure| exposure.get() > 0.0),
        gain: Some(facts.gain).filter(|gain| *gain >= 1.0),
        white_balance: facts.white_balance,
        focus: facts.focus.filter(|_| with_focus),
        ..Controls::default()
    }
}

#[cfg(test)]
mod tests;
