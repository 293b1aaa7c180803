//! Files of the scan, as they are here.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, CWD, FileType, Mode, OFlags, fadvise, fstat, openat};

use crate::failure::Failure;
use crate::job::Recorded;
use crate::pace::Pace;

/// What is read at a time.
pub(crate) const PIECE: usize = 256 << 10;

/// A file that is read once from its beginning to its end, and compared with what it should be.
pub(crate) struct Source {
    path: PathBuf,
    want: Recorded,
    read: u64,
    crc32c: u32,
    from: Box<dyn Read>,
}

impl Source {
    /// Opens the file of the scan, whose folder is `dir`.
    pub(crate) fn open(dir: &Path, path: &str, want: Recorded) -> Result<Self, Failure> {
        let path = dir.join(path);
        let from = Box::new(open(&path)?);
        Ok(Self { path, want, read: 0, crc32c: 0, from })
    }

    /// Bytes that are known.
    pub(crate) fn of(bytes: Vec<u8>) -> (Self, Recorded) {
        let want = Recorded { bytes: bytes.len() as u64, crc32c: crc32c::crc32c(&bytes) };
        (Self { path: PathBuf::new(), want, read: 0, crc32c: 0, from: Box::new(Cursor::new(bytes)) }, want)
    }

    /// The next bytes, at most as many as fit; none at the end, which comes where it should, with the checksum that it should have.
    ///
    /// # Errors
    /// It cannot be read, or is not what it should be.
    pub(crate) fn next(&mut self, room: &mut [u8], pace: &mut Pace) -> Result<usize, Failure> {
        let count = self.from.read(room).map_err(|source| unread(&self.path, source))?;
        self.read += count as u64;
        self.crc32c = crc32c::crc32c_append(self.crc32c, &room[..count]);
        let is_over = self.read > self.want.bytes;
        if is_over || (count == 0 && (self.read != self.want.bytes || self.crc32c != self.want.crc32c)) {
            return Err(Failure::Damaged { path: self.path.clone() });
        }
        pace.spend(count);
        Ok(count)
    }
}

/// Length and checksum of a file of which nothing is recorded.
pub(crate) fn measure(dir: &Path, path: &str, pace: &mut Pace) -> Result<Recorded, Failure> {
    let path = dir.join(path);
    sum(&mut open(&path)?, pace).map_err(|source| unread(&path, source))
}

/// Length and checksum of what is left of `file`.
pub(crate) fn sum(file: &mut File, pace: &mut Pace) -> std::io::Result<Recorded> {
    let mut room = vec![0; PIECE];
    let mut sum = Recorded { bytes: 0, crc32c: 0 };
    loop {
        let count = file.read(&mut room)?;
        if count == 0 {
            return Ok(sum);
        }
        sum = Recorded {
            bytes: sum.bytes + count as u64,
            crc32c: crc32c::crc32c_append(sum.crc32c, &room[..count]),
        };
        pace.spend(count);
    }
}

/// Has the kernel forget the file's pages, as far as it can: what is read next then comes from the disk, or from the other machine.
pub(crate) fn forget(file: &File) {
    // Where it cannot, the bytes are compared all the same.
    let _ = fadvise(file, 0, None, Advice::DontNeed);
}

fn open(path: &Path) -> Result<File, Failure> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = openat(CWD, path, flags, Mode::empty()).map_err(|error| unread(path, error.into()))?;
    let kind = fstat(&file).map_err(|error| unread(path, error.into()))?.st_mode;
    if FileType::from_raw_mode(kind) == FileType::RegularFile {
        Ok(file.into())
    } else {
        Err(unread(path, std::io::Error::other("it is no regular file")))
    }
}

fn unread(path: &Path, source: std::io::Error) -> Failure {
    if source.kind() == std::io::ErrorKind::NotFound {
        Failure::Gone { path: path.to_owned() }
    } else {
        Failure::Unread { path: path.to_owned(), source }
    }
}
