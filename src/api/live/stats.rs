//! What is counted of a live view. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Over how long the rate is measured.
const WINDOW: Duration = Duration::from_secs(3);

/// How a live view does; afresh after each pause.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct LiveStats {
    /// Frames a second, of late.
    fps: f64,
    /// Frames shown since somebody looks.
    frame_count: u64,
    /// Frames that came while an earlier one was still being encoded.
    dropped_frames: u64,
    /// When the last one was shown.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_frame_time: Option<Timestamp>,
    /// Photographs that the camera has taken meanwhile.
    capture_count: u64,
    /// Photographs that failed since the last one that did not.
    consecutive_errors: u32,
    /// How many look at this camera.
    viewers: usize,
}

/// Counts frames, and knows their rate of late.
#[derive(Debug, Default)]
pub(in crate::api) struct Meter {
    recent: VecDeque<Instant>,
    shown: u64,
    last: Option<Timestamp>,
    /// What the camera's own counters said at the start.
    came_before: u64,
    taken_before: u64,
}

impl Meter {
    /// Begins anew, with the camera's counters of live frames and of photographs as they are now.
    pub(in crate::api) fn restart(&mut self, _now: Instant, came: u64, taken: u64) {
        *self = Self { came_before: came, taken_before: taken, ..Self::default() };
    }

    /// A frame was shown.
    pub(in crate::api) fn shown(&mut self, now: Instant, at: Timestamp) {
        self.shown += 1;
        self.last = Some(at);
        self.recent.push_back(now);
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        while self.recent.front().is_some_and(|at| now.saturating_duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
    }

    /// What was counted; `came` and `taken` are the camera's counters now.
    pub(in crate::api) fn stats(
        &self,
        now: Instant,
        came: u64,
        taken: u64,
        failed: u32,
        viewers: usize,
    ) -> LiveStats {
        let recent = self.recent.iter().filter(|at| now.saturating_duration_since(**at) <= WINDOW);
        let (count, first) = (recent.clone().count(), recent.clone().next());
        // The first one of the window ends no interval.
        let fps = match (first, self.recent.back()) {
            (Some(first), Some(last)) if last > first => {
                (count - 1) as f64 / last.duration_since(*first).as_secs_f64()
            }
            (None | Some(_), None | Some(_)) => 0.0,
        };
        LiveStats {
            fps: (fps * 10.0).round() / 10.0,
            frame_count: self.shown,
            dropped_frames: came.saturating_sub(self.came_before).saturating_sub(self.shown),
            last_frame_time: self.last,
            capture_count: taken.saturating_sub(self.taken_before),
            consecutive_errors: failed,
            viewers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_late_and_a_restart_begins_at_nothing() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.restart(start, 100, 7);
        for frame in 0..150_u32 {
            meter.shown(start + Duration::from_millis(100) * frame, Timestamp::UNIX_EPOCH);
        }
        let now = start + Duration::from_millis(100) * 149;
        let stats = meter.stats(now, 260, 9, 3, 2);
        assert!((stats.fps - 10.0).abs() < 0.01, "{stats:?}");
        assert_eq!((stats.frame_count, stats.dropped_frames, stats.capture_count), (150, 10, 2));
        assert_eq!(stats.consecutive_errors, 3);
        let later = meter.stats(now + Duration::from_secs(10), 260, 9, 3, 2);
        assert!(later.fps.abs() < f64::EPSILON);
        meter.restart(now, 260, 9);
        let stats = meter.stats(now, 260, 9, 0, 1);
        assert_eq!((stats.frame_count, stats.dropped_frames, stats.capture_count), (0, 0, 0));
        assert_eq!(stats.last_frame_time, None);
    }
}
