//! Taking shots of a scan again, whether it is under way or not.

use tokio::sync::{mpsc, oneshot};
use tracing::info;

use crate::dataset::{self, OpenError, ScanId, StoreError};
use crate::event::{Event, ShotName};
use crate::plan::ShotIndex;
use crate::run::{Command, RetakeRefused};

use super::super::error::StartError;
use super::super::refused::RetakeError;
use super::super::station::find_scan;
use super::{RigUse, Service};

impl Service {
    /// Makes `shots` of `scan` pending, and keeps the images that they had in `retaken/`. A scan under way takes them at
    /// its next step; any other is paused, and takes them when it is resumed. Returns when that is on the disk.
    ///
    /// # Errors
    /// The first of the shots that cannot be taken again, and why; those before it will be.
    pub async fn retake(&self, scan: &ScanId, shots: Vec<ShotIndex>) -> Result<(), RetakeError> {
        // One wish at a time, so that those to pause always find a place in the queue.
        let _turn = self.retakes.lock().await;
        if let Some(commands) = self.under_way(scan) {
            for shot in shots {
                let (done, answer) = oneshot::channel();
                let ended = || RetakeError::Ended(scan.clone());
                commands.send(Command::Retake { shot, done }).await.map_err(|_| ended())?;
                answer.await.map_err(|_| ended())??;
            }
            return Ok(());
        }
        let (service, id) = (self.clone(), scan.clone());
        let done = tokio::task::spawn_blocking(move || service.retake_on_disk(&id, &shots)).await;
        done.unwrap_or_else(|error| Err(StartError::Defect(error.to_string()).into()))
    }

    pub(super) fn under_way(&self, scan: &ScanId) -> Option<mpsc::Sender<Command>> {
        match &self.occupancy.borrow().rig {
            RigUse::Scanning { commands, progress } if progress.borrow().scan == scan.as_str() => {
                Some(commands.clone())
            }
            RigUse::Scanning { .. } | RigUse::Starting { .. } | RigUse::ByHand { .. } | RigUse::Free => None,
        }
    }

    fn retake_on_disk(&self, scan: &ScanId, shots: &[ShotIndex]) -> Result<(), RetakeError> {
        let dir = find_scan(self.station.config(), scan)?;
        let retaken = dataset::retake(&dir, shots)?;
        let counts = retaken.tally.counts();
        for &shot in shots {
            // Only the log: who listens for events follows the scan under way.
            let shot = ShotName::of(&retaken.plan, shot);
            Event::Retake { shot, stored: counts.done, shots: counts.planned }.log(scan.as_str());
        }
        info!(scan_id = %scan, "scan {scan} is {}; take the shots with: scanner start --resume {scan}", retaken.tally.state());
        Ok(())
    }
}

impl From<OpenError> for RetakeError {
    fn from(error: OpenError) -> Self {
        if let OpenError::Store(StoreError::UnknownShot { shot, planned }) = error {
            return RetakeRefused::Unknown { shot, planned }.into();
        }
        StartError::from(error).into()
    }
}
