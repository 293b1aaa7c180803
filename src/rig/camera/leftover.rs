//! Drivers that outlived an earlier life of the program, found by the pid files that it left.
//!
//! A pid file names one process of one boot, so an innocent process that got the same id is left alone.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;

use super::error::Wedged;
use super::process::{self, Evidence};
use crate::durable::{self, Readers};
use crate::procfs::Identity;

/// Records that `pid` drives `camera`.
pub(super) fn record(directory: &Path, camera: &str, pid: i32) -> io::Result<()> {
    let identity = Identity::of(pid)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    durable::swap(&file(directory, camera), &serde_json::to_vec(&identity)?, Readers::AsUsual)
}

/// The process that was recorded to drive `camera`, if its id is still its own.
///
/// # Errors
/// There was no looking: it may well be there.
pub(super) fn recorded(directory: &Path, camera: &str) -> io::Result<Option<i32>> {
    let Some(recorded) = read(directory, camera)? else { return Ok(None) };
    Ok((Identity::of(recorded.pid)?.as_ref() == Some(&recorded)).then_some(recorded.pid))
}

/// Ends every recorded driver in `directory` that still lives, of cameras that are no longer configured, too. For
/// whoever has the rig and has started none yet. Blocks for twice `timeout` a driver at most.
pub fn end_all(directory: &Path, timeout: Duration) -> Vec<Wedged> {
    let cameras = cameras(directory).unwrap_or_else(|error| {
        let directory = directory.display();
        warn!(%error, "{directory} cannot be read: whether an earlier life left drivers behind is not known");
        Vec::new()
    });
    cameras.into_iter().filter_map(|camera| end(directory, &camera, timeout).err()).collect()
}

/// Those with a record in `directory`.
fn cameras(directory: &Path) -> io::Result<Vec<String>> {
    let files = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut cameras = Vec::new();
    for file in files {
        let name = file?.file_name().to_string_lossy().into_owned();
        let camera = name.strip_prefix("driver-").and_then(|name| name.strip_suffix(".pid"));
        cameras.extend(camera.map(str::to_owned));
    }
    Ok(cameras)
}

/// Forgets the driver of `camera`: it has ended.
pub(super) fn forget(directory: &Path, camera: &str) {
    if let Err(error) = fs::remove_file(file(directory, camera))
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(camera, %error, "cannot remove the driver's pid file");
    }
}

/// Ends the recorded driver of `camera` if it still lives. Blocks for twice `timeout` at most. What could not be looked
/// at is left as it is, with its file, for whoever looks next.
pub(super) fn end(directory: &Path, camera: &str, timeout: Duration) -> Result<(), Wedged> {
    let left = match left_behind(directory, camera) {
        Ok(left) => left,
        Err(error) => {
            let file = file(directory, camera);
            warn!(camera, file = %file.display(), %error, "whether a driver of an earlier life still runs cannot be looked at");
            return Ok(());
        }
    };
    if let Some((pid, pidfd)) = left {
        warn!(camera, pid, "ending a driver that an earlier life of this program left behind");
        if !process::end_by_pidfd(pidfd.as_fd(), timeout) {
            return Err(Wedged { camera: camera.into(), pid, evidence: Evidence::of(pid) });
        }
    }
    forget(directory, camera);
    Ok(())
}

/// The recorded driver of `camera`, with a handle of it, if it still runs.
fn left_behind(directory: &Path, camera: &str) -> io::Result<Option<(i32, OwnedFd)>> {
    let Some(recorded) = read(directory, camera)? else { return Ok(None) };
    let Some(pidfd) = process::open(recorded.pid)? else { return Ok(None) };
    // Asked after opening: the handle is of this very process.
    let is_it = Identity::of(recorded.pid)?.as_ref() == Some(&recorded);
    // One that has ended and only waits for its parent to notice holds nothing.
    let runs = is_it && !process::has_ended(pidfd.as_fd(), Duration::ZERO);
    Ok(runs.then_some((recorded.pid, pidfd)))
}

/// Whom the record of `camera` names, if there is one.
fn read(directory: &Path, camera: &str) -> io::Result<Option<Identity>> {
    match fs::read(file(directory, camera)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // The file is ours and replaced atomically: what does not parse names nobody.
        text => Ok(serde_json::from_slice(&text?).ok()),
    }
}

fn file(directory: &Path, camera: &str) -> PathBuf {
    directory.join(format!("driver-{camera}.pid"))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    #[test]
    fn the_recorded_process_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        record(directory.path(), "cam0", child.id() as i32).unwrap();
        assert_eq!(recorded(directory.path(), "cam0").unwrap(), Some(child.id() as i32));
        end(directory.path(), "cam0", Duration::from_secs(10)).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!file(directory.path(), "cam0").exists());
    }

    #[test]
    fn a_process_with_the_same_id_but_another_start_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        let identity = Identity::of(child.id() as i32).unwrap().unwrap();
        for other in [
            Identity { start_ticks: identity.start_ticks - 1, ..identity.clone() },
            Identity { boot: "an earlier one".into(), ..identity },
        ] {
            fs::write(file(directory.path(), "cam0"), serde_json::to_vec(&other).unwrap()).unwrap();
            assert_eq!(
                recorded(directory.path(), "cam0").unwrap(),
                None,
                "it may well hold the camera, and is not its driver"
            );
            end(directory.path(), "cam0", Duration::from_secs(10)).unwrap();
        }
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_damaged_file_names_nobody() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["{", r#"{"pid":-1,"start_ticks":1,"boot":"x"}"#] {
            fs::write(file(directory.path(), "cam0"), text).unwrap();
            end(directory.path(), "cam0", Duration::ZERO).unwrap();
            assert!(!file(directory.path(), "cam0").exists());
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        // Reading it fails for root, too.
        fs::create_dir(file(directory.path(), "cam0")).unwrap();
        end(directory.path(), "cam0", Duration::ZERO).unwrap();
        recorded(directory.path(), "cam0").unwrap_err();
        assert!(file(directory.path(), "cam0").exists());
    }
}
