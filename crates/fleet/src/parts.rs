//! Frames in parts: read out of a driver's memory at one end, put together in memory of its own at the other.

use std::os::fd::OwnedFd;

use bytes::Bytes;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::Errno;
use scanner::camera_driver::host::write_all;
use scanner::camera_driver::memory::{Memory, mappable_length, seals_of};
use scanner::camera_driver::protocol::{FilesInMemory, Frame, MAX_DESCRIPTORS, Payload, Planes};

use crate::wire::FrameBegins;

/// The longest frame that is taken, in bytes: twice what a sensor of 100 megapixels makes, with its raw image.
const LONGEST: u64 = 1 << 30;

/// A frame that is to be sent.
#[derive(Debug)]
pub struct Outgoing {
    /// What is sent first.
    pub begins: FrameBegins,
    memory: Vec<Bytes>,
    sent: u64,
}

impl Outgoing {
    /// Reads what is in `memory`, which may be given back to the driver after that.
    ///
    /// # Errors
    /// What the driver says of it cannot be.
    pub fn read(frame: Frame, memory: Vec<OwnedFd>) -> Result<Self, String> {
        let mut parts = Vec::new();
        for (index, fd) in memory.into_iter().enumerate() {
            let seals = if index == 0 { seals_of(&frame.metadata.payload) } else { SealFlags::SHRINK };
            let length = mappable_length(&fd, seals)?;
            // What lies behind the pixels or files is nothing. Of a raw image, all of its memory is taken.
            let used = if index == 0 { used(&frame.metadata.payload)? } else { length };
            if used > length || used > LONGEST {
                return Err(format!("its bytes end at {used}, and its memory at {length}"));
            }
            let memory = Memory::new(fd, length)?;
            let bytes = memory.bytes().get(..used as usize).unwrap_or_default();
            parts.push(Bytes::copy_from_slice(bytes));
        }
        if parts.is_empty() {
            return Err("it came without its memory".into());
        }
        let crc32c = parts.iter().fold(0, |crc, bytes| crc32c::crc32c_append(crc, bytes));
        let lengths = parts.iter().map(|bytes| bytes.len() as u64).collect();
        Ok(Self { begins: FrameBegins { frame, lengths, crc32c }, memory: parts, sent: 0 })
    }

    /// The next bytes, at most `most`, and where they begin; none once all are sent.
    pub fn next(&mut self, most: usize) -> Option<(u64, Bytes)> {
        let mut within = self.sent;
        for bytes in &self.memory {
            let length = bytes.len() as u64;
            if within < length {
                let begin = within as usize;
                let part = bytes.slice(begin..bytes.len().min(begin + most.max(1)));
                let offset = self.sent;
                self.sent += part.len() as u64;
                return Some((offset, part));
            }
            within -= length;
        }
        None
    }
}

/// Where the bytes of `payload` end.
fn used(payload: &Payload) -> Result<u64, String> {
    let ends: Option<Vec<u64>> = match payload {
        Payload::Pixels(Planes { format, size, strides, offsets }) => {
            if strides.len() != format.planes() || offsets.len() != format.planes() {
                return Err(format!(
                    "{} strides and {} offsets for {} planes",
                    strides.len(),
                    offsets.len(),
                    format.planes()
                ));
            }
            (0..format.planes())
                .map(|plane| {
                    let (row, rows) = format.plane_size(plane, *size);
                    let rows = u64::from(strides[plane]) * u64::from(rows.saturating_sub(1));
                    offsets[plane].checked_add(rows)?.checked_add(u64::from(row))
                })
                .collect()
        }
        Payload::Files(FilesInMemory { files, .. }) => {
            files.iter().map(|file| file.offset.checked_add(file.bytes)).collect()
        }
    };
    let ends = ends.ok_or("it does not lie within any memory")?;
    Ok(ends.into_iter().max().unwrap_or(0))
}

/// A frame of which parts have come.
#[derive(Debug)]
pub struct Incoming {
    begins: FrameBegins,
    memory: Vec<OwnedFd>,
    came: u64,
    crc32c: u32,
}

/// What came of a part.
#[derive(Debug)]
pub enum Came {
    /// More are to come.
    More(Incoming),
    /// The frame is whole, and as it was sent: its memory is sealed as such memory must be.
    Whole(Frame, Vec<OwnedFd>),
}

impl Incoming {
    /// Makes room for what `begins`.
    pub fn new(begins: FrameBegins) -> Result<Self, String> {
        let all = begins.lengths.iter().try_fold(0_u64, |all, length| all.checked_add(*length));
        let as_many = 1 + usize::from(begins.frame.metadata.raw.is_some());
        if begins.lengths.len() != as_many || as_many > MAX_DESCRIPTORS {
            return Err(format!("a frame of {} memories, which should have {as_many}", begins.lengths.len()));
        }
        if all.is_none_or(|all| all == 0 || all > LONGEST) {
            return Err(format!("a frame of {:?} bytes", begins.lengths));
        }
        let memory = begins.lengths.iter().map(|length| memory(*length)).collect::<Result<_, _>>();
        let memory = memory.map_err(|errno| format!("no memory for a frame: {errno}"))?;
        Ok(Self { begins, memory, came: 0, crc32c: 0 })
    }

    /// The number that the node's driver has given it.
    pub fn buffer(&self) -> u64 {
        self.begins.frame.metadata.buffer
    }

    /// What it answers.
    pub fn frame(&self) -> &Frame {
        &self.begins.frame
    }

    /// Takes the bytes that begin at `offset`.
    ///
    /// # Errors
    /// They are not the next ones of this frame, or it is whole and not what was sent.
    pub fn take(mut self, buffer: u64, offset: u64, bytes: &[u8]) -> Result<Came, String> {
        if (buffer, offset) != (self.buffer(), self.came) {
            let (own, came) = (self.buffer(), self.came);
            return Err(format!(
                "bytes from {offset} of frame {buffer} instead of those from {came} of frame {own}"
            ));
        }
        let mut within = offset;
        for (memory, length) in self.memory.iter().zip(&self.begins.lengths) {
            if within < *length {
                if bytes.len() as u64 > length - within {
                    return Err(format!("{} bytes from {within} of a memory of {length}", bytes.len()));
                }
                write_all(memory, within, bytes)
                    .map_err(|errno| format!("no memory for a frame: {errno}"))?;
                self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
                self.came += bytes.len() as u64;
                return self.done();
            }
            within -= length;
        }
        Err("more bytes than were announced".into())
    }

    fn done(self) -> Result<Came, String> {
        if self.came < self.begins.lengths.iter().sum() {
            return Ok(Came::More(self));
        }
        if self.crc32c != self.begins.crc32c {
            return Err(format!("its checksum is {:08x}, sent was {:08x}", self.crc32c, self.begins.crc32c));
        }
        for memory in &self.memory {
            fcntl_add_seals(memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)
                .map_err(|errno| format!("its memory cannot be sealed: {errno}"))?;
        }
        Ok(Came::Whole(self.begins.frame, self.memory))
    }
}

fn memory(bytes: u64) -> Result<OwnedFd, Errno> {
    let memory = memfd_create("remote-frame", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&memory, bytes)?;
    Ok(memory)
}

#[cfg(test)]
mod tests;
