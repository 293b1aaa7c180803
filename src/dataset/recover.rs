//! Making a dataset ready to go on after a crash or a power cut, whatever it left.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::plan::{Plan, ShotIndex};
use crate::scan::{Description, Record, ScanState, Stored};

use super::aside::make_folder;
use super::create::{New, opened_record};
use super::disk::{self, Disk, OsDisk};
use super::error::{Context, DiskError, OpenError};
use super::history::{History, grow};
use super::inspect::{damage, read, read_metadata, unrecorded_files};
use super::journal::{self, Entry, Journal, Stop};
use super::layout::{self, JOURNAL, TEMPORARY, parent};
use super::lock::Lock;
use super::manifest::Manifest;
use super::opening::folder_name;
use super::order::Next;
use super::past::Past;
use super::quarantine::Quarantine;
use super::recovery_report::RecoveryReport;
use super::retaken::{files_left, set_aside};
use super::shot::{encode_metadata, metadata_of};
use super::store::Opened;
use super::{Dataset, ScanId, Tally};

/// A dataset ready to go on.
#[derive(Debug)]
pub struct Recovered {
    /// The dataset, in order, locked, and ready to be written.
    pub dataset: Dataset,
    /// What a resumed scan starts from: not all that the journal says, but what comes to the same.
    pub records: Vec<Record>,
    /// What was found and done.
    pub report: RecoveryReport,
}

/// Locks the dataset at `dir`, puts it in order and opens it. Deletes nothing. May be interrupted and repeated.
pub fn recover(dir: &Path) -> Result<Recovered, OpenError> {
    recover_on(Arc::new(OsDisk), dir, &|| true)
}

/// [`recover()`] on a disk of your choice. It reads all images, which may take minutes: before each, `go_on` is asked,
/// and a no gives it up.
pub fn recover_on(disk: Arc<dyn Disk>, dir: &Path, go_on: &dyn Fn() -> bool) -> Result<Recovered, OpenError> {
    let mut unchecked = open_unchecked(disk, dir)?;
    let Unchecked { disk, dir, id, plan, journal, past, tally, report, .. } = &mut unchecked;
    let mut recovery = Recovery { disk: &**disk, dir, id, plan, go_on, journal, past, tally, report };
    recovery.make_missing_folders()?;
    recovery.check_stored()?;
    recovery.set_aside_what_is_wanted_again()?;
    recovery.check_unrecorded()?;
    let records = unchecked.past.records(&unchecked.tally);
    let (dataset, report) = unchecked.into_dataset()?;
    Ok(Recovered { dataset, records, report })
}

/// A locked dataset whose journal is in order, but whose files nobody has looked at.
pub(super) struct Unchecked {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    id: ScanId,
    pub(super) plan: Arc<Plan>,
    lock: Lock,
    journal: Journal,
    past: Past,
    pub(super) tally: Tally,
    old_manifest: Option<Manifest>,
    report: RecoveryReport,
}

/// Locks the dataset at `dir` and puts its journal in order.
pub(super) fn open_unchecked(disk: Arc<dyn Disk>, dir: &Path) -> Result<Unchecked, OpenError> {
    let lock = Lock::take(dir)?;
    // From here to `Quarantine`, nothing is written: an error leaves the dataset as it was.
    let old_manifest = Manifest::read(dir)?;
    let (history, plan_json) = read_journal(dir)?;
    let id = scan_id(dir, &history, &plan_json)?;

    let mut report = RecoveryReport::default();
    let mut quarantine = Quarantine { disk: &*disk, dir, report: &mut report };
    quarantine.cut_tail(&history)?;
    let journal_path = dir.join(JOURNAL);
    let file = replace_journal(&*disk, &journal_path, &history)?;
    let History { plan, extent, mut tally, mut past, .. } = history;
    let mut journal = Journal::new(file, journal_path, extent.lines, extent.bytes);
    if extent.lines == 0 {
        report.new_journal = true;
        let next = Next::look(parent(dir))?;
        let record = opened_record(&id, &plan_json, next.order, New::default());
        // What was remembered of it must not outlast the new number.
        next.forget(&*disk, parent(dir), id.clone());
        let opened = journal.append(&record, true)?;
        past.add(&tally, &opened, 0);
        tally.apply(&opened.record);
    }
    let dir = dir.to_owned();
    Ok(Unchecked { disk, dir, id, plan, lock, journal, past, tally, old_manifest, report })
}

impl Unchecked {
    /// What the scan is called.
    pub(super) fn description(&self) -> &Description {
        self.past.description()
    }

