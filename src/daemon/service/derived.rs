//! What is made of scans that have ended, off the way of those to come: exports, masks, the report.

use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tracing::{debug, error, warn};

use crate::dataset::ScanId;
use crate::mask::Wish;
use crate::report;
use crate::run::Summary;

use super::super::exports;
use super::super::masks::{MaskProgress, MasksRefused};
use super::{Occupancy, RigUse, Service};

impl Service {
    /// Begins the exports of a scan that has ended, if there are to be some.
    pub(super) fn export(&self, summary: &Summary) {
        let config = self.station.config();
        let wish = exports::Wish {
            dir: config.storage.directory.join(&summary.scan),
            formats: config.export.formats.clone(),
            keep_free: config.storage.keep_free,
            listeners: self.listeners.clone(),
        };
        // Not the service itself: an export keeps no rig from being given up.
        let occupancy = self.occupancy.clone();
        self.exports.begin(wish, summary, move || is_taken(&occupancy));
    }

    /// Begins to make the masks of the scan whose folder is `dir`, in the background; while the rig is taken, or an export
    /// under way, it waits. Reads the scan: call it where that may block.
    ///
    /// # Errors
    /// Masks are being made, or there are none to be made of this scan.
    pub fn make_masks(&self, scan: &ScanId, dir: &Path, wish: &Wish) -> Result<MaskProgress, MasksRefused> {
        let (occupancy, exports) = (self.occupancy.clone(), self.exports.clone());
        self.masks.begin(scan, dir, wish, move || is_taken(&occupancy) || exports.are_under_way())
    }
}

fn is_taken(occupancy: &watch::Sender<Occupancy>) -> bool {
    !matches!(occupancy.borrow().rig, RigUse::Free)
}

/// Writes the report of a scan that has ended. The rig is free by now, and the outcome stands, whatever becomes of it.
pub(super) async fn write_report(dir: PathBuf) {
    let folder = dir.clone();
    let written = tokio::task::spawn_blocking(move || report::write(&folder, None)).await;
    match written {
        Ok(Ok(path)) => debug!("wrote the report {}", path.display()),
        // Somebody was quick to remove it.
        Ok(Err(_)) if !dir.exists() => {}
        Ok(Err(error)) => warn!("the scan has no report: {error}; `scanner dataset report` makes one"),
        Err(error) => error!("the scan has no report: {error}"),
    }
}
