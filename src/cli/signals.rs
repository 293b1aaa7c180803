//! Signals that ask the program to end, or to read its configuration again.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use crate::daemon::Service;

/// How long a scan that was told to end may take: an image being written is finished.
const PATIENCE: Duration = Duration::from_secs(30);

/// Within this the same wish to end is the one before, heard again: `timeout` sends its signal to the command and then to
/// the whole process group, as does a terminal under a wrapper that passes signals on. Nobody who has read what the first
/// one did is this quick.
const ECHO: Duration = Duration::from_millis(700);

static HEARD: AtomicBool = AtomicBool::new(false);

/// Whether signals are heard, so that none of them ends a process that waits for something else.
pub(super) fn are_heard() -> bool {
    HEARD.load(Ordering::Relaxed)
}

/// A file that grows to a limit (`ulimit -f`) is an error to who writes it, and no longer ends this process, nor the
/// drivers, which inherit that. For the start of the program.
pub(super) fn outlive_long_files() {
    #[expect(unsafe_code, reason = "there is no safe way to ignore a signal")]
    // SAFETY: a signal that is ignored runs no code, and nothing here has a handler of it that this would take away.
    let _ = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// What was waited for did not end, though it was told to.
#[derive(Debug)]
pub(super) struct GaveUp;

/// Hears signals from the moment it exists: none of them ends the process by itself any more.
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    /// None where a closed terminal is to be ignored.
    hang_up: Option<tokio::signal::unix::Signal>,
    /// Whether Ctrl-C was pressed before.
    interrupted: bool,
    /// The latest wish to end, and when it was heard.
    latest: Option<(Heard, Instant)>,
}

/// A signal that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Interrupt,
    Terminate,
    Quit,
    /// A terminal that was closed; to a service, a wish to read the configuration again.
    HangUp,
}

impl Heard {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Quit => "SIGQUIT",
            Self::HangUp => "SIGHUP",
        }
    }
}

impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        HEARD.store(true, Ordering::Relaxed);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hang_up: Some(signal(SignalKind::hangup())?),
            interrupted: false,
            latest: None,
        })
    }

    /// As [`Self::install`], for a command at a terminal, which may go away while motors are powered.
    pub(super) fn install_at_terminal() -> io::Result<Self> {
        // Under nohup it is to go on. Asked first: whoever listens ignores it no more.
        let ignored = ignores_hang_up();
        let signals = Self::install()?;
        Ok(if ignored { Self { hang_up: None, ..signals } } else { signals })
    }

    /// Waits for the next one, which is no echo of the one before. Giving up the wait loses none.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            let (heard, now) = (self.arrived().await, Instant::now());
            if heard == Heard::HangUp {
                return heard;
            }
            let echo = is_echo(self.latest, heard, now);
            self.latest = Some((heard, now));
            if !echo {
                return heard;
            }
        }
    }

    async fn arrived(&mut self) -> Heard {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Heard::Interrupt,
            _ = self.terminate.recv() => Heard::Terminate,
            _ = self.quit.recv() => Heard::Quit,
            _ = hung_up => Heard::HangUp,
        }
    }

    /// Waits for the end of `work`, a scan or its start, and passes signals on to `service`: the first Ctrl-C
    /// pauses, a second one cancels. A disk that never answers would keep the scan for ever: once it was told to end for
    /// good, it has [`PATIENCE`], and one more signal takes even that.
    pub(super) async fn pass_on<T>(
        &mut self,
        service: &Service,
        work: impl Future<Output = T>,
    ) -> Result<T, GaveUp> {
        tokio::pin!(work);
        let mut end: Option<tokio::time::Instant> = None;
        loop {
            let waited = async {
                match end {
                    Some(end) => tokio::time::sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            let heard = tokio::select! {
                // First, so that there is something to pause when a signal came before it was polled at all.
                biased;
                done = &mut work => return Ok(done),
                heard = self.next() => heard,
                () = waited => return Err(GaveUp),
            };
            if end.is_some() && heard != Heard::HangUp {
                return Err(GaveUp);
            }
            // Too late to matter if the scan has just ended.
            let _ = match heard {
                Heard::Interrupt if self.interrupted => {
                    warn!("cancelling the scan");
                    end = Some(tokio::time::Instant::now() + PATIENCE);
                    service.cancel()
                }
                Heard::Interrupt => {
                    self.interrupted = true;
                    warn!("pausing the scan; press Ctrl-C again to cancel it");
                    service.pause("Ctrl-C")
                }
                Heard::Terminate | Heard::Quit | Heard::HangUp => {
                    warn!("pausing the scan: asked to end ({})", heard.name());
                    end = end.or(Some(tokio::time::Instant::now() + PATIENCE));
                    service.pause(heard.name())
                }
            };
        }
    }
}

/// Whether `heard`, at `now`, is the wish of `latest` once more.
fn is_echo(latest: Option<(Heard, Instant)>, heard: Heard, now: Instant) -> bool {
    latest.is_some_and(|(before, at)| before == heard && now.duration_since(at) < ECHO)
}

/// Whether whoever started this process wants it to survive its terminal.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is 1, the lowest bit.
    ignored.is_some_and(|mask| mask.trim().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_sent_twice_at_once_is_one_wish() {
        let at = Instant::now();
        let later = |milliseconds| at + Duration::from_millis(milliseconds);
        for wish in [Heard::Interrupt, Heard::Terminate, Heard::Quit] {
            assert!(!is_echo(None, wish, at));
            assert!(is_echo(Some((wish, at)), wish, at));
            assert!(is_echo(Some((wish, at)), wish, later(699)));
            assert!(!is_echo(Some((wish, at)), wish, later(700)), "a person's second press");
        }
        assert!(!is_echo(Some((Heard::Interrupt, at)), Heard::Terminate, at), "two wishes");
    }
}
