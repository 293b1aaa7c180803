//! CRC-32 of files that were read.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Checksums that are remembered, so that a client that goes on with an archive does not have all of it read again.
const MAX_CHECKSUMS: usize = 100_000;

/// A file as it was at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::api) struct FileKey {
    pub(in crate::api) path: PathBuf,
    pub(in crate::api) length: u64,
    pub(in crate::api) changed: Option<SystemTime>,
}

/// CRC-32 of files that were read.
#[derive(Debug, Default)]
pub(in crate::api) struct Checksums(Mutex<HashMap<FileKey, u32>>);

impl Checksums {
    /// That of the file `key`: remembered, or as `read` finds it, and remembered from then on.
    pub(in crate::api) fn of(
        &self,
        key: &FileKey,
        read: impl FnOnce() -> io::Result<u32>,
    ) -> io::Result<u32> {
        if let Some(crc) = self.known().get(key) {
            return Ok(*crc);
        }
        let crc = read()?;
        let mut known = self.known();
        if known.len() >= MAX_CHECKSUMS {
            known.clear();
        }
        known.insert(key.clone(), crc);
        Ok(crc)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<FileKey, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
