//! Calibrations that were asked for over the network: once the scan has ended, the rig measures itself by its images, in the
//! background, one at a time.
//!
//! Nothing of it is kept over a restart but what came of it: a scan whose images were not measured can be measured later.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use crate::calibration::{self, CalibrationError, Change, History, Kept, Targets};
use crate::dataset::ScanId;
use crate::threads;

/// How often one that waits for the rig looks.
const LOOK: Duration = Duration::from_millis(200);
/// Behind everything that a scan needs, and behind who only looks.
const NICE: i32 = 10;

/// The calibration that is wanted or being measured, and what came of the last one.
#[derive(Debug, Default)]
pub struct Calibrations {
    /// A scan that is to be measured once it has ended.
    wanted: Mutex<Option<Wanted>>,
    under_way: watch::Sender<Option<UnderWay>>,
    last: Mutex<Option<CalibrationEnd>>,
    closed: AtomicBool,
}

/// How far the measuring of a calibration has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalibrationProgress {
    /// The scan whose images are looked at.
    pub scan: ScanId,
    /// Images that were looked at.
    pub done: usize,
    /// Images in all; 0 until the scan was read. Once all are done, the rig is solved for.
    pub images: usize,
    /// Whether it waits for a scan to end.
    pub waiting: bool,
}

/// What came of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationEnd {
    /// The scan that it was made from.
    pub scan: ScanId,
    /// What came of it.
    pub outcome: CalibrationOutcome,
}

/// What came of the measuring of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub enum CalibrationOutcome {
    /// It is kept, and counts from now on.
    Made {
        /// Its number.
        number: u32,
        /// What has changed since the one before.
        changes: Vec<Change>,
    },
    /// Somebody gave it up, or its scan.
    Cancelled,
    /// It came to nothing.
    Failed {
        /// Why, and what to do, for people.
        message: String,
    },
}

/// Why the rig does not measure itself now.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationRefused {
    /// One at a time.
    #[error("the rig is being measured by the images of scan {scan}: wait for its end, or cancel it")]
    Busy {
        /// The scan of those images.
        scan: ScanId,
    },
    /// The program, or this configuration, is about to end.
    #[error("the service is about to end: ask again")]
    Closed,
    /// No thread can be had.
    #[error("there is no thread to measure the rig with ({0}): ask again")]
    NoThread(#[from] std::io::Error),
}

/// What is to be measured, and by what.
#[derive(Debug, Clone)]
pub(super) struct Measuring {
    /// The scan.
    pub(super) scan: ScanId,
    /// Its folder.
    pub(super) dir: PathBuf,
    /// Where calibrations are kept.
    pub(super) history: History,
    /// What was printed.
    pub(super) targets: Targets,
}

#[derive(Debug, Clone)]
struct Wanted {
    scan: ScanId,
    targets: Targets,
}

#[derive(Debug, Clone)]
struct UnderWay {
    progress: CalibrationProgress,
    stop: Arc<AtomicBool>,
}

/// The right to measure, until it is dropped.
struct Turn {
    calibrations: Arc<Calibrations>,
    scan: ScanId,
    stop: Arc<AtomicBool>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.calibrations.under_way.send_replace(None);
    }
}

impl Calibrations {
    /// Has `scan` measured once it has ended. Whatever was wanted before is not any more.
    pub(super) fn want(&self, scan: &ScanId, targets: Targets) {
        *locked(&self.wanted) = Some(Wanted { scan: scan.clone(), targets });
    }

    /// The scan that is to be measured once it has ended.
    pub fn wanted(&self) -> Option<ScanId> {
        locked(&self.wanted).as_ref().map(|wanted| wanted.scan.clone())
    }

    /// The targets that `scan` is to be measured by, if it is to be.
    pub(super) fn targets_of(&self, scan: &ScanId) -> Option<Targets> {
        locked(&self.wanted).as_ref().filter(|wanted| wanted.scan == *scan).map(|wanted| wanted.targets)
    }

    /// `scan` is not to be measured any more. Comes behind what became of it, so that nobody sees neither.
    pub(super) fn forget(&self, scan: &ScanId) {
        locked(&self.wanted).take_if(|wanted| wanted.scan == *scan);
    }

    /// Begins to measure, on a thread for that; while `is_busy` says yes, it waits.
    ///
    /// # Errors
    /// Another one is under way, or no thread is to be had.
    pub(super) fn begin(
        self: &Arc<Self>,
        what: Measuring,
        is_busy: impl Fn() -> bool + Send + 'static,
    ) -> Result<(), CalibrationRefused> {
        let turn = self.take_turn(&what.scan)?;
        thread::Builder::new().name("calibration".into()).spawn(move || {
            // The program that looks for marks has it from this thread.
            threads::step_back(NICE);
            turn.perform(&what, &is_busy);
        })?;
        Ok(())
    }

    /// Whether another one may begin.
    ///
    /// # Errors
    /// It may not.
    pub fn check_free(&self) -> Result<(), CalibrationRefused> {
        match self.under_way.borrow().as_ref() {
            Some(other) => Err(CalibrationRefused::Busy { scan: other.progress.scan.clone() }),
            None => Ok(()),
        }
    }