    /// Says in the manifest that a scan that had ended goes on, before its journal says so: at no moment does it say more than
    /// the journal.
    pub(super) fn reopen(&self) -> Result<(), OpenError> {
        let manifest = Manifest::derive(&self.plan, &self.past, &self.tally);
        if let Some(manifest) = manifest.filter(|manifest| manifest.state.is_finished()) {
            Manifest { state: ScanState::Paused, ..manifest }.write(&*self.disk, &self.dir)?;
        }
        Ok(())
    }

    /// Adds a record all at once: wherever that is cut off, the journal ends with a whole line, as one of a scan that has
    /// ended has to.
    pub(super) fn add(&mut self, record: &Record) -> Result<(), OpenError> {
        let (history, _) = History::read(&self.dir)?;
        let (lines, bytes) = (history.extent.lines, history.extent.bytes);
        let entry = Entry { seq: lines, at: Timestamp::now(), record: record.clone() };
        let line = journal::readable(&entry)?;
        let path = self.dir.join(JOURNAL);
        let crc32c = crc32c::crc32c_append(history.extent.crc32c, line.as_bytes());
        let whole = history.good().context("read", &path)?.chain(line.as_bytes());
        disk::replace_from(&*self.disk, &path, whole, crc32c)?;
        let file = self.disk.append(&path).context("open", &path)?;
        self.past.add(&self.tally, &entry, line.len());
        self.tally.apply(&entry.record);
        grow(&mut self.plan, &entry.record);
        self.journal = Journal::new(file, path, lines + 1, bytes + line.len() as u64);
        Ok(())
    }

    /// Derives the manifest, and opens the dataset for writing.
    pub(super) fn into_dataset(self) -> Result<(Dataset, RecoveryReport), OpenError> {
        let Self { disk, dir, id, plan, lock, journal, past, tally, old_manifest, report } = self;
        let manifest = Manifest::derive(&plan, &past, &tally)
            .ok_or_else(|| OpenError::NoOpening { path: dir.join(JOURNAL) })?;
        if old_manifest.as_ref() != Some(&manifest) {
            manifest.write(&*disk, &dir)?;
        }
        Ok((Dataset::new(Opened { disk, dir, id, plan, lock, journal, manifest, tally }), report))
    }
}

/// What the journal tells; nothing if it is missing.
fn read_journal(dir: &Path) -> Result<(History, Vec<u8>), OpenError> {
    let (history, plan_json) = History::read(dir)?;
    match &history.extent.stop {
        Some(Stop::Unknown(reason)) => Err(OpenError::UnknownRecord {
            path: dir.join(JOURNAL),
            seq: history.extent.lines,
            reason: reason.clone(),
        }),
        // An impossible one may be anybody's, and so may be what stands behind it.
        Some(Stop::Torn | Stop::Checksum | Stop::Sequence { .. } | Stop::TooLong | Stop::Impossible(_))
        | None => Ok((history, plan_json)),
    }
}

/// The id in the journal, which has to be of this plan; without a line, the folder's name.
fn scan_id(dir: &Path, history: &History, plan_json: &[u8]) -> Result<ScanId, OpenError> {
    match history.opening() {
        Some(opening) => {
            opening.must_be_of_plan(dir, plan_json)?;
            Ok(opening.scan.parse()?)
        }
        None if history.extent.lines > 0 => Err(OpenError::NoOpening { path: dir.join(JOURNAL) }),
        None => Ok(folder_name(dir)?.to_string_lossy().parse()?),
    }
}

/// Puts a new file with the good lines in the journal's place. After an error of the old one, its bytes may be
/// in memory alone, and syncing it again would prove nothing.
fn replace_journal(
    disk: &dyn Disk,
    path: &Path,
    history: &History,
) -> Result<Box<dyn super::DiskFile>, DiskError> {
    disk::replace_from(disk, path, history.good().context("read", path)?, history.extent.crc32c)?;
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
    past: &'a mut Past,
    tally: &'a mut Tally,
    report: &'a mut RecoveryReport,
}

