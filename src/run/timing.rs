//! Where the time of a run went, and how much of it physics needed.
//!
//! The physical floor of a point is its move, the settling, the wait for the sensor's next frame, the exposure and
//! the readout. What lies between the end of the last readout of a point and the start of the next move is ours, and so is
//! the wait for a place among the frames that are not on disk yet.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::camera_driver::protocol::ExposedAt;
use crate::plan::ShotIndex;
use crate::rig::camera::CapturedFrame;

use super::arrival::Arrival;

/// The times of one captured frame, `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) shot: ShotIndex,
    pub(super) move_start_ns: u64,
    pub(super) rest_ns: u64,
    pub(super) ready_ns: u64,
    /// When there was a place for it among the frames that are not on disk yet.
    pub(super) place_ns: u64,
    pub(super) exposure_start_ns: u64,
    pub(super) exposure_end_ns: u64,
    pub(super) readout_end_ns: u64,
}

impl Taken {
    pub(super) fn of(
        shot: ShotIndex,
        captured: &CapturedFrame,
        arrival: Arrival,
        ready_ns: u64,
        place_ns: u64,
    ) -> Self {
        let frame = captured.metadata();
        let (move_start_ns, rest_ns) = match arrival {
            Arrival::Expected { start_ns, rest_ns } | Arrival::Arrived { start_ns, rest_ns, .. } => {
                (start_ns, rest_ns)
            }
            Arrival::Waiting | Arrival::Failed => (ready_ns, ready_ns),
        };
        let exposure_ns = frame.exposure_us.unwrap_or_default().saturating_mul(1000);
        let (exposure_end_ns, readout_end_ns) = match frame.exposed {
            ExposedAt::Sensor { sensor_timestamp_ns } => (
                sensor_timestamp_ns,
                sensor_timestamp_ns.saturating_add(frame.readout_us.saturating_mul(1000)),
            ),
            // All that is known of its readout is that it was over by then.
            ExposedAt::Trigger { triggered_ns } => {
                let received_ns = captured.received_ns();
                (triggered_ns.saturating_add(exposure_ns).min(received_ns), received_ns)
            }
        };
        Self {
            shot,
            move_start_ns,
            rest_ns,
            ready_ns,
            place_ns,
            exposure_start_ns: captured.exposed_from_ns(),
            exposure_end_ns,
            readout_end_ns,
        }
    }
}

/// Where the time of a run went.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Timing {
    /// Points that were visited and yielded a frame.
    pub points: u32,
    /// From the first move to the last acknowledgement, in seconds.
    pub wall: f64,
    /// Axes in motion, in seconds.
    pub moving: f64,
    /// Waiting for the rig to come to rest, and for steady light, in seconds.
    pub settling: f64,
    /// Ours: the rig is at rest, and there is no memory for one more frame until one is stored, in seconds.
    pub queueing: f64,
    /// Waiting for the sensor to begin its next frame, in seconds.
    pub frame_wait: f64,
    /// Exposing the frames that were waited for, in seconds.
    pub exposing: f64,
    /// Reading out, in seconds.
    pub readout: f64,
    /// Failed attempts and what was done about them, in seconds.
    pub recovering: f64,
    /// Ours: from the end of a point's last readout to the start of the next move, in seconds.
    pub software: f64,
    /// The same of the median point, in seconds: without the few where the machine was busy elsewhere.
    pub software_median: f64,
    /// Ours: from the last readout to the last acknowledgement, in seconds.
    pub finishing: f64,
}

impl Timing {
    /// What physics needed: moves, settling, frame wait, exposure, readout; in seconds.
    pub fn floor(&self) -> f64 {
        self.moving + self.settling + self.frame_wait + self.exposing + self.readout
    }

