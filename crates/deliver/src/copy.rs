//! Brings the files of a scan there, one by one.

use std::collections::HashSet;
use std::io::Write;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::job::{File, Job, Recorded};
use crate::list::{Delivered, FORMAT, FORMER, LIST, LONGEST_LIST, Listed};
use crate::pace::Pace;
use crate::said::Said;
use crate::source::{self, Source};
use crate::store::{Look, Store};

/// Where files of shots are: what lies there without a record is damage to a dataset.
const SHOTS: [&str; 3] = ["images/", "raw/", "metadata/"];
/// How often a file is looked at anew that has changed while it was sent.
const TRIES: usize = 3;

/// What was delivered before, by what lies there.
struct Former {
    /// Whether there is a list that says that the scan is there whole.
    is_whole: bool,
    /// Whether there is one of before.
    is_kept: bool,
    /// What is listed in it, and in that of before, if somebody was cut off.
    listed: Vec<String>,
    /// The list, as it is.
    json: Vec<u8>,
}

impl Former {
    fn look(store: &mut dyn Store) -> Result<Self, Failure> {
        let list = store.small(LIST, LONGEST_LIST)?;
        let before = store.small(FORMER, LONGEST_LIST)?;
        let is_kept = before.is_some();
        let lists = [&list, &before].into_iter().flatten();
        // Of what is damaged nothing is known, and nothing is taken away.
        let lists = lists.filter_map(|json| serde_json::from_slice::<Delivered>(json).ok());
        let listed = lists.flat_map(|list| list.files).map(|file| file.path).collect();
        Ok(Self { is_whole: list.is_some(), is_kept, listed, json: list.unwrap_or_default() })
    }

    /// Takes the list away, which does not fit any more once something is sent. What it has said is kept until the next one is there.
    fn open(&mut self, store: &mut dyn Store, pace: &mut Pace) -> Result<(), Failure> {
        if !self.is_whole {
            return Ok(());
        }
        let (mut source, want) = Source::of(self.json.clone());
        store.send(FORMER, want, &mut source, pace)?;
        self.is_kept = true;
        store.remove(LIST)?;
        self.is_whole = false;
        Ok(())
    }

    /// Files of shots that were delivered, and are none of the scan any more: taken again, or lost.
    fn gone(&self, job: &Job) -> Vec<String> {
        let has: HashSet<&str> = job.files.iter().map(|file| file.path.as_str()).collect();
        let is_of_shot = |path: &str| SHOTS.iter().any(|folder| path.starts_with(folder));
        let mut gone: Vec<String> = self
            .listed
            .iter()
            .filter(|path| is_of_shot(path) && !has.contains(path.as_str()))
            .cloned()
            .collect();
        gone.sort();
        gone.dedup();
        gone
    }
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
    let mut former = Former::look(store)?;
    for file in &job.files {
        let (want, was_sent) = bring(job, file, store, pace, &mut former)?;
        if was_sent {
            sent_files += 1;
            sent_bytes += want.bytes;
        }
        bytes += want.bytes;
        listed.push(Listed { path: file.path.clone(), bytes: want.bytes, crc32c: want.crc32c });
        let progress = Said::Progress { files: listed.len(), of_files: job.files.len(), bytes, of_bytes };
        progress.write(out).map_err(Failure::Unheard)?;
    }
    for path in former.gone(job) {
        former.open(store, pace)?;
        store.remove(&path)?;
    }
    store.sweep()?;
    let files = listed.len();
    list(job, store, pace, bytes, listed)?;
    if former.is_kept {
        store.remove(FORMER)?;
    }
    Ok(Said::Delivered { files, bytes, sent_files, sent_bytes })
}

/// Brings one file there, unless it is there; as which, and whether it was sent.
fn bring(
    job: &Job,
    file: &File,
    store: &mut dyn Store,
    pace: &mut Pace,
    former: &mut Former,
) -> Result<(Recorded, bool), Failure> {
    let path = &file.path;
    let is_first = job.files.first().is_some_and(|first| first.path == *path);
    for _ in 0..TRIES {
        let want = file.recorded.map_or_else(|| source::measure(&job.source, path, pace), Ok)?;
        match store.look(path, want, pace)? {
            Look::Same => return Ok((want, false)),
            Look::Other(_) if is_first => return Err(Failure::Other { place: store.place(path) }),
            Look::Absent | Look::Other(_) => {}
        }
        former.open(store, pace)?;
        let mut source = Source::open(&job.source, path, want)?;
        match store.send(path, want, &mut source, pace) {
            // Somebody writes to it, and nobody has said what it should be.
            Err(Failure::Damaged { .. }) if file.recorded.is_none() => {}
            sent => return sent.map(|()| (want, true)),
        }
    }
    Err(Failure::Changing { path: job.source.join(path) })
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
fn length(job: &Job, file: &File) -> u64 {
    let here = || job.source.join(&file.path).symlink_metadata().map_or(0, |metadata| metadata.len());
    file.recorded.map_or_else(here, |recorded| recorded.bytes)
}
