//! The journal: one record a line, each with its own checksum.
//!
//! ```text
//! {"seq":7,"at":"2026-11-21T13:30:05.123Z","record":{"type":"resumed"},"crc32c":"1f2e3d4c"}
//! ```
//! `crc32c` is the CRC32C (Castagnoli) of the line's bytes before `,"crc32c":`, as eight hexadecimal digits;
//! it is always the last field, so those are all bytes but the last 21 (22 with the line's end). `seq` counts
//! from 0 without gaps. A line counts only with its line end.
//!
//! Reading stops at the first line that is torn, has a wrong checksum or the wrong `seq`: what stands behind
//! it was never acknowledged, because acknowledging means that everything up to there was synced.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scan::Record;

use super::disk::DiskFile;
use super::error::{Context, StoreError};

const CRC_FIELD: &str = ",\"crc32c\":\"";
const CRC_END: &str = "\"}";
const CRC_LENGTH: usize = CRC_FIELD.len() + 8 + CRC_END.len();

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Position in the journal, from 0.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub record: Record,
}

/// What could be read of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRead {
    /// The lines up to the first bad one.
    pub entries: Vec<Entry>,
    /// How many bytes they are.
    pub good_bytes: usize,
    /// Why reading stopped; none at the end of the file.
    pub stop: Option<Stop>,
}

/// Why the reading of a journal stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The last line has no end.
    #[error("its last line is torn")]
    Torn,
    /// The line is not what was written.
    #[error("a line has a wrong checksum")]
    Checksum,
    /// The line is intact, but not the next one.
    #[error("a line has number {found} instead of {expected}")]
    Sequence {
        /// The number wanted.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// The line is intact, but this program does not know what it says.
    #[error("a line is intact but unknown: {0}")]
    Unknown(String),
}

/// Reads the lines of a journal. Never fails: what cannot be read is reported by [`JournalRead::stop`].
pub fn read(bytes: &[u8]) -> JournalRead {
    let mut entries = Vec::new();
    let mut good_bytes = 0;
    let stop = loop {
        let rest = &bytes[good_bytes..];
        if rest.is_empty() {
            break None;
        }
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { break Some(Stop::Torn) };
        match decode(&rest[..end], entries.len() as u64) {
            Ok(entry) => entries.push(entry),
            Err(stop) => break Some(stop),
        }
        good_bytes += end + 1;
    };
    JournalRead { entries, good_bytes, stop }
}

/// The line of `entry`, with its end.
pub fn encode(entry: &Entry) -> serde_json::Result<String> {
    let mut line = serde_json::to_string(entry)?;
    line.pop();
    let crc = crc32c::crc32c(line.as_bytes());
    Ok(format!("{line}{CRC_FIELD}{crc:08x}{CRC_END}\n"))
}

fn decode(line: &[u8], expected: u64) -> Result<Entry, Stop> {
    let (body, check) = line.split_at(line.len().saturating_sub(CRC_LENGTH));
    let crc = format!("{CRC_FIELD}{:08x}{CRC_END}", crc32c::crc32c(body));
    if check != crc.as_bytes() {
        return Err(Stop::Checksum);
    }
    let mut json = body.to_vec();
    json.push(b'}');
    let entry: Entry = serde_json::from_slice(&json).map_err(|error| Stop::Unknown(error.to_string()))?;
    if entry.seq != expected {
        return Err(Stop::Sequence { expected, found: entry.seq });
    }
    Ok(entry)
}

/// A journal open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    next: u64,
    /// The error after which nothing is known of the file's end.
    poison: Option<String>,
}

impl Journal {
    /// Goes on behind `entries` lines of `file`.
    pub(super) fn new(file: Box<dyn DiskFile>, path: PathBuf, entries: usize) -> Self {
        Self { file, path, next: entries as u64, poison: None }
    }

    /// Appends a record and, if `durable`, returns only when it and everything before it is on the disk.
    pub(super) fn append(&mut self, record: &Record, durable: bool) -> Result<Entry, StoreError> {
        self.check()?;
        let entry = Entry { seq: self.next, at: Timestamp::now(), record: record.clone() };
        let line = encode(&entry).map_err(|error| StoreError::Unreadable { reason: error.to_string() })?;
        // What could not be read back would be cut off by the next recovery, together with all that follows.
        if let Some(stop) = decode(line.trim_end().as_bytes(), self.next).err() {
            return Err(StoreError::Unreadable { reason: stop.to_string() });
        }
        let mut written = self.file.write_all(line.as_bytes()).context("append to", &self.path);
        if written.is_ok() && durable {
            written = self.file.sync().context("sync", &self.path);
        }
        if let Err(error) = written {
            self.poison = Some(error.to_string());
            return Err(error.into());
        }
        self.next += 1;
        Ok(entry)
    }

    /// That no earlier append failed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &self.poison {
            Some(cause) => Err(StoreError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }
}
