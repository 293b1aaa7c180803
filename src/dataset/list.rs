//! The scans in a folder.

use std::cmp::Reverse;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::error::Context;
use super::inspect::read_plan;
use super::layout::JOURNAL;
use super::manifest::Manifest;
use super::{DiskError, OpenError, ScanId, journal, lock};
use crate::units::Bytes;

/// `st_blocks` counts in units of this many bytes, whatever the file system's own are.
const BLOCK: u64 = 512;

/// The first record of a journal is far shorter than this many bytes.
const LONGEST_FIRST_LINE: u64 = 4096;

/// A scan at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its id, which is its folder's name.
    pub id: ScanId,
    /// Its folder.
    pub dir: PathBuf,
    /// Whether a process writes to it. A scan that is running and not in use was interrupted.
    pub in_use: bool,
    /// What it says of itself.
    pub scan: Result<Manifest, Damaged>,
}

impl Listed {
    /// Whether it was paused or interrupted, and nobody is at it.
    pub fn is_resumable(&self) -> bool {
        !self.in_use && self.scan.as_ref().is_ok_and(|manifest| !manifest.state.is_finished())
    }

    /// How much room its removal would give, as far as the file system tells: what has further names elsewhere
    /// or cannot be read counts as nothing.
    pub fn size(&self) -> Bytes {
        Bytes::new(allocated(&self.dir) as f64)
    }
}

/// Bytes allocated to what is at `path` and below it. Does not follow links.
fn allocated(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    let own = metadata.blocks() * BLOCK;
    if !metadata.is_dir() {
        return if metadata.nlink() == 1 { own } else { 0 };
    }
    let Ok(entries) = fs::read_dir(path) else { return own };
    own + entries.flatten().map(|entry| allocated(&entry.path())).sum::<u64>()
}

/// Why nothing can be said of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{reason}")]
pub struct Damaged {
    /// For people.
    pub reason: String,
}

/// Every scan in `root`, the newest first; none if the folder is missing. What is no scan's name is left out.
/// Says what the journals say; for images, see [`super::verify()`].
pub fn list(root: &Path) -> Result<Vec<Listed>, DiskError> {
    let mut ids = ids(root)?;
    ids.sort_by_cached_key(|id| Reverse(age(root, id)));
    Ok(ids.into_iter().map(|id| find(root, id)).collect())
}

/// The first of [`list()`], without a look into the others but for when they began.
pub fn newest(root: &Path) -> Result<Option<Listed>, DiskError> {
    let newest = ids(root)?.into_iter().max_by_key(|id| age(root, id));
    Ok(newest.map(|id| find(root, id)))
}

/// By age, not by name: names are chosen by people, and dates in them are of local time.
fn age(root: &Path, id: &ScanId) -> (Timestamp, ScanId) {
    (created(&root.join(id.as_str())), id.clone())
}

fn find(root: &Path, id: ScanId) -> Listed {
    let dir = root.join(id.as_str());
    look(id, dir)
}

/// The ids of every scan in `root`, in no order; none if the folder is missing. Reads no scan.
pub fn ids(root: &Path) -> Result<Vec<ScanId>, DiskError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.context("read", root)?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.context("read", root)?;
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // The folder says what most are; only where a link leads has to be looked up.
        let is_folder = |_: &ScanId| match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            Ok(_) | Err(_) => entry.path().is_dir(),
        };
        ids.extend(id.filter(is_folder));
    }
    Ok(ids)
}

/// When the scan at `dir` was created, by which [`list()`] sorts: as its journal's first record says, or, of a damaged
/// one, when its folder last changed.
pub fn created(dir: &Path) -> Timestamp {
    use std::io::BufRead as _;
    let mut line = Vec::new();
    let opened = fs::File::open(dir.join(JOURNAL)).and_then(|file| {
        let mut file = std::io::BufReader::new(std::io::Read::take(file, LONGEST_FIRST_LINE));
        file.read_until(b'\n', &mut line)
    });
    let first = opened.ok().and_then(|_| journal::read(&line).entries.into_iter().next());
    let changed = || fs::metadata(dir).and_then(|metadata| metadata.modified()).ok()?.try_into().ok();
    first.map(|entry| entry.at).or_else(changed).unwrap_or_default()
}

/// The scan at `dir`, as [`list()`] would show it.
pub fn show(dir: &Path) -> Result<Listed, OpenError> {
    if !dir.is_dir() {
        return Err(OpenError::NotFound(dir.to_owned()));
    }
    let path = dir.canonicalize().context("find", dir)?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().parse()?;
    Ok(look(id, path))
}

fn look(id: ScanId, dir: PathBuf) -> Listed {
    let scan = read(&dir).and_then(|manifest| {
        if manifest.id == id {
            return Ok(manifest);
        }
        Err(Damaged { reason: format!("it is the scan {}: its folder was renamed", manifest.id) })
    });
    Listed { in_use: lock::is_held(&dir), id, dir, scan }
}

fn read(dir: &Path) -> Result<Manifest, Damaged> {
    let damaged = |error: OpenError| Damaged { reason: error.to_string() };
    // Of a format that this program knows? What it says otherwise may be older than the journal.
    Manifest::read(dir).map_err(damaged)?;
    let (plan, _) = read_plan(dir).map_err(damaged)?;
    let bytes =
        fs::read(dir.join(JOURNAL)).context("read", &dir.join(JOURNAL)).map_err(|e| damaged(e.into()))?;
    Manifest::derive(&plan, &journal::read(&bytes).entries).ok_or_else(|| Damaged {
        reason: "its journal does not begin with the record that opens a scan".into(),
    })
}
