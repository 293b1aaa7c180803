//! Masks of a scan, on a few threads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use super::error::MaskError;
use super::one::{Found, Made, Remake, Trouble, Work};
use super::panel::Silhouettes;
use super::reference::Reference;
use crate::dataset::{self, Contents};
use crate::model::Lighting;
use crate::plan::ShotIndex;
use crate::scan::Stored;

/// More threads take more memory than a Raspberry Pi has.
const THREADS: usize = 4;

/// Which masks are wanted, and by which reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The scan of the empty rig; without one, the newest that was made before by the same rig and has the place.
    pub reference: Option<PathBuf>,
    /// Which of those that are there are made again.
    pub remake: Remake,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Images that have a mask, in the order of the plan.
    pub masks: Vec<Made>,
    /// Images that have none.
    pub without: Vec<Without>,
    /// What was otherwise when the reference was made. For people.
    pub notes: BTreeSet<String>,
}

/// An image without a mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Without {
    /// Its path in the dataset.
    pub image: String,
    /// Why there is none, for people.
    pub reason: String,
}

/// Makes the masks of the stored images of the scan at `dir`, and tells after each how many are done, and of how many: a
/// `false` gives it up.
/// What is there and was made from the same images stays as it is. Masks that are not right any more are removed.
///
/// # Errors
/// The first one; masks that were made before stay.
pub fn make(
    dir: &Path,
    wish: &Wish,
    tell: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Report, MaskError> {
    Making::prepare(dir, wish)?.perform(tell)
}

/// Masks that are about to be made: it is known by what.
#[derive(Debug)]
pub struct Making {
    dir: PathBuf,
    contents: Contents,
    references: Vec<Reference>,
    remake: Remake,
    /// Of these shots alone; of all without.
    of: Option<BTreeSet<ShotIndex>>,
}

impl Making {
    /// Reads what the scan at `dir` says, and finds the scans of the empty rig.
    ///
    /// # Errors
    /// There is none, or nothing to be masked; or one of them cannot be read.
    pub fn prepare(dir: &Path, wish: &Wish) -> Result<Self, MaskError> {
        let contents = dataset::read_contents(dir)?;
        let references = match &wish.reference {
            Some(reference) => vec![Reference::read(reference)?],
            None if contents.manifest.reference => return Err(MaskError::EmptyRig(dir.to_owned())),
            None => Reference::of(dir)?,
        };
        if references.is_empty() && !Silhouettes::of(dir, &contents).any() {
            return Err(MaskError::NoReference(dir.to_owned()));
        }
        Ok(Self { dir: dir.to_owned(), contents, references, remake: wish.remake, of: None })
    }

    /// The same of these shots alone.
    #[must_use]
    pub fn of(mut self, shots: impl IntoIterator<Item = ShotIndex>) -> Self {
        self.of = Some(shots.into_iter().collect());
        self
    }

    /// Whether there is a scan of the empty rig, by which a mask can be made as soon as its image is there.
    pub fn has_reference(&self) -> bool {
        !self.references.is_empty()
    }

    /// The images of which there are to be masks: not silhouettes.
    fn photographs(&self) -> impl Iterator<Item = &Stored> {
        let plan = &self.contents.plan;
        let is_wanted = |stored: &&Stored| {
            plan.lighting_of(stored.shot) == Lighting::Front
                && self.of.as_ref().is_none_or(|of| of.contains(&stored.shot))
        };
        self.contents.tally().stored().filter(is_wanted)
    }

    fn work(&self) -> Work<'_> {
        Work {
            dir: &self.dir,
            contents: &self.contents,
            references: &self.references,
            silhouettes: Silhouettes::of(&self.dir, &self.contents),
            remake: self.remake,
        }
    }

    /// Makes them on this thread alone, and asks before each whether to go on.
    ///
    /// # Errors
    /// The first one; masks that were made before stay.
    pub fn alone(&self, goes_on: &mut dyn FnMut() -> bool) -> Result<(), MaskError> {
        let work = self.work();
        for stored in self.photographs() {
            if !goes_on() {
                return Err(MaskError::GivenUp);
            }
            match work.one(stored) {
                Ok(_) | Err(Trouble::Without(_)) => {}
                Err(Trouble::Fatal(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Of how many images masks are to be made.
    pub fn images(&self) -> usize {
        self.photographs().count()
    }

    /// Makes them, as [`make()`] says.
    ///
    /// # Errors
    /// The first one; masks that were made before stay.
    pub fn perform(&self, tell: &(dyn Fn(usize, usize) -> bool + Sync)) -> Result<Report, MaskError> {
        let stored: Vec<&Stored> = self.photographs().collect();
        let work = self.work();
        let stored_in_all = stored.len();
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = Mutex::new(Vec::with_capacity(stored.len()));
        let turn = || {
            while let Some(stored) = stored.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = work.one(stored);
                if matches!(result, Err(Trouble::Fatal(_))) {
                    next.store(usize::MAX / 2, Ordering::Relaxed);
                }
                results.lock().unwrap_or_else(PoisonError::into_inner).push((*stored, result));
                if !tell(done.fetch_add(1, Ordering::Relaxed) + 1, stored_in_all) {
                    next.store(usize::MAX / 2, Ordering::Relaxed);
                }
            }
        };
        let helpers = thread::available_parallelism().map_or(1, usize::from).min(THREADS) - 1;
        thread::scope(|scope| {
            for number in 0..helpers {
                // Where there is no thread to be had, this one does it all.
                let _ = thread::Builder::new().name(format!("mask-{number}")).spawn_scoped(scope, turn);
            }
            turn();
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(stored, _)| stored.shot);
        let mut report = Report::default();
        for (image, result) in results {
            match result {
                Ok(Found { made, notes, .. }) => {
                    report.masks.push(made);
                    report.notes.extend(notes);
                }
                Err(Trouble::Without(reason)) => {
                    report.without.push(Without { image: image.image.clone(), reason });
                }
                Err(Trouble::Fatal(error)) => return Err(error),
            }
        }
        if report.masks.len() + report.without.len() < stored_in_all {
            Err(MaskError::GivenUp)
        } else {
            Ok(report)
        }
    }
}
