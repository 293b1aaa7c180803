//! Whether a person wants what goes on for longer than a scan to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::{Heard, Signals};

/// Told between the scans of a command: while one is under way, that hears for itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Hears signals from now on, on a thread that ends with the process.
    pub(super) fn listen() -> Result<Self, Failure> {
        let stop = Self::default();
        let failed = |error: &std::io::Error| {
            Failure::new(Exit::Failed, &format!("nobody could hear Ctrl-C, so nothing is tried: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::install_at_terminal().map_err(|error| failed(&error))?
        };
        let told = stop.clone();
        let listening = thread::Builder::new().name("stop".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    match signals.next().await {
                        Heard::Interrupt | Heard::Terminate | Heard::Quit | Heard::HangUp => {
                            told.0.store(true, Ordering::SeqCst);
                        }
                    }
                }
            });
        });
        listening.map_err(|error| failed(&error))?;
        Ok(stop)
    }

    /// Whether somebody does.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
