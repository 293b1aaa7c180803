//! Reading files whose name somebody else chose: whatever is there, it takes no more memory than such a file may have, and
//! nobody waits for it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

/// Longest file of a secret, in bytes.
const MOST_SECRET: u64 = 4096;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// Looked for, and not there.
    #[error("is missing")]
    Missing,
    /// Looked at, and it is a link, a folder, a FIFO or the like.
    #[error("is no regular file")]
    NotAFile,
    /// Looked at, and longer than it may be.
    #[error("is longer than {limit} bytes")]
    TooLong {
        /// How long it may be.
        limit: u64,
    },
    /// Nobody knows what is there: the file system, or this process, could not look.
    #[error("cannot be read: {0}")]
    Failed(io::Error),
}

impl From<Unread> for io::Error {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Missing => Self::new(io::ErrorKind::NotFound, unread),
            Unread::NotAFile | Unread::TooLong { .. } => Self::new(io::ErrorKind::InvalidData, unread),
            Unread::Failed(error) => error,
        }
    }
}

/// Whether this process lacks what it takes to look at any file, descriptors or memory: that says nothing of this one, and
/// another look may find it.
pub fn is_for_want(error: &io::Error) -> bool {
    let wants = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    wants.iter().any(|want| error.raw_os_error() == Some(want.raw_os_error()))
}

/// The longest of what is small, in bytes: keys, certificates, notes of the program.
pub const SMALL: u64 = 1 << 20;

/// Nothing waits for the other end of a FIFO, and no terminal becomes this process' own.
pub const QUIET: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// All of the file at `path`, which has at most `limit` bytes. Links are followed, to a regular file in the end.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
    whole(open_at(CWD, path, OFlags::empty())?, limit)
}

/// Opens the regular file at `path`, from the open folder `folder`, with `flags` besides [`QUIET`].
pub fn open_at(folder: impl AsFd, path: &Path, flags: OFlags) -> Result<File, Unread> {
    if !flags.contains(OFlags::NOFOLLOW) {
        // Some devices do something when they are opened.
        let found = statat(&folder, path, rustix::fs::AtFlags::empty()).map_err(explain)?;
        must_be_regular(found.st_mode)?;
    }
    let file = openat(folder, path, OFlags::RDONLY | QUIET | flags, Mode::empty()).map_err(explain)?;
    must_be_regular(fstat(&file).map_err(explain)?.st_mode)?;
    Ok(file.into())
}

fn must_be_regular(mode: rustix::fs::RawMode) -> Result<(), Unread> {
    if FileType::from_raw_mode(mode) == FileType::RegularFile { Ok(()) } else { Err(Unread::NotAFile) }
}

/// All of `file`, which has at most `limit` bytes.
pub fn whole(file: File, limit: u64) -> Result<Vec<u8>, Unread> {
    if file.metadata().map_err(Unread::Failed)?.len() > limit {
        return Err(Unread::TooLong { limit });
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Unread::Failed)?;
    if bytes.len() as u64 > limit { Err(Unread::TooLong { limit }) } else { Ok(bytes) }
}

/// What opening or looking came to.
pub fn explain(error: Errno) -> Unread {
    match error {
        Errno::NOENT => Unread::Missing,
        // A link, a file where a folder should be, a socket.
        Errno::LOOP | Errno::NOTDIR | Errno::NXIO => Unread::NotAFile,
        other => Unread::Failed(other.into()),
    }
}

/// The text of a file that is nobody else's business. The error does not have it.
///
/// # Errors
/// It cannot be read, or has not one line.
pub fn read_secret(file: &Path) -> Result<String, String> {
    let unread = |error: &dyn std::fmt::Display| format!("{} {error}", file.display());
    let bytes = read(file, MOST_SECRET).map_err(|error| unread(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| unread(&"is no text"))?;
    let secret = text.trim();
    if secret.is_empty() || secret.contains(char::is_control) {
        return Err(unread(&"has no secret of one line"));
    }
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_to_a_file_is_read_and_to_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a"), "12345").unwrap();
        rustix::fs::mknodat(CWD, path("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for (to, name) in
            [("a", "link"), ("/dev/zero", "zero"), ("pipe", "to pipe"), ("loop", "loop"), (".", "dir")]
        {
            symlink(to, path(name)).unwrap();
        }
        assert_eq!(read(&path("link"), 5).unwrap(), b"12345");
        assert!(matches!(read(&path("link"), 4), Err(Unread::TooLong { limit: 4 })));
        assert!(matches!(read(&path("none"), 4), Err(Unread::Missing)));
        for name in ["zero", "pipe", "to pipe", "loop", "dir", "a/b"] {
            assert!(matches!(read(&path(name), 5), Err(Unread::NotAFile)), "{name}");
        }
    }
}
