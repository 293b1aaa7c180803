//! What is in a dataset's folder, read without changing anything.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::plan::Plan;
use crate::scan::Stored;

use super::error::{Context, DiskError, OpenError};
use super::layout::{self, IMAGES, METADATA, PLAN};
use super::store::is_whole_jpeg;
use super::{ShotMetadata, Tally};

/// The plan and the bytes of its file.
pub(super) fn read_plan(dir: &Path) -> Result<(Plan, Vec<u8>), OpenError> {
    let path = dir.join(PLAN);
    let damaged = |reason: String| OpenError::Plan { path: path.clone(), reason };
    let json = fs::read(&path).map_err(|error| damaged(error.to_string()))?;
    let plan: Plan = serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
    layout::check_names(&plan)?;
    Ok((plan, json))
}

/// What is wrong with a stored image; none if it is as recorded.
pub(super) fn image_damage(dir: &Path, stored: &Stored) -> Option<String> {
    let bytes = match fs::read(dir.join(&stored.image)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("the image is missing".into()),
        Err(error) => return Some(format!("the image cannot be read: {error}")),
    };
    if bytes.len() as u64 != stored.bytes {
        return Some(format!("the image has {} bytes instead of {}", bytes.len(), stored.bytes));
    }
    if crc32c::crc32c(&bytes) != stored.crc32c {
        return Some("the image has a wrong checksum".into());
    }
    (!is_whole_jpeg(&bytes)).then(|| "the image is not a whole JPEG".into())
}

/// A metadata file; none if missing or damaged.
pub(super) fn read_metadata(path: &Path) -> Option<ShotMetadata> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Files (and folders that do not belong) under `images/` and `metadata/` that no stored shot accounts for, by
/// their paths in the dataset, sorted.
pub(super) fn unrecorded_files(dir: &Path, plan: &Plan, tally: &Tally) -> Result<Vec<String>, DiskError> {
    let known: HashSet<String> = tally
        .stored()
        .flat_map(|stored| [stored.image.clone(), layout::metadata(plan, stored.shot)])
        .collect();
    let cameras: HashSet<&str> = plan.cameras.iter().map(|camera| camera.name.as_str()).collect();
    let mut found = Vec::new();
    for folder in [IMAGES, METADATA] {
        for camera in names(&dir.join(folder))? {
            if !cameras.contains(camera.as_str()) {
                found.push(format!("{folder}/{camera}"));
                continue;
            }
            let files = names(&dir.join(folder).join(&camera))?;
            found.extend(files.into_iter().map(|file| format!("{folder}/{camera}/{file}")));
        }
    }
    found.retain(|path| !known.contains(path));
    found.sort();
    Ok(found)
}

/// The names in a folder; none if it is missing.
fn names(folder: &Path) -> Result<Vec<String>, DiskError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.context("read", folder)?,
    };
    entries
        .map(|entry| Ok(entry.context("read", folder)?.file_name().to_string_lossy().into_owned()))
        .collect()
}
