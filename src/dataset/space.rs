//! Room for a scan: how much it needs, and whether there is that much.

use std::io;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::model::FileType;
use crate::plan::Plan;
use crate::units::Bytes;

use super::error::{Context, DiskError};

/// Room for metadata, thumbnail and journal lines of one shot, in bytes.
const PER_SHOT: f64 = 32.0 * 1024.0;
/// Most that a raw file takes: 16 bits, and not compressed.
const RAW_BYTES_PER_PIXEL: f64 = 2.0;

/// About how many bytes the images of a scan take at a JPEG quality of 1 to 100: on the high side, from a
/// quarter of a byte a pixel at quality 75 to 1.15 at quality 100.
pub fn needed_bytes(plan: &Plan, quality: u8) -> Bytes {
    let bytes_per_pixel = 0.15 + (f64::from(quality.min(100)) / 100.0).powi(8);
    let shot_of_each_camera: f64 = plan
        .cameras
        .iter()
        // A camera whose size is not known yet is counted once it is open.
        .filter_map(|camera| Some((camera, camera.intrinsics.size()?)))
        .map(|(camera, size)| {
            let raw = camera.files.iter().filter(|file| **file == FileType::Raw).count() as f64;
            let pixels = f64::from(size.width) * f64::from(size.height);
            pixels * (bytes_per_pixel + raw * RAW_BYTES_PER_PIXEL) + PER_SHOT
        })
        .sum();
    Bytes::new((shot_of_each_camera * plan.points.len() as f64).ceil())
}

/// What a scan takes of a file system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needs {
    /// Space for all files together.
    pub bytes: Bytes,
    /// Files and folders: many file systems have a fixed number of them (inodes).
    pub files: u64,
}

/// About what a scan of `plan` takes.
pub fn needs(plan: &Plan, quality: u8) -> Needs {
    // Of each shot its files, metadata and thumbnail; folders of each camera, and a few more.
    let of_point: usize = plan.cameras.iter().map(|camera| camera.files.len() + 2).sum();
    let files = plan.points.len() as u64 * of_point as u64 + plan.cameras.len() as u64 * 4 + 16;
    Needs { bytes: needed_bytes(plan, quality), files }
}

/// Why a scan should not start.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// There is too little space.
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
        /// Space that is free now.
        free: Bytes,
    },
    /// Room, but no files.
    #[error(
        "no room for files in {path}: the scan makes {needed}, and only {free} more can be made there, however many bytes are \
         free, since its inodes are used up (`df -i` shows them); remove old scans or other files"
    )]
    NoFiles {
        /// The folder of the scans.
        path: String,
        /// How many the scan makes.
        needed: u64,
        /// How many there can be.
        free: u64,
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

impl SpaceError {
    /// How many bytes and files are missing.
    pub fn missing(&self) -> Option<(Bytes, u64)> {
        match self {
            Self::NotEnough { needed, keep_free, free, .. } => Some((*needed + *keep_free - *free, 0)),
            Self::NoFiles { needed, free, .. } => Some((Bytes::ZERO, needed - free)),
            Self::ReadOnly(_) | Self::Disk(_) => None,
        }
    }
}

/// Checks that what a scan needs fits in the file system of `root` (which must exist) with `keep_free` to spare;
/// returns how much is free now.
pub fn preflight(root: &Path, needs: Needs, keep_free: Bytes) -> Result<Bytes, SpaceError> {
    let needed = needs.bytes;
    let space = statvfs(root).map_err(io::Error::from).context("find the free space of", root)?;
    let path = root.display().to_string();
    if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(SpaceError::ReadOnly(path));
    }
    let free = Bytes::new(space.f_bavail as f64 * space.f_frsize as f64);
    if free < needed + keep_free {
        return Err(SpaceError::NotEnough { path, needed, keep_free, free });
    }
    // Without any, the file system makes them as it needs them.
    if space.f_files > 0 && space.f_favail < needs.files {
        return Err(SpaceError::NoFiles { path, needed: needs.files, free: space.f_favail });
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
        let needs = |bytes| Needs { bytes: Bytes::new(bytes), files: 1 };
        let error = preflight(dir.path(), needs(3e18), Bytes::new(2e9)).unwrap_err().to_string();
        assert!(error.contains("needs 3000000000.0 GB and 2.0 GB are to stay free"), "{error}");
        assert!(preflight(dir.path(), needs(1.0), Bytes::ZERO).unwrap().get() > 0.0);
    }
}
