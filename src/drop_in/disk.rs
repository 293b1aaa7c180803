//! What is done to the disk, each a step that is done or not done after a power cut.

use std::io;
use std::path::Path;

use crate::durable::{self, Readers};

/// Where files are kept. In tests, one that loses its power.
pub(super) trait Disk {
    /// A drop-in, which those may read who may read `like`.
    fn put(&self, path: &Path, text: &str, like: &Path) -> io::Result<()>;
    /// No drop-in.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// What is for the service alone.
    fn keep(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// That of this machine.
pub(super) struct Durable;

impl Disk for Durable {
    fn put(&self, path: &Path, text: &str, like: &Path) -> io::Result<()> {
        durable::replace_like(path, text.as_bytes(), like)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        durable::remove(path)
    }

    fn keep(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        durable::replace(path, bytes, Readers::Owner)
    }
}
