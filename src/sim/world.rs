//! The state of the simulated rig that processes share.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Segment;
use crate::durable::{self, Readers};
use crate::model::{Axis, AxisConfig, Lighting, Pose, Tremble};
use crate::motion;
use crate::rig::axes::{MotionError, MoveObserver, PlannedLeg};

/// How many moves are remembered: more than fit in the longest exposure.
const REMEMBERED: usize = 4;

/// Where the axes of a simulated rig stand at any moment, and its lights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// Nothing stands on the turntable.
    #[serde(default)]
    empty: bool,
}

impl World {
    /// Axes at rest at `rest`, no lights.
    pub fn new(rest: Pose) -> Self {
        Self { rest, ..Self::default() }
    }

    /// The same, trembling after each move.
    #[must_use]
    pub fn trembling(self, tremble: Option<Tremble>) -> Self {
        Self { tremble, ..self }
    }

    /// The same with nothing on the turntable, if `empty`.
    #[must_use]
    pub fn emptied(self, empty: bool) -> Self {
        Self { empty, ..self }
    }

    /// Whether nothing stands on the turntable.
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// Reads what a [`WorldFile`] wrote at `path`.
    pub fn load(path: &Path) -> Result<Self, WorldError> {
        let text =
            std::fs::read(path).map_err(|source| WorldError::Read { path: path.to_owned(), source })?;
        serde_json::from_slice(&text).map_err(|source| WorldError::Parse { path: path.to_owned(), source })
    }

    /// The true pose at `ns` of `CLOCK_MONOTONIC`, past or future; during a move, the turntable's angle may
    /// leave [0, 360). Before the oldest remembered move, the pose from which it started.
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

    /// Whether an axis moves at `ns` of `CLOCK_MONOTONIC`.
    pub fn is_moving(&self, ns: u64) -> bool {
        self.segments.iter().any(|segment| segment.start_ns < ns && ns < segment.rest_ns())
    }

    /// Whether no axis moves or trembles at any moment between `from_ns` and `to_ns` of `CLOCK_MONOTONIC`.
    pub fn rests_during(&self, from_ns: u64, to_ns: u64) -> bool {
        let trembles = self.tremble.map_or(0, |tremble| tremble.lasts().as_nanos() as u64);
        let still_ns = |segment: &Segment| segment.rest_ns().saturating_add(trembles);
        !self.segments.iter().any(|segment| segment.start_ns < to_ns && from_ns < still_ns(segment))
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
            self.rest = wrapped(pose);
        }
    }

    /// Adds a move of `axes` from where they will stand to `target`, from `start_ns` on, which must not be
    /// before [`Self::rest_ns`].
    pub fn push_move(&mut self, start_ns: u64, target: Pose, axes: &[AxisConfig], time_scale: f64) {
        let from = self.target();
        let to = axes.iter().fold(from, |to, axis| {
            to.with(axis.axis, from.get(axis.axis) + motion::distance(axis.axis, &from, &target))
        });
        let limits = axes.iter().map(|axis| (axis.axis, axis.limits)).collect();
        self.segments.push_back(Segment { start_ns, from, to, time_scale, limits });
        while self.segments.len() > REMEMBERED {
            self.segments.pop_front();
        }
    }

    /// Shortens the last move so that every axis brakes from `ns` of `CLOCK_MONOTONIC` on.
    pub fn stop(&mut self, ns: u64) {
        if let Some(last) = self.segments.back_mut() {
            last.stop(ns);
        }
    }
}

/// The one writer of a [`World`]'s file, shared by the simulated axes and lights.
#[derive(Debug)]
pub struct WorldFile {
    path: PathBuf,
    world: Mutex<World>,
}

impl WorldFile {
    /// Writes `world` to `path`, whose folder must exist, and keeps the file up to date from now on.
    pub fn create(path: PathBuf, world: World) -> io::Result<Self> {
        write_atomically(&path, &world)?;
        Ok(Self { path, world: Mutex::new(world) })
    }

    /// The file that simulated cameras read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A copy of the present state.
    pub fn world(&self) -> World {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the state and writes it; if that fails, nothing has changed.
    pub fn update<T>(&self, change: impl FnOnce(&mut World) -> T) -> io::Result<T> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = world.clone();
        let result = change(&mut changed);
        write_atomically(&self.path, &changed)?;
        *world = changed;
        Ok(result)
    }
}

impl MoveObserver for WorldFile {
    /// Simulated cameras see the moves that real motors make.
    fn about_to_move(&self, from: Pose, legs: &[PlannedLeg], axes: &[AxisConfig]) -> Result<(), MotionError> {
        let tell = |world: &mut World| {
            world.place(from);
            for leg in legs {
                world.push_move(leg.start_ns, leg.to, axes, 1.0);
            }
        };
        self.update(tell).map_err(|source| MotionError::World { path: self.path.clone(), source })
    }
}

