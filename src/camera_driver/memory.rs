//! The memory of a frame, as whoever gets it may read it: mapped, and no shorter than it was found.

use std::os::fd::OwnedFd;

use memmap2::{Mmap, MmapOptions};
use rustix::fs::{FileType as NodeType, SealFlags, fcntl_get_seals, fstat};

use super::dmabuf::ReadAccess;
use super::protocol::Payload;

/// Mapped memory, as long as it may be read.
#[derive(Debug)]
pub struct Memory {
    map: Mmap,
    _access: Option<ReadAccess<OwnedFd>>,
}

impl Memory {
    /// Maps `fd`, which has `length` bytes, and never fewer: as [`mappable_length`] says.
    pub fn new(fd: OwnedFd, length: u64) -> Result<Self, String> {
        let map = map(&fd, length).map_err(|error| format!("its memory cannot be mapped: {error}"))?;
        Ok(Self { map, _access: ReadAccess::begin(fd) })
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}

/// The seals that the memory of `payload` must have.
pub fn seals_of(payload: &Payload) -> SealFlags {
    // Pixels are numbers, whatever becomes of them meanwhile; what is decoded must not change.
    match payload {
        Payload::Pixels(_) => SealFlags::SHRINK,
        Payload::Files(_) => SealFlags::SHRINK | SealFlags::WRITE,
    }
}

/// The length of `fd` in bytes, if it has these `seals` and can never become shorter: reading a mapping beyond the end kills.
pub fn mappable_length(fd: &OwnedFd, seals: SealFlags) -> Result<u64, String> {
    let stat = fstat(fd).map_err(|error| format!("its memory cannot be examined: {error}"))?;
    match fcntl_get_seals(fd) {
        Ok(has) if has.contains(seals) => {}
        Ok(has) if has.contains(SealFlags::SHRINK) => {
            return Err("its memory has files, and is not sealed against writing".into());
        }
        Ok(_) => return Err("its memory is not sealed against shrinking".into()),
        Err(_) if seals.contains(SealFlags::WRITE) => {
            return Err("its memory has files, and is no memfd that is sealed against writing".into());
        }
        // No memfd: a dmabuf has a fixed size, a file has not.
        Err(_) if NodeType::from_raw_mode(stat.st_mode) == NodeType::RegularFile => {
            return Err("its memory is a file, neither a sealed memfd nor a dmabuf".into());
        }
        Err(_) => {}
    }
    u64::try_from(stat.st_size).map_err(|_| "its memory has no length".into())
}

fn map(fd: &OwnedFd, length: u64) -> std::io::Result<Mmap> {
    let mut options = MmapOptions::new();
    options.len(usize::try_from(length).map_err(|_| std::io::ErrorKind::OutOfMemory)?);
    #[expect(unsafe_code, reason = "frames are passed in shared memory: there is no safe way to map it")]
    // SAFETY: the memory cannot shrink (`mappable_length`), so reading it cannot fault, and by the protocol
    // the driver leaves it alone until it is released, which is when this mapping is gone. A driver that
    // writes nevertheless spoils the bytes of its own picture: they are only ever used as numbers.
    unsafe {
        options.map(fd)
    }
}