    /// Adds a point, of which `last` was the last frame.
    fn add(&mut self, last: &Taken, recovered: bool) {
        self.moving += seconds(last.move_start_ns, last.rest_ns);
        self.settling += seconds(last.rest_ns, last.ready_ns);
        if recovered {
            self.recovering += seconds(last.ready_ns, last.exposure_start_ns);
        } else {
            let place_ns = last.place_ns.clamp(last.ready_ns, last.exposure_start_ns.max(last.ready_ns));
            self.queueing += seconds(last.ready_ns, place_ns);
            self.frame_wait += seconds(place_ns, last.exposure_start_ns);
        }
        self.exposing += seconds(last.exposure_start_ns, last.exposure_end_ns);
        self.readout += seconds(last.exposure_end_ns, last.readout_end_ns);
    }

    /// Milliseconds a point that the software added.
    pub fn software_ms_per_point(&self) -> f64 {
        if self.points == 0 { 0.0 } else { self.software * 1e3 / f64::from(self.points) }
    }
}

/// Adds up the points of a run.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    /// By start of the move: one visit of a point.
    visits: BTreeMap<u64, Visit>,
}

#[derive(Debug, Clone, Copy)]
struct Visit {
    /// When the axes came to rest there.
    rest_ns: u64,
    /// The frame that was done last; none where every shot was given up.
    last: Option<Taken>,
    recovered: bool,
    /// When the last failed attempt, or what was done about it, was over.
    tried_until_ns: u64,
}

impl Visit {
    /// When nothing of the point was left to be done.
    fn end_ns(&self) -> u64 {
        self.last.map_or(0, |last| last.readout_end_ns).max(self.tried_until_ns)
    }
}

impl Stopwatch {
    pub(super) fn add(&mut self, taken: Taken, recovered: bool) {
        let visit = self.visit(taken.move_start_ns, taken.rest_ns);
        visit.recovered |= recovered;
        if visit.last.is_none_or(|last| taken.readout_end_ns > last.readout_end_ns) {
            visit.last = Some(taken);
        }
    }

    /// That until `now_ns` something was tried in vain, or put right, where the axes are by that move: it may be all that comes
    /// of the point.
    pub(super) fn tried(&mut self, arrival: Arrival, now_ns: u64) {
        let (Arrival::Expected { start_ns, rest_ns } | Arrival::Arrived { start_ns, rest_ns, .. }) = arrival
        else {
            return;
        };
        let visit = self.visit(start_ns, rest_ns);
        visit.tried_until_ns = visit.tried_until_ns.max(now_ns);
    }

    fn visit(&mut self, start_ns: u64, rest_ns: u64) -> &mut Visit {
        let new = Visit { rest_ns, last: None, recovered: false, tried_until_ns: 0 };
        self.visits.entry(start_ns).or_insert(new)
    }

    /// The sum, for a run that began with the first move and ended at `end_ns`.
    pub(super) fn timing(&self, end_ns: u64) -> Timing {
        let points = self.visits.values().filter(|visit| visit.last.is_some()).count() as u32;
        let mut timing = Timing { points, ..Timing::default() };
        let Some(first) = self.visits.keys().next() else { return timing };
        timing.wall = seconds(*first, end_ns);
        let mut next_starts = self.visits.keys().skip(1);
        let mut software = Vec::new();
        for (start_ns, visit) in &self.visits {
            match visit.last {
                Some(last) => timing.add(&last, visit.recovered),
                None => timing.moving += seconds(*start_ns, visit.rest_ns),
            }
            // Of a point without a frame, from when the axes were there.
            let done_ns = visit.last.map_or(visit.rest_ns, |last| last.readout_end_ns);
            timing.recovering += seconds(done_ns, visit.tried_until_ns);
            match next_starts.next() {
                Some(next) => software.push(seconds(visit.end_ns(), *next)),
                None => timing.finishing = seconds(visit.end_ns(), end_ns),
            }
        }
        for gap in &software {
            timing.software += gap;
        }
        software.sort_by(f64::total_cmp);
        timing.software_median = software.get(software.len() / 2).copied().unwrap_or_default();
        timing
    }
}