impl Recovery<'_> {
    fn append(&mut self, record: &Record) -> Result<(), OpenError> {
        let entry = self.journal.append(record, true)?;
        self.past.add(self.tally, &entry, 0);
        self.tally.apply(record);
        Ok(())
    }

    fn quarantine(&mut self, path: &str) -> Result<(), DiskError> {
        Quarantine { disk: self.disk, dir: self.dir, report: self.report }.take(path)
    }

    /// What is stored needs its folders, even where somebody has removed them.
    fn make_missing_folders(&self) -> Result<(), DiskError> {
        for (folder, cameras) in layout::folders(self.plan) {
            let folder = self.dir.join(folder);
            let of_cameras = cameras.into_iter().map(|camera| folder.join(&camera.name));
            for folder in std::iter::once(folder.clone()).chain(of_cameras) {
                make_folder(self.disk, &folder)?;
            }
        }
        Ok(())
    }

    /// Every stored shot has its files, or is lost.
    fn check_stored(&mut self) -> Result<(), OpenError> {
        let stored: Vec<Stored> = self.tally.stored().cloned().collect();
        for stored in stored {
            if !(self.go_on)() {
                return Err(OpenError::GivenUp(self.dir.to_owned()));
            }
            let metadata = layout::metadata(self.plan, stored.shot);
            let Some(reason) = self.first_damage(&stored)? else {
                self.restore_metadata(&stored, &metadata)?;
                continue;
            };
            for path in stored.files().map(|file| file.path).chain([metadata]) {
                if self.dir.join(&path).symlink_metadata().is_ok() {
                    self.quarantine(&path)?;
                }
            }
            let record = Record::Lost { shot: stored.shot, reason: reason.clone() };
            self.append(&record)?;
            self.report.lost.push((stored.shot, reason));
        }
        Ok(())
    }

    /// What is wrong with a stored shot; none if all of its files are as recorded.
    fn first_damage(&self, stored: &Stored) -> Result<Option<String>, DiskError> {
        for file in stored.files() {
            if let Some(reason) = damage(self.dir, &file)? {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// The journal knows all that the metadata file says.
    fn restore_metadata(&mut self, stored: &Stored, path: &str) -> Result<(), OpenError> {
        let wanted = metadata_of(self.id, self.plan, stored);
        if read_metadata(self.dir, path)?.as_ref() == Some(&wanted) {
            return Ok(());
        }
        if self.dir.join(path).symlink_metadata().is_ok() {
            self.quarantine(path)?;
        }
        disk::replace(self.disk, &self.dir.join(path), &encode_metadata(&wanted)?)?;
        self.report.metadata_restored.push(stored.shot);
        Ok(())
    }

    /// A crash may have come between the record and the moving.
    fn set_aside_what_is_wanted_again(&mut self) -> Result<(), DiskError> {
        for old in self.past.wanted_again().values() {
            let files = files_left(self.dir, self.plan, old)?;
            set_aside(self.disk, self.dir, self.plan, old, &files)?;
            self.report.set_aside.extend(files);
        }
        Ok(())
    }

    /// Every file has a record: one it gets, if it is whole, or is moved away.
    fn check_unrecorded(&mut self) -> Result<(), OpenError> {
        let found = unrecorded_files(self.dir, self.plan, self.tally)?;
        let (partial, mut unrecorded): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|path| path.ends_with(TEMPORARY));
        for path in partial {
            self.quarantine(&path)?;
        }
        for shot in self.plan.shots() {
            let metadata = layout::metadata(self.plan, shot);
            if unrecorded.contains(&metadata) {
                let adopted = self.adopt(shot, &metadata)?;
                unrecorded.retain(|path| !adopted.contains(path));
            }
        }
        for path in unrecorded {
            self.quarantine(&path)?;
        }
        Ok(())
    }

    /// Records a shot if its metadata proves that all of its files are whole: their paths then, or none.
    fn adopt(&mut self, shot: ShotIndex, metadata: &str) -> Result<Vec<String>, OpenError> {
        let Some(found) = read_metadata(self.dir, metadata)? else { return Ok(Vec::new()) };
        let stored = found.stored.clone();
        let record = Record::Stored(stored.clone());
        let is_ours = stored.shot == shot
            && metadata_of(self.id, self.plan, &stored) == found
            && self.tally.check(self.plan, &record).is_ok();
        if !is_ours {
            return Ok(Vec::new());
        }
        // What can be read may still be in memory alone: only files written and synced now are known to last.
        for file in stored.files() {
            let Ok(bytes) = read(self.dir, &file)? else { return Ok(Vec::new()) };
            disk::replace(self.disk, &self.dir.join(&file.path), &bytes)?;
        }
        disk::replace(self.disk, &self.dir.join(metadata), &encode_metadata(&found)?)?;
        let attempt = stored.attempt;
        if self.past.attempts(shot) < attempt {
            self.append(&Record::Attempted { shot, attempt })?;
        }
        self.append(&record)?;
        self.report.adopted.push(shot);
        Ok(stored.files().map(|file| file.path).chain([metadata.to_owned()]).collect())
    }
}
