//! Runtimes on a system that may have no threads to give: an error, where tokio would panic.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// For good, as it were: a thread that ends may not be had again.
const KEEP: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long threads may take to be there.
const GATHER: Duration = Duration::from_secs(2);

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
