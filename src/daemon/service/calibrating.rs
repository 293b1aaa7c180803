//! The rig measures itself: a scan around the printed board, and what is measured by its images.

use std::path::PathBuf;

use tracing::warn;

use crate::calibration::{History, Targets};
use crate::dataset::ScanId;
use crate::run::Summary;
use crate::scan::{Description, End, Outcome};
use crate::units::Dioptres;

use super::super::calibrations::{CalibrationOutcome, CalibrationRefused, Calibrations, Measuring};
use super::super::error::StartError;
use super::derived::is_taken;
use super::{Launched, Service};
use crate::daemon::work::{PlanChoice, Work};

impl Service {
    /// Calibrations that somebody wants, and what came of the last one.
    pub fn calibrations(&self) -> &Calibrations {
        &self.calibrations
    }

    /// Starts a scan around the printed board; once it has ended, the rig is measured by its images.
    ///
    /// # Errors
    /// The rig is taken, or the scan cannot begin.
    pub async fn start_calibration(
        &self,
        focus: Vec<Dioptres>,
        targets: Targets,
        description: Description,
    ) -> Result<Launched, StartError> {
        let (claim, commands) = self.claim()?;
        let work = Work::New { plan: PlanChoice::Calibration { focus }, id: None, description };
        self.clone().launch(claim, work, commands, Some(targets)).await
    }

    /// Begins to measure the rig by the images of `scan`, which has ended, in the background; while the rig is taken, it waits.
    ///
    /// # Errors
    /// It is being measured, or no thread is to be had.
    pub fn measure(&self, scan: &ScanId, dir: PathBuf, targets: Targets) -> Result<(), CalibrationRefused> {
        let history = History::of(&self.station.config().storage.state_directory);
        // Not the service itself: what is measured keeps no rig from being given up.
        let occupancy = self.occupancy.clone();
        let what = Measuring { scan: scan.clone(), dir, history, targets };
        self.calibrations.begin(what, move || is_taken(&occupancy))
    }

    /// Begins to measure the rig, if the scan that has ended was one for that, and has its images.
    pub(super) fn measure_after(&self, scan: &ScanId, ended: &Result<Summary, StartError>) {
        let outcome = match ended {
            Ok(Summary { end: End::Finished(outcome), .. }) => outcome,
            // It is measured when it has gone on.
            Ok(Summary { end: End::Paused { .. }, .. }) | Err(_) => return,
        };
        let Some(targets) = self.calibrations.targets_of(scan) else { return };
        match outcome {
            Outcome::Complete | Outcome::Incomplete => {
                let dir = self.station.config().storage.directory.join(scan.as_str());
                if let Err(refused) = self.measure(scan, dir, targets) {
                    warn!(scan_id = %scan, "the rig is not measured by scan {scan}: {refused}");
                    let message = refused.to_string();
                    self.calibrations.remember(scan, CalibrationOutcome::Failed { message });
                }
            }
            Outcome::Cancelled | Outcome::Aborted => {
                self.calibrations.remember(scan, CalibrationOutcome::Cancelled);
            }
        }
        self.calibrations.forget(scan);
    }
}
