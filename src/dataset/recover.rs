//! Making a dataset ready to go on after a crash or a power cut, whatever it left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::plan::{Plan, ShotIndex};
use crate::scan::{Record, Stored};

use super::aside::make_folder;
use super::create::{opened_record, write_new};
use super::disk::{Disk, OsDisk};
use super::error::{Context, DiskError, OpenError};
use super::inspect::{image_damage, read_metadata, read_plan, unrecorded_files};
use super::journal::{self, Entry, Journal, Stop};
use super::layout::{self, IMAGES, JOURNAL, METADATA, PLAN, TEMPORARY, parent, temporary};
use super::lock::Lock;
use super::manifest::Manifest;
use super::quarantine::Quarantine;
use super::retake::{files_left, set_aside, wanted_again};
use super::store::{Opened, encode_metadata, is_whole_jpeg, metadata_of};
use super::{Dataset, ScanId, Tally};

/// A dataset ready to go on.
#[derive(Debug)]
pub struct Recovered {
    /// Ready to append.
    pub dataset: Dataset,
    /// All that the journal says now, in order: what a resumed scan starts from.
    pub records: Vec<Record>,
    /// What was found and done.
    pub report: RecoveryReport,
}

/// What a recovery found and did. All empty for a dataset that was in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RecoveryReport {
    /// Bytes behind the journal's last good line, now in `quarantine/`.
    pub cut_bytes: u64,
    /// Why they did not count.
    pub cut_reason: Option<String>,
    /// Whether there was no usable journal at all.
    pub new_journal: bool,
    /// Stored shots that have to be taken again, and why.
    pub lost: Vec<(ShotIndex, String)>,
    /// Shots whose whole image had no record yet.
    pub adopted: Vec<ShotIndex>,
    /// Files of shots that are wanted again, moved to `retaken/`, by their paths in the dataset.
    pub set_aside: Vec<String>,
    /// Metadata files written again from the journal.
    pub metadata_restored: Vec<ShotIndex>,
    /// Files moved to `quarantine/`, by their paths in the dataset.
    pub quarantined: Vec<String>,
}

/// Locks the dataset at `dir`, puts it in order and opens it. Deletes nothing. May be interrupted and repeated.
pub fn recover(dir: &Path) -> Result<Recovered, OpenError> {
    recover_on(Arc::new(OsDisk), dir, &|| true)
}

/// [`recover()`] on a disk of your choice. It reads all images, which may take minutes: before each, `go_on` is asked,
/// and a no gives it up.
pub fn recover_on(disk: Arc<dyn Disk>, dir: &Path, go_on: &dyn Fn() -> bool) -> Result<Recovered, OpenError> {
    let mut unchecked = open_unchecked(disk, dir)?;
    let Unchecked { disk, dir, id, plan, journal, entries, report, .. } = &mut unchecked;
    let mut recovery = Recovery { disk: &**disk, dir, id, plan, go_on, journal, entries, report };
    recovery.make_missing_folders()?;
    recovery.check_stored()?;
    recovery.set_aside_what_is_wanted_again()?;
    recovery.check_unrecorded()?;
    let records = unchecked.entries.iter().map(|entry| entry.record.clone()).collect();
    let (dataset, report) = unchecked.into_dataset()?;
    Ok(Recovered { dataset, records, report })
}

/// A locked dataset whose journal is in order, but whose files nobody has looked at.
pub(super) struct Unchecked {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    id: ScanId,
    pub(super) plan: Plan,
    lock: Lock,
    journal: Journal,
    entries: Vec<Entry>,
    old_manifest: Option<Manifest>,
    report: RecoveryReport,
}

/// Locks the dataset at `dir` and puts its journal in order.
pub(super) fn open_unchecked(disk: Arc<dyn Disk>, dir: &Path) -> Result<Unchecked, OpenError> {
    let lock = Lock::take(dir)?;
    // From here to `Quarantine`, nothing is written: an error leaves the dataset as it was.
    let old_manifest = Manifest::read(dir)?;
    let (plan, plan_json) = read_plan(dir)?;
    let (bytes, mut read) = read_journal(dir)?;
    check_plan_is_the_one(dir, &read.entries, &plan_json)?;
    let id = scan_id(dir, &read.entries)?;

    let mut report = RecoveryReport::default();
    let mut quarantine = Quarantine { disk: &*disk, dir, report: &mut report };
    quarantine.cut_tail(&bytes[read.good_bytes..], read.stop.as_ref())?;
    let journal_path = dir.join(JOURNAL);
    let file = replace_journal(&*disk, &journal_path, &bytes[..read.good_bytes])?;
    let mut journal = Journal::new(file, journal_path, read.entries.len());
    if read.entries.is_empty() {
        report.new_journal = true;
        read.entries.push(journal.append(&opened_record(&id, &plan_json), true)?);
    }
    let (dir, entries) = (dir.to_owned(), read.entries);
    Ok(Unchecked { disk, dir, id, plan, lock, journal, entries, old_manifest, report })
}

