//! Masks that somebody wants made, in the background: of one scan at a time, and off the way of everything else.
//!
//! Nothing of it is kept over a restart: masks that were made are whole, and those that are missing are made when they are
//! wanted again.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::dataset::ScanId;
use crate::mask::{Making, MaskError, Report, Wish};
use crate::threads;

/// How often one that waits for the rig looks.
const LOOK: Duration = Duration::from_millis(200);
/// Behind everything that a scan needs, and behind who only looks.
const NICE: i32 = 10;
/// Of how many scans it is remembered what came of it.
const REMEMBERED: usize = 16;

/// The masks that are being made, and what came of those before.
#[derive(Debug, Default)]
pub struct Masks {
    under_way: watch::Sender<Option<UnderWay>>,
    ended: Mutex<VecDeque<(ScanId, MasksEnd)>>,
    closed: AtomicBool,
}

/// How far masks have come that are being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MaskProgress {
    /// The scan whose images they are of.
    pub scan: String,
    /// Images that are done, with a mask or found to have none.
    pub done: usize,
    /// Images in all.
    pub images: usize,
    /// Whether it waits, for a scan or an export to end.
    pub waiting: bool,
}

/// What came of masks that somebody wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum MasksEnd {
    /// All images were looked at.
    Made(Report),
    /// Somebody gave it up; masks that were made before stay.
    Cancelled,
    /// It came to nothing, or not to its end.
    Failed {
        /// What kept them from being made, and what to do, for people.
        message: String,
    },
}

/// Why masks are not being made.
#[derive(Debug, thiserror::Error)]
pub enum MasksRefused {
    /// One at a time.
    #[error("masks of scan {scan} are being made: wait for their end, or cancel them")]
    Busy {
        /// The scan of those.
        scan: String,
    },
    /// The program, or this configuration, is about to end.
    #[error("the service is about to end: ask again")]
    Closed,
    /// There are none to be made.
    #[error(transparent)]
    Masks(#[from] MaskError),
    /// No thread can be had.
    #[error("there is no thread to make masks with ({0}): ask again")]
    NoThread(#[from] std::io::Error),
}

#[derive(Debug, Clone)]
struct UnderWay {
    scan: ScanId,
    progress: MaskProgress,
    stop: Arc<AtomicBool>,
}

/// The right to make masks of this scan, until it is dropped.
struct Turn {
    masks: Arc<Masks>,
    scan: ScanId,
    stop: Arc<AtomicBool>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.masks.under_way.send_replace(None);
    }
}

impl Masks {
    /// Begins to make the masks of the scan at `dir`, on a thread for that; while `is_busy` says yes, it waits. Reads the
    /// scan first, so that what cannot be made is told at once: call it where that may block. Once all are made, it does `then`.
    ///
    /// # Errors
    /// Others are being made, or there are none to be made of this scan.
    pub fn begin(
        self: &Arc<Self>,
        scan: &ScanId,
        dir: &Path,
        wish: &Wish,
        is_busy: impl Fn() -> bool + Send + Sync + 'static,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<MaskProgress, MasksRefused> {
        let turn = self.take_turn(scan)?;
        let making = Making::prepare(dir, wish)?;
        self.forget(scan);
        let progress = turn.show(0, making.images(), is_busy());
        thread::Builder::new().name("masks".into()).spawn(move || {
            // Threads that help have it from this one.
            threads::step_back(NICE);
            if turn.perform(&making, &is_busy) {
                then();
            }
        })?;
        Ok(progress)
    }

