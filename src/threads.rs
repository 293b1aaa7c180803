//! Runtimes on a system that may have no threads to give: an error, where tokio would panic. And threads that step back behind what
//! a scan needs.

use std::io;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, setpriority_process};
use tokio::runtime::{Builder, Runtime};

/// For good, as it were: a thread that ends may not be had again.
const KEEP: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long threads may take to be there.
const GATHER: Duration = Duration::from_secs(2);

/// How far anything steps back at most, 0 to 19, if it is in the environment: on a machine that is busy with other things for good,
/// what has stepped back gets no processor at all.
const MOST_NICE: &str = "SCANNER_MOST_NICE";

/// Lets this thread have the processor after others, and what it starts from here on: by `nice`, 0 to 19, as in nice(2).
pub fn step_back(nice: i32) {
    // Refused, it is not the nicer.
    let _ = setpriority_process(None, nice.min(most_nice()));
}

/// The same of a program that was started.
pub fn put_back(program: &Child, nice: i32) {
    let _ = setpriority_process(Some(Pid::from_child(program)), nice.min(most_nice()));
}

fn most_nice() -> i32 {
    static MOST: OnceLock<i32> = OnceLock::new();
    *MOST.get_or_init(|| std::env::var(MOST_NICE).ok().and_then(|text| text.parse().ok()).unwrap_or(19))
}

/// A runtime with `workers`, and with `ready` threads for blocking calls that are there from the start and stay: a runtime
/// that has one waits for it where it gets no other, and panics where it has none. `further` sets what else is wanted.
///
/// # Errors
/// There are not enough threads.
pub fn runtime(workers: usize, ready: usize, further: impl FnOnce(&mut Builder)) -> io::Result<Runtime> {
    // Tokio panics if it gets no worker, so as many as it begins with are tried first.
    check(workers + ready)?;
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(workers).thread_keep_alive(KEEP).enable_all();
    further(&mut builder);
    let runtime = builder.build()?;
    let together = Arc::new((Mutex::new(0), Condvar::new()));
    for _ in 0..ready {
        let together = together.clone();
        drop(runtime.spawn_blocking(move || gather(&together, ready)));
    }
    Ok(runtime)
}

/// Waits until `wanted` threads wait here, each of which is another one; not for ever, should one not be had.
fn gather((here, came): &(Mutex<usize>, Condvar), wanted: usize) {
    let mut count = here.lock().unwrap_or_else(PoisonError::into_inner);
    *count += 1;
    came.notify_all();
    drop(came.wait_timeout_while(count, GATHER, |count| *count < wanted));
}

/// Whether this many threads can be had at the same time.
fn check(count: usize) -> io::Result<()> {
    let threads: Vec<_> = (0..count).map(|_| std::thread::Builder::new().spawn(std::thread::park)).collect();
    let mut enough = Ok(());
    for thread in threads {
        match thread {
            Ok(thread) => {
                thread.thread().unpark();
                let _ = thread.join();
            }
            Err(error) => enough = Err(error),
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_ready_from_the_start() {
        let few = |builder: &mut Builder| {
            builder.max_blocking_threads(3);
        };
        let runtime = runtime(1, 3, few).unwrap();
        // All of them at once, or this would not end.
        let together = Arc::new(std::sync::Barrier::new(3));
        let calls: Vec<_> =
            (0..3).map(|_| together.clone()).map(|all| runtime.spawn_blocking(move || all.wait())).collect();
        for call in calls {
            runtime.block_on(call).unwrap();
        }
    }
}
