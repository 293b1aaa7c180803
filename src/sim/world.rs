//! The state of the simulated rig, which its processes share by a file (`world_file.rs`).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::swinging::Swinging;
use super::{Segment, Way};
use crate::model::{Axis, AxisConfig, Lighting, Pose, Swing, Tremble};
use crate::motion::{self, Ringing};

/// How many moves are remembered: more than fit in the longest exposure.
const REMEMBERED: usize = 4;

/// What swings by less than this is at rest, in the unit of its axis, degrees or millimetres: no picture is blurred by it.
const STILL: f64 = 0.02;
const STILL_MM: f64 = 0.05;
/// What swings by less than this does not at all, so that a picture of it can be used again.
const UNSEEN: f64 = 0.001;

/// Where the axes of a simulated rig stand at any moment, and its lights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Where the axes stand before the first of `segments`, if there is none.
    rest: Pose,
    /// The last moves, the oldest first; they do not overlap.
    segments: VecDeque<Segment>,
    /// Brightness by name of light that shines on the object, 0 (off) to 1 (full).
    lights: BTreeMap<String, f64>,
    /// The same of panels behind it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    backlights: BTreeMap<String, f64>,
    /// What is seen after each move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tremble: Option<Tremble>,
    /// What stands on the turntable.
    #[serde(default)]
    on_table: OnTable,
    /// Moves of the axes so far.
    #[serde(default)]
    moves: u32,
    /// Degrees that the turntable slips in a move, by the move's number from 1 on; nobody tells the axes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    slips: BTreeMap<u32, f64>,
    /// How many times as high the true frequencies of what the axes carry are as configured.
    #[serde(default = "one")]
    heavier: f64,
    /// From the move of this number on.
    #[serde(default)]
    heavier_from: u32,
    /// What swung when the moves before `segments` had ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    swinging: Vec<Swinging>,
}

/// What somebody has put on the simulated turntable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTable {
    /// The object.
    #[default]
    Object,
    /// Nothing.
    Nothing,
    /// The calibration board.
    Board,
}

impl Default for World {
    fn default() -> Self {
        Self::new(Pose::default())
    }
}

impl World {
    /// Axes at rest at `rest`, no lights.
    pub fn new(rest: Pose) -> Self {
        Self {
            rest,
            segments: VecDeque::new(),
            lights: BTreeMap::new(),
            backlights: BTreeMap::new(),
            tremble: None,
            on_table: OnTable::default(),
            moves: 0,
            slips: BTreeMap::new(),
            heavier: one(),
            heavier_from: 0,
            swinging: Vec::new(),
        }
    }

    /// The same, trembling after each move.
    #[must_use]
    pub fn trembling(self, tremble: Option<Tremble>) -> Self {
        Self { tremble, ..self }
    }

    /// The same with something else on the turntable.
    #[must_use]
    pub fn with(self, on_table: OnTable) -> Self {
        Self { on_table, ..self }
    }

    /// The same with a turntable that slips: so many degrees in the move of this number, counted from 1.
    #[must_use]
    pub fn slipping(self, slips: BTreeMap<u32, f64>) -> Self {
        Self { slips, ..self }
    }

    /// The same with a heavier object, or a lighter one: what the axes carry truly swings at so many times the frequency
    /// that is configured as the true one.
    #[must_use]
    pub fn heavier(self, heavier: f64) -> Self {
        Self { heavier, ..self }
    }

    /// The same, but that it is heavier from the move of this number on only, counted from 1.
    #[must_use]
    pub fn heavier_from(self, number: u32) -> Self {
        Self { heavier_from: number, ..self }
    }

    /// What stands on the turntable.
    pub fn on_table(&self) -> OnTable {
        self.on_table
    }

