//! A frame as it came from a driver: nothing of it is checked, but it goes back.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use crate::camera_driver::link::Link;
use crate::camera_driver::protocol::{FrameMetadata, ToDriver};

/// A frame as it came. It is given back to the driver when dropped.
#[derive(Debug)]
pub(super) struct ReceivedFrame {
    pub(super) metadata: FrameMetadata,
    /// Of its picture, and of the raw image beside it.
    pub(super) memory: Vec<OwnedFd>,
    pub(super) received_ns: u64,
    pub(super) release: Release,
}

/// Tells the driver, when dropped, that a frame's memory is free.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) link: Weak<Link>,
    pub(super) buffer: u64,
}

impl Release {
    /// Of `buffer` of the driver at the other end of `link`.
    pub(super) fn new(link: &Arc<Link>, buffer: u64) -> Self {
        Self { link: Arc::downgrade(link), buffer }
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        // A driver that has ended has no memory to give back to, and one that does not listen is ended soon.
        if let Some(link) = self.link.upgrade() {
            let _ = link.send_or_drop(&ToDriver::Release { buffer: self.buffer }, &[]);
        }
    }
}
