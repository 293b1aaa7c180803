//! Which scans are in a folder, by their names alone.

use std::fs;
use std::path::Path;

use super::error::{Context, DiskError};
use super::id::ScanId;

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
