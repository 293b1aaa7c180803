//! The disk of the scans: room, and how long it takes until an image is safe.

use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::Finding;
use crate::config::Storage;
use crate::daemon::storage::{self, Found};
use crate::daemon::{IMAGE, write_images};
use crate::dataset::{self, Needs, SpaceError};
use crate::units::Bytes;

/// Which disk it is.
const CHECK: &str = "storage";
/// Images written to find out.
const IMAGES: u32 = 8;
/// A point takes about this long; a disk that takes longer makes the rig wait.
const SLOW: Duration = Duration::from_millis(800);

/// Where tokens, sessions and what is known of the storage are kept.
pub(super) fn state(folder: &Path) -> Finding {
    judge_state(folder, access(folder, Access::WRITE_OK | Access::EXEC_OK))
}

fn judge_state(folder: &Path, written: rustix::io::Result<()>) -> Finding {
    const CHECK: &str = "state";
    let shown = folder.display();
    let Err(error) = written else { return Finding::fine(CHECK, format!("{shown} can be written")) };
    let found = format!(
        "no token can be made or revoked, and no browser stays logged in over a restart, since {shown} cannot be written: {error}"
    );
    match error {
        Errno::NOENT => Finding::fine(CHECK, format!("{shown} is made when the service starts")),
        Errno::ROFS => Finding::problem(
            CHECK,
            found,
            "look at the disk: the kernel's log (dmesg) says why it is read-only; then: sudo mount -o remount,rw with its \
             mount point, or restart",
        ),
        Errno::ACCESS => Finding::advice(
            CHECK,
            found,
            "ask as the service's user: sudo -u scanner scanner doctor; if that may not either, look at who owns the folder",
        ),
        _ => Finding::unknown(CHECK, found),
    }
}

/// Whether the newest scan, which a start of the service may go on with, is another machine's.
fn owner(folder: &Path) -> Finding {
    const CHECK: &str = "newest scan";
    match dataset::newest(folder, None) {
        Err(error) => Finding::unknown(CHECK, error.to_string()),
        Ok(None) => Finding::fine(CHECK, "there is none yet"),
        Ok(Some(scan)) => match scan.owned_elsewhere() {
            None => Finding::fine(CHECK, format!("no other machine has {}", scan.id)),
            Some(error) => Finding::advice(
                CHECK,
                error.to_string(),
                format!(
                    "nothing, if that machine is at work on it; if it has stopped for good: scanner resume {} --take-over",
                    scan.id
                ),
            ),
        },
    }
}

pub(super) fn examine(storage: &Storage) -> Vec<Finding> {
    let folder = &storage.directory;
    let which = match storage::look(storage) {
        Ok(Found::Same(known)) => Finding::fine(CHECK, format!("{} is on {known}", folder.display())),
        Ok(Found::New) if folder.is_dir() => Finding::fine(
            CHECK,
            format!("{} has not been used yet; the first scan marks it as the storage", folder.display()),
        ),
        Ok(Found::New) => return vec![judge_missing(folder)],
        Err(error) => return vec![Finding::problem(CHECK, error.to_string(), error.remedy())],
    };
    let needs =
        Needs { bytes: Bytes::new((IMAGE as u64 * u64::from(IMAGES)) as f64), files: u64::from(IMAGES) * 2 };
    let room = match dataset::preflight(folder, needs, storage.keep_free) {
        Ok(_) => Finding::fine("room", format!("{} has room beyond storage.keep_free", folder.display())),
        Err(error) => return vec![which, judge_room(&error)],
    };
    let speed = match write_images(folder, IMAGES) {
        Ok(took) => judge_speed(folder, took),
        Err(error) => Finding::problem(
            "disk",
            format!("cannot write to {}: {error}", folder.display()),
            "ask as the service's user: sudo -u scanner scanner doctor; if it cannot either, look at the disk",
        ),
    };
    vec![which, owner(folder), room, speed]
}

/// A folder that was never there, made by the first scan if that may.
fn judge_missing(folder: &Path) -> Finding {
    let above = folder.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    let found = format!("{} does not exist", folder.display());
    if access(above, Access::WRITE_OK).is_ok() {
        return Finding::advice(
            CHECK,
            found,
            "the first scan makes it; if it is to be on a disk, mount that first",
        );
    }
    let what = format!(
        "mount its disk, or make it: sudo install -d -o scanner -g scanner -m 2770 {}; nothing can be made in {} by \
         this user",
        folder.display(),
        above.display()
    );
    Finding::problem(CHECK, found, what)
}

fn judge_room(error: &SpaceError) -> Finding {
    let what = match error {
        SpaceError::NotEnough { .. } => "free some space, or set storage.make_room",
        SpaceError::NoFiles { .. } => {
            "remove files (old scans, many small files), or set storage.make_room; a file system that is made anew can have \
             more inodes (mkfs.ext4 -i)"
        }
        SpaceError::ReadOnly(_) => "look at the disk: the kernel's log (dmesg) says why it is read-only",
        SpaceError::Disk(_) => "look at who owns the folder, and whether its disk is mounted and answers",
    };
    Finding::problem("room", error.to_string(), what)
}

fn judge_speed(folder: &Path, each: Duration) -> Finding {
    let found = format!("an image of {} MB is safe in {} after {each:.1?}", IMAGE >> 20, folder.display());
    if each > SLOW {
        return Finding::advice(
            "disk",
            found,
            "the rig waits for this disk: use a faster card (A2), or a disk at USB 3",
        );
    }
    Finding::fine("disk", found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn where_nothing_can_be_kept_of_tokens_it_is_told_why() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(state(folder.path()).verdict, Verdict::Fine);
        assert_eq!(state(&folder.path().join("missing")).verdict, Verdict::Fine);
        let told = |errno| judge_state(folder.path(), Err(errno));
        let read_only = told(Errno::ROFS);
        assert!(matches!(read_only.verdict, Verdict::Problem { .. }), "{read_only:?}");
        assert!(read_only.found.contains("Read-only file system"), "{}", read_only.found);
        assert!(matches!(told(Errno::ACCESS).verdict, Verdict::Advice { .. }));
        assert_eq!(told(Errno::IO).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_slow_disk_is_told_and_nothing_is_left_of_the_test() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_images(folder.path(), IMAGES).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(write_images(&folder.path().join("missing"), IMAGES).is_err());
        assert_eq!(judge_speed(folder.path(), SLOW).verdict, Verdict::Fine);
        assert!(matches!(judge_speed(folder.path(), SLOW * 2).verdict, Verdict::Advice { .. }));
    }
}
