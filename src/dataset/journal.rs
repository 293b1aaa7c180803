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
//! it was never acknowledged, because acknowledging means that everything up to there was synced. It stops, too, at a
//! line that cannot follow those before it (see [`super::history`]): somebody else wrote it.
//!
//! It is read a line after the other, and no line is longer than [`LONGEST_LINE`]: however long a journal is, and whatever
//! is in it, no more than that is in memory.

use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scan::Record;

use super::disk::DiskFile;
use super::error::{Context, StoreError};
use super::layout::{JOURNAL, parent};
use super::open;
use super::tally::Impossible;

const CRC_FIELD: &str = ",\"crc32c\":\"";
const CRC_END: &str = "\"}";
const CRC_LENGTH: usize = CRC_FIELD.len() + 8 + CRC_END.len();

/// The longest line, with its end: sixteen of the longest messages of a driver fit.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// Most first lines are shorter.
const FIRST_LINE: usize = 1024;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Position in the journal, from 0.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What the line says.
    pub record: Record,
}

/// What could be read of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRead {
    /// The lines up to the first bad one.
    pub entries: Vec<Entry>,
    /// How many bytes they are.
    pub good_bytes: u64,
    /// Why reading stopped; none at the end of the file.
    pub stop: Option<Stop>,
}

/// How far a journal counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Extent {
    /// How many lines count: the number of the next one.
    pub(super) lines: u64,
    /// How many bytes they are.
    pub(super) bytes: u64,
    /// The CRC32C of these bytes, for who reads them once more.
    pub(super) crc32c: u32,
    /// Why reading stopped; none at the end of the file.
    pub(super) stop: Option<Stop>,
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
        /// The number behind that of the line before.
        expected: u64,
        /// The number in the line.
        found: u64,
    },
    /// Nobody writes lines of that length.
    #[error("a line is longer than {LONGEST_LINE} bytes")]
    TooLong,
    /// The line is intact, but this program does not know what it says.
    #[error("a line is intact but unknown: {0}")]
    Unknown(String),
    /// The line is intact, but says what cannot be.
    #[error(transparent)]
    Impossible(#[from] Impossible),
}

/// Reads the lines of a journal, all of which fit into memory. What does not count is reported by [`JournalRead::stop`].
///
/// # Errors
/// The file system's.
pub fn read(source: impl Read) -> io::Result<JournalRead> {
    let mut entries = Vec::new();
    let Extent { bytes, stop, .. } = read_while(source, |entry, _| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(JournalRead { entries, good_bytes: bytes, stop })
}

/// Hands line after line to `follows`, with its length, up to the first that does not count or is refused there.
pub(super) fn read_while(
    source: impl Read,
    mut follows: impl FnMut(Entry, usize) -> Result<(), Impossible>,
) -> io::Result<Extent> {
    let mut source = BufReader::new(source);
    let mut extent = Extent::default();
    let mut line = Vec::new();
    loop {
        let decoded = match next_line(&mut source, &mut line)? {
            None => return Ok(extent),
            Some(text) => text.and_then(|text| decode(text, extent.lines)),
        };
        let length = line.len();
        if let Err(stop) = decoded.and_then(|entry| follows(entry, length).map_err(Stop::from)) {
            return Ok(Extent { stop: Some(stop), ..extent });
        }
        extent.lines += 1;
        extent.bytes += length as u64;
        extent.crc32c = crc32c::crc32c_append(extent.crc32c, &line);
    }
}

/// The first record; none if it does not count or cannot be read. Reads no more than its line.
pub(super) fn first(source: impl Read) -> Option<Entry> {
    let mut line = Vec::new();
    let text = next_line(&mut BufReader::with_capacity(FIRST_LINE, source), &mut line).ok()??;
    decode(text.ok()?, 0).ok()
}

/// Reads a line into `line`: without its end, or why it is none. None at the end of the file.
fn next_line<'a>(
    source: &mut BufReader<impl Read>,
    line: &'a mut Vec<u8>,
) -> io::Result<Option<Result<&'a [u8], Stop>>> {
    line.clear();
    // One byte more tells a line that is too long from one that is torn.
    source.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', line)?;
    Ok(match line.as_slice() {
        [] => None,
        line if line.len() > LONGEST_LINE => Some(Err(Stop::TooLong)),
        [text @ .., b'\n'] => Some(Ok(text)),
        _ => Some(Err(Stop::Torn)),
    })
}

/// The line of `entry`, with its end.
pub fn encode(entry: &Entry) -> serde_json::Result<String> {
    let mut line = serde_json::to_string(entry)?;
    line.pop();
    let crc = crc32c::crc32c(line.as_bytes());
    Ok(format!("{line}{CRC_FIELD}{crc:08x}{CRC_END}\n"))
}

/// The same of an entry that can be read back: what could not be would be cut off by the next recovery, together with all that
/// follows.
pub(super) fn readable(entry: &Entry) -> Result<String, StoreError> {
    let line = encode(entry).map_err(|error| StoreError::Unreadable { reason: error.to_string() })?;
    let read = if line.len() > LONGEST_LINE {
        Err(Stop::TooLong)
    } else {
        decode(line.trim_end().as_bytes(), entry.seq)
    };
    match read {
        Ok(_) => Ok(line),
        Err(stop) => Err(StoreError::Unreadable { reason: stop.to_string() }),
    }
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
    /// Bytes of all its lines.
    length: u64,
    poison: Option<Poison>,
}

/// An error after which nothing is known of the file's end on the disk: nothing is appended any more.
#[derive(Debug)]
struct Poison {
    cause: String,
    /// The record that could not be taken back: whoever reads the journal finds it.
    stands: Option<Entry>,
}

impl Journal {
    /// Goes on behind `lines` lines of `file`, which are `length` bytes.
    pub(super) fn new(file: Box<dyn DiskFile>, path: PathBuf, lines: u64, length: u64) -> Self {
        Self { file, path, next: lines, length, poison: None }
    }

    /// Appends a record and, if `durable`, returns only when it and everything before it is on the disk. On error, nobody
    /// reads the record, unless it [stands](Self::stands).
    pub(super) fn append(&mut self, record: &Record, durable: bool) -> Result<Entry, StoreError> {
        self.check()?;
        let entry = Entry { seq: self.next, at: Timestamp::now(), record: record.clone() };
        let line = readable(&entry)?;
        let mut written = self.file.write_all(line.as_bytes()).context("append to", &self.path);
        if written.is_ok() && durable {
            written = self.file.sync().context("sync", &self.path);
        }
        if let Err(error) = written {
            let stands = self.file.cut(self.length).is_err() && self.is_read(line.as_bytes());
            self.poison = Some(Poison { cause: error.to_string(), stands: stands.then_some(entry) });
            return Err(error.into());
        }
        self.next += 1;
        self.length += line.len() as u64;
        Ok(entry)
    }

    /// Whether whoever reads the journal now finds `line` at its end.
    fn is_read(&self, line: &[u8]) -> bool {
        let mut found = vec![0; line.len()];
        open::file(parent(&self.path), JOURNAL)
            .is_ok_and(|file| file.read_exact_at(&mut found, self.length).is_ok() && found == line)
    }

    /// The record that is in the file, though it is not known to last: its sync failed, and then it could not be taken back.
    pub(super) fn stands(&self) -> Option<&Entry> {
        self.poison.as_ref()?.stands.as_ref()
    }

    /// Bytes of all its lines.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// That no earlier append failed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &self.poison {
            Some(Poison { cause, .. }) => Err(StoreError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }
}
