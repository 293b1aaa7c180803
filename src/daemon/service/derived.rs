//! What is made of scans, off their way and that of those to come: models, what marks show, exports, masks, the report.

use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tracing::{debug, error, warn};

use crate::calibration::History;
use crate::config::MarksPolicy;
use crate::dataset::ScanId;
use crate::mask::Wish;
use crate::report;
use crate::run::{Command, Emit, Summary};
use crate::scan::WaitsFor;

use super::super::exports;
use super::super::followers::Following;
use super::super::hulls;
use super::super::masks::{MaskProgress, MasksRefused};
use super::super::watches;
use super::{Occupancy, RigUse, Service};

impl Service {
    /// Begins the exports of a scan that has ended, if there are to be some.
    pub(super) fn export(&self, summary: &Summary) {
        let config = self.station.config();
        let wish = exports::Wish {
            dir: config.storage.directory.join(&summary.scan),
            formats: config.export.formats.clone(),
            merge: config.merge,
            keep_free: config.storage.keep_free,
            listeners: self.listeners.clone(),
        };
        // Not the service itself: an export keeps no rig from being given up.
        let (occupancy, hulls, watches) = (self.occupancy.clone(), self.hulls.clone(), self.watches.clone());
        // The model makes the masks that an export takes along: so they are not made twice. Poses are measured until the last image
        // was looked at.
        let is_busy = move || is_taken(&occupancy) || hulls.are_under_way() || watches.are_under_way();
        self.exports.begin(wish, summary, is_busy);
    }

    /// Begins to make a model behind a scan that is about to go on, if there is to be one.
    pub(super) fn follow(&self, scan: &ScanId) -> Following {
        let config = self.station.config();
        if !config.export.hull {
            return Following::none();
        }
        hulls::follow(&self.hulls, scan, config.storage.directory.join(scan.as_str()))
    }

    /// Begins to look for marks in the images of a scan that is about to go on, if somebody is to.
    pub(super) fn watch(&self, scan: &ScanId) -> Following {
        let config = self.station.config();
        if config.marks.policy == MarksPolicy::Off {
            return Following::none();
        }
        let emit = Emit::new(scan.as_str(), self.listeners.clone());
        // Not the service itself: it keeps no rig from being given up.
        let (occupancy, id) = (self.occupancy.clone(), scan.clone());
        let wish = watches::Wish {
            dir: config.storage.directory.join(scan.as_str()),
            config: config.marks,
            history: History::of(&config.storage.state_directory),
            tell: Box::new(move |event| emit.event(event)),
            pause: Box::new(move |reason| pause(&occupancy, &id, reason)),
        };
        watches::follow(&self.watches, scan, wish)
    }

    /// Begins to make the masks of the scan whose folder is `dir`, in the background, and a model behind them; while the rig is taken, or an export
    /// under way, it waits. Reads the scan: call it where that may block.
    ///
    /// # Errors
    /// Masks are being made, or there are none to be made of this scan.
    pub fn make_masks(&self, scan: &ScanId, dir: &Path, wish: &Wish) -> Result<MaskProgress, MasksRefused> {
        let (occupancy, exports, hulls) = (self.occupancy.clone(), self.exports.clone(), self.hulls.clone());
        let is_busy = move || is_taken(&occupancy) || exports.are_under_way() || hulls.are_under_way();
        let (followers, id, folder) = (self.hulls.clone(), scan.clone(), dir.to_owned());
        let is_wanted = self.station.config().export.hull;
        let then = move || {
            if is_wanted {
                hulls::follow(&followers, &id, folder).finish();
            }
        };
        self.masks.begin(scan, dir, wish, is_busy, then)
    }
}

/// Pauses `scan`, if it is under way.
fn pause(occupancy: &watch::Sender<Occupancy>, scan: &ScanId, reason: &str) {
    if let RigUse::Scanning { commands, progress } = &occupancy.borrow().rig
        && progress.borrow().scan == scan.as_str()
    {
        let pause = Command::Pause { reason: reason.to_owned(), waits_for: WaitsFor::Person };
        // A full queue has one already; without the other end, the scan has ended.
        let _ = commands.try_send(pause);
    }
}

pub(super) fn is_taken(occupancy: &watch::Sender<Occupancy>) -> bool {
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
