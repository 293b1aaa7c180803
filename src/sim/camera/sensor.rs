//! When a simulated sensor exposes and reads out. Pure: no clock.

use std::time::Duration;

use crate::clock::as_ns;
use crate::units::Seconds;

/// The times of a free-running sensor: frame after frame, whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From the beginning of one exposure to that of the next.
    pub period_ns: u64,
    /// How long a row is exposed.
    pub exposure_ns: u64,
    /// From the first row's readout to the last one's.
    pub readout_ns: u64,
}

impl Timing {
    /// A sensor that is read out `time_scale` times as often and as fast, and exposes as long as it is told: what it was
    /// told is what a frame reports, and what a scan that goes on tells it again. The period is never shorter than that.
    pub fn new(period: Seconds, exposure: Seconds, readout: Seconds, time_scale: f64) -> Self {
        let scaled = |time: Seconds| as_ns((time * time_scale.recip()).duration());
        // Exposures are reported in microseconds, and the report must be exact.
        let exposure_ns = as_ns(exposure.duration()).div_ceil(1000).max(1) * 1000;
        Self { period_ns: scaled(period).max(exposure_ns), exposure_ns, readout_ns: scaled(readout) }
    }

    /// From frame to frame.
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period_ns)
    }

    /// When a sensor starts that is started at `now_ns`: at once, or, if it is synchronised with others by such a delay, so long behind
    /// the next whole number of periods on `CLOCK_MONOTONIC`.
    pub const fn start(&self, now_ns: u64, synced: Option<u64>) -> u64 {
        match synced {
            None => now_ns,
            Some(delay_ns) => {
                let delay_ns = delay_ns % self.period_ns;
                now_ns.saturating_sub(delay_ns).div_ceil(self.period_ns) * self.period_ns + delay_ns
            }
        }
    }

    /// Frame number `index` of a sensor started at `start_ns`.
    pub const fn shutter(&self, start_ns: u64, index: u64) -> Shutter {
        let opens_ns = start_ns + index * self.period_ns;
        let closes_ns = opens_ns + self.exposure_ns;
        Shutter { index, opens_ns, closes_ns, ready_ns: closes_ns + self.readout_ns }
    }

    /// The first frame from number `index` on that is not ready more than a period before `now_ns`: a sensor
    /// does not wait for whoever is late.
    pub const fn catch_up(&self, start_ns: u64, index: u64, now_ns: u64) -> u64 {
        let late_ns = now_ns.saturating_sub(self.shutter(start_ns, index).ready_ns);
        index + late_ns / self.period_ns
    }
}

/// One frame's times, `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutter {
    /// Number of the frame since the start.
    pub index: u64,
    /// When the exposure begins.
    pub opens_ns: u64,
    /// Exposure of the first row ends and its readout begins.
    pub closes_ns: u64,
    /// The last row is read out: the frame is handed over.
    pub ready_ns: u64,
}

impl Shutter {
    /// The middle of the exposure.
    pub const fn middle_ns(&self) -> u64 {
        self.opens_ns.midpoint(self.closes_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(scale: f64) -> Timing {
        Timing::new(Seconds::new(0.033), Seconds::new(0.010), Seconds::new(0.025), scale)
    }

    #[test]
    fn frames_follow_each_other_at_the_period_and_are_ready_after_readout() {
        let shutter = timing(1.0).shutter(1_000, 2);
        assert_eq!(
            (shutter.opens_ns, shutter.closes_ns, shutter.ready_ns),
            (66_001_000, 76_001_000, 101_001_000)
        );
        assert_eq!(shutter.middle_ns(), 71_001_000);
        // Faster, but as bright: a period is as long as the exposure at least.
        assert_eq!(timing(10.0).shutter(0, 1).ready_ns, 10_000_000 + 10_000_000 + 2_500_000);
    }

    #[test]
    fn sensors_that_are_synchronised_expose_together_or_so_much_later() {
        let period = timing(1.0).period_ns;
        for now in [0, 1, 5_000_000, 999_999_999, 33_000_000_000] {
            assert_eq!(timing(1.0).start(now, None), now);
            for delay in [0, 7_000_000, 32_999_999, 40_000_000] {
                let start = timing(1.0).start(now, Some(delay));
                assert!((now..now + period).contains(&start), "{start}");
                assert_eq!(start % period, delay % period);
            }
        }
    }

    #[test]
    fn a_long_exposure_stretches_the_period() {
        let long = Timing::new(Seconds::new(0.033), Seconds::new(0.5), Seconds::new(0.025), 1.0);
        assert_eq!(long.period(), Duration::from_millis(500));
    }

    #[test]
    fn who_is_late_misses_frames() {
        let timing = timing(1.0);
        let ready = timing.shutter(0, 5).ready_ns;
        for (now, expected) in
            [(0, 5), (ready, 5), (ready + 32_999_999, 5), (ready + 33_000_000, 6), (ready + 340_000_000, 15)]
        {
            assert_eq!(timing.catch_up(0, 5, now), expected, "at {now}");
        }
    }
}
