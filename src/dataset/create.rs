//! A new dataset: built aside, then renamed into place, so that a folder with a scan's name is a whole one.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::plan::Plan;
use crate::scan::{Description, Record};

use super::disk::{Disk, OsDisk, write_new};
use super::error::{Context, DiskError};
use super::journal::Journal;
use super::layout::{self, JOURNAL, NEW_PREFIX, PLAN, check_names, check_portable, unused};
use super::lock::Lock;
use super::manifest::Manifest;
use super::order::Next;
use super::store::Opened;
use super::{Dataset, Entry, OpenError, ScanId, Tally};

/// Names that are tried: far more than scans can begin in a second.
const MOST_NAMES: usize = 10_000;

/// Folders that are begun for one scan before sweeping it away is taken for an error.
const MOST_TRIES: usize = 100;

/// What is said of a scan at its beginning.
#[derive(Debug, Clone, Copy, Default)]
pub struct New<'a> {
    /// Which of the rigs that share a folder makes it, if that is known.
    pub rig: Option<&'a str>,
    /// Whether it shows the empty rig, and is kept until a person removes it.
    pub reference: bool,
    /// What a person calls it.
    pub description: Option<&'a Description>,
}

/// Creates the dataset of a scan in `root`, which must exist, and locks it. On return it is durable, with
/// `opened` as the journal's first record.
pub fn create(root: &Path, id: &ScanId, plan: Plan) -> Result<Dataset, OpenError> {
    create_on(Arc::new(OsDisk), root, id, plan)
}

/// As [`create()`], of which this is said.
pub fn create_by(new: New<'_>, root: &Path, id: &ScanId, plan: Plan) -> Result<Dataset, OpenError> {
    create_for(new, Arc::new(OsDisk), root, id, plan)
}

/// As [`create_by()`], named by the time. Rigs that share a folder may begin in the same second: then it gets another
/// word.
pub fn create_named_by_time(new: New<'_>, root: &Path, plan: &Plan) -> Result<Dataset, OpenError> {
    let mut name = 0;
    loop {
        let id = ScanId::nth(&jiff::Zoned::now(), name);
        match create_by(new, root, &id, plan.clone()) {
            Err(OpenError::Exists { .. }) if name < MOST_NAMES => name += 1,
            created => return created,
        }
    }
}

/// [`create()`] on a disk of your choice.
pub fn create_on(disk: Arc<dyn Disk>, root: &Path, id: &ScanId, plan: Plan) -> Result<Dataset, OpenError> {
    create_for(New::default(), disk, root, id, plan)
}

fn create_for(
    new: New<'_>,
    disk: Arc<dyn Disk>,
    root: &Path,
    id: &ScanId,
    plan: Plan,
) -> Result<Dataset, OpenError> {
    check_names(&plan)?;
    check_portable(id.as_str(), &plan)?;
    if root.join(id.as_str()).symlink_metadata().is_ok() {
        return Err(OpenError::Exists { id: id.to_string() });
    }
    let mut tries = 0;
    let Built { lock, journal, manifest, opened } = loop {
        tries += 1;
        match build_anywhere(&*disk, root, id, &plan, new) {
            Err(error) if tries < MOST_TRIES && was_taken_away(&error) && root.is_dir() => {}
            built => break built?,
        }
    };
    let mut tally = Tally::new(&plan);
    tally.apply(&opened.record);
    let (dir, id) = (root.join(id.as_str()), id.clone());
    let plan = Arc::new(plan);
    Ok(Dataset::new(Opened { disk, dir, id, plan, lock, journal, manifest, tally }))
}

/// What is left in hand of a dataset that was built.
struct Built {
    lock: Lock,
    journal: Journal,
    manifest: Manifest,
    opened: Entry,
}

/// Builds it in a folder that nobody else has ever used, and leaves nothing of one that failed.
fn build_anywhere(
    disk: &dyn Disk,
    root: &Path,
    id: &ScanId,
    plan: &Plan,
    new: New<'_>,
) -> Result<Built, OpenError> {
    let folder = unused(root, NEW_PREFIX, id.as_str())?;
    make_dir(disk, &folder)?;
    let built = build(disk, root, &folder, id, plan, new);
    if built.is_err() {
        // Nothing in it was acknowledged; what cannot be removed does not look like a scan.
        let _ = fs::remove_dir_all(&folder);
    }
    built
}

/// Whether a sweep, of another machine perhaps, took the new folder for a left-over.
fn was_taken_away(error: &OpenError) -> bool {
    match error {
        OpenError::Disk(error) => {
            matches!(error.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists)
        }
        OpenError::NotFound(_) | OpenError::InUse(_) => true,
        OpenError::Exists { .. }
        | OpenError::Owned { .. }
        | OpenError::GivenUp(_)
        | OpenError::Format { .. }
        | OpenError::UnknownRecord { .. }
        | OpenError::NoOpening { .. }
        | OpenError::Plan { .. }
        | OpenError::Name { .. }
        | OpenError::Id(_)
        | OpenError::Store(_) => false,
    }
}

fn build(
    disk: &dyn Disk,
    root: &Path,
    folder: &Path,
    id: &ScanId,
    plan: &Plan,
    new: New<'_>,
) -> Result<Built, OpenError> {
    let dir = root.join(id.as_str());
    let lock = Lock::take(folder)?;
    for (kind, cameras) in layout::folders(plan) {
        let files = folder.join(kind);
        make_dir(disk, &files)?;
        for camera in cameras {
            make_dir(disk, &files.join(&camera.name))?;
        }
        disk.sync_dir(&files).context("sync", &files)?;
    }

    let path = folder.join(PLAN);
    let mut json = serde_json::to_vec_pretty(plan).map_err(io::Error::from).context("encode", &path)?;
    json.push(b'\n');
    write_new(disk, &path, &json)?;

    let path = folder.join(JOURNAL);
    let file = disk.create(&path).context("create", &path)?;
    let mut journal = Journal::new(file, dir.join(JOURNAL), 0, 0);
    let next = Next::look(root)?;
    let opened = journal.append(&opened_record(id, &json, next.order, new), true)?;
    next.remember(disk, root, id, folder, &opened);

    let mut manifest = Manifest::opened(id.clone(), plan, software(), new.reference, opened.at);
    if let Some(description) = new.description.filter(|description| !description.is_empty()) {
        journal.append(&Record::Described(description.clone()), true)?;
        manifest.description = description.clone();
    }
    manifest.write(disk, folder)?;
    // All or nothing, by its name: of what was taken away, nothing comes into place.
    match disk.rename(folder, &dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(OpenError::Exists { id: id.to_string() });
        }
        renamed => renamed.context("create", &dir)?,
    }
    disk.sync_dir(root).context("sync", root)?;
    Ok(Built { lock, journal, manifest, opened })
}

/// The first record of a scan whose plan file has these bytes.
pub(super) fn opened_record(id: &ScanId, plan_json: &[u8], order: u64, new: New<'_>) -> Record {
    let (scan, software) = (id.to_string(), software().to_owned());
    let plan_crc32c = crc32c::crc32c(plan_json);
    let New { rig, reference, description: _ } = new;
    Record::Opened { scan, plan_crc32c, software, order: Some(order), rig: rig.map(str::to_owned), reference }
}

fn make_dir(disk: &dyn Disk, path: &Path) -> Result<(), DiskError> {
    disk.create_dir(path).context("create", path)
}

fn software() -> &'static str {
    concat!("scanner ", env!("CARGO_PKG_VERSION"))
}
