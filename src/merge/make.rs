//! The stacks of a scan merged, one after the other, on one thread.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use serde::Serialize;

use super::error::MergeError;
use super::file::{self, Origin};
use super::images::{ImageStack, stacks};
use super::{Program, find, jpeg};
use crate::dataset::{self, OpenError};
use crate::durable::{self, Readers};
use crate::file_lock;
use crate::scan::Stored;
use crate::units::Bytes;

/// The folder of merged images in a dataset.
const FOLDER: &str = "merged";
/// Starts the name of the folder in which one is made.
const ASIDE: &str = ".merge-";

/// How stacks are to be merged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// By which program.
    pub program: Program,
    /// Also those that are there, and right.
    pub again: bool,
    /// Room that stays free on the disk.
    pub keep_free: Bytes,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Stacks that are merged, in the order of the plan.
    pub merged: Vec<Made>,
    /// Stacks that are not.
    pub without: Vec<Without>,
}

/// A merged image that is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    /// Its path in the dataset.
    pub image: String,
    /// How many images it is made from.
    pub from: usize,
    /// How many images of the stack are not there, because they failed, say.
    pub missing: usize,
    /// It was there already.
    pub kept: bool,
}

/// A stack without a merged image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Without {
    /// Name of its camera, and what its labels have in common: `cam0/r01_a017`.
    pub stack: String,
    /// Why, for people.
    pub reason: String,
}

/// What one stack needs.
pub(super) struct Work<'a> {
    pub(super) dir: &'a Path,
    wish: &'a Wish,
    go_on: &'a dyn Fn() -> bool,
}

/// Why one stack is not merged.
pub(super) enum Trouble {
    /// For people. The next stack may be merged.
    Without(String),
    Fatal(MergeError),
}

impl From<MergeError> for Trouble {
    fn from(error: MergeError) -> Self {
        Self::Fatal(error)
    }
}

/// Merges the stacks of the scan at `dir`, and tells after each how many are done, and of how many: a `false` gives it up, as
/// one of `go_on` does, which is asked before each image.
/// What is there and was made from the same images stays as it is. Merged images that are not right any more are removed.
///
/// # Errors
/// The first one that is not of one stack alone; what was merged before stays.
pub fn make(
    dir: &Path,
    wish: &Wish,
    go_on: &dyn Fn() -> bool,
    tell: &dyn Fn(usize, usize),
) -> Result<Report, MergeError> {
    let contents = dataset::read_contents(dir)?;
    let stacks = stacks(&contents);
    if stacks.is_empty() {
        return Err(MergeError::NoStacks(dir.to_owned()));
    }
    let unwritten = |path: &Path| {
        let path = path.to_owned();
        move |source| MergeError::Write { path, source }
    };
    let folder = dir.join(FOLDER);
    durable::create_folder_in(dir, Path::new(FOLDER)).map_err(unwritten(&folder))?;
    let _lock = lock(dir, &folder)?;
    sweep(&folder);
    let work = Work { dir, wish, go_on };
    let mut report = Report::default();
    for (done, stack) in stacks.iter().enumerate() {
        tell(done, stacks.len());
        match work.one(stack, &folder) {
            Ok(made) => report.merged.push(made),
            Err(Trouble::Without(reason)) => {
                // One of other images would be taken for it.
                let _ = fs::remove_file(dir.join(file::path(stack)));
                report.without.push(Without { stack: format!("{}/{}", stack.camera, stack.label), reason });
            }
            Err(Trouble::Fatal(error)) => return Err(error),
        }
    }
    tell(stacks.len(), stacks.len());
    remove_others(&folder, &report);
    Ok(report)
}

/// That nobody else merges stacks of this scan, until it is dropped.
fn lock(dir: &Path, folder: &Path) -> Result<File, MergeError> {
    let unlocked = |source| MergeError::Write { path: folder.to_owned(), source };
    let lock = File::open(folder).map_err(unlocked)?;
    match file_lock::take(&lock) {
        Ok(Some(())) => Ok(lock),
        Ok(None) => Err(MergeError::Busy(dir.to_owned())),
        Err(error) if file_lock::are_lacking(error) => Ok(lock),
        Err(error) => Err(unlocked(error.into())),
    }
}

