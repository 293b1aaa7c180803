//! What follows a scan while it is under way: each in a thread of its own, off the way of everything else, and one after the other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::dataset::ScanId;
use crate::threads;

/// How often it looks whether the scan has ended meanwhile.
const TICK: Duration = Duration::from_millis(50);

/// Those of one kind that are under way.
#[derive(Debug, Default)]
pub struct Followers {
    under_way: watch::Sender<Vec<Arc<Followed>>>,
    closed: AtomicBool,
}

/// A scan that is followed.
#[derive(Debug)]
struct Followed {
    scan: ScanId,
    has_ended: AtomicBool,
    stop: AtomicBool,
}

/// The other end of a scan that is followed: dropped, it is not followed any more.
#[derive(Debug)]
pub(super) struct Following(Option<Arc<Followed>>);

/// One that is under way, until this is dropped.
pub(super) struct Follower {
    all: Arc<Followers>,
    followed: Arc<Followed>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.all.under_way.send_modify(|all| all.retain(|one| !Arc::ptr_eq(one, &self.followed)));
    }
}

impl Followers {
    /// Begins to follow `scan` by `work`, on a thread of this name that steps back by `nice`, once those that began before have ended.
    pub(super) fn begin(
        self: &Arc<Self>,
        scan: &ScanId,
        (name, nice): (&str, i32),
        work: impl FnOnce(&Follower) + Send + 'static,
    ) -> io::Result<Following> {
        let followed = Arc::new(Followed {
            scan: scan.clone(),
            has_ended: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        self.under_way.send_modify(|all| all.push(followed.clone()));
        let follower = Follower { all: self.clone(), followed: followed.clone() };
        thread::Builder::new().name(name.into()).spawn(move || {
            threads::step_back(nice);
            if follower.has_turn() {
                work(&follower);
            }
        })?;
        Ok(Following(Some(followed)))
    }

    /// Has that of `scan` end. Whether there was one.
    pub fn cancel(&self, scan: &ScanId) -> bool {
        let under_way = self.under_way.borrow();
        let mut theirs = under_way.iter().filter(|one| one.scan == *scan).peekable();
        let is_any = theirs.peek().is_some();
        theirs.for_each(|one| one.stop.store(true, Ordering::SeqCst));
        is_any
    }

    /// Has those that are under way end: what was written of them stays.
    pub fn give_up(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether there are any.
    pub fn are_under_way(&self) -> bool {
        !self.under_way.borrow().is_empty()
    }

    /// Waits until that of `scan` has ended.
    pub async fn done_with(&self, scan: &ScanId) {
        // The sender is ours, so there is no other end.
        let is_done = |all: &Vec<Arc<Followed>>| all.iter().all(|one| one.scan != *scan);
        let _ = self.under_way.subscribe().wait_for(is_done).await;
    }

    /// Waits until all have ended.
    pub async fn done(&self) {
        let _ = self.under_way.subscribe().wait_for(Vec::is_empty).await;
    }
}

impl Following {
    /// Of a scan that is not followed.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// The scan takes no more images for now: what is made of those that it has is finished.
    pub(super) fn finish(mut self) {
        if let Some(followed) = self.0.take() {
            followed.has_ended.store(true, Ordering::SeqCst);
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(followed) = &self.0 {
            followed.stop.store(true, Ordering::SeqCst);
        }
    }
}

impl Follower {
    /// The scan that is followed.
    pub(super) fn scan(&self) -> &ScanId {
        &self.followed.scan
    }

    /// Whether the scan may take further images.
    pub(super) fn scan_goes_on(&self) -> bool {
        !self.followed.has_ended.load(Ordering::SeqCst)
    }

    /// Whether it is to go on.
    pub(super) fn goes_on(&self) -> bool {
        !self.followed.stop.load(Ordering::SeqCst) && !self.all.closed.load(Ordering::SeqCst)
    }

    /// Waits so long, or until the scan has ended.
    pub(super) fn wait(&self, mut left: Duration) {
        while !left.is_zero() && self.scan_goes_on() && self.goes_on() {
            thread::sleep(TICK);
            left = left.saturating_sub(TICK);
        }
    }

    /// Waits until those that began before have ended, such as that of the same scan before its pause. Whether to go on.
    fn has_turn(&self) -> bool {
        while self.goes_on() {
            let first = self.all.under_way.borrow().first().cloned();
            if first.is_none_or(|first| Arc::ptr_eq(&first, &self.followed)) {
                return true;
            }
            thread::sleep(TICK);
        }
        false
    }
}