/// Why the simulated rig's state is not known.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No file that can be read.
    #[error("cannot read the simulated rig's state {}: {source}; is the daemon running?", path.display())]
    Read {
        /// The file that was to be read.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not what a daemon of this version writes.
    #[error("the simulated rig's state {} is not readable: {source}; restart the daemon", path.display())]
    Parse {
        /// The file that was read.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// `pose` with the turntable within [0, 360) degrees.
fn wrapped(pose: Pose) -> Pose {
    let angle = pose.turntable.get().rem_euclid(360.0);
    // The remainder of a tiny negative angle rounds to 360.
    pose.with(Axis::Turntable, if angle < 360.0 { angle } else { 0.0 })
}

/// Not synced: the state does not outlive the daemon.
fn write_atomically(path: &Path, world: &World) -> io::Result<()> {
    durable::swap(path, &serde_json::to_vec(world)?, Readers::Owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;
    use proptest::prelude::*;

    const AXES: [AxisConfig; 2] = [
        AxisConfig {
            axis: Axis::Turntable,
            limits: Limits { speed: 90.0, acceleration: 180.0, jerk: None },
            travel: None,
        },
        AxisConfig {
            axis: Axis::Lift,
            limits: Limits { speed: 50.0, acceleration: 200.0, jerk: None },
            travel: Some((0.0, 300.0)),
        },
    ];
    const MS: u64 = 1_000_000;

    fn at(turntable: f64, lift: f64) -> Pose {
        Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift)
    }

    #[test]
    fn a_turn_over_zero_is_continuous_and_ends_where_it_should() {
        let mut world = World::new(at(350.0, 0.0));
        world.push_move(1000 * MS, at(35.0, 0.0), &AXES, 1.0); // 45 degrees take one second
        assert_eq!(world.rest_ns(), 2000 * MS);
        assert_eq!(world.pose_at(0), at(350.0, 0.0));
        assert_eq!(world.pose_at(1500 * MS), at(372.5, 0.0));
        assert_eq!(world.pose_at(2000 * MS), at(395.0, 0.0));
        assert_eq!(world.target(), at(35.0, 0.0));
    }

    #[test]
    fn it_rests_before_between_and_after_moves_only() {
        let mut world = World::new(Pose::default());
        assert!(world.rests_during(0, u64::MAX) && !world.is_moving(7));
        world.push_move(1000 * MS, at(45.0, 0.0), &AXES, 1.0);
        world.push_move(3000 * MS, at(90.0, 0.0), &AXES, 2.0);
        assert_eq!(world.rest_ns(), 3500 * MS);
        assert!(world.rests_during(0, 1000 * MS) && world.rests_during(2000 * MS, 3000 * MS));
        assert!(world.rests_during(3500 * MS, u64::MAX));
        assert!(!world.rests_during(0, 1001 * MS) && !world.rests_during(1999 * MS, 2500 * MS));
        assert!(!world.rests_during(2500 * MS, 4000 * MS));
        assert!(world.is_moving(1500 * MS) && !world.is_moving(2500 * MS) && world.is_moving(3400 * MS));
    }

    #[test]
    fn only_the_last_moves_are_remembered() {
        let mut world = World::new(Pose::default());
        for i in 1..=10 {
            world.push_move(world.rest_ns() + MS, at(f64::from(i) * 100.0, 0.0), &AXES, 1.0);
        }
        assert_eq!(world.segments.len(), REMEMBERED);
        assert_eq!(world.target(), at(280.0, 0.0));
        assert_eq!(world.pose_at(0), at(240.0, 0.0)); // after six moves
    }

    #[test]
    fn a_file_reads_back_as_written_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let error = World::load(&path).unwrap_err().to_string();
        assert!(error.contains("world.json"), "{error}");
        let file = WorldFile::create(path.clone(), World::new(at(12.5, 1.0 / 3.0))).unwrap();
        file.update(|world| world.push_move(5, at(17.1, 100.0), &AXES, 10.0)).unwrap();
        file.update(|world| world.set_light("left", Lighting::Front, 0.75)).unwrap();
        assert_eq!(World::load(&path).unwrap(), file.world());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn what_cannot_be_written_has_not_happened() {
        let folder = tempfile::tempdir().unwrap();
        let file = WorldFile::create(folder.path().join("world.json"), World::default()).unwrap();
        drop(folder);
        file.update(|world| world.set_light("left", Lighting::Front, 1.0)).unwrap_err();
        assert_eq!(file.world(), World::default());
    }

    proptest! {
        #[test]
        fn a_stop_is_a_shorter_way_with_the_same_past(
            target in (-400.0..400.0, 0.0..300.0), scale in 0.5..20.0, stop in 0.0..1.1_f64, past in 0.0..1.0_f64,
        ) {
            let mut world = World::default();
            world.push_move(MS, at(target.0, target.1), &AXES, scale);
            let mut stopped = world.clone();
            let stop_ns = MS + ((world.rest_ns() - MS) as f64 * stop) as u64;
            stopped.stop(stop_ns);
            prop_assert!(stopped.rest_ns() <= world.rest_ns() + 1000);
            let past_ns = (stop_ns as f64 * past) as u64;
            let (a, b) = (world.pose_at(past_ns), stopped.pose_at(past_ns));
            prop_assert!(Axis::ALL.iter().all(|&axis| (a.get(axis) - b.get(axis)).abs() < 1e-3), "{a:?} {b:?}");
        }
    }
}