    fn take_turn(self: &Arc<Self>, scan: &ScanId) -> Result<Turn, MasksRefused> {
        let stop = Arc::new(AtomicBool::new(false));
        let progress = MaskProgress { scan: scan.to_string(), done: 0, images: 0, waiting: false };
        let mut busy = None;
        self.under_way.send_if_modified(|under_way| {
            busy = under_way.as_ref().map(|other| other.progress.scan.clone());
            let is_free = busy.is_none();
            if is_free {
                *under_way = Some(UnderWay { scan: scan.clone(), progress, stop: stop.clone() });
            }
            is_free
        });
        if let Some(scan) = busy {
            return Err(MasksRefused::Busy { scan });
        }
        let turn = Turn { masks: self.clone(), scan: scan.clone(), stop };
        // After it was taken: `give_up` either sees the turn, or is seen here.
        if self.closed.load(Ordering::SeqCst) { Err(MasksRefused::Closed) } else { Ok(turn) }
    }

    /// How far those have come that are being made.
    pub fn progress(&self) -> Option<MaskProgress> {
        self.under_way.borrow().as_ref().map(|under_way| under_way.progress.clone())
    }

    /// What came of the last masks that were wanted of `scan`, as far as it is remembered.
    pub fn last(&self, scan: &ScanId) -> Option<MasksEnd> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().find(|(of, _)| of == scan).map(|(_, end)| end.clone())
    }

    /// Has those of `scan` end, if they are being made. Whether they were.
    pub fn cancel(&self, scan: &ScanId) -> bool {
        let under_way = self.under_way.borrow();
        let theirs = under_way.as_ref().filter(|under_way| under_way.scan == *scan);
        if let Some(under_way) = theirs {
            under_way.stop.store(true, Ordering::SeqCst);
        }
        theirs.is_some()
    }

    /// Has those that are under way end, and begins no others.
    pub fn give_up(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(under_way) = self.under_way.borrow().as_ref() {
            under_way.stop.store(true, Ordering::SeqCst);
        }
    }

    /// Waits until none of `scan` are being made.
    pub async fn done_with(&self, scan: &ScanId) {
        // The sender is ours, so there is no other end.
        let is_done = |under_way: &Option<UnderWay>| under_way.as_ref().is_none_or(|it| it.scan != *scan);
        let _ = self.under_way.subscribe().wait_for(is_done).await;
    }

    /// Waits until none are being made.
    pub async fn done(&self) {
        let _ = self.under_way.subscribe().wait_for(Option::is_none).await;
    }

    fn forget(&self, scan: &ScanId) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _)| of != scan);
    }

    fn remember(&self, scan: &ScanId, end: MasksEnd) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push_front((scan.clone(), end));
        ended.truncate(REMEMBERED);
    }
}

impl Turn {
    fn is_given_up(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Says how far it is. Threads may come here out of order.
    fn show(&self, done: usize, images: usize, waiting: bool) -> MaskProgress {
        let mut shown = MaskProgress { scan: self.scan.to_string(), done, images, waiting };
        self.masks.under_way.send_modify(|under_way| {
            if let Some(under_way) = under_way {
                shown.done = shown.done.max(under_way.progress.done);
                under_way.progress = shown.clone();
            }
        });
        shown
    }

    /// Whether all were made.
    fn perform(self, making: &Making, is_busy: &(dyn Fn() -> bool + Sync)) -> bool {
        let go_on = |done, images| {
            while is_busy() && !self.is_given_up() {
                self.show(done, images, true);
                thread::sleep(LOOK);
            }
            self.show(done, images, false);
            !self.is_given_up()
        };
        let scan = &self.scan;
        // A scan that is under way when this begins is waited for as well.
        let made = if go_on(0, making.images()) { making.perform(&go_on) } else { Err(MaskError::GivenUp) };
        let end = match made {
            Ok(report) => {
                let (masks, without) = (report.masks.len(), report.without.len());
                info!(scan_id = %scan, "{masks} images of scan {scan} have masks, {without} have none");
                MasksEnd::Made(report)
            }
            Err(MaskError::GivenUp) => MasksEnd::Cancelled,
            Err(error) => {
                warn!(scan_id = %scan, "scan {scan} has no new masks: {error}");
                MasksEnd::Failed { message: error.to_string() }
            }
        };
        let is_made = matches!(end, MasksEnd::Made(_));
        // Before anybody sees that it has ended.
        self.masks.remember(scan, end);
        is_made
    }
}
