//! Room for a scan: how much it needs, and whether there is that much.

use std::io;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::plan::Plan;
use crate::units::Bytes;

use super::error::{Context, DiskError};

/// Room for metadata, thumbnail and journal lines of one shot, in bytes.
const PER_SHOT: f64 = 32.0 * 1024.0;

/// About how many bytes the images of a scan take at a JPEG quality of 1 to 100: on the high side, from a
/// quarter of a byte a pixel at quality 75 to 1.15 at quality 100.
pub fn needed_bytes(plan: &Plan, quality: u8) -> Bytes {
    let bytes_per_pixel = 0.15 + (f64::from(quality.min(100)) / 100.0).powi(8);
    let shot_of_each_camera: f64 = plan
        .cameras
        .iter()
        // A camera whose size is not known yet is counted once it is open.
        .filter_map(|camera| camera.intrinsics.size())
        .map(|size| f64::from(size.width) * f64::from(size.height))
        .map(|pixels| pixels * bytes_per_pixel + PER_SHOT)
        .sum();
    Bytes::new((shot_of_each_camera * plan.points.len() as f64).ceil())
}

/// Why a scan should not start.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// Too little room.
    #[error(
        "not enough space in {path}: the scan needs {} and {} are to stay free, but only {} are free; \
         remove old scans or lower storage.keep_free",
        people(*.needed), people(*.keep_free), people(*.free)
    )]
    NotEnough {
        /// The folder of the scans.
        path: String,
        /// What the scan needs.
        needed: Bytes,
        /// What must be left.
        keep_free: Bytes,
        /// What there is.
        free: Bytes,
    },
    /// Nothing can be written there.
    #[error(
        "{0} is on a read-only file system, as after an error of an SD card: check it, or set storage.directory \
         to another place"
    )]
    ReadOnly(String),
    /// The file system did not tell.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Checks that `needed` bytes fit in the file system of `root` (which must exist) with `keep_free` to spare;
/// returns how much is free now.
pub fn preflight(root: &Path, needed: Bytes, keep_free: Bytes) -> Result<Bytes, SpaceError> {
    let space = statvfs(root).map_err(io::Error::from).context("find the free space of", root)?;
    let path = root.display().to_string();
    if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(SpaceError::ReadOnly(path));
    }
    let free = Bytes::new(space.f_bavail as f64 * space.f_frsize as f64);
    if free < needed + keep_free {
        return Err(SpaceError::NotEnough { path, needed, keep_free, free });
    }
    Ok(free)
}

fn people(amount: Bytes) -> String {
    let bytes = amount.get();
    if bytes < 1e9 { format!("{:.0} MB", bytes / 1e6) } else { format!("{:.1} GB", bytes / 1e9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_space_is_said_with_the_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let error = preflight(dir.path(), Bytes::new(3e18), Bytes::new(2e9)).unwrap_err().to_string();
        assert!(error.contains("needs 3000000000.0 GB and 2.0 GB are to stay free"), "{error}");
        assert!(preflight(dir.path(), Bytes::new(1.0), Bytes::ZERO).unwrap().get() > 0.0);
    }
}