impl Unchecked {
    /// Derives the manifest, and opens the dataset for writing.
    pub(super) fn into_dataset(self) -> Result<(Dataset, RecoveryReport), OpenError> {
        let Self { disk, dir, id, plan, lock, journal, entries, old_manifest, report } = self;
        let manifest = Manifest::derive(&plan, &entries)
            .ok_or_else(|| OpenError::Plan { path: dir.join(JOURNAL), reason: "it has no scan id".into() })?;
        if old_manifest.as_ref() != Some(&manifest) {
            manifest.write(&*disk, &dir)?;
        }
        Ok((Dataset::new(Opened { disk, dir, id, plan, lock, journal, manifest, entries }), report))
    }
}

/// The journal's bytes (none if it is missing) and what they say.
fn read_journal(dir: &Path) -> Result<(Vec<u8>, journal::JournalRead), OpenError> {
    let path = dir.join(JOURNAL);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.context("read", &path)?,
    };
    let read = journal::read(&bytes);
    match &read.stop {
        Some(Stop::Unknown(reason)) => {
            Err(OpenError::UnknownRecord { path, seq: read.entries.len() as u64, reason: reason.clone() })
        }
        Some(Stop::Torn | Stop::Checksum | Stop::Sequence { .. }) | None => Ok((bytes, read)),
    }
}

fn check_plan_is_the_one(dir: &Path, entries: &[Entry], plan_json: &[u8]) -> Result<(), OpenError> {
    let reason = match entries.first().map(|entry| &entry.record) {
        None => return Ok(()),
        Some(Record::Opened { plan_crc32c, .. }) if *plan_crc32c == crc32c::crc32c(plan_json) => {
            return Ok(());
        }
        Some(Record::Opened { .. }) => "its checksum is not the one in the journal",
        Some(_) => "the journal does not begin with the record that names it",
    };
    Err(OpenError::Plan { path: dir.join(PLAN), reason: reason.into() })
}

/// The id in the journal, else the folder's name.
fn scan_id(dir: &Path, entries: &[Entry]) -> Result<ScanId, OpenError> {
    if let Some(Record::Opened { scan, .. }) = entries.first().map(|entry| &entry.record) {
        return Ok(scan.parse()?);
    }
    let canonical = dir.canonicalize().context("find", dir)?;
    Ok(canonical.file_name().unwrap_or_default().to_string_lossy().parse()?)
}

/// Puts a new file with the good lines in the journal's place. After an error of the old one, its bytes may be
/// in memory alone, and syncing it again would prove nothing.
fn replace_journal(disk: &dyn Disk, path: &Path, good: &[u8]) -> Result<Box<dyn super::DiskFile>, DiskError> {
    let new = temporary(path, 0);
    match disk.remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context("remove", &new),
        _ => {}
    }
    write_new(disk, &new, good)?;
    disk.replace(&new, path).context("replace", path)?;
    disk.sync_dir(parent(path)).context("sync", parent(path))?;
    disk.append(path).context("open", path)
}

/// The steps that compare records and files.
struct Recovery<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    id: &'a ScanId,
    plan: &'a Plan,
    go_on: &'a dyn Fn() -> bool,
    journal: &'a mut Journal,
    entries: &'a mut Vec<Entry>,
    report: &'a mut RecoveryReport,
}

