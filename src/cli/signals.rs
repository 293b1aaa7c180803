//! Signals that ask the program to end, or to read its configuration again.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use crate::daemon::Service;

/// Hears signals from the moment it exists: none of them ends the process by itself any more.
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    /// Whether Ctrl-C was pressed before.
    interrupted: bool,
}

/// A signal that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Interrupt,
    Terminate,
    /// A terminal that was closed; to a service, a wish to read the configuration again.
    Hangup,
}

impl Heard {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }
}

impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let hangup = signal(SignalKind::hangup())?;
        Ok(Self { interrupt, terminate, hangup, interrupted: false })
    }

    /// Waits for the next one. Giving up the wait loses none.
    pub(super) async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.interrupt.recv() => Heard::Interrupt,
            _ = self.terminate.recv() => Heard::Terminate,
            _ = self.hangup.recv() => Heard::Hangup,
        }
    }

    /// Waits for the end of `work`, a scan or its start, and passes signals on to `service`: the first Ctrl-C
    /// pauses, a second one cancels.
    pub(super) async fn pass_on<T>(&mut self, service: &Service, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            let heard = tokio::select! {
                // First, so that there is something to pause when a signal came before it was polled at all.
                biased;
                done = &mut work => return done,
                heard = self.next() => heard,
            };
            // Too late to matter if the scan has just ended.
            let _ = match heard {
                Heard::Interrupt if self.interrupted => {
                    warn!("cancelling the scan");
                    service.cancel()
                }
                Heard::Interrupt => {
                    self.interrupted = true;
                    warn!("pausing the scan; press Ctrl-C again to cancel it");
                    service.pause("Ctrl-C")
                }
                Heard::Terminate | Heard::Hangup => {
                    warn!("pausing the scan: asked to end ({})", heard.name());
                    service.pause(heard.name())
                }
            };
        }
    }
}
