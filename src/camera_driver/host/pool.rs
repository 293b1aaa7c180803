//! Memory for frames: a fixed number of sealed memfds.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{Errno, pwrite};

use super::{DeviceError, Layout};

/// Memory for frames of one layout.
#[derive(Debug)]
pub struct Pool {
    layout: Layout,
    slots: Slots,
}

/// Memory for a fixed number of frames of one length.
#[derive(Debug)]
pub struct Slots(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    memory: Arc<OwnedFd>,
    /// The frame that is in it, while somebody holds it.
    buffer: Option<u64>,
}

impl Pool {
    /// Room for `count` frames.
    pub fn new(layout: Layout, count: u32) -> Result<Self, DeviceError> {
        let slots = Slots::new(layout.bytes, count)?;
        Ok(Self { layout, slots })
    }

    /// How frames lie in this memory.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether a frame can be put.
    pub fn has_room(&self) -> bool {
        self.slots.has_room()
    }

    /// Puts `pixels` into free memory, which is `buffer` until released; none if all is held.
    pub fn put(&mut self, buffer: u64, pixels: &[u8]) -> Result<Option<Arc<OwnedFd>>, DeviceError> {
        self.put_planes(buffer, [(0, pixels)])
    }

    /// As [`put`](Self::put), for planes with their offsets.
    pub fn put_planes<'a>(
        &mut self,
        buffer: u64,
        planes: impl IntoIterator<Item = (u64, &'a [u8])>,
    ) -> Result<Option<Arc<OwnedFd>>, DeviceError> {
        self.slots.put(buffer, planes)
    }

    /// Frees the memory of `buffer`; nothing if it is not in this pool.
    pub fn release(&mut self, buffer: u64) {
        self.slots.release(buffer);
    }
}

impl Slots {
    /// Room for `count` frames of `bytes`.
    pub fn new(bytes: u64, count: u32) -> Result<Self, DeviceError> {
        (0..count)
            .map(|_| Ok(Slot { memory: Arc::new(sealed_memory(bytes)?), buffer: None }))
            .collect::<Result<_, Errno>>()
            .map(Self)
            .map_err(|errno| DeviceError::no_memory("memory for frames", errno))
    }

    /// Whether a frame can be put.
    pub fn has_room(&self) -> bool {
        self.0.iter().any(|slot| slot.buffer.is_none())
    }

    /// Puts parts of a frame, each where it is to be, into free memory, which is `buffer` until released; none if all is held.
    pub fn put<'a>(
        &mut self,
        buffer: u64,
        planes: impl IntoIterator<Item = (u64, &'a [u8])>,
    ) -> Result<Option<Arc<OwnedFd>>, DeviceError> {
        let Some(slot) = self.0.iter_mut().find(|slot| slot.buffer.is_none()) else { return Ok(None) };
        for (offset, bytes) in planes {
            write_all(&slot.memory, offset, bytes)
                .map_err(|errno| DeviceError::no_memory("writing a frame", errno))?;
        }
        slot.buffer = Some(buffer);
        Ok(Some(Arc::clone(&slot.memory)))
    }

    /// Frees the memory of `buffer`; nothing if it is not in these.
    pub fn release(&mut self, buffer: u64) {
        if let Some(slot) = self.0.iter_mut().find(|slot| slot.buffer == Some(buffer)) {
            slot.buffer = None;
        }
    }
}

/// Anonymous memory of `bytes` whose length cannot change any more.
pub fn sealed_memory(bytes: u64) -> Result<OwnedFd, Errno> {
    let memory = memfd_create("camera-frame", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&memory, bytes)?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW)?;
    Ok(memory)
}

/// Writes all of `bytes` to `memory`, from `offset` on.
pub fn write_all(memory: &OwnedFd, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
    let mut written = 0;
    while written < bytes.len() {
        match pwrite(memory, &bytes[written..], offset + written as u64) {
            Ok(0) => return Err(Errno::NOSPC),
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