impl Recovery<'_> {
    fn tally(&self) -> Tally {
        Tally::of(self.plan.shot_count(), self.entries.iter().map(|entry| &entry.record))
    }

    fn append(&mut self, record: &Record) -> Result<(), OpenError> {
        self.entries.push(self.journal.append(record, true)?);
        Ok(())
    }

    fn quarantine(&mut self, path: &str) -> Result<(), DiskError> {
        Quarantine { disk: self.disk, dir: self.dir, report: self.report }.take(path)
    }

    /// What is stored needs its folders, even where somebody has removed them.
    fn make_missing_folders(&self) -> Result<(), DiskError> {
        for folder in [IMAGES, METADATA].map(|folder| self.dir.join(folder)) {
            let of_cameras = self.plan.cameras.iter().map(|camera| folder.join(&camera.name));
            for folder in std::iter::once(folder.clone()).chain(of_cameras) {
                make_folder(self.disk, &folder)?;
            }
        }
        Ok(())
    }

    /// Every stored shot has its file, or is lost.
    fn check_stored(&mut self) -> Result<(), OpenError> {
        let stored: Vec<Stored> = self.tally().stored().cloned().collect();
        for stored in stored {
            if !(self.go_on)() {
                return Err(OpenError::GivenUp(self.dir.to_owned()));
            }
            let metadata = layout::metadata(self.plan, stored.shot);
            let Some(reason) = image_damage(self.dir, &stored) else {
                self.restore_metadata(&stored, &metadata)?;
                continue;
            };
            for path in [&stored.image, &metadata] {
                if self.dir.join(path).symlink_metadata().is_ok() {
                    self.quarantine(path)?;
                }
            }
            let record = Record::Lost { shot: stored.shot, reason: reason.clone() };
            self.append(&record)?;
            self.report.lost.push((stored.shot, reason));
        }
        Ok(())
    }

    /// The journal knows all that the metadata file says.
    fn restore_metadata(&mut self, stored: &Stored, path: &str) -> Result<(), OpenError> {
        let wanted = metadata_of(self.id, self.plan, stored);
        if read_metadata(&self.dir.join(path)).as_ref() == Some(&wanted) {
            return Ok(());
        }
        if self.dir.join(path).symlink_metadata().is_ok() {
            self.quarantine(path)?;
        }
        self.write_again(&self.dir.join(path), &encode_metadata(&wanted)?)?;
        self.report.metadata_restored.push(stored.shot);
        Ok(())
    }

    /// A crash may have come between the record and the moving.
    fn set_aside_what_is_wanted_again(&mut self) -> Result<(), DiskError> {
        for old in wanted_again(self.entries).values() {
            let files = files_left(self.dir, self.plan, old);
            set_aside(self.disk, self.dir, self.plan, old, &files)?;
            self.report.set_aside.extend(files);
        }
        Ok(())
    }

    /// Every file has a record: one it gets, if it is whole, or is moved away.
    fn check_unrecorded(&mut self) -> Result<(), OpenError> {
        let found = unrecorded_files(self.dir, self.plan, &self.tally())?;
        let (partial, mut unrecorded): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|path| path.ends_with(TEMPORARY));
        for path in partial {
            self.quarantine(&path)?;
        }
        for shot in self.plan.shots() {
            let (image, metadata) = (layout::image(self.plan, shot), layout::metadata(self.plan, shot));
            if unrecorded.contains(&image)
                && unrecorded.contains(&metadata)
                && self.adopt(shot, &image, &metadata)?
            {
                unrecorded.retain(|path| *path != image && *path != metadata);
            }
        }
        for path in unrecorded {
            self.quarantine(&path)?;
        }
        Ok(())
    }

    /// Records the image of a shot if its metadata proves that it is whole.
    fn adopt(&mut self, shot: ShotIndex, image: &str, metadata: &str) -> Result<bool, OpenError> {
        let Some(found) = read_metadata(&self.dir.join(metadata)) else { return Ok(false) };
        let stored = found.stored.clone();
        let path = self.dir.join(image);
        let is_ours =
            stored.shot == shot && stored.image == image && metadata_of(self.id, self.plan, &stored) == found;
        let bytes = fs::read(&path).context("read", &path)?;
        let is_whole = bytes.len() as u64 == stored.bytes && crc32c::crc32c(&bytes) == stored.crc32c;
        if !is_ours || !is_whole || !is_whole_jpeg(&bytes) {
            return Ok(false);
        }
        // What can be read may still be in memory alone: only files written and synced now are known to last.
        self.write_again(&path, &bytes)?;
        self.write_again(&self.dir.join(metadata), &encode_metadata(&found)?)?;
        let attempt = stored.attempt;
        let tried = Record::Attempted { shot, attempt };
        if !self.entries.iter().any(|entry| entry.record == tried) {
            self.append(&tried)?;
        }
        self.append(&Record::Stored(stored))?;
        self.report.adopted.push(shot);
        Ok(true)
    }

    /// Puts a new, synced file with these bytes in the place of `path`.
    fn write_again(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        let new = temporary(path, 0);
        match self.disk.remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).context("remove", &new);
            }
            _ => {}
        }
        write_new(self.disk, &new, bytes)?;
        self.disk.replace(&new, path).context("replace", path)?;
        self.disk.sync_dir(parent(path)).context("sync", parent(path))
    }
}