fn seconds(from_ns: u64, to_ns: u64) -> f64 {
    Duration::from_nanos(to_ns.saturating_sub(from_ns)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn taken(shot: u32, start_ms: u64, exposure_start_ms: u64) -> Taken {
        Taken {
            shot: ShotIndex(shot),
            move_start_ns: start_ms * MS,
            rest_ns: (start_ms + 100) * MS,
            ready_ns: (start_ms + 150) * MS,
            place_ns: start_ms * MS,
            exposure_start_ns: exposure_start_ms * MS,
            exposure_end_ns: (exposure_start_ms + 10) * MS,
            readout_end_ns: (exposure_start_ms + 40) * MS,
        }
    }

    #[test]
    fn a_wait_for_a_place_is_no_wait_for_the_sensor() {
        let mut watch = Stopwatch::default();
        watch.add(Taken { place_ns: 1160 * MS, ..taken(0, 1000, 1170) }, false);
        // There was one before the rig had come to rest.
        watch.add(Taken { place_ns: 1300 * MS, ..taken(1, 1211, 1365) }, false);
        let timing = watch.timing(1_410 * MS);
        assert!((timing.queueing - 0.010).abs() < 1e-9, "{timing:?}");
        assert!((timing.frame_wait - 0.014).abs() < 1e-9, "{timing:?}");
        let sum = timing.floor() + timing.queueing + timing.software + timing.finishing;
        assert!((timing.wall - sum).abs() < 1e-9, "{timing:?}");
    }

    #[test]
    fn phases_add_up_to_the_wall_time() {
        let mut watch = Stopwatch::default();
        watch.add(taken(0, 1000, 1160), false);
        watch.add(taken(1, 1000, 1170), false);
        watch.add(taken(2, 1211, 9000), true);
        let timing = watch.timing(9_050 * MS);
        assert_eq!(timing.points, 2);
        let sum = timing.floor() + timing.queueing + timing.recovering + timing.software + timing.finishing;
        assert!((timing.wall - sum).abs() < 1e-9, "{timing:?}");
        assert!((timing.software - 0.001).abs() < 1e-9);
        assert!((timing.software_median - 0.001).abs() < 1e-9);
        assert!((timing.finishing - 0.010).abs() < 1e-9);
        assert!((timing.frame_wait - 0.020).abs() < 1e-9, "the later camera decides");
    }
    #[test]
    fn the_time_of_shots_that_were_given_up_is_that_of_recovering() {
        let mut watch = Stopwatch::default();
        watch.add(taken(0, 1000, 1160), false);
        // Ready at 1361, tried until 8000, and no frame came of it.
        let arrival = Arrival::Arrived { start_ns: 1_211 * MS, rest_ns: 1_311 * MS, disturbances: 0 };
        watch.tried(arrival, 4_000 * MS);
        watch.tried(arrival, 8_000 * MS);
        // Of two cameras, one has its image, and the other has given up after that.
        watch.add(taken(2, 8_001, 8_160), false);
        let arrival = Arrival::Expected { start_ns: 8_001 * MS, rest_ns: 8_101 * MS };
        watch.tried(arrival, 9_000 * MS);
        watch.tried(Arrival::Failed, 9_500 * MS);
        let timing = watch.timing(9_010 * MS);
        assert_eq!(timing.points, 2, "{timing:?}");
        assert!((timing.recovering - (8.0 - 1.311 + 9.0 - 8.2)).abs() < 1e-9, "{timing:?}");
        assert!((timing.software - 0.012).abs() < 1e-9, "{timing:?}");
        let sum = timing.floor() + timing.queueing + timing.recovering + timing.software + timing.finishing;
        assert!((timing.wall - sum).abs() < 1e-9, "{timing:?}");
    }

    #[test]
    fn between_the_points_of_a_run_with_one_there_is_no_time_and_no_negative_one() {
        let mut watch = Stopwatch::default();
        watch.add(taken(0, 1000, 1160), false);
        assert_eq!(format!("{:.2}", watch.timing(1_210 * MS).software), "0.00");
    }
}
