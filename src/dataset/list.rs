//! The scans in a folder.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::error::Context;
use super::ids::ids;
use super::manifest::Manifest;
use super::opening::{Opening, folder_name};
use super::{Contents, DiskError, OpenError, Place, ScanId, lock, order, owner, read_contents};
use crate::scan::{ScanState, WaitsFor};
use crate::units::Bytes;

/// `st_blocks` counts in units of this many bytes, whatever the file system's own are.
const BLOCK: u64 = 512;

/// A scan at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its id, which is its folder's name.
    pub id: ScanId,
    /// The folder that it is in.
    #[serde(serialize_with = "as_text")]
    pub dir: PathBuf,
    /// Which rig made it, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rig: Option<String>,
    /// Whether a process writes to it. A scan that is running and not in use was interrupted.
    pub in_use: bool,
    /// What it was called when it began, if a person has called its folder otherwise since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_as: Option<String>,
    /// What it says of itself; for programs `scan` or `damage`, and null for the other, as of the API.
    #[serde(flatten, serialize_with = "scan_or_damage")]
    pub scan: Result<Manifest, Damaged>,
}

fn scan_or_damage<S: Serializer>(scan: &Result<Manifest, Damaged>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Told<'a> {
        scan: Option<&'a Manifest>,
        damage: Option<&'a str>,
    }
    let damage = scan.as_ref().err().map(|damaged| damaged.reason.as_str());
    Told { scan: scan.as_ref().ok(), damage }.serialize(serializer)
}

/// A path for people and programs to read: a name that is no text is shown as well as it can be.
pub(super) fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl Listed {
    /// Whether the rig called `rig` made it, or may have made it.
    pub fn may_be_of(&self, rig: &str) -> bool {
        self.rig.as_ref().is_none_or(|made_by| made_by == rig)
    }

    /// Whether it was paused or interrupted, and nobody is at it.
    pub fn is_resumable(&self) -> bool {
        !self.in_use && self.scan.as_ref().is_ok_and(|manifest| !manifest.state.is_finished())
    }

    /// What it waits for, if it was paused; none, too, if that cannot be read.
    pub fn waits_for(&self) -> Option<WaitsFor> {
        let paused = self.scan.as_ref().is_ok_and(|manifest| manifest.state == ScanState::Paused);
        if paused { read_contents(&self.dir).ok()?.waits_for() } else { None }
    }

    /// Who has it, beyond this machine or through another mount, as an error that says what to do; none if nobody.
    pub fn owned(&self) -> Option<OpenError> {
        owner::somebody_else(&self.dir)
    }

    /// As [`Self::owned`], but for this machine's own processes.
    pub fn owned_elsewhere(&self) -> Option<OpenError> {
        owner::another_machine(&self.dir)
    }

    /// How much room its removal would give, as far as the file system tells: what has further names elsewhere
    /// or cannot be read counts as nothing.
    pub fn size(&self) -> Bytes {
        Bytes::new(sum(&self.dir, &|metadata| metadata.blocks() * BLOCK) as f64)
    }

    /// How many files and folders its removal would free, as far as the file system tells.
    pub fn files(&self) -> u64 {
        sum(&self.dir, &|_| 1)
    }
}

/// The sum over what is at `path` and below it, but for what has further names elsewhere. Does not follow links.
fn sum(path: &Path, of: &dyn Fn(&fs::Metadata) -> u64) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    let own = of(&metadata);
    if !metadata.is_dir() {
        return if metadata.nlink() == 1 { own } else { 0 };
    }
    let Ok(entries) = fs::read_dir(path) else { return own };
    own + entries.flatten().map(|entry| sum(&entry.path(), of)).sum::<u64>()
}

/// Why nothing can be said of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{reason}")]
pub struct Damaged {
    /// Which of its files is wrong, and how, for people.
    pub reason: String,
}

/// Every scan in `root`, the newest first; none if the folder is missing. What is no scan's name is left out.
/// Says what the journals say; for images, see [`super::verify()`].
pub fn list(root: &Path) -> Result<Vec<Listed>, DiskError> {
    let mut scans: Vec<_> = ids(root)?.into_iter().map(|id| find(root, id)).collect();
    scans.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    Ok(scans.into_iter().map(|(_, scan)| scan).collect())
}

/// The newest scan that the rig called `rig` made, or may have made; of all without a name. One whose folder a person has
/// renamed was put aside. Looks into no other but for its place.
pub fn newest(root: &Path, rig: Option<&str>) -> Result<Option<Listed>, DiskError> {
    let ours = |id: &ScanId, opening: Option<&Opening>| {
        let Some(opening) = opening else { return true };
        let is_ours = rig.is_none_or(|rig| opening.rig.as_deref().is_none_or(|made_by| made_by == rig));
        is_ours && opening.other_name(id.as_str().as_ref()).is_none()
    };
    Ok(order::newest(root, ours)?.map(|place| find(root, place.id).1))
}

/// With its place among others.
fn find(root: &Path, id: ScanId) -> (Place, Listed) {
    let dir = root.join(id.as_str());
    let read = read_contents(&dir);
    listed(id, dir, read)
}

/// The scan at `dir`, as [`list()`] would show it. Where its folder has a name that no scan has, it goes by its own.
pub fn show(dir: &Path) -> Result<Listed, OpenError> {
    let read = read_contents(dir);
    if let Err(OpenError::NotFound(_)) = read {
        return Err(OpenError::NotFound(dir.to_owned()));
    }
    let id = match (folder_name(dir)?.to_string_lossy().parse(), &read) {
        (Err(_), Ok(contents)) => contents.manifest.id.clone(),
        (id, _) => id?,
    };
    Ok(listed(id, dir.canonicalize().context("find", dir)?, read).1)
}

fn listed(id: ScanId, dir: PathBuf, read: Result<Contents, OpenError>) -> (Place, Listed) {
    let opening = match &read {
        Ok(contents) => contents.opening().cloned(),
        // Nobody asks for the place of one that nobody can look at.
        Err(_) => Opening::read(&dir).ok().flatten(),
    };
    let began_as = opening.as_ref().and_then(|opening| opening.other_name(id.as_str().as_ref()));
    let place = Place::found(&dir, id.clone(), opening.as_ref());
    let scan = read.map(|contents| contents.manifest);
    let scan = scan.map_err(|error| Damaged { reason: error.to_string() });
    let listed = Listed {
        in_use: lock::is_held(&dir),
        rig: opening.and_then(|opening| opening.rig),
        began_as,
        id,
        dir,
        scan,
    };
    (place, listed)
}
