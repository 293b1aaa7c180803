//! All that a dataset acknowledges is written through here: small enough to be replaced by a model of a disk that loses
//! power. (Who has a dataset, and its thumbnails, nobody relies on: [`durable`] writes them.)

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::error::{Context, DiskError};
use super::layout::{parent, temporary};
use crate::durable;
use crate::ownership;

/// As much of a file as is in memory while it is copied.
const PIECE: u64 = 1 << 20;

/// What a dataset does to a file system. Nothing is durable before it is synced: the bytes of a file by
/// [`DiskFile::sync`], the names in a folder (of files created, renamed, removed) by [`Disk::sync_dir`].
pub trait Disk: Debug + Send + Sync {
    /// Makes a folder that must not exist.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a file that must not exist, to be written from its start.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file to be written at its end.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Renames a file or folder; `AlreadyExists` if the new name is taken.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames a file, atomically replacing one that has the new name.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file, which lasts once its folder is synced.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file being written.
pub trait DiskFile: Debug + Send {
    /// Writes all of `bytes`.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable. After an error, nothing is known of what is on the disk, and a second
    /// call may report success all the same: never call it again on the same file.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file down to its first `length` bytes, so that what was written behind them is read by nobody. After an error
    /// this may be tried. Not durable.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// The operating system's file systems.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)?;
        ownership::hand_over_at(path, parent(path));
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        ownership::hand_over(&file, parent(path));
        Ok(Box::new(OsFile(file)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OsFile(OpenOptions::new().append(true).open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            // A file system that does not know the flag: the dataset is locked, so nobody comes in between.
            Err(Errno::INVAL | Errno::NOSYS) => {
                if fs::symlink_metadata(to).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                // Of a folder that is being created nobody else knows, and one that has anything in it stays.
                match fs::rename(from, to) {
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                        Err(io::ErrorKind::AlreadyExists.into())
                    }
                    renamed => renamed,
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        durable::sync_folder(path)
    }
}

/// Puts a new file with these bytes in the place of `path`; durable on return. A left-over of an interrupted try goes.
pub(super) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    replace_from(disk, path, bytes, crc32c::crc32c(bytes))
}

/// As [`replace`], with what can be read from `source`, which has that CRC32C: a piece after the other, so that it may be
/// longer than there is memory.
pub(super) fn replace_from(
    disk: &dyn Disk,
    path: &Path,
    source: impl Read,
    crc32c: u32,
) -> Result<(), DiskError> {
    let new = temporary(path, 0);
    match disk.remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context("remove", &new),
        Ok(()) | Err(_) => {}
    }
    if write_new_from(disk, &new, source)? != crc32c {
        let changed = io::Error::other("it has changed since it was looked at: begin again");
        return Err(changed).context("copy", path);
    }
    disk.replace(&new, path).context("replace", path)?;
    disk.sync_dir(parent(path)).context("sync", parent(path))
}

/// Writes a file that must not exist, and syncs it (its name is for the caller to sync).
pub(super) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_new_from(disk, path, bytes).map(drop)
}

/// As [`write_new`], with what can be read from `source`; returns the CRC32C of that.
pub(super) fn write_new_from(disk: &dyn Disk, path: &Path, mut source: impl Read) -> Result<u32, DiskError> {
    let mut file = disk.create(path).context("create", path)?;
    let (mut piece, mut crc) = (Vec::new(), 0);
    loop {
        piece.clear();
        source.by_ref().take(PIECE).read_to_end(&mut piece).context("read what goes to", path)?;
        if piece.is_empty() {
            file.sync().context("sync", path)?;
            return Ok(crc);
        }
        file.write_all(&piece).context("write", path)?;
        crc = crc32c::crc32c_append(crc, &piece);
    }
}

#[derive(Debug)]
struct OsFile(File);

impl DiskFile for OsFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // Length is metadata that fdatasync writes too; times are not worth a second write.
        self.0.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rename_never_replaces_and_replace_does() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        OsDisk.create(&a).unwrap().write_all(b"new").unwrap();
        fs::write(&b, "old").unwrap();
        assert_eq!(OsDisk.rename(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(OsDisk.create(&b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&b).unwrap(), b"old");
        OsDisk.replace(&a, &b).unwrap();
        assert_eq!(fs::read(&b).unwrap(), b"new");
    }
}
