//! A dataset being filled.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::durable::{self, Readers};
use crate::frame::{File, Store, StoreRefused};
use crate::model::is_whole_jpeg;
use crate::ownership;
use crate::plan::{Plan, ShotIndex};
use crate::scan::{
    Description, DescriptionChanges, FrameFacts, Outcome, Record, RecordedFile, RetakenFor, ScanState, Stored,
};

use super::ScanId;
use super::disk::Disk;
use super::error::{Context, DescribeError, DiskError, StoreError};
use super::history::grow;
use super::journal::Journal;
use super::layout::{self, parent};
use super::lock::Lock;
use super::manifest::Manifest;
use super::retaken::set_aside;
use super::shot::{encode_metadata, metadata_of};
use super::tally::{ShotState, Tally, changes_state};
use super::undo::Undo;

/// A dataset open for writing; the only one, on any process. Clones are handles of the same dataset.
#[derive(Debug, Clone)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    id: ScanId,
    /// Of the journal's file: somebody may put another one in its place.
    journal_inode: u64,
    log: Mutex<Log>,
    lock: Lock,
}

/// What changes with each record.
#[derive(Debug)]
struct Log {
    journal: Journal,
    plan: Arc<Plan>,
    tally: Tally,
    manifest: Manifest,
}

/// What a dataset is made of when it is opened.
pub(super) struct Opened {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) id: ScanId,
    pub(super) plan: Arc<Plan>,
    pub(super) lock: Lock,
    pub(super) journal: Journal,
    pub(super) manifest: Manifest,
    pub(super) tally: Tally,
}

impl Dataset {
    pub(super) fn new(opened: Opened) -> Self {
        let Opened { disk, dir, id, plan, lock, journal, manifest, tally } = opened;
        // Without it, the look at the end finds that it is gone.
        let found = fs::symlink_metadata(dir.join(layout::JOURNAL)).ok();
        let journal_inode = found.map_or(0, |found| found.ino());
        Self(Arc::new(Inner {
            disk,
            dir,
            id,
            journal_inode,
            log: Mutex::new(Log { journal, plan, tally, manifest }),
            lock,
        }))
    }

    /// The scan's id, which the first record of its journal has.
    pub fn id(&self) -> &ScanId {
        &self.0.id
    }

    /// The folder that it is in.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// What the scan is of now: points may be added behind those that there are.
    pub fn plan(&self) -> Arc<Plan> {
        self.log().plan.clone()
    }

    /// How its shots stand now.
    pub fn tally(&self) -> Tally {
        self.log().tally.clone()
    }

    /// How the scan stands now.
    pub fn state(&self) -> ScanState {
        self.log().tally.state()
    }

    /// Stores the files of a shot, the image first: on return all of them are on the disk, and recorded; or none is. Blocks
    /// for the time of five syncs, and of two for each file beside the image.
    pub fn store(
        &self,
        shot: ShotIndex,
        attempt: u32,
        files: &[File<'_>],
        facts: FrameFacts,
    ) -> Result<Stored, StoreError> {
        let plan = &*self.plan();
        if shot.0 >= plan.shot_count() {
            return Err(StoreError::UnknownShot { shot, planned: plan.shot_count() });
        }
        let Some((image, beside)) = files.split_first().filter(|(image, _)| is_whole_jpeg(image.bytes))
        else {
            return Err(StoreError::NotJpeg {
                shot,
                bytes: files.first().map_or(0, |image| image.bytes.len()),
            });
        };
        if let Some(ShotState::Done(stored)) = self.log().tally.shot(shot) {
            return Err(StoreError::AlreadyStored { shot, image: stored.image.clone() });
        }
        self.log().journal.check()?;
        let recorded = |file: &File<'_>| RecordedFile {
            path: layout::file(plan, shot, file.kind),
            bytes: file.bytes.len() as u64,
            crc32c: crc32c::crc32c(file.bytes),
        };
        let RecordedFile { path: image, bytes, crc32c } = recorded(image);
        let beside = beside.iter().map(recorded).collect();
        let stored = Stored { shot, attempt, image, bytes, crc32c, beside, facts };
        let record = Record::Stored(stored.clone());
        self.log()
            .tally
            .check(plan, &record)
            .map_err(|error| StoreError::OtherFiles { shot, reason: error.to_string() })?;
        let metadata = encode_metadata(&metadata_of(&self.0.id, plan, &stored))?;
        self.write_shot(&stored, files, &metadata)?;
        self.append(&record, true)?;
        Ok(stored)
    }

