//! The axes' swing, measured between scans.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::super::error::StartError;
use super::super::reload::Reloads;
use super::super::tuning::{TuneError, TuneProgress, tune, wanted};
use super::super::tunings::{TuningEnd, Tunings};
use super::{ByHand, Service};
use crate::config::Config;
use crate::drop_in::Store;
use crate::model::Axis;
use crate::tune::{self, TunedAxis, Tuning, unseen};

/// What is wrong with a configuration beyond what is written in it, for people.
type Fit = fn(&Config) -> Result<(), String>;

impl Service {
    /// Whether the rig is being tuned by somebody in the network, and what came of it.
    pub fn tunings(&self) -> &Tunings {
        &self.tunings
    }

    /// Moves `axes`, or all if none is named, and says how they swing; braked by [`Self::pause`] and [`Self::cancel`]. Nothing
    /// is kept of it yet.
    ///
    /// # Errors
    /// The rig cannot be had, something fails, or somebody has given it up.
    pub async fn tune(
        &self,
        axes: &[Axis],
        told: &watch::Sender<Option<TuneProgress>>,
    ) -> Result<Vec<TunedAxis>, TuneError> {
        let taken = self.take_by_hand()?;
        self.tune_taken(taken, axes, told).await
    }

    async fn tune_taken(
        &self,
        mut taken: ByHand,
        axes: &[Axis],
        told: &watch::Sender<Option<TuneProgress>>,
    ) -> Result<Vec<TunedAxis>, TuneError> {
        self.standby.close().await;
        let stop = CancellationToken::new();
        let tuning = tune(&self.station, axes, &stop, told);
        tokio::pin!(tuning);
        tokio::select! {
            tuned = &mut tuning => tuned,
            () = taken.told_to_stop() => {
                stop.cancel();
                // What it says of being stopped is no news.
                let _ = tuning.await;
                Err(TuneError::GivenUp)
            }
        }
    }

    /// Takes the rig, and yields what tunes it: what is found is kept, written into the configuration if that is `fit` with it, and
    /// put in force. [`Self::tunings`] tells how far it is, and what came of it. `by` is who wants it, for people.
    ///
    /// # Errors
    /// It cannot begin.
    pub fn begin_tuning(
        &self,
        axes: Vec<Axis>,
        by: &str,
        fit: Fit,
    ) -> Result<impl Future<Output = ()> + Send + use<>, TuneError> {
        wanted(&self.station, &axes)?;
        // A scan in the foreground has the rig for itself anyway.
        let (store, reloads) = self.store().zip(self.reloads.clone()).ok_or(StartError::Closed)?;
        let taken = self.take_by_hand()?;
        let turn = self.tunings.begin();
        let (service, by) = (self.clone(), by.to_owned());
        Ok(async move {
            let end = match service.tune_taken(taken, &axes, turn.told()).await {
                Ok(found) => {
                    let state = service.station.config().storage.state_directory.clone();
                    let written =
                        move || in_force(&found, &state, &store, &reloads, &by, fit).unwrap_or_else(failed);
                    let written = tokio::task::spawn_blocking(written).await;
                    written.unwrap_or_else(|error| failed(std::io::Error::from(error).to_string()))
                }
                Err(error) => error.into(),
            };
            match &end {
                TuningEnd::Made { axes } => info!("tuned: {axes:?}"),
                TuningEnd::Cancelled => info!("the tuning was given up"),
                TuningEnd::Failed { message } => warn!("the rig is not tuned: {message}"),
            }
            turn.ended(end);
        })
    }
}

fn failed(message: String) -> TuningEnd {
    TuningEnd::Failed { message }
}

/// Keeps and writes what was found, and asks that it is put in force. Blocks.
fn in_force(
    found: &[TunedAxis],
    state: &std::path::Path,
    store: &Store,
    reloads: &Reloads,
    by: &str,
    fit: Fit,
) -> Result<TuningEnd, String> {
    Tuning::keep_beside(found.to_vec(), state)?;
    if let Some(reason) = unseen(found) {
        return Err(reason.to_owned());
    }
    let put = tune::write(store, found, by, &fit)
        .map_err(|error| format!("what was found is kept, and not in force: {error}"))?;
    if put.changed {
        reloads.ask_when_idle();
    }
    Ok(TuningEnd::Made { axes: found.iter().map(|axis| axis.axis).collect() })
}
