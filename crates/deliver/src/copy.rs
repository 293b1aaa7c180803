//! Brings the files of a scan there, one by one.

use std::io::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::job::{Job, Recorded};
use crate::pace::Pace;
use crate::said::Said;
use crate::source::{self, Source};
use crate::store::{Look, Store};

/// What says that a scan is there whole. It comes last.
pub(crate) const LIST: &str = "delivered.json";
/// Longest of it.
pub(crate) const LONGEST_LIST: u64 = 32 << 20;
/// Of its format.
pub(crate) const FORMAT: u32 = 1;

/// What was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) format: u32,
    pub(crate) scan: String,
    /// When, by the clock of the scanner.
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) bytes: u64,
    pub(crate) files: Vec<Listed>,
}

/// A file, with what was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

/// Copies, and says how it goes.
pub(crate) fn copy(
    job: &Job,
    store: &mut dyn Store,
    pace: &mut Pace,
    out: &mut dyn Write,
) -> Result<Said, Failure> {
    let of_bytes = job.files.iter().map(|file| length(job, file)).sum();
    let mut listed: Vec<Listed> = Vec::with_capacity(job.files.len());
    let (mut bytes, mut sent_files, mut sent_bytes) = (0, 0, 0);
    // Whether a list of before was taken away: it does not fit any more once something is sent.
    let mut is_open = false;
    for (index, file) in job.files.iter().enumerate() {
        let path = &file.path;
        let want = file.recorded.map_or_else(|| source::measure(&job.source, path, pace), Ok)?;
        match store.look(path, want, pace)? {
            Look::Same => {}
            Look::Other(_) if index == 0 => return Err(Failure::Other { place: store.place(path) }),
            Look::Absent | Look::Other(_) => {
                if !is_open {
                    store.remove(LIST)?;
                    is_open = true;
                }
                let mut source = Source::open(&job.source, path, want)?;
                store.send(path, want, &mut source, pace)?;
                sent_files += 1;
                sent_bytes += want.bytes;
            }
        }
        bytes += want.bytes;
        listed.push(Listed { path: path.clone(), bytes: want.bytes, crc32c: want.crc32c });
        let progress = Said::Progress { files: listed.len(), of_files: job.files.len(), bytes, of_bytes };
        progress.write(out).map_err(Failure::Unheard)?;
    }
    store.sweep()?;
    let files = listed.len();
    list(job, store, pace, bytes, listed)?;
    Ok(Said::Delivered { files, bytes, sent_files, sent_bytes })
}

/// Lays the list beside the files, unless the one that is there says so already.
fn list(
    job: &Job,
    store: &mut dyn Store,
    pace: &mut Pace,
    bytes: u64,
    files: Vec<Listed>,
) -> Result<(), Failure> {
    let there = store.small(LIST, LONGEST_LIST)?;
    let there = there.and_then(|json| serde_json::from_slice::<Delivered>(&json).ok());
    if there.is_some_and(|there| there.format == FORMAT && there.files == files) {
        return Ok(());
    }
    let list = Delivered {
        format: FORMAT,
        scan: job.scan.clone(),
        at: Timestamp::now(),
        by: job.by.clone(),
        bytes,
        files,
    };
    let json = serde_json::to_vec_pretty(&list).map_err(|error| Failure::Job(error.to_string()))?;
    let (mut source, want): (Source, Recorded) = Source::of(json);
    store.send(LIST, want, &mut source, pace)
}

/// As far as it can be told now.
fn length(job: &Job, file: &crate::job::File) -> u64 {
    let here = || job.source.join(&file.path).symlink_metadata().map_or(0, |metadata| metadata.len());
    file.recorded.map_or_else(here, |recorded| recorded.bytes)
}
