//! CRC-32 of files that were read.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
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
    pub(in crate::api) fn get(&self, key: &FileKey) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    pub(in crate::api) fn put(&self, key: FileKey, crc: u32) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CHECKSUMS {
            known.clear();
        }
        known.insert(key, crc);
    }
}
