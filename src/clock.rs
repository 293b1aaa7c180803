//! `CLOCK_MONOTONIC`, the clock of sensor timestamps, which the daemon and its camera drivers share; and the time zone of
//! what people read.

use std::time::Duration;

use jiff::tz::TimeZone;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

const NANOSECONDS: u64 = 1_000_000_000;

/// `CLOCK_MONOTONIC` in nanoseconds: the same in every process, and the clock of sensor timestamps.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Both parts count up from zero at boot.
    now.tv_sec.unsigned_abs() * NANOSECONDS + now.tv_nsec.unsigned_abs()
}

/// For how long this machine has been suspended since it was started, in nanoseconds: `CLOCK_MONOTONIC` stands still then.
pub fn suspended_ns() -> u64 {
    let with_sleep = clock_gettime(ClockId::Boottime);
    let with_sleep_ns = with_sleep.tv_sec.unsigned_abs() * NANOSECONDS + with_sleep.tv_nsec.unsigned_abs();
    with_sleep_ns.saturating_sub(now_ns())
}

/// Sleeps until the clock shows `deadline_ns`; not at all if it does already.
pub fn sleep_until_ns(deadline_ns: u64) {
    let deadline =
        Timespec { tv_sec: (deadline_ns / NANOSECONDS) as _, tv_nsec: (deadline_ns % NANOSECONDS) as _ };
    // The only failure of a valid deadline is a signal.
    while now_ns() < deadline_ns && clock_nanosleep_absolute(ClockId::Monotonic, &deadline).is_err() {}
}

/// `duration` in whole nanoseconds; as long as possible if it is longer than that.
pub fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What to do about a time zone that is not known.
pub const ZONE_ADVICE: &str = "install tzdata, and set the zone with `timedatectl set-timezone Europe/Berlin`, or TZ to one that exists";

/// The time zone of this machine, or of `TZ`.
///
/// # Errors
/// None is known, for this reason: hours are those of UTC then.
pub fn zone() -> Result<TimeZone, String> {
    let told = |error| format!("the time zone is not known, and hours are those of UTC ({error})");
    TimeZone::try_system().map_err(told)
}
