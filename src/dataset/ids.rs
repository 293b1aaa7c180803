//! Which scans are in a folder, by their names alone.

use std::fs;
use std::os::unix::fs::DirEntryExt as _;
use std::path::Path;

use super::error::{Context, DiskError};
use super::id::ScanId;

/// A folder with the name of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) id: ScanId,
    /// Its number in the file system. Some number anew each time: then no two are the same.
    pub(super) inode: u64,
}

/// The ids of every scan in `root`, in no order; none if the folder is missing. Reads no scan.
pub fn ids(root: &Path) -> Result<Vec<ScanId>, DiskError> {
    Ok(folders(root)?.into_iter().map(|folder| folder.id).collect())
}

/// As [`ids`], with what tells a folder from another one that had its name.
pub(super) fn folders(root: &Path) -> Result<Vec<Folder>, DiskError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.context("read", root)?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.context("read", root)?;
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // The folder says what most are; only where a link leads has to be looked up.
        let is_folder = |_: &ScanId| match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            Ok(_) | Err(_) => entry.path().is_dir(),
        };
        folders.extend(id.filter(is_folder).map(|id| Folder { id, inode: entry.ino() }));
    }
    Ok(folders)
}
