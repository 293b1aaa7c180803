//! A dataset being filled.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::frame::{FailureKind, Store, StoreRefused};
use crate::plan::{Plan, Pose, ShotIndex};
use crate::scan::{FrameFacts, Outcome, Record, Stored};

use super::create::write_new;
use super::disk::Disk;
use super::error::{Context, DiskError, StoreError};
use super::journal::{Entry, Journal};
use super::layout::{self, parent, temporary};
use super::lock::Lock;
use super::manifest::{Manifest, changes_state};
use super::retake::set_aside;
use super::tally::{ShotState, Tally};
use super::{ScanId, State};

/// A dataset open for writing; the only one, on any process. Clones are handles of the same dataset.
#[derive(Debug, Clone)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    id: ScanId,
    plan: Plan,
    log: Mutex<Log>,
    _lock: Lock,
}

/// What changes with each record.
#[derive(Debug)]
struct Log {
    journal: Journal,
    tally: Tally,
    manifest: Manifest,
}

/// What a dataset is made of when it is opened.
pub(super) struct Opened {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) id: ScanId,
    pub(super) plan: Plan,
    pub(super) lock: Lock,
    pub(super) journal: Journal,
    pub(super) manifest: Manifest,
    pub(super) entries: Vec<Entry>,
}

/// The content of `metadata/CAMERA/LABEL.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotMetadata {
    /// The scan that the image belongs to.
    pub scan: ScanId,
    /// The camera's name.
    pub camera: String,
    /// The point's label.
    pub label: String,
    /// Where the axes stood.
    pub pose: Pose,
    /// As in the journal.
    pub stored: Stored,
}

impl Dataset {
    pub(super) fn new(opened: Opened) -> Self {
        let Opened { disk, dir, id, plan, lock, journal, manifest, entries } = opened;
        let tally = Tally::of(plan.shot_count(), entries.iter().map(|entry| &entry.record));
        Self(Arc::new(Inner {
            disk,
            dir,
            id,
            plan,
            log: Mutex::new(Log { journal, tally, manifest }),
            _lock: lock,
        }))
    }

    /// The scan's id.
    pub fn id(&self) -> &ScanId {
        &self.0.id
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// How its shots stand now.
    pub fn tally(&self) -> Tally {
        self.log().tally.clone()
    }

    /// How the scan stands now.
    pub fn state(&self) -> State {
        self.log().tally.state()
    }

    /// Stores the image of a shot: on return it is on the disk, and recorded. Blocks for the time of five syncs.
    pub fn store(
        &self,
        shot: ShotIndex,
        attempt: u32,
        jpeg: &[u8],
        facts: FrameFacts,
    ) -> Result<Stored, StoreError> {
        let plan = &self.0.plan;
        if shot.0 >= plan.shot_count() {
            return Err(StoreError::UnknownShot { shot, planned: plan.shot_count() });
        }
        if !is_whole_jpeg(jpeg) {
            return Err(StoreError::NotJpeg { shot, bytes: jpeg.len() });
        }
        if let Some(ShotState::Done(stored)) = self.log().tally.shot(shot) {
            return Err(StoreError::AlreadyStored { shot, image: stored.image.clone() });
        }
        self.log().journal.check()?;
        let image = layout::image(plan, shot);
        let (bytes, crc32c) = (jpeg.len() as u64, crc32c::crc32c(jpeg));
        let stored = Stored { shot, attempt, image, bytes, crc32c, facts };
        let metadata = encode_metadata(&metadata_of(&self.0.id, plan, &stored))?;
        self.write_shot(&stored, jpeg, &metadata)?;
        self.append(&Record::Stored(stored.clone()), true)?;
        Ok(stored)
    }

    /// Makes `shot` pending, because a person wants it taken again; what was stored of it is kept in `retaken/`.
    /// On return both are on the disk. A scan that had ended is paused then.
    pub fn retake(&self, shot: ShotIndex) -> Result<(), StoreError> {
        let Inner { disk, dir, plan, .. } = &*self.0;
        let before = self.log().tally.shot(shot).cloned();
        match before {
            None => return Err(StoreError::UnknownShot { shot, planned: plan.shot_count() }),
            // Of a scan that has ended, it would not be taken.
            Some(ShotState::Pending) if !self.state().is_finished() => return Ok(()),
            Some(ShotState::Pending | ShotState::Failed { .. } | ShotState::Done(_)) => {}
        }
        self.append(&Record::Retake { shot }, true)?;
        if let Some(ShotState::Done(old)) = before {
            let mut files = vec![old.image.clone(), layout::metadata(plan, shot)];
            // What somebody has removed is not in the way.
            files.retain(|file| dir.join(file).symlink_metadata().is_ok());
            set_aside(&**disk, dir, plan, &old, &files)?;
        }
        Ok(())
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
            let (missing, planned) = (self.log().tally.missing(), self.0.plan.shot_count());
            if missing > 0 {
                return Err(StoreError::NotComplete { missing, planned });
            }
        }
        let durable = match record {
            Record::Opened { .. } | Record::Attempted { .. } | Record::AttemptFailed { .. } => false,
            Record::Stored(_)
            | Record::ShotFailed { .. }
            | Record::Lost { .. }
            | Record::Retake { .. }
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => true,
        };
        self.append(record, durable)
    }