    /// Makes `shot` pending, because somebody wants it taken again; what was stored of it is kept in `retaken/`.
    /// On return both are on the disk. A scan that had ended is paused then.
    pub fn retake(&self, shot: ShotIndex, by: RetakenFor) -> Result<(), StoreError> {
        let Inner { disk, dir, .. } = &*self.0;
        let plan = &*self.plan();
        let before = self.log().tally.shot(shot).cloned();
        match before {
            None => return Err(StoreError::UnknownShot { shot, planned: plan.shot_count() }),
            // Of a scan that has ended, it would not be taken.
            Some(ShotState::Pending) if !self.state().is_finished() => return Ok(()),
            Some(ShotState::Pending | ShotState::Failed { .. } | ShotState::Done(_)) => {}
        }
        self.append(&Record::Retake { shot, by }, true)?;
        if let Some(ShotState::Done(old)) = before {
            let mut files: Vec<String> = old.files().map(|file| file.path).collect();
            files.push(layout::metadata(plan, shot));
            // What somebody has removed is not in the way.
            files.retain(|file| dir.join(file).symlink_metadata().is_ok());
            set_aside(&**disk, dir, plan, &old, &files)?;
        }
        Ok(())
    }

    /// What the scan is called now.
    pub fn description(&self) -> Description {
        self.log().manifest.description.clone()
    }

    /// Changes what the scan is called, which is under way. On return it is on the disk.
    ///
    /// # Errors
    /// Something that cannot be said, and then nothing is changed. A scan that has ended is described once it is closed
    /// ([`describe`](super::describe())): a journal that has come to its end does not end in half a line.
    pub fn describe(&self, changes: DescriptionChanges) -> Result<Description, DescribeError> {
        let before = self.description();
        let now = changes.applied(&before)?;
        if self.state().is_finished() {
            return Err(DescribeError::Ended);
        }
        if now != before {
            self.append(&Record::Described(now.clone()), true)?;
        }
        Ok(now)
    }

    /// Adds a record. What a resumed scan must know is synced (paused, resumed, finished, lost, failed shots);
    /// attempts are not: a lost count of attempts costs one more attempt. Waits for a record being synced.
    ///
    /// `Stored` records are written by [`Dataset::store`] alone.
    pub fn note(&self, record: &Record) -> Result<(), StoreError> {
        if let Record::Stored(stored) = record {
            let image = stored.image.clone();
            return Err(StoreError::AlreadyStored { shot: stored.shot, image });
        }
        if matches!(record, Record::Finished { outcome: Outcome::Complete }) {
            let counts = self.log().tally.counts();
            if counts.done < counts.planned {
                let (missing, planned) = (counts.planned - counts.done, counts.planned);
                return Err(StoreError::NotComplete { missing, planned });
            }
            self.look()?;
        }
        let durable = match record {
            Record::Opened { .. } | Record::Attempted { .. } | Record::AttemptFailed { .. } => false,
            Record::Stored(_)
            | Record::ShotFailed { .. }
            | Record::Lost { .. }
            | Record::Retake { .. }
            | Record::Flagged { .. }
            | Record::Extended { .. }
            | Record::Described(_)
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => true,
        };
        self.append(record, durable)
    }

