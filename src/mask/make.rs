//! Masks of a scan: each image against its reference, on a few threads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use super::colours::Photo;
use super::error::MaskError;
use super::file::{self, METHOD, Origin, Source};
use super::look::Look;
use super::object::{self, Blank};
use super::photo;
use super::reference::{self, Reference, Unmatched};
use crate::dataset::{self, Contents, OpenError};
use crate::durable::{self, Readers};
use crate::model::Size;
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

/// Which masks are made again. One of another image, or one that is not whole, always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remake {
    /// None: they may be by a reference that a person has named.
    None,
    /// Those that would be made by another reference, or otherwise, now.
    #[default]
    Outdated,
    /// All: those that are right, too.
    All,
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

/// A mask that is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    /// Its image's path in the dataset.
    pub image: String,
    /// Its path in the dataset.
    pub mask: String,
    /// Part of the image that the object covers.
    pub covered: f64,
    /// The scan of the empty rig.
    pub reference: String,
    /// Whether it was there and right already.
    pub kept: bool,
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
        if references.is_empty() {
            return Err(MaskError::NoReference(dir.to_owned()));
        }
        Ok(Self { dir: dir.to_owned(), contents, references, remake: wish.remake })
    }

    /// Of how many images masks are to be made.
    pub fn images(&self) -> usize {
        self.contents.tally().stored().count()
    }

    /// Makes them, as [`make()`] says.
    ///
    /// # Errors
    /// The first one; masks that were made before stay.
    pub fn perform(&self, tell: &(dyn Fn(usize, usize) -> bool + Sync)) -> Result<Report, MaskError> {
        let stored: Vec<&Stored> = self.contents.tally().stored().collect();
        let stored_in_all = stored.len();
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = Mutex::new(Vec::with_capacity(stored.len()));
        let turn = || {
            while let Some(stored) = stored.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = self.one(stored);
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

/// The mask of one image, before it is written.
struct Found {
    made: Made,
    /// Its file; none if it is there.
    bytes: Option<Vec<u8>>,
    notes: Vec<String>,
}

/// Why there is none.
enum Trouble {
    /// For people. The next image may have one.
    Without(String),
    Fatal(MaskError),
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        Self::Fatal(error.into())
    }
}

impl From<&str> for Trouble {
    fn from(reason: &str) -> Self {
        Self::Without(reason.into())
    }
}

impl Making {
    fn one(&self, stored: &Stored) -> Result<Found, Trouble> {
        let mask = file::path(&stored.image);
        let to = self.dir.join(&mask);
        let found = self.find(stored);
        match &found {
            Ok(Found { bytes: Some(bytes), .. }) => {
                // Not the scan's own folder, which somebody may have removed meanwhile.
                let written = durable::create_folder_in(&self.dir, folder_of(&mask))
                    .and_then(|()| durable::replace(&to, bytes, Readers::AsUsual));
                written.map_err(|source| Trouble::Fatal(MaskError::Write { path: to, source }))?;
            }
            // One of another image, or by another reference, would be taken for its mask.
            Err(Trouble::Without(_)) => drop(std::fs::remove_file(to)),
            Ok(Found { bytes: None, .. }) | Err(Trouble::Fatal(_)) => {}
        }
        found
    }

    fn find(&self, stored: &Stored) -> Result<Found, Trouble> {
        let there = file::read(&self.dir, stored);
        if let (Remake::None, Some(there)) = (self.remake, &there) {
            return Ok(Found { made: made_of(stored, there, true), bytes: None, notes: Vec::new() });
        }
        let plan = &self.contents.plan;
        let (camera, point) =
            (plan.camera(plan.camera_of(stored.shot)), plan.point(plan.point_of(stored.shot)));
        let (reference, empty) =
            reference::find(&self.references, camera, point).map_err(|unmatched| match unmatched {
                Unmatched::Place => "the empty rig was not photographed from there",
                Unmatched::Camera => {
                    "the empty rig was photographed with the camera mounted, or its size set, otherwise"
                }
            })?;
        let source =
            Source { scan: reference.scan().to_owned(), image: empty.image.clone(), crc32c: empty.crc32c };
        let notes = Look::taken(&stored.facts).differences(&camera.name, &Look::taken(&empty.facts));
        let there = there.filter(|there| there.reference == source && there.method == METHOD);
        if let (Remake::None | Remake::Outdated, Some(there)) = (self.remake, &there) {
            return Ok(Found { made: made_of(stored, there, true), bytes: None, notes });
        }
        let of_empty = |reason| format!("{} of {}: {reason}", empty.image, source.scan);
        let (before, before_size) =
            decoded(&reference.dir, empty)?.map_err(|reason| Trouble::Without(of_empty(reason)))?;
        let (now, size) = decoded(&self.dir, stored)?.map_err(Trouble::Without)?;
        if before_size != size {
            let Size { width, height } = before_size;
            return Err(Trouble::Without(of_empty(format!("it has another size, {width}x{height}"))));
        }
        let table = photo::table(camera, &point.pose, &now);
        let shape = object::find(&before, &now, &table).map_err(|blank| match blank {
            Blank::Nothing => "it shows nothing but the empty rig: the mask would be empty",
            Blank::Everything => {
                "it shows nothing of the empty rig, so the mask would cover all: has the camera been moved, or the light \
                 changed, since then?"
            }
        })?;
        let covered = shape.count() as f64 / shape.inside.len() as f64;
        let origin = Origin { method: METHOD, covered, image_crc32c: stored.crc32c, reference: source };
        let bytes = file::encode(&shape, size, &origin)
            .map_err(|error| Trouble::Without(format!("its mask cannot be encoded: {error}")))?;
        Ok(Found { made: made_of(stored, &origin, false), bytes: Some(bytes), notes })
    }
}

/// The folder that the file `path` is in.
fn folder_of(path: &str) -> &Path {
    Path::new(path).parent().unwrap_or(Path::new(""))
}

fn made_of(stored: &Stored, origin: &Origin, kept: bool) -> Made {
    Made {
        image: stored.image.clone(),
        mask: file::path(&stored.image),
        covered: origin.covered,
        reference: origin.reference.scan.clone(),
        kept,
    }
}

/// A stored image and its true size, or what is wrong with it.
fn decoded(dir: &Path, stored: &Stored) -> Result<Result<(Photo, Size), String>, OpenError> {
    let jpeg = dataset::read_image(dir, stored)?;
    Ok(jpeg.and_then(|jpeg| {
        photo::decode(&jpeg).map_err(|error| format!("the image cannot be decoded: {error}"))
    }))
}
