//! Who may be in the way, told at start-up: this program's own drivers of an earlier life are ended, others named.

use std::fs;
use std::path::{Path, PathBuf};

use tracing::{error, warn};

use crate::config::Config;
use crate::rig::camera::{end_all, holders};

/// Ends what an earlier life left behind, and warns of programs that hold media devices. For whoever has the rig
/// and has started no driver yet. Blocks.
pub(super) fn clear(config: &Config, runtime: &Path) {
    for wedged in end_all(runtime, config.recovery.kill_timeout) {
        error!("{wedged}");
    }
    let of_libcamera = |name: &str| name == "libcamera" || name == "scanner-libcamera";
    let drivers = config.cameras.iter().filter_map(|camera| camera.driver.file_name()?.to_str());
    if drivers.into_iter().any(of_libcamera) {
        for device in media_devices() {
            for holder in holders(&device) {
                warn!(
                    device = %device.display(),
                    pid = holder.pid,
                    "{} is held by {holder}: a camera behind it cannot be opened until that ends",
                    device.display()
                );
            }
        }
    }
}

fn media_devices() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let is_media = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("media"))
    };
    let mut devices: Vec<_> = entries.map(|entry| entry.path()).filter(is_media).collect();
    devices.sort();
    devices
}
