//! A new dataset: built aside, then renamed into place, so that a folder with a scan's name is a whole one.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::plan::Plan;
use crate::scan::Record;

use super::disk::{Disk, OsDisk};
use super::error::{Context, DiskError};
use super::journal::Journal;
use super::layout::{IMAGES, JOURNAL, METADATA, NEW_PREFIX, PLAN, check_names};
use super::lock::Lock;
use super::manifest::Manifest;
use super::store::Opened;
use super::{Dataset, OpenError, ScanId};

/// Creates the dataset of a scan in `root`, which must exist, and locks it. On return it is durable, with
/// `opened` as the journal's first record.
pub fn create(root: &Path, id: &ScanId, plan: Plan) -> Result<Dataset, OpenError> {
    create_on(Arc::new(OsDisk), root, id, plan)
}

/// [`create()`] on a disk of your choice.
pub fn create_on(disk: Arc<dyn Disk>, root: &Path, id: &ScanId, plan: Plan) -> Result<Dataset, OpenError> {
    check_names(&plan)?;
    if root.join(id.as_str()).symlink_metadata().is_ok() {
        return Err(OpenError::Exists { id: id.to_string() });
    }
    // The process id keeps a left-over of a crash, and another process with the same id, out of the way.
    let new = root.join(format!("{NEW_PREFIX}{id}.{}", std::process::id()));
    let built = build(disk, root, &new, id, plan);
    if built.is_err() {
        // Nothing in it was acknowledged; what cannot be removed does not look like a scan.
        let _ = fs::remove_dir_all(&new);
    }
    built
}

fn build(
    disk: Arc<dyn Disk>,
    root: &Path,
    new: &Path,
    id: &ScanId,
    plan: Plan,
) -> Result<Dataset, OpenError> {
    let dir = root.join(id.as_str());
    make_dir(&*disk, new)?;
    let lock = Lock::take(new)?;
    for folder in [IMAGES, METADATA] {
        let folder = new.join(folder);
        make_dir(&*disk, &folder)?;
        for camera in &plan.cameras {
            make_dir(&*disk, &folder.join(&camera.name))?;
        }
        disk.sync_dir(&folder).context("sync", &folder)?;
    }

    let path = new.join(PLAN);
    let mut json = serde_json::to_vec_pretty(&plan).map_err(io::Error::from).context("encode", &path)?;
    json.push(b'\n');
    write_new(&*disk, &path, &json)?;

    let path = new.join(JOURNAL);
    let file = disk.create(&path).context("create", &path)?;
    let mut journal = Journal::new(file, dir.join(JOURNAL), 0);
    let opened = journal.append(&opened_record(id, &json), true)?;

    let manifest = Manifest::opened(id.clone(), &plan, software(), opened.at);
    manifest.write(&*disk, new)?;
    match disk.rename(new, &dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(OpenError::Exists { id: id.to_string() });
        }
        renamed => renamed.context("create", &dir)?,
    }
    disk.sync_dir(root).context("sync", root)?;
    Ok(Dataset::new(Opened {
        disk,
        dir,
        id: id.clone(),
        plan,
        lock,
        journal,
        manifest,
        entries: vec![opened],
    }))
}

/// The first record of a scan whose plan file has these bytes.
pub(super) fn opened_record(id: &ScanId, plan_json: &[u8]) -> Record {
    let (scan, software) = (id.to_string(), software().to_owned());
    Record::Opened { scan, plan_crc32c: crc32c::crc32c(plan_json), software }
}

/// Writes a file that must not exist, and syncs it (its name is for the caller to sync).
pub(super) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let mut file = disk.create(path).context("create", path)?;
    file.write_all(bytes).context("write", path)?;
    file.sync().context("sync", path)
}

fn make_dir(disk: &dyn Disk, path: &Path) -> Result<(), DiskError> {
    disk.create_dir(path).context("create", path)
}

fn software() -> &'static str {
    concat!("scanner ", env!("CARGO_PKG_VERSION"))
}
