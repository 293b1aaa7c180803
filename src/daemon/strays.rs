//! Who may be in the way, told at start-up: this program's own drivers of an earlier life are ended, others named.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::{error, warn};

use crate::config::Config;
use crate::rig::camera::{Holder, end_all, holders};

/// Ends what an earlier life left behind, and warns of programs that hold media devices. For whoever has the rig
/// and has started no driver yet. Blocks.
pub(super) fn clear(config: &Config, runtime: &Path) {
    for wedged in end_all(runtime, config.recovery.kill_timeout) {
        error!("{wedged}");
    }
    let of_libcamera = |name: &str| name == "libcamera" || name == "scanner-libcamera";
    let drivers = config.cameras.iter().filter_map(|camera| camera.driver.file_name()?.to_str());
    if drivers.into_iter().any(of_libcamera) {
        match media_holders() {
            Ok(held) => held.iter().for_each(|(device, holder)| tell(device, holder)),
            Err(error) => warn!(%error, "who holds the cameras' devices cannot be looked at"),
        }
    }
}

fn tell(device: &Path, holder: &Holder) {
    warn!(
        device = %device.display(),
        pid = holder.pid,
        "{} is held by {holder}: a camera behind it cannot be opened until that ends",
        device.display()
    );
}

/// Who has which of this machine's media devices open, as far as this process may see.
///
/// # Errors
/// There was no looking: somebody may.
pub fn media_holders() -> io::Result<Vec<(PathBuf, Holder)>> {
    let mut held = Vec::new();
    for device in device_nodes(Path::new("/dev"), "media")? {
        held.extend(holders(&device)?.into_iter().map(|holder| (device.clone(), holder)));
    }
    Ok(held)
}

/// What is in `folder` with a name that begins with `prefix`, in order of name.
pub fn device_nodes(folder: &Path, prefix: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?.collect::<io::Result<Vec<_>>>()?,
    };
    let begins = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(prefix);
    let mut nodes: Vec<_> = entries.iter().filter(|entry| begins(entry)).map(fs::DirEntry::path).collect();
    nodes.sort();
    Ok(nodes)
}
