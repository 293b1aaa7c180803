//! Memory for files: of each frame its own, which cannot change once it is handed over.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::DeviceError;
use super::pool::write_all;
use crate::camera_driver::protocol::FileInMemory;
use crate::model::FileKind;

/// Files of one frame, written as they come.
#[derive(Debug)]
pub struct FileMemory {
    memory: OwnedFd,
    files: Vec<FileInMemory>,
    length: u64,
}

impl FileMemory {
    /// No file.
    pub fn new() -> Result<Self, DeviceError> {
        let memory = memfd_create("camera-files", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
            .map_err(|errno| DeviceError::no_memory("memory for files", errno))?;
        Ok(Self { memory, files: Vec::new(), length: 0 })
    }

    /// Begins the next file, behind those that are there.
    pub fn begin(&mut self, kind: FileKind) {
        self.files.push(FileInMemory { kind, offset: self.length, bytes: 0 });
    }

    /// Goes on with the file that was begun last.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        write_all(&self.memory, self.length, bytes)
            .map_err(|errno| DeviceError::no_memory("writing a file", errno))?;
        self.length += bytes.len() as u64;
        if let Some(file) = self.files.last_mut() {
            file.bytes += bytes.len() as u64;
        }
        Ok(())
    }

    /// The files, of which nothing can change any more.
    pub fn seal(self) -> Result<(Vec<FileInMemory>, Arc<OwnedFd>), DeviceError> {
        fcntl_add_seals(&self.memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)
            .map_err(|errno| DeviceError::no_memory("sealing files", errno))?;
        Ok((self.files, Arc::new(self.memory)))
    }
}

/// The frames of files that the daemon holds: no more of them than it said.
#[derive(Debug)]
pub struct FileFrames {
    most: usize,
    out: HashSet<u64>,
}

impl FileFrames {
    /// None is out; at most `most` may be.
    pub fn new(most: u32) -> Self {
        Self { most: most as usize, out: HashSet::new() }
    }

    /// Whether another one may be handed over.
    pub fn has_room(&self) -> bool {
        self.out.len() < self.most
    }

    /// `buffer` is handed over.
    pub fn take(&mut self, buffer: u64) {
        self.out.insert(buffer);
    }

    /// `buffer` is given back; nothing if it is none of these.
    pub fn release(&mut self, buffer: u64) {
        self.out.remove(&buffer);
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::{Errno, pread, pwrite};

    use super::*;

    #[test]
    fn files_follow_each_other_and_cannot_change_once_they_are_sealed() {
        let raw = FileKind::Raw { suffix: "cr2".to_owned().try_into().unwrap() };
        let mut memory = FileMemory::new().unwrap();
        memory.begin(FileKind::Jpeg);
        memory.write(b"first ").unwrap();
        memory.write(b"image").unwrap();
        memory.begin(raw.clone());
        memory.write(b"raw").unwrap();
        let (files, memory) = memory.seal().unwrap();
        let file = |kind, offset, bytes| FileInMemory { kind, offset, bytes };
        assert_eq!(files, [file(FileKind::Jpeg, 0, 11), file(raw, 11, 3)]);
        let mut read = [0; 20];
        assert_eq!(pread(&memory, &mut read, 0).unwrap(), 14);
        assert_eq!(&read[..14], b"first imageraw");
        assert_eq!(pwrite(&memory, b"x", 0), Err(Errno::PERM));
        assert!(rustix::fs::ftruncate(&memory, 5).is_err());
    }

    #[test]
    fn no_more_frames_are_out_than_may_be() {
        let mut frames = FileFrames::new(2);
        frames.take(1);
        frames.take(2);
        assert!(!frames.has_room());
        frames.release(7);
        assert!(!frames.has_room());
        frames.release(1);
        assert!(frames.has_room());
    }
}
