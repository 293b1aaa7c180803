//! What was stored of shots that are wanted again: found, and moved to `retaken/`.

use std::path::Path;

use super::aside::{candidates, make_folder, move_to};
use super::disk::Disk;
use super::error::DiskError;
use super::inspect::{damage, read_metadata};
use super::layout::{self, RETAKEN, parent};
use crate::plan::Plan;
use crate::scan::Stored;

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
        let (_, suffix) = path.rsplit_once('.').unwrap_or((path, ""));
        move_to(disk, &dir.join(path), candidates(&stem, &format!(".{suffix}")))?;
    }
    Ok(())
}