    /// Keeps a small picture of a shot for looking at. Not synced; what goes wrong is only logged.
    pub fn thumbnail(&self, shot: ShotIndex, jpeg: &[u8]) {
        if shot.0 >= self.0.plan.shot_count() {
            return;
        }
        let path = self.0.dir.join(layout::thumbnail(&self.0.plan, shot));
        if let Err(error) = fs::create_dir_all(parent(&path)).and_then(|()| fs::write(&path, jpeg)) {
            tracing::debug!(path = %path.display(), %error, "no thumbnail");
        }
    }

    /// Steps 1 and 2: both files, durable under their final names. On error, neither is left visible.
    fn write_shot(&self, stored: &Stored, jpeg: &[u8], metadata: &[u8]) -> Result<(), DiskError> {
        let image = self.0.dir.join(&stored.image);
        let beside = self.0.dir.join(layout::metadata(&self.0.plan, stored.shot));
        let mut undo = Undo { disk: &*self.0.disk, files: Vec::new() };
        for (path, bytes) in [(&image, jpeg), (&beside, metadata)] {
            undo.write(path, stored.attempt, bytes)?;
        }
        for path in [&image, &beside] {
            undo.publish(path, stored.attempt)?;
        }
        for path in [&image, &beside] {
            let folder = parent(path);
            self.0.disk.sync_dir(folder).context("sync", folder)?;
        }
        undo.files.clear();
        Ok(())
    }

    fn append(&self, record: &Record, durable: bool) -> Result<(), StoreError> {
        let mut log = self.log();
        let entry = log.journal.append(record, durable)?;
        log.tally.apply(record);
        if changes_state(record) {
            let Log { tally, manifest, .. } = &mut *log;
            manifest.update(tally, entry.at);
            // The journal says it already, and the manifest can be derived again: it may be older, but nobody is
            // told that a scan has ended while its manifest says otherwise.
            if let Err(error) = manifest.write(&*self.0.disk, &self.0.dir) {
                if matches!(record, Record::Finished { .. }) {
                    return Err(error.into());
                }
                tracing::warn!(scan = %self.0.id, %error, "the manifest is out of date");
            }
        }
        Ok(())
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The metadata file's content for `stored`.
pub(super) fn metadata_of(id: &ScanId, plan: &Plan, stored: &Stored) -> ShotMetadata {
    let point = plan.point(plan.point_of(stored.shot));
    let camera = plan.camera(plan.camera_of(stored.shot));
    ShotMetadata {
        scan: id.clone(),
        camera: camera.name.clone(),
        label: point.label.clone(),
        pose: point.pose,
        stored: stored.clone(),
    }
}

/// The bytes of a metadata file, which can be read back.
pub(super) fn encode_metadata(metadata: &ShotMetadata) -> Result<Vec<u8>, StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Unreadable { reason: error.to_string() };
    let mut json = serde_json::to_vec_pretty(metadata).map_err(unreadable)?;
    serde_json::from_slice::<ShotMetadata>(&json).map_err(unreadable)?;
    json.push(b'\n');
    Ok(json)
}

/// Whether `bytes` begin and end as a JPEG does.
pub(super) fn is_whole_jpeg(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && bytes.starts_with(&[0xFF, 0xD8]) && bytes.ends_with(&[0xFF, 0xD9])
}

/// Removes what an attempt made, unless it succeeded: nothing of it was acknowledged.
struct Undo<'a> {
    disk: &'a dyn Disk,
    files: Vec<PathBuf>,
}

impl Undo<'_> {
    fn write(&mut self, path: &Path, attempt: u32, bytes: &[u8]) -> Result<(), DiskError> {
        let path = temporary(path, attempt);
        self.files.push(path.clone());
        write_new(self.disk, &path, bytes)
    }

    fn publish(&mut self, path: &Path, attempt: u32) -> Result<(), DiskError> {
        let from = temporary(path, attempt);
        self.disk.rename(&from, path).context("rename", &from)?;
        self.files.push(path.to_owned());
        Ok(())
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        for path in &self.files {
            // Already renamed, or it stays for the next recovery to quarantine.
            let _ = self.disk.remove_file(path);
        }
    }
}

impl Store for Dataset {
    fn store(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        jpeg: &[u8],
        facts: FrameFacts,
    ) -> Result<Stored, StoreRefused> {
        Dataset::store(self, shot, attempt, jpeg, facts)
            .map_err(|error| StoreRefused { kind: failure_kind(&error), message: error.to_string() })
    }

    fn thumbnail(&mut self, shot: ShotIndex, jpeg: &[u8]) {
        Dataset::thumbnail(self, shot, jpeg);
    }
}

fn failure_kind(error: &StoreError) -> FailureKind {
    match error {
        StoreError::DiskFull(_) => FailureKind::DiskFull,
        StoreError::Poisoned { .. } => FailureKind::StorageUnusable,
        StoreError::Disk(_) | StoreError::AlreadyStored { .. } | StoreError::UnknownShot { .. } => {
            FailureKind::Storage
        }
        StoreError::NotJpeg { .. } | StoreError::NotComplete { .. } | StoreError::Unreadable { .. } => {
            FailureKind::Frame
        }
    }
}