    /// That everything that was stored is still there, as far as names and lengths tell.
    fn look(&self) -> Result<(), DiskError> {
        let Inner { dir, journal_inode, .. } = &*self.0;
        let gone = |name: &str, what: &str| {
            let source = std::io::Error::other(format!(
                "it was {what} by somebody else while the scan was under way: resume the scan to put it in order"
            ));
            DiskError { action: "find what was stored in", path: dir.join(name), source }
        };
        let log = self.log();
        let look = |name: &str, bytes: Option<u64>| match fs::symlink_metadata(dir.join(name)) {
            Ok(found) if found.is_file() && bytes.is_none_or(|bytes| found.len() == bytes) => Ok(found),
            Ok(_) => Err(gone(name, "changed")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(gone(name, "removed")),
            Err(error) => Err(error).context("look at", &dir.join(name)),
        };
        for stored in log.tally.stored() {
            for file in stored.files() {
                look(&file.path, Some(file.bytes))?;
            }
            look(&layout::metadata(&log.plan, stored.shot), None)?;
        }
        let found = look(layout::JOURNAL, Some(log.journal.length()))?;
        if found.ino() == *journal_inode { Ok(()) } else { Err(gone(layout::JOURNAL, "replaced")) }
    }

    /// Keeps a small picture of a shot for looking at. Not synced; what goes wrong is only logged.
    pub fn thumbnail(&self, shot: ShotIndex, jpeg: &[u8]) {
        let plan = self.plan();
        if shot.0 >= plan.shot_count() {
            return;
        }
        let path = self.0.dir.join(layout::thumbnail(&plan, shot));
        // Whoever looks at it meanwhile sees all of it, or nothing.
        let kept = ownership::create_folders(parent(&path));
        if let Err(error) = kept.and_then(|()| durable::swap(&path, jpeg, Readers::AsUsual)) {
            tracing::debug!(path = %path.display(), %error, "no thumbnail");
        }
    }

    /// Steps 1 and 2: all files, durable under their final names. On error, none is left visible.
    fn write_shot(&self, stored: &Stored, files: &[File<'_>], metadata: &[u8]) -> Result<(), DiskError> {
        let dir = &self.0.dir;
        let mut all: Vec<(PathBuf, &[u8])> = stored
            .files()
            .zip(files)
            .map(|(file, File { bytes, .. })| (dir.join(file.path), *bytes))
            .collect();
        all.push((dir.join(layout::metadata(&self.plan(), stored.shot)), metadata));
        let mut undo = Undo::new(&*self.0.disk);
        for (path, bytes) in &all {
            undo.write(path, stored.attempt, bytes)?;
        }
        for (path, _) in &all {
            undo.publish(path, stored.attempt)?;
        }
        let folders: BTreeSet<&Path> = all.iter().map(|(path, _)| parent(path)).collect();
        for folder in folders {
            self.0.disk.sync_dir(folder).context("sync", folder)?;
        }
        undo.keep();
        Ok(())
    }

    pub(super) fn append(&self, record: &Record, durable: bool) -> Result<(), StoreError> {
        if self.0.lock.is_lost() {
            let cause = "another process has taken the scan over: nothing more of this one is written".into();
            return Err(StoreError::Poisoned { cause });
        }
        let mut log = self.log();
        // What cannot follow would be cut off by the next recovery, together with all that comes behind it.
        log.tally
            .check(&log.plan, record)
            .map_err(|error| StoreError::Unreadable { reason: error.to_string() })?;
        // What opens a scan again is in the manifest first: at no moment does it say more than the journal.
        if log.manifest.state.is_finished()
            && changes_state(record)
            && !matches!(record, Record::Finished { .. })
        {
            let mut less = log.manifest.clone();
            less.state = ScanState::Paused;
            less.write(&*self.0.disk, &self.0.dir)?;
        }
        let entry = match log.journal.append(record, durable) {
            Ok(entry) => entry,
            Err(error) => match log.journal.stands() {
                // A scan has ended as its journal says, to whoever reads it. All that it says was synced before.
                Some(entry) if matches!(record, Record::Finished { .. }) => {
                    tracing::warn!(scan = %self.0.id, %error, "the record that the scan has ended may be lost in a power cut: look at the disk");
                    entry.clone()
                }
                Some(_) | None => return Err(error),
            },
        };
        log.tally.apply(record);
        grow(&mut log.plan, record);
        let described = record.description();
        if changes_state(record) || described.is_some() {
            let Log { tally, manifest, .. } = &mut *log;
            match described {
                Some(description) => manifest.description = description.clone(),
                None => manifest.update(tally, entry.at),
            }
            // The journal says it already, and is what a scan has come to: a manifest that is older says less.
            if let Err(error) = manifest.write(&*self.0.disk, &self.0.dir) {
                tracing::warn!(scan = %self.0.id, %error, "the manifest is out of date");
            }
        }
        Ok(())
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Dataset {
    fn store(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        files: &[File<'_>],
        facts: FrameFacts,
    ) -> Result<Stored, StoreRefused> {
        Dataset::store(self, shot, attempt, files, facts)
            .map_err(|error| StoreRefused { kind: error.kind(), message: error.to_string() })
    }

    fn thumbnail(&mut self, shot: ShotIndex, jpeg: &[u8]) {
        Dataset::thumbnail(self, shot, jpeg);
    }
}
