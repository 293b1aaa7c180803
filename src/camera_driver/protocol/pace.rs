//! How a stream goes whose frames follow each other by themselves, and when it is known to have fallen silent. Pure.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// No stream has fallen silent sooner, however fast it was: a machine may be busy for that long.
const FLOOR: Duration = Duration::from_millis(500);
/// Nor sooner than after so many of its longest waits of late: they tell how uneven it is.
const WAITS: u32 = 3;

/// Of a stream in which a frame is overdue: how it went before, and for how long none has come. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// From frame to frame, as usual of late, and no less than is exposed with what is set.
    pub interval_us: u64,
    /// The longest wait for a frame of late.
    pub longest_us: u64,
    /// For how long none has come. Time in which the driver did not look does not count.
    pub silent_us: u64,
}

impl Pace {
    /// Silence from which on a stream counts as fallen silent: of so many `frames`.
    pub fn limit(&self, frames: u32) -> Duration {
        let usual = Duration::from_micros(self.interval_us).saturating_mul(frames);
        let uneven = Duration::from_micros(self.longest_us).saturating_mul(WAITS);
        usual.max(uneven).max(FLOOR)
    }

    /// Whether the stream has fallen silent. Never after 0 `frames`.
    pub fn fell_silent(&self, frames: u32) -> bool {
        frames > 0 && Duration::from_micros(self.silent_us) >= self.limit(frames)
    }
}

impl fmt::Display for Pace {
    /// For people: `no frame for 0.7 s from a camera that had delivered one every 33 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (silent, interval) = (self.silent_us as f64 / 1e6, self.interval_us as f64 / 1e3);
        write!(f, "no frame for {silent:.1} s from a camera that had delivered one every {interval:.0} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1000;

    fn pace(interval_ms: u64, longest_ms: u64, silent_ms: u64) -> Pace {
        Pace { interval_us: interval_ms * MS, longest_us: longest_ms * MS, silent_us: silent_ms * MS }
    }

    #[test]
    fn the_limit_is_of_frames_but_never_short_of_what_an_uneven_stream_or_a_busy_machine_needs() {
        let limit = |pace: Pace| pace.limit(20).as_millis();
        assert_eq!(limit(pace(33, 40, 0)), 660);
        assert_eq!(limit(pace(10, 12, 0)), 500);
        assert_eq!(limit(pace(33, 300, 0)), 900);
        assert_eq!(limit(pace(2000, 40, 0)), 40_000);
        assert_eq!(limit(pace(u64::MAX / MS, u64::MAX / MS, 0)), u128::from(u64::MAX / MS) * 20);
    }

    #[test]
    fn a_stream_is_silent_from_its_limit_on_and_never_where_nobody_wants_to_know() {
        assert!(!pace(33, 40, 659).fell_silent(20));
        assert!(pace(33, 40, 660).fell_silent(20));
        assert!(!pace(33, 40, 1_000_000).fell_silent(0));
        let said = pace(33, 40, 712).to_string();
        assert_eq!(said, "no frame for 0.7 s from a camera that had delivered one every 33 ms");
    }
}
