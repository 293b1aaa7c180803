//! A thread that wakes up when it has to.

use std::num::NonZeroU64;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tracing::{info, warn};

use crate::clock::{now_ns, sleep_until_ns};

/// Above everything that is not the kernel's: its interrupt threads have 50 on a real-time kernel.
const PRIORITY: u8 = 45;
/// The last stretch before a deadline is waited for awake: a sleep ends about as much late.
const SPIN_NS: u64 = 25_000;

/// Gives the calling thread real-time priority and keeps the process' memory from being paged out, as far as that is
/// permitted, and says so in the log.
pub(super) fn request() {
    // A sleep that is no real-time thread's may otherwise end 50 us late.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = ThreadPriorityValue::try_from(PRIORITY).map(ThreadPriority::Crossplatform);
    let given = priority.and_then(|priority| {
        set_thread_priority_and_policy(thread_native_id(), priority, fifo)
            .map_err(|error| format!("{error:?}"))
    });
    let locked = lock_memory();
    match (given, locked) {
        (Ok(()), Ok(())) => info!("steps are made at real-time priority {PRIORITY}, with memory locked"),
        (Err(error), _) => warn!(
            "steps are made without real-time priority, and may be late ({error}): \
             run as a service with LimitRTPRIO=99 and LimitMEMLOCK=infinity"
        ),
        (Ok(()), Err(why)) => {
            warn!("memory is not locked, so steps may be late ({why}): set LimitMEMLOCK=infinity");
        }
    }
}

/// Only where there is no limit: with one, memory that is needed later would be refused.
fn lock_memory() -> Result<(), String> {
    let privileged = capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    if !privileged && getrlimit(Resource::Memlock).current.is_some() {
        return Err("there is a limit to locked memory".into());
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    mlockall(flags).map_err(|error| error.to_string())
}

/// Sleeps until shortly before `ns` of `CLOCK_MONOTONIC`, and waits for it awake.
pub(super) fn wait_until(ns: u64) {
    sleep_until_ns(ns.saturating_sub(SPIN_NS));
    while now_ns() < ns {
        std::hint::spin_loop();
    }
}
