//! A driver's process: waited for by pidfd, ended for certain, always reaped.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use serde::Serialize;

use crate::procfs::{self, ThreadEvidence};

/// What `/proc` says of a process that SIGKILL did not end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Evidence {
    /// Its threads that have not ended.
    pub threads: Vec<ThreadEvidence>,
}

impl Evidence {
    /// Of process `pid`, now.
    pub(super) fn of(pid: i32) -> Self {
        Self { threads: procfs::threads(pid) }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, thread) in self.threads.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let ThreadEvidence { tid, comm, state, wchan, .. } = thread;
            write!(f, "{separator}thread {tid} {comm} in state {state}")?;
            if !matches!(wchan.as_str(), "" | "0") {
                write!(f, " in {wchan}")?;
            }
        }
        if self.threads.is_empty() { f.write_str("no thread to be seen") } else { Ok(()) }
    }
}

/// How a process is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was told to quit and gets time to do so; then as [`Ending::Forced`].
    Gentle,
    /// It gets SIGTERM, and some time later SIGKILL.
    Forced,
}

/// The drivers that were started and are still to be waited for, by their ids.
static OURS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn ours() -> MutexGuard<'static, BTreeSet<i32>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether `pid` is a driver for which somebody waits, who alone may take note of its end.
pub(super) fn is_ours(pid: i32) -> bool {
    ours().contains(&pid)
}

/// A child process that leads a process group of its own.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    child: Mutex<(Child, Option<ExitStatus>)>,
}

impl Process {
    /// Takes charge of `child`; one that cannot be watched is ended.
    pub(crate) fn new(mut child: Child) -> io::Result<Self> {
        // A child that is not reaped keeps its id, so this is the process that was spawned.
        let pid = Pid::from_child(&child);
        ours().insert(pid.as_raw_pid());
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { pid, pidfd, child: Mutex::new((child, None)) }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                ours().remove(&pid.as_raw_pid());
                Err(error.into())
            }
        }
    }

    /// Process id, which stays its own until it is reaped.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// Becomes readable when the process has ended.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Waits at most `time` for the end of the process and reaps it; none if it lives. Blocks.
    pub fn wait(&self, time: Duration) -> Option<ExitStatus> {
        if !has_ended(self.pidfd(), time) {
            return None;
        }
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if child.1.is_none() {
            // Its helpers end with it: the group's id is its own until it is reaped.
            let _ = kill_process_group(self.pid, Signal::KILL);
            child.1 = child.0.try_wait().ok().flatten();
            if child.1.is_some() {
                ours().remove(&self.pid());
            }
        }
        child.1
    }

    /// Ends the process and reaps it, waiting at most `timeout` after each step. Blocks.
    pub fn end(&self, ending: Ending, timeout: Duration) -> Result<ExitStatus, Evidence> {
        if ending == Ending::Gentle
            && let Some(status) = self.wait(timeout)
        {
            return Ok(status);
        }
        end_by_pidfd(self.pidfd(), timeout);
        self.wait(Duration::ZERO).ok_or_else(|| Evidence::of(self.pid()))
    }
}

impl Drop for Process {
    /// The last resort, when the runtime went away before the camera was closed.
    fn drop(&mut self) {
        if self.wait(Duration::ZERO).is_none() {
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
            let _ = self.wait(Duration::from_millis(200));
        }
        // Nobody waits for it any more.
        ours().remove(&self.pid());
    }
}

/// A handle of process `pid`, which stays that of this process whoever gets its id afterwards; none if there is no such
/// process. An error says nothing of the process: it could not be looked at.
pub(super) fn open(pid: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Some(pid).filter(|pid| *pid > 0).and_then(Pid::from_raw) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sends SIGTERM, then SIGKILL, and waits at most `timeout` after each. True if the process has ended. Blocks.
pub(super) fn end_by_pidfd(pidfd: BorrowedFd<'_>, timeout: Duration) -> bool {
    [Signal::TERM, Signal::KILL].into_iter().any(|signal| {
        // Fails if the process has ended, which the wait then sees.
        let _ = pidfd_send_signal(pidfd, signal);
        has_ended(pidfd, timeout)
    })
}

/// Waits at most `time` for the end of the process. Blocks.
pub(super) fn has_ended(pidfd: BorrowedFd<'_>, time: Duration) -> bool {
    let deadline = Instant::now() + time;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        Process::new(command.args(["-c", script]).process_group(0).spawn().unwrap()).unwrap()
    }

    #[test]
    fn a_process_that_ends_by_itself_is_reaped() {
        let process = shell("exit 3");
        let status = process.end(Ending::Gentle, Duration::from_secs(10)).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(procfs::Identity::of(process.pid()).unwrap(), None);
    }

    #[test]
    fn a_process_that_is_gone_has_no_handle_and_neither_has_a_number_that_is_no_id() {
        let process = shell("exit 0");
        let pid = process.pid();
        assert!(open(pid).unwrap().is_some());
        process.end(Ending::Gentle, Duration::from_secs(10)).unwrap();
        for gone in [pid, 0, -1, i32::MIN] {
            assert!(open(gone).unwrap().is_none(), "{gone}");
        }
    }

    #[test]
    fn one_that_ignores_sigterm_is_killed_and_so_are_its_helpers() {
        let directory = tempfile::tempdir().unwrap();
        let helper = directory.path().join("helper");
        let process = shell(&format!(
            "trap '' TERM; sleep 60 & echo $! > {0}.tmp; mv {0}.tmp {0}; wait; wait",
            helper.display()
        ));
        while !helper.exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let helper: i32 = std::fs::read_to_string(helper).unwrap().trim().parse().unwrap();
        // Even SIGKILL takes until the process has had its turn.
        let status = process.end(Ending::Forced, Duration::from_secs(3)).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        while !procfs::threads(helper).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
