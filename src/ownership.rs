//! Whoever may use a rig leaves it usable for the others: for root, for members of the group, and for the service.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Gid, Mode, Uid, chownat, fchown};
use rustix::process::{geteuid, umask};

/// What is made in such a folder is for its group, too.
const GROUP_WRITES: u32 = 0o020;

/// From now on, what this process makes is for the group as well, if the folder `shared` is. For the start of the
/// program: it is one mask for all threads.
pub fn share_like(shared: &Path) {
    if fs::metadata(shared).is_ok_and(|folder| folder.is_dir() && folder.mode() & GROUP_WRITES != 0) {
        let old = umask(Mode::empty());
        umask(old.difference(Mode::RWXG));
    }
}

/// Gives a file that was just made in `folder` to whom the folder belongs. Where that may not be, such as on a disk
/// without owners, it stays as it is.
pub fn hand_over(file: impl AsFd, folder: &Path) {
    if let Some((user, group)) = heir(folder) {
        let _ = fchown(file, user, Some(group));
    }
}

/// As [`hand_over`], of a folder or a socket.
pub fn hand_over_at(path: &Path, folder: &Path) {
    if let Some((user, group)) = heir(folder) {
        let _ = chownat(CWD, path, user, Some(group), AtFlags::SYMLINK_NOFOLLOW);
    }
}

/// As [`fs::create_dir_all`], and each of the folders belongs to whom the one above belongs.
pub fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        create_folders(above)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created.map(|()| hand_over_at(path, above.unwrap_or(Path::new(".")))),
    }
}

/// Only root can give things away; others can let their group have them.
fn heir(folder: &Path) -> Option<(Option<Uid>, Gid)> {
    let owner = fs::metadata(folder).ok()?;
    let group = Gid::from_raw(owner.gid());
    if geteuid().is_root() {
        return Some((Some(Uid::from_raw(owner.uid())), group));
    }
    (owner.mode() & GROUP_WRITES != 0).then_some((None, group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_makes_belongs_to_whom_the_folder_belongs() {
        if !geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "this test needs root");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let (user, group) = (Uid::from_raw(64_001), Gid::from_raw(64_000));
        chownat(CWD, dir.path(), Some(user), Some(group), AtFlags::empty()).unwrap();
        let owner = |path: &Path| fs::metadata(path).map(|it| (it.uid(), it.gid())).unwrap();
        create_folders(&dir.path().join("a/b")).unwrap();
        create_folders(&dir.path().join("a/b")).unwrap();
        let file = fs::File::create(dir.path().join("a/b/c")).unwrap();
        hand_over(&file, &dir.path().join("a/b"));
        for path in ["a", "a/b", "a/b/c"] {
            assert_eq!(owner(&dir.path().join(path)), (64_001, 64_000), "{path}");
        }
    }
}