/// Removes what was left by merging that was cut off. What cannot be removed is in nobody's way.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(ASIDE) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes images of stacks that the plan has not: nobody would know what they are.
fn remove_others(folder: &Path, report: &Report) {
    let known: BTreeSet<&str> = report.merged.iter().map(|made| made.image.as_str()).collect();
    let Ok(cameras) = fs::read_dir(folder) else { return };
    for camera in cameras.flatten() {
        let Ok(images) = fs::read_dir(camera.path()) else { continue };
        for image in images.flatten() {
            let path = Path::new(FOLDER).join(camera.file_name()).join(image.file_name());
            let is_ours = image.path().extension().is_some_and(|extension| extension == "jpg");
            if is_ours && !path.to_str().is_some_and(|path| known.contains(path)) {
                let _ = fs::remove_file(image.path());
            }
        }
    }
}

impl Work<'_> {
    fn one(&self, stack: &ImageStack<'_>, folder: &Path) -> Result<Made, Trouble> {
        self.go_on()?;
        let (count, image) = (stack.images.len(), file::path(stack));
        if count < 2 {
            let of = stack.planned;
            return Err(Trouble::Without(format!(
                "{count} of its {of} images are there: there is nothing to merge"
            )));
        }
        let made = |kept| Made { image: image.clone(), from: count, missing: stack.planned - count, kept };
        let there = find(self.dir, stack).filter(|there| there.program == self.wish.program);
        if there.is_some() && !self.wish.again {
            return Ok(made(true));
        }
        self.check_room(folder)?;
        let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(folder);
        let aside = aside.map_err(|error| self.unwritten(folder, error))?;
        let jpeg = match self.wish.program {
            Program::Own => self.own(stack, aside.path())?,
            Program::Enfuse => self.enfuse(stack, aside.path())?,
        };
        let origin = Origin::of(stack, self.wish.program);
        let comment = origin.comment().map_err(|error| Trouble::Without(error.to_string()))?;
        let like = stack.middle().map(|middle| self.jpeg(middle)).transpose()?.unwrap_or_default();
        let jpeg = jpeg::labelled(&jpeg, &like, &comment).map_err(Trouble::Without)?;
        let to = self.dir.join(&image);
        // Not the scan's own folder, which somebody may have removed meanwhile.
        durable::create_folder_in(self.dir, &Path::new(FOLDER).join(stack.camera))
            .and_then(|()| durable::replace(&to, &jpeg, Readers::AsUsual))
            .map_err(|error| self.unwritten(&to, error))?;
        Ok(made(false))
    }

    /// That nobody has given it up.
    pub(super) fn go_on(&self) -> Result<(), MergeError> {
        if (self.go_on)() { Ok(()) } else { Err(MergeError::GivenUp) }
    }

    /// The bytes of a stored image, which is as it was recorded.
    pub(super) fn jpeg(&self, stored: &Stored) -> Result<Vec<u8>, Trouble> {
        let read = dataset::read_image(self.dir, stored)
            .map_err(|error| MergeError::Open(OpenError::from(error)))?;
        read.map_err(|wrong| Trouble::Without(format!("{}: {wrong}", stored.image)))
    }

    pub(super) fn unwritten(&self, path: &Path, source: io::Error) -> Trouble {
        let path: PathBuf = if path.is_absolute() { path.to_owned() } else { self.dir.join(path) };
        Trouble::Fatal(MergeError::Write { path, source })
    }

    fn check_room(&self, folder: &Path) -> Result<(), Trouble> {
        let space = statvfs(folder).map_err(|error| self.unwritten(folder, error.into()))?;
        let (free, keep_free) =
            (Bytes::new(space.f_bavail as f64 * space.f_frsize as f64), self.wish.keep_free);
        if free < keep_free {
            return Err(MergeError::Full { path: folder.to_owned(), free, keep_free }.into());
        }
        Ok(())
    }
}
