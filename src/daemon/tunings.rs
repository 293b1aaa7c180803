//! The tuning that somebody wanted over the network, and what came of the last one.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::tuning::{TuneError, TuneProgress};
use crate::model::Axis;

/// Whether the rig is being tuned, and what came of the last time.
#[derive(Debug, Default)]
pub struct Tunings {
    under_way: watch::Sender<bool>,
    progress: watch::Sender<Option<TuneProgress>>,
    last: Mutex<Option<TuningEnd>>,
}

/// What came of a tuning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TuningEnd {
    /// It is kept, and written into the configuration.
    Made {
        /// The axes that were tuned.
        axes: Vec<Axis>,
    },
    /// Somebody gave it up.
    Cancelled,
    /// It came to nothing, or is not in force.
    Failed {
        /// Why, and what to do, for people.
        message: String,
    },
}

impl From<TuneError> for TuningEnd {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::GivenUp => Self::Cancelled,
            TuneError::Rig(_) | TuneError::NoAxis(_) | TuneError::NoCamera | TuneError::Blind => {
                Self::Failed { message: error.to_string() }
            }
        }
    }
}

/// A tuning under way, until this is dropped.
pub(super) struct TuningTurn(Arc<Tunings>);

impl TuningTurn {
    /// Where it is told how far it is.
    pub(super) fn told(&self) -> &watch::Sender<Option<TuneProgress>> {
        &self.0.progress
    }

    /// It has ended so.
    pub(super) fn ended(self, end: TuningEnd) {
        // Before anybody sees that it has ended.
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }
}

impl Drop for TuningTurn {
    fn drop(&mut self) {
        self.0.progress.send_replace(None);
        self.0.under_way.send_replace(false);
    }
}

impl Tunings {
    /// Of whoever has taken the rig for it: so there is no other.
    pub(super) fn begin(self: &Arc<Self>) -> TuningTurn {
        self.under_way.send_replace(true);
        TuningTurn(self.clone())
    }

    /// Whether the rig is being tuned.
    pub fn is_under_way(&self) -> bool {
        *self.under_way.borrow()
    }

    /// How far that is; none while the cameras are opened, and while what was seen is kept.
    pub fn progress(&self) -> Option<TuneProgress> {
        *self.progress.borrow()
    }

    /// What came of the last one since the service, or its configuration, is there.
    pub fn last(&self) -> Option<TuningEnd> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until none is under way.
    pub async fn done(&self) {
        // The sender is ours, so there is no other end.
        let _ = self.under_way.subscribe().wait_for(|under_way| !*under_way).await;
    }
}
