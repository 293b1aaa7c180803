//! The one way to open what is in a dataset: somebody else may have put anything there.
//!
//! No link is followed, only regular files are opened, a FIFO holds nobody up, and no more is read than a file of
//! its kind may have. What was looked at and is wrong is told apart from what could not be looked at.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Component, Components, Path};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

pub use crate::regular_file::Unread;
use crate::regular_file::{self, explain, whole};

/// The longest image, in bytes.
pub const IMAGE: u64 = 256 << 20;
/// The longest thumbnail, in bytes.
pub const THUMBNAIL: u64 = 8 << 20;
/// The longest metadata file or manifest, in bytes.
pub const DESCRIPTION: u64 = 1 << 20;
/// The longest plan, in bytes: a million shots fit.
pub const PLAN: u64 = 512 << 20;
/// The longest list of the places of scans, in bytes: half a million fit.
pub(super) const PLACES: u64 = 64 << 20;
/// The longest journal, in bytes.
pub const JOURNAL: u64 = 1 << 30;

/// As [`regular_file::QUIET`], and no link is followed.
pub(super) const PLAIN: OFlags = regular_file::QUIET.union(OFlags::NOFOLLOW);
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the regular file `name` in the folder `dir`. `dir` may be a link; nothing below it may.
pub fn file(dir: &Path, name: &str) -> Result<File, Unread> {
    let folder = openat(CWD, dir, FOLDER, Mode::empty()).map_err(explain)?;
    descend(folder.as_fd(), Path::new(name).components())
}

/// All of the regular file `name` in the folder `dir`, which has at most `limit` bytes.
pub fn read(dir: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Unread> {
    whole(file(dir, name)?, limit)
}

/// As [`read`], in a folder that is open: whatever it is called by now.
pub(super) fn read_in(folder: &File, name: &str, limit: u64) -> Result<Vec<u8>, Unread> {
    whole(descend(folder.as_fd(), Path::new(name).components())?, limit)
}

fn descend(folder: BorrowedFd<'_>, mut name: Components<'_>) -> Result<File, Unread> {
    let Some(Component::Normal(part)) = name.next() else { return Err(Unread::NotAFile) };
    if !name.as_path().as_os_str().is_empty() {
        let below = openat(folder, part, FOLDER | OFlags::NOFOLLOW, Mode::empty());
        return descend(below.map_err(|error| misplaced(part, error))?.as_fd(), name);
    }
    regular_file::open_at(folder, Path::new(part), OFlags::NOFOLLOW)
}

/// What is behind a folder that is none was not looked at: it may be whole.
fn misplaced(folder: &OsStr, error: Errno) -> Unread {
    match error {
        Errno::NOENT => Unread::Missing,
        Errno::LOOP | Errno::NOTDIR => Unread::Failed(io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("{} is a link or a file; put the folder itself in its place", folder.display()),
        )),
        other => Unread::Failed(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::FileType;

    #[test]
    fn links_pipes_and_what_is_too_long_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        std::fs::create_dir(path.join("images")).unwrap();
        std::fs::write(path.join("images/a"), "12345").unwrap();
        std::os::unix::fs::symlink("/dev/zero", path.join("images/zero")).unwrap();
        std::os::unix::fs::symlink("images", path.join("other")).unwrap();
        rustix::fs::mknodat(CWD, path.join("images/pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read(path, "images/a", 5).unwrap(), b"12345");
        assert!(matches!(read(path, "images/a", 4), Err(Unread::TooLong { limit: 4 })));
        assert!(matches!(read(path, "images/b", 4), Err(Unread::Missing)));
        for name in ["images/zero", "images/pipe", "images", "../x", "/etc/passwd", ""] {
            assert!(matches!(read(path, name, 5), Err(Unread::NotAFile)), "{name}");
        }
        // The images behind a linked folder may be whole, so they are not said to be lost.
        for name in ["other/a", "images/a/b"] {
            assert!(matches!(read(path, name, 5), Err(Unread::Failed(_))), "{name}");
        }
    }
}
