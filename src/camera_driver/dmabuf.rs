//! Reading memory that a device has written: without being told, a processor may see what was there before.

use std::os::fd::AsFd;

use rustix::ioctl::{Opcode, Setter, ioctl, opcode};

/// `DMA_BUF_IOCTL_SYNC` of `linux/dma-buf.h`; its argument is the flags below, as 64 bits.
const SYNC: Opcode = opcode::write::<u64>(b'b', 0);
const READ: u64 = 1;
const END: u64 = 1 << 2;

/// Access to a dmabuf, from its creation until it is dropped.
#[derive(Debug)]
pub struct ReadAccess<F: AsFd>(F);

impl<F: AsFd> ReadAccess<F> {
    /// Begins to read the memory of `fd`; none if it is no dmabuf, and needs no such thing.
    pub fn begin(fd: F) -> Option<Self> {
        sync(&fd, READ).then_some(Self(fd))
    }
}

impl<F: AsFd> Drop for ReadAccess<F> {
    fn drop(&mut self) {
        sync(&self.0, READ | END);
    }
}

fn sync(fd: &impl AsFd, flags: u64) -> bool {
    #[expect(unsafe_code, reason = "the kernel's interface to dmabufs is an ioctl")]
    // SAFETY: the request reads 64 bits of flags; on what is no dmabuf it fails and does nothing.
    unsafe {
        ioctl(fd, Setter::<SYNC, u64>::new(flags)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_memory_needs_no_access() {
        assert!(ReadAccess::begin(tempfile::tempfile().unwrap()).is_none());
    }
}
