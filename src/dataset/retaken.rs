//! What was stored of shots that are wanted again: found, and moved to `retaken/`.

use std::path::Path;

use super::aside::{candidates, make_folder, move_to};
use super::disk::Disk;
use super::error::DiskError;
use super::inspect::{image_damage, read_image, read_metadata};
use super::layout::{self, RETAKEN, parent};
use crate::plan::Plan;
use crate::scan::Stored;

/// The files of `stored` that are where it was stored, as it was stored.
pub(super) fn files_left(dir: &Path, plan: &Plan, stored: &Stored) -> Result<Vec<String>, DiskError> {
    let metadata = layout::metadata(plan, stored.shot);
    let image = image_damage(dir, stored)?.is_none().then(|| stored.image.clone());
    let is_its = read_metadata(dir, &metadata)?.is_some_and(|found| found.stored == *stored);
    Ok(image.into_iter().chain(is_its.then_some(metadata)).collect())
}

/// The bytes of `stored`, which is kept in `retaken/`; none if it is not there as it was stored.
pub(super) fn kept(dir: &Path, plan: &Plan, stored: &Stored) -> Result<Option<Vec<u8>>, DiskError> {
    let stem = layout::retaken(plan, stored.shot, stored.attempt);
    for name in candidates(Path::new(&stem), ".jpg") {
        if dir.join(&name).symlink_metadata().is_err() {
            return Ok(None);
        }
        let image = name.to_string_lossy().into_owned();
        if let Ok(bytes) = read_image(dir, &Stored { image, ..stored.clone() })? {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Moves files of `old` to `retaken/CAMERA/LABEL.ATTEMPT.jpg` and `.json`; durable on return.
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
        let ending = if *path == old.image { ".jpg" } else { ".json" };
        move_to(disk, &dir.join(path), candidates(&stem, ending))?;
    }
    Ok(())
}
