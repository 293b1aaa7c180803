//! Drivers that outlived an earlier life of the program, found by the pid files that it left.
//!
//! A pid file names one process of one boot, so an innocent process that got the same id is left alone.

use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;

use super::error::Wedged;
use super::process::{self, Evidence};
use crate::durable::{self, Readers};
use crate::procfs::Identity;

/// Records that `pid` drives `camera`.
pub(super) fn record(directory: &Path, camera: &str, pid: i32) -> io::Result<()> {
    let identity = Identity::of(pid).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    durable::swap(&file(directory, camera), &serde_json::to_vec(&identity)?, Readers::AsUsual)
}

/// The process that was recorded to drive `camera`, if its id is still its own.
pub(super) fn recorded(directory: &Path, camera: &str) -> Option<i32> {
    let text = fs::read(file(directory, camera)).ok()?;
    let identity = serde_json::from_slice::<Identity>(&text).ok()?;
    (Identity::of(identity.pid).as_ref() == Some(&identity)).then_some(identity.pid)
}

/// Ends every recorded driver in `directory` that still lives, of cameras that are no longer configured, too. For
/// whoever has the rig and has started none yet. Blocks for twice `timeout` a driver at most.
pub fn end_all(directory: &Path, timeout: Duration) -> Vec<Wedged> {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let cameras = files.filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        Some(name.strip_prefix("driver-")?.strip_suffix(".pid")?.to_owned())
    });
    cameras.filter_map(|camera| end(directory, &camera, timeout).err()).collect()
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
    let path = file(directory, camera);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let path = path.display();
            warn!(camera, %error, "{path} cannot be read: whether an earlier life left a driver behind is not known");
            return Ok(());
        }
    };
    // The file is ours and replaced atomically: what does not parse names nobody.
    if let Ok(identity) = serde_json::from_slice::<Identity>(&text) {
        let pid = identity.pid;
        let pidfd = match process::open(pid) {
            Ok(pidfd) => pidfd,
            Err(error) => {
                warn!(camera, pid, %error, "whether a driver of an earlier life still runs cannot be looked at");
                return Ok(());
            }
        };
        // Asked after opening: the handle is of this very process.
        let now = match Identity::look(pid) {
            Ok(now) => now,
            Err(error) => {
                warn!(camera, pid, %error, "whether a driver of an earlier life still runs cannot be looked at");
                return Ok(());
            }
        };
        if let Some(pidfd) = pidfd
            && now.as_ref() == Some(&identity)
            // One that has ended and only waits for its parent to notice holds nothing.
            && !process::has_ended(pidfd.as_fd(), Duration::ZERO)
        {
            warn!(camera, pid, "ending a driver that an earlier life of this program left behind");
            if !process::end_by_pidfd(pidfd.as_fd(), timeout) {
                return Err(Wedged { camera: camera.into(), pid, evidence: Evidence::of(pid) });
            }
        }
    }
    forget(directory, camera);
    Ok(())
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
        assert_eq!(recorded(directory.path(), "cam0"), Some(child.id() as i32));
        end(directory.path(), "cam0", Duration::from_secs(10)).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!file(directory.path(), "cam0").exists());
    }

    #[test]
    fn a_process_with_the_same_id_but_another_start_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        let identity = Identity::of(child.id() as i32).unwrap();
        for other in [
            Identity { start_ticks: identity.start_ticks - 1, ..identity.clone() },
            Identity { boot: "an earlier one".into(), ..identity },
        ] {
            fs::write(file(directory.path(), "cam0"), serde_json::to_vec(&other).unwrap()).unwrap();
            assert_eq!(
                recorded(directory.path(), "cam0"),
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
        assert!(file(directory.path(), "cam0").exists());
    }
}
