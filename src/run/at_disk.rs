//! What is under way at the disk, and for how long: one that never answers holds a thread for good, and nothing else tells
//! of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever works at the disk says so here. Cheap to clone; a clone is the same.
#[derive(Debug, Clone, Default)]
pub struct AtDisk(Arc<Mutex<Errands>>);

#[derive(Debug, Default)]
struct Errands {
    /// When each began, or was last heard of.
    since: BTreeMap<u64, Instant>,
    next: u64,
}

/// Something that is under way at the disk, until this is dropped.
#[derive(Debug)]
pub struct Errand {
    at: AtDisk,
    number: u64,
}

impl AtDisk {
    /// Something goes to the disk.
    pub fn begin(&self) -> Errand {
        let mut errands = self.lock();
        let number = errands.next;
        errands.next += 1;
        errands.since.insert(number, Instant::now());
        Errand { at: self.clone(), number }
    }

    /// For how long nothing has been heard of the errand of which that is longest; none if there is none.
    pub fn longest(&self) -> Option<Duration> {
        self.lock().since.values().min().map(Instant::elapsed)
    }

    /// Nothing is left half done under this lock.
    fn lock(&self) -> MutexGuard<'_, Errands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Errand {
    /// The disk has answered, and is asked for more.
    pub fn goes_on(&self) {
        self.at.lock().since.insert(self.number, Instant::now());
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.at.lock().since.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errand_that_was_heard_of_last_hides_no_other() {
        let at_disk = AtDisk::default();
        assert_eq!(at_disk.longest(), None);
        let (stuck, goes_on) = (at_disk.begin(), at_disk.clone().begin());
        let between = Instant::now();
        std::thread::sleep(Duration::from_millis(20));
        goes_on.goes_on();
        let elapsed = between.elapsed();
        assert!(at_disk.longest().unwrap() >= elapsed);
        drop(stuck);
        let longest = at_disk.longest().unwrap();
        assert!(longest <= between.elapsed());
        drop(goes_on);
        assert_eq!(at_disk.longest(), None);
    }
}
