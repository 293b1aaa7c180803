//! Which device nodes a camera is behind.

use std::fs;
use std::path::PathBuf;

/// The media devices of the video devices with these numbers (libcamera's `SystemDevices`). libcamera locks a
/// media device while it uses a camera behind it.
pub(crate) fn media_devices(numbers: &[i64]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = numbers
        .iter()
        .flat_map(|&number| {
            let (major, minor) = (rustix::fs::major(number as u64), rustix::fs::minor(number as u64));
            fs::read_dir(format!("/sys/dev/char/{major}:{minor}/device")).into_iter().flatten().flatten()
        })
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.starts_with("media").then(|| PathBuf::from("/dev").join(name))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}
