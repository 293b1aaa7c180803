//! A simulated move: where the axes are at each moment of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Axis, Limits, Pose};
use crate::motion::Profile;

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
    /// Limits of the axes that move.
    pub limits: Vec<(Axis, Limits)>,
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
        self.profiles().fold(self.from, |pose, (axis, profile)| {
            pose.with(axis, self.from.get(axis) + profile.position(time))
        })
    }

    pub(super) fn stop(&mut self, ns: u64) {
        if ns >= self.rest_ns() {
            return;
        }
        let time = self.time_at(ns);
        self.to = self.profiles().fold(self.from, |pose, (axis, profile)| {
            pose.with(axis, self.from.get(axis) + profile.stopped_at(time).position(Duration::MAX))
        });
    }

    /// Unscaled time since the start.
    fn time_at(&self, ns: u64) -> Duration {
        Duration::from_nanos((ns.saturating_sub(self.start_ns) as f64 * self.time_scale) as u64)
    }

    fn profiles(&self) -> impl Iterator<Item = (Axis, Profile)> {
        self.limits
            .iter()
            .map(|&(axis, limits)| (axis, Profile::new(self.to.get(axis) - self.from.get(axis), limits)))
    }
}
