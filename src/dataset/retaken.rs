//! What was stored of shots that are wanted again: found, and moved to `retaken/`.

use std::path::Path;

use super::aside::{candidates, make_folder, move_to};
use super::disk::Disk;
use super::error::DiskError;
use super::inspect::{damage, read, read_metadata};
use super::layout::{self, RETAKEN, parent};
use crate::model::FileKind;
use crate::plan::Plan;
use crate::scan::{RecordedFile, Stored};

/// The files of `stored` that are where it was stored, as it was stored.
pub(super) fn files_left(dir: &Path, plan: &Plan, stored: &Stored) -> Result<Vec<String>, DiskError> {
    let metadata = layout::metadata(plan, stored.shot);
    let mut left = Vec::new();
    for file in stored.files() {
        if damage(dir, &file)?.is_none() {
            left.push(file.path);
        }
    }
    let is_its = read_metadata(dir, &metadata)?.is_some_and(|found| found.stored == *stored);
    left.extend(is_its.then_some(metadata));
    Ok(left)
}

/// A file that was set aside: what it is, and its bytes.
pub(super) type Kept = (FileKind, Vec<u8>);

/// The files of `stored` that are kept in `retaken/`, the image first; none if one of them is not there as it was stored.
pub(super) fn kept(dir: &Path, plan: &Plan, stored: &Stored) -> Result<Option<Vec<Kept>>, DiskError> {
    let stem = layout::retaken(plan, stored.shot, stored.attempt);
    let mut found = Vec::new();
    for file in stored.files() {
        let Some(kind) = layout::kind_of(plan, stored.shot, &file.path) else { return Ok(None) };
        let Some(bytes) = kept_file(dir, Path::new(&stem), &file)? else { return Ok(None) };
        found.push((kind, bytes));
    }
    Ok(Some(found))
}

/// The bytes of one of them.
fn kept_file(dir: &Path, stem: &Path, file: &RecordedFile) -> Result<Option<Vec<u8>>, DiskError> {
    for name in candidates(stem, &ending(&file.path)) {
        if dir.join(&name).symlink_metadata().is_err() {
            return Ok(None);
        }
        let path = name.to_string_lossy().into_owned();
        if let Ok(bytes) = read(dir, &RecordedFile { path, ..file.clone() })? {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// What the names of a shot's file end in, in whatever folder: `.jpg`.
fn ending(path: &str) -> String {
    let (_, suffix) = path.rsplit_once('.').unwrap_or((path, ""));
    format!(".{suffix}")
}

/// Moves files of `old` to `retaken/CAMERA/LABEL.ATTEMPT.jpg`, `.json` and what else they end in; durable on return.
pub(super) fn set_aside(
    disk: &dyn Disk,
    dir: &Path,
    plan: &Plan,
    old: &Stored,
    files: &[String],
) -> Result<(), DiskError> {
    // It would be taken for that of the new image. There need not be one.
    let _ = disk.remove_file(&dir.join(layout::thumbnail(plan, old.shot)));
    if files.is_empty() {
        return Ok(());
    }
    let stem = dir.join(layout::retaken(plan, old.shot, old.attempt));
    make_folder(disk, &dir.join(RETAKEN))?;
    make_folder(disk, parent(&stem))?;
    for path in files {
        move_to(disk, &dir.join(path), candidates(&stem, &ending(path)))?;
    }
    Ok(())
}
