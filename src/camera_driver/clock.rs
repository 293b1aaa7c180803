//! `CLOCK_MONOTONIC` in nanoseconds, the clock of sensor timestamps.

use std::time::Duration;

use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec};

pub use crate::rig::clock::now_ns;

const NANOSECONDS: u64 = 1_000_000_000;

/// Sleeps until the clock shows `deadline_ns`; not at all if it does already.
pub fn sleep_until_ns(deadline_ns: u64) {
    let deadline =
        Timespec { tv_sec: (deadline_ns / NANOSECONDS) as _, tv_nsec: (deadline_ns % NANOSECONDS) as _ };
    // The only failure of a valid deadline is a signal.
    while clock_nanosleep_absolute(ClockId::Monotonic, &deadline).is_err() {}
}

/// `duration` in whole nanoseconds; as long as possible if it is longer than that.
pub fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