    /// Where the motors stand at `ns` of `CLOCK_MONOTONIC`, past or future; during a move, the turntable's angle may
    /// leave [0, 360). Before the oldest remembered move, the pose from which it started. With what trembles, but without what
    /// swings: that is what the motors carry.
    pub fn pose_at(&self, ns: u64) -> Pose {
        match self.segments.iter().rev().find(|segment| segment.start_ns <= ns) {
            Some(segment) => {
                let pose = segment.pose_at(ns);
                let since = Duration::from_nanos(ns.saturating_sub(segment.rest_ns()));
                let tremble = self.tremble.filter(|_| ns >= segment.rest_ns());
                let angle = tremble.map_or(0.0, |tremble| tremble.angle(since));
                pose.with(Axis::Turntable, pose.get(Axis::Turntable) + angle)
            }
            None => self.segments.front().map_or(self.rest, |oldest| oldest.from),
        }
    }

    /// The pose at `ns` that cameras see: where the axes are believed to stand, what they have slipped since, and how what
    /// they carry swings.
    pub fn seen_at(&self, ns: u64) -> Pose {
        let pose = self.pose_at(ns);
        let slipped = match self.segments.iter().rev().find(|segment| segment.start_ns <= ns) {
            Some(segment) => segment.slipped,
            None => self.segments.front().map_or(Pose::default(), |oldest| oldest.slipped_before),
        };
        Axis::ALL.into_iter().fold(pose, |pose, axis| {
            pose.with(axis, pose.get(axis) + slipped.get(axis) + self.swung_at(axis, ns))
        })
    }

    /// Whether an axis moves at `ns` of `CLOCK_MONOTONIC`.
    pub fn is_moving(&self, ns: u64) -> bool {
        self.segments.iter().any(|segment| segment.start_ns < ns && ns < segment.rest_ns())
    }

    /// Whether no axis moves or trembles, and nothing swings so far that it is seen, at any moment between `from_ns` and
    /// `to_ns` of `CLOCK_MONOTONIC`.
    pub fn rests_during(&self, from_ns: u64, to_ns: u64) -> bool {
        let trembles = self.tremble.map_or(0, |tremble| tremble.lasts().as_nanos() as u64);
        let still_ns = |segment: &Segment| segment.rest_ns().saturating_add(trembles);
        let moves =
            self.segments.iter().any(|segment| segment.start_ns < to_ns && from_ns < still_ns(segment));
        // Between moves, what swings does so less and less.
        !moves && Axis::ALL.into_iter().all(|axis| self.swings_by(axis, from_ns) <= still(axis))
    }

    /// How far what `axis` carries is at `ns` from where the axis is.
    fn swung_at(&self, axis: Axis, ns: u64) -> f64 {
        if !self.is_moving(ns) && self.swings_by(axis, ns) <= UNSEEN {
            return 0.0;
        }
        let begun = self.segments.iter().filter(|segment| segment.start_ns <= ns);
        let swung = begun.flat_map(|segment| segment.swung_at(ns));
        let before = self.swinging.iter().map(|swinging| swinging.ringing_at(ns));
        let swung = swung.chain(before.map(|(axis, ringing)| (axis, ringing.displacement())));
        swung.filter(|(other, _)| *other == axis).map(|(_, swung)| swung).sum()
    }

    /// How far what `axis` carries swings at `ns`, at which no axis moves.
    fn swings_by(&self, axis: Axis, ns: u64) -> f64 {
        let ended = self.segments.iter().filter(|segment| segment.rest_ns() <= ns);
        let left = ended.flat_map(|segment| segment.ringing_at(ns)).map(|(axis, _, ringing)| (axis, ringing));
        let left = left.chain(self.swinging.iter().map(|swinging| swinging.ringing_at(ns)));
        let of_axis = left.filter(|(other, _)| *other == axis).map(|(_, ringing)| ringing);
        of_axis.fold(Ringing::default(), Ringing::and).amplitude()
    }

    /// Where the axes stand, or will once they are at rest; the turntable within [0, 360) degrees.
    pub fn target(&self) -> Pose {
        wrapped(self.segments.back().map_or(self.rest, |segment| segment.to))
    }