    fn take_turn(self: &Arc<Self>, scan: &ScanId) -> Result<Turn, CalibrationRefused> {
        let stop = Arc::new(AtomicBool::new(false));
        let progress = CalibrationProgress { scan: scan.clone(), done: 0, images: 0, waiting: false };
        let mut busy = None;
        self.under_way.send_if_modified(|under_way| {
            busy = under_way.as_ref().map(|other| other.progress.scan.clone());
            let is_free = busy.is_none();
            if is_free {
                *under_way = Some(UnderWay { progress, stop: stop.clone() });
            }
            is_free
        });
        if let Some(scan) = busy {
            return Err(CalibrationRefused::Busy { scan });
        }
        let turn = Turn { calibrations: self.clone(), scan: scan.clone(), stop };
        // After it was taken: `give_up` either sees the turn, or is seen here.
        if self.closed.load(Ordering::SeqCst) { Err(CalibrationRefused::Closed) } else { Ok(turn) }
    }

    /// How far the one that is being measured has come.
    pub fn progress(&self) -> Option<CalibrationProgress> {
        self.under_way.borrow().as_ref().map(|under_way| under_way.progress.clone())
    }

    /// What came of the last one since the program started.
    pub fn last(&self) -> Option<CalibrationEnd> {
        locked(&self.last).clone()
    }

    /// Has the measuring end, if it is that of `scan` or of any scan. Whether there was such a one.
    pub fn cancel(&self, scan: Option<&ScanId>) -> bool {
        let under_way = self.under_way.borrow();
        let theirs =
            under_way.as_ref().filter(|under_way| scan.is_none_or(|scan| under_way.progress.scan == *scan));
        if let Some(under_way) = theirs {
            under_way.stop.store(true, Ordering::SeqCst);
        }
        theirs.is_some()
    }

    /// Has the one that is under way end, and begins no others.
    pub fn give_up(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.cancel(None);
    }

    /// Waits until none is being measured.
    pub async fn done(&self) {
        // The sender is ours, so there is no other end.
        let _ = self.under_way.subscribe().wait_for(Option::is_none).await;
    }

    pub(super) fn remember(&self, scan: &ScanId, outcome: CalibrationOutcome) {
        *locked(&self.last) = Some(CalibrationEnd { scan: scan.clone(), outcome });
    }
}

impl Turn {
    fn is_given_up(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn show(&self, done: usize, images: usize, waiting: bool) {
        self.calibrations.under_way.send_modify(|under_way| {
            if let Some(under_way) = under_way {
                let scan = self.scan.clone();
                under_way.progress = CalibrationProgress { scan, done, images, waiting };
            }
        });
    }

    fn perform(self, what: &Measuring, is_busy: &dyn Fn() -> bool) {
        let scan = &self.scan;
        let outcome = match self.measure(what, is_busy) {
            Ok((kept, changes)) => {
                let Kept { number, calibration } = &kept;
                let (rms, used) = (calibration.rms_px, calibration.used);
                info!(scan_id = %scan, "calibration {number}, from scan {scan}: {used} corners fit to {rms:.2} px");
                CalibrationOutcome::Made { number: *number, changes }
            }
            Err(CalibrationError::GivenUp) => CalibrationOutcome::Cancelled,
            Err(error) => {
                warn!(scan_id = %scan, "the rig is not calibrated by scan {scan}: {error}");
                CalibrationOutcome::Failed { message: error.to_string() }
            }
        };
        // Before anybody sees that it has ended.
        self.calibrations.remember(scan, outcome);
    }

    fn measure(
        &self,
        what: &Measuring,
        is_busy: &dyn Fn() -> bool,
    ) -> Result<(Kept, Vec<Change>), CalibrationError> {
        let Measuring { scan: _, dir, history, targets } = what;
        let go_on = |done, images| {
            while done < images && is_busy() && !self.is_given_up() {
                self.show(done, images, true);
                thread::sleep(LOOK);
            }
            self.show(done, images, false);
            !self.is_given_up()
        };
        let (contents, seen) = calibration::find(dir, targets, &go_on)?;
        if self.is_given_up() {
            return Err(CalibrationError::GivenUp);
        }
        let found = calibration::solve(&contents, &seen, targets)?;
        if self.is_given_up() {
            return Err(CalibrationError::GivenUp);
        }
        // One before that cannot be read keeps nobody from measuring anew.
        let before = history.newest().unwrap_or_else(|error| {
            warn!("this calibration is compared with none: {error}");
            None
        });
        let kept = history.keep(found)?;
        if let Err(error) = history.keep_picture(kept.number, &calibration::picture(&contents, &seen)) {
            warn!("there is no picture of what calibration {} is made from: {error}", kept.number);
        }
        let changes = before.map(|before| calibration::changes(&before.calibration, &kept.calibration));
        Ok((kept, changes.unwrap_or_default()))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
