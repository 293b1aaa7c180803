//! A simulated move: where the axes are at each moment of it, and how what they carry swings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Axis, AxisConfig, Limits, Pose, Swing};
use crate::motion::{self, Impulses, Oscillator, Profile, Ringing};

/// What a motor loses that cannot hold, in the unit of its axis: four full steps, an electrical turn, of the usual motor 7.2
/// degrees, behind a belt of 20 to 90 teeth; or a screw with a lead of 8 mm.
const LOST: f64 = 1.6;
const LOST_MM: f64 = 0.16;

/// A move of all axes from one pose to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// `CLOCK_MONOTONIC` in nanoseconds at which it starts.
    pub start_ns: u64,
    /// From where, the turntable within [0, 360) degrees.
    pub from: Pose,
    /// To where; the turntable's angle is not wrapped, so it goes straight from the one to the other.
    pub to: Pose,
    /// How many times faster than real time.
    pub time_scale: f64,
    /// The ways of the axes.
    pub ways: Vec<Way>,
    /// When it was stopped, in unscaled time since its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Duration>,
    /// How far the axes truly stand beside where they are believed to be, before the move
    #[serde(default)]
    pub slipped_before: Pose,
    /// and since it began.
    #[serde(default)]
    pub slipped: Pose,
}

/// The way of one axis, as it was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// Which one.
    pub axis: Axis,
    /// How far it goes, with its sign, in the axis' unit.
    pub distance: f64,
    /// The limits of the axis.
    pub limits: Limits,
    /// The parts of the move.
    pub impulses: Impulses,
    /// How what it carries truly swings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swing: Option<Swing>,
}

impl Way {
    /// That of `axis`, whose load truly swings as `swing` says.
    pub(super) fn new(axis: &AxisConfig, distance: f64, swing: Option<Swing>) -> Self {
        let impulses = motion::impulses(axis, distance);
        Self { axis: axis.axis, distance, limits: axis.limits, impulses, swing }
    }

    /// How far the axis is behind at the end of it, if its motor holds no more acceleration than `holds`.
    pub(super) fn loses(&self, holds: Option<f64>) -> f64 {
        let Some(holds) = holds else { return 0.0 };
        let peak = self.profile().peak_acceleration();
        // What is as much, but for rounding, is held.
        if peak <= holds * (1.0 + 1e-9) {
            return 0.0;
        }
        let lost: f64 = match self.axis {
            Axis::Turntable | Axis::Tilt => LOST,
            Axis::Lift | Axis::Rail => LOST_MM,
        };
        -lost.min(self.distance.abs()).copysign(self.distance)
    }

    fn profile(&self) -> Profile {
        Profile::shaped(self.distance, self.limits, self.impulses)
    }
}

impl Segment {
    /// `CLOCK_MONOTONIC` in nanoseconds from which every axis is at rest.
    pub fn rest_ns(&self) -> u64 {
        let longest = self.profiles().map(|(_, profile)| profile.duration()).max().unwrap_or_default();
        let scaled = (longest.as_nanos() as f64 / self.time_scale).ceil();
        self.start_ns.saturating_add(scaled as u64)
    }

    pub(super) fn pose_at(&self, ns: u64) -> Pose {
        if ns >= self.rest_ns() {
            return self.to;
        }
        let time = self.time_at(ns);
        self.profiles().fold(self.from, |pose, (way, profile)| {
            pose.with(way.axis, self.from.get(way.axis) + profile.position(time))
        })
    }

    pub(super) fn stop(&mut self, ns: u64) {
        // What brakes already cannot do so once more.
        if ns >= self.rest_ns() || self.stopped.is_some() {
            return;
        }
        self.stopped = Some(self.time_at(ns));
        self.to = self.profiles().fold(self.from, |pose, (way, profile)| {
            pose.with(way.axis, self.from.get(way.axis) + profile.distance())
        });
    }

    /// How far this move has taken what the axes carry from where the axes are, at `ns`, during the move and after it.
    pub(super) fn swung_at(&self, ns: u64) -> impl Iterator<Item = (Axis, f64)> {
        let time = self.time_at(ns).as_secs_f64();
        self.loads().map(move |(axis, load, profile)| (axis, load.displacement(&profile, time)))
    }

    /// What this move has left swinging at `ns`, which is not before its end.
    pub(super) fn ringing_at(&self, ns: u64) -> impl Iterator<Item = (Axis, Oscillator, Ringing)> {
        let time = self.time_at(ns).as_secs_f64();
        self.loads().map(move |(axis, load, profile)| (axis, load, load.ringing(&profile, time)))
    }

    /// Unscaled time since the start.
    pub(super) fn time_at(&self, ns: u64) -> Duration {
        Duration::from_nanos((ns.saturating_sub(self.start_ns) as f64 * self.time_scale) as u64)
    }

    fn loads(&self) -> impl Iterator<Item = (Axis, Oscillator, Profile)> {
        self.profiles().filter_map(|(way, profile)| {
            let swing = way.swing.as_ref()?;
            Some((way.axis, Oscillator::new(swing), profile))
        })
    }

    fn profiles(&self) -> impl Iterator<Item = (&Way, Profile)> {
        self.ways.iter().map(|way| {
            let profile = way.profile();
            (way, self.stopped.map_or(profile, |time| profile.stopped_at(time)))
        })
    }
}
