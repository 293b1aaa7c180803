//! What scans are called, whether they are under way or not.

use std::time::Duration;

use tokio::sync::oneshot;
use tracing::info;

use crate::dataset::{self, DescribeError, ScanId};
use crate::run::Command;
use crate::scan::{Description, DescriptionChanges};

use super::super::error::StartError;
use super::super::refused::ScanDescribeError;
use super::super::station::find_scan;
use super::Service;

/// How long a scan that has ended may take to give its dataset back.
const CLOSING: Duration = Duration::from_secs(10);

impl Service {
    /// Changes what `scan` is called. Returns when that is on the disk.
    ///
    /// # Errors
    /// There is no such scan, it cannot be written, or that cannot be said of one.
    pub async fn describe(
        &self,
        scan: &ScanId,
        changes: DescriptionChanges,
    ) -> Result<Description, ScanDescribeError> {
        if let Some(commands) = self.under_way(scan) {
            let (done, answer) = oneshot::channel();
            let asked = commands.send(Command::Describe { changes: changes.clone(), done }).await;
            // One that ends meanwhile is on the disk like any other.
            if asked.is_ok()
                && let Ok(answer) = answer.await
                && !matches!(answer, Err(DescribeError::Ended))
            {
                return Ok(answer?);
            }
            let _ = tokio::time::timeout(CLOSING, self.idle()).await;
        }
        let (service, id) = (self.clone(), scan.clone());
        let done = tokio::task::spawn_blocking(move || -> Result<_, ScanDescribeError> {
            let dir = find_scan(service.station.config(), &id)?;
            Ok(dataset::describe(&dir, changes)?)
        });
        let description =
            done.await.unwrap_or_else(|error| Err(StartError::Defect(error.to_string()).into()))?;
        info!(scan_id = %scan, "scan {scan} is called {:?} now", description.name.as_deref().unwrap_or_default());
        Ok(description)
    }
}
