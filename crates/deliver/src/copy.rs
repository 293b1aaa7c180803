//! Brings the files of a scan there, one by one.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::job::{File, Job, Recorded, is_path};
use crate::list::{Delivered, FORMAT, LIST, LONGEST_LIST, Listed, UNDER_WAY};
use crate::pace::Pace;
use crate::said::Said;
use crate::source::{self, Source};
use crate::store::{Look, Store};

/// Where files of shots are: what lies there without a record is damage to a dataset.
const SHOTS: [&str; 3] = ["images/", "raw/", "metadata/"];
/// How often a file is looked at anew that has changed while it was sent.
const TRIES: usize = 3;

/// What may lie there of the scan, by what lies there.
struct There {
    /// Whether there is a list that says that the scan is there whole.
    is_whole: bool,
    /// What it says, if that can be read.
    list: Option<Delivered>,
    /// What a list says of a delivery that is under way, or was cut off, if there is one.
    told: Option<BTreeSet<String>>,
    /// Whether this delivery has told what it brings.
    is_open: bool,
    /// What has been brought, or begun to be.
    paths: BTreeSet<String>,
}

impl There {
    fn look(store: &mut dyn Store) -> Result<Self, Failure> {
        let list = store.small(LIST, LONGEST_LIST)?;
        let under_way = store.small(UNDER_WAY, LONGEST_LIST)?;
        let is_whole = list.is_some();
        // Of what is damaged nothing is known, and nothing is taken away.
        let list = list.and_then(|json| serde_json::from_slice::<Delivered>(&json).ok());
        let listed = list.iter().flat_map(|list| &list.files).map(|file| file.path.clone());
        let told =
            under_way.map(|json| serde_json::from_slice::<BTreeSet<String>>(&json).unwrap_or_default());
        let paths = listed.chain(told.iter().flatten().cloned()).filter(|path| is_path(path)).collect();
        Ok(Self { is_whole, list, told, is_open: false, paths })
    }

    /// Before anything changes there: tells what may lie there from now on, and takes the list away, which fits no more.
    fn open(&mut self, job: &Job, store: &mut dyn Store, pace: &mut Pace) -> Result<(), Failure> {
        if self.is_open {
            return Ok(());
        }
        self.paths.extend(job.files.iter().map(|file| file.path.clone()));
        if self.told.as_ref() != Some(&self.paths) {
            let json = serde_json::to_vec(&self.paths).map_err(|error| Failure::Job(error.to_string()))?;
            let (mut source, want) = Source::of(json);
            store.send(UNDER_WAY, want, &mut source, pace)?;
            self.told = Some(self.paths.clone());
        }
        if self.is_whole {
            store.remove(LIST)?;
        }
        self.list = None;
        self.is_open = true;
        Ok(())
    }

    /// Files of shots that are none of the scan any more: taken again, or lost.
    fn gone(&self, job: &Job) -> Vec<String> {
        let has: HashSet<&str> = job.files.iter().map(|file| file.path.as_str()).collect();
        let is_of_shot = |path: &str| SHOTS.iter().any(|folder| path.starts_with(folder));
        self.paths.iter().filter(|path| is_of_shot(path) && !has.contains(path.as_str())).cloned().collect()
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
    let mut there = There::look(store)?;
    for file in &job.files {
        let (want, was_sent) = bring(job, file, store, pace, &mut there)?;
        if was_sent {
            sent_files += 1;
            sent_bytes += want.bytes;
        }
        bytes += want.bytes;
        listed.push(Listed { path: file.path.clone(), bytes: want.bytes, crc32c: want.crc32c });
        let progress = Said::Progress { files: listed.len(), of_files: job.files.len(), bytes, of_bytes };
        progress.write(out).map_err(Failure::Unheard)?;
    }
    for path in there.gone(job) {
        there.open(job, store, pace)?;
        store.remove(&path)?;
    }
    store.sweep()?;
    let files = listed.len();
    list(job, &there, store, pace, bytes, listed)?;
    if there.told.is_some() {
        store.remove(UNDER_WAY)?;
    }
    Ok(Said::Delivered { files, bytes, sent_files, sent_bytes })
}

/// Brings one file there, unless it is there; as which, and whether it was sent.
fn bring(
    job: &Job,
    file: &File,
    store: &mut dyn Store,
    pace: &mut Pace,
    there: &mut There,
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
        there.open(job, store, pace)?;
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
    there: &There,
    store: &mut dyn Store,
    pace: &mut Pace,
    bytes: u64,
    files: Vec<Listed>,
) -> Result<(), Failure> {
    if there.list.as_ref().is_some_and(|list| list.format == FORMAT && list.files == files) {
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
