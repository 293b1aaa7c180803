//! Tells what happens in a scan: the log first, then everybody who listens.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::event::{Event, Told};

/// Tells the log and every listener.
#[derive(Debug, Clone)]
pub struct Emit {
    scan: Arc<str>,
    listeners: broadcast::Sender<Told>,
}

impl Emit {
    /// For the events of `scan`.
    pub fn new(scan: &str, listeners: broadcast::Sender<Told>) -> Self {
        Self { scan: scan.into(), listeners }
    }

    /// Logs the event and passes it on.
    pub fn event(&self, event: &Event) {
        event.log(&self.scan);
        // Nobody has to listen.
        let told = Told { scan: self.scan.clone(), at: Timestamp::now(), event: event.clone() };
        let _ = self.listeners.send(told);
    }
}