    /// `CLOCK_MONOTONIC` in nanoseconds from which every axis is at rest; 0 if none ever moved.
    pub fn rest_ns(&self) -> u64 {
        self.segments.back().map_or(0, Segment::rest_ns)
    }

    /// Brightness of each light of a role, 0 (off) to 1 (full).
    pub fn lights(&self, role: Lighting) -> &BTreeMap<String, f64> {
        match role {
            Lighting::Front => &self.lights,
            Lighting::Backlight => &self.backlights,
        }
    }

    /// Brightness of one light, 0 (off) to 1 (full); none if there is no such light.
    pub fn light(&self, name: &str) -> Option<f64> {
        self.lights.get(name).or_else(|| self.backlights.get(name)).copied()
    }

    /// Sets the brightness of `light`, 0 (off) to 1 (full).
    pub fn set_light(&mut self, light: &str, role: Lighting, brightness: f64) {
        let lights = match role {
            Lighting::Front => &mut self.lights,
            Lighting::Backlight => &mut self.backlights,
        };
        lights.insert(light.to_owned(), brightness);
    }

    /// The axes truly stand at `pose`: where they were believed to stand after the last move is forgotten if that is
    /// somewhere else.
    pub fn place(&mut self, pose: Pose) {
        if self.target() != wrapped(pose) {
            self.segments.clear();
            self.swinging.clear();
            self.rest = wrapped(pose);
        }
    }

    /// Adds a move of `axes` from where they will stand to `target`, from `start_ns` on, which must not be
    /// before [`Self::rest_ns`].
    pub fn push_move(&mut self, start_ns: u64, target: Pose, axes: &[AxisConfig], time_scale: f64) {
        let from = self.target();
        self.moves += 1;
        let slipped_before = self.segments.back().map_or(Pose::default(), |last| last.slipped);
        let slip = self.slips.get(&self.moves).copied().unwrap_or_default();
        let mut slipped = slipped_before.with(Axis::Turntable, slipped_before.get(Axis::Turntable) + slip);
        let (mut to, mut ways) = (from, Vec::with_capacity(axes.len()));
        for config in axes {
            let axis = config.axis;
            let true_swing = config.simulated.swing.map(|swing| self.of_its_weight(swing));
            let way = Way::new(config, motion::distance(axis, &from, &target), true_swing);
            to = to.with(axis, from.get(axis) + way.distance);
            slipped = slipped.with(axis, slipped.get(axis) + way.loses(config.simulated.holds));
            ways.push(way);
        }
        self.segments.push_back(Segment {
            start_ns,
            from,
            to,
            time_scale,
            ways,
            stopped: None,
            slipped_before,
            slipped,
        });
        while self.segments.len() > REMEMBERED {
            let forgotten = self.segments.pop_front();
            self.swinging =
                forgotten.map(|segment| Swinging::after(&segment, &self.swinging)).unwrap_or_default();
        }
    }

    fn of_its_weight(&self, swing: Swing) -> Swing {
        let heavier = if self.moves < self.heavier_from { 1.0 } else { self.heavier };
        Swing { frequency: swing.frequency * heavier, ..swing }
    }

    /// Shortens the last move so that every axis brakes from `ns` of `CLOCK_MONOTONIC` on.
    pub fn stop(&mut self, ns: u64) {
        if let Some(last) = self.segments.back_mut() {
            last.stop(ns);
        }
    }
}

fn one() -> f64 {
    1.0
}

fn still(axis: Axis) -> f64 {
    match axis {
        Axis::Turntable | Axis::Tilt => STILL,
        Axis::Lift | Axis::Rail => STILL_MM,
    }
}

/// `pose` with the turntable within [0, 360) degrees.
fn wrapped(pose: Pose) -> Pose {
    let angle = pose.turntable.get().rem_euclid(360.0);
    // The remainder of a tiny negative angle rounds to 360.
    pose.with(Axis::Turntable, if angle < 360.0 { angle } else { 0.0 })
}

#[cfg(test)]
mod tests;
