//! Files of a dataset, and texts, as one ZIP archive that is never written anywhere: any part of it can be sent.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::checksums::{Checksums, FileKey};
use super::state::Scans;
use crate::api::transport::files;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::stored::{StoredFile, Unsent};
use crate::api::transport::zip::{DosTime, Entry, Layout, Part};

/// Where the content of an entry comes from.
#[derive(Debug, Clone)]
enum Source {
    /// A file that is replaced only when its shot is taken again.
    File(StoredFile, FileKey),
    /// What is written nowhere, or stands in a file that changes, as it was when the archive was laid out.
    Bytes(Bytes),
}

/// An archive that can be sent.
pub(super) struct Packed {
    layout: Layout,
    sources: Vec<Source>,
    etag: String,
}

/// An archive that is being laid out.
pub(super) struct Packing {
    /// The folder that everything in it is in.
    folder: String,
    entries: Vec<Entry>,
    sources: Vec<Source>,
    tag: Sha256,
}

impl Packing {
    /// All of whose entries are in `folder`.
    pub(super) fn new(folder: String) -> Self {
        Self { folder, entries: Vec::new(), sources: Vec::new(), tag: Sha256::new() }
    }

    /// Adds what is not in a file, or not in one that stays as it is.
    pub(super) fn bytes(&mut self, name: &str, bytes: Bytes, time: DosTime) -> Answer<()> {
        self.tag.update(format!("{name} {}\n", bytes.len()));
        self.tag.update(&bytes);
        self.add(name, Source::Bytes(bytes), time)
    }

    /// Adds a file of the dataset that changes, as it is now.
    pub(super) fn file_as_it_is(&mut self, name: &str, file: &StoredFile, time: DosTime) -> Answer<()> {
        let opened = match file.open() {
            Err(wrong @ (Unsent::Missing(_) | Unsent::Changed { .. })) => return Err(unfit(&wrong)),
            opened => opened?,
        };
        self.bytes(name, opened.read().map_err(Problem::failed)?.into(), time)
    }

    /// Adds a file of the dataset under this name.
    ///
    /// # Errors
    /// It is not there, or not as it was stored: an archive has everything or is none, since one that leaves something out
    /// looks whole.
    pub(super) fn file(&mut self, name: &str, file: StoredFile, time: DosTime) -> Answer<()> {
        match self.file_if_there(name, file, time)? {
            Some(()) => Ok(()),
            None => Err(unfit(&Unsent::Missing(name.to_owned()))),
        }
    }

    /// As [`Self::file`], but for a file that need not be there; none without it.
    pub(super) fn file_if_there(
        &mut self,
        name: &str,
        file: StoredFile,
        time: DosTime,
    ) -> Answer<Option<()>> {
        let opened = match file.open() {
            Err(Unsent::Missing(_)) => return Ok(None),
            Err(changed @ Unsent::Changed { .. }) => return Err(unfit(&changed)),
            opened => opened?,
        };
        let path: PathBuf = file.dir.join(&file.name);
        let key = FileKey { path, length: opened.length, changed: opened.changed };
        self.tag.update(format!("{name} {} {:?}\n", key.length, key.changed));
        self.add(name, Source::File(file, key), time).map(Some)
    }

    fn add(&mut self, name: &str, source: Source, time: DosTime) -> Answer<()> {
        let length = match &source {
            Source::File(_, key) => key.length,
            Source::Bytes(bytes) => bytes.len() as u64,
        };
        let length =
            u32::try_from(length).map_err(|_| Problem::failed(format!("{name} is larger than 4 GiB")))?;
        let is_program = [".sh", ".py"].iter().any(|ending| name.ends_with(ending));
        self.entries.push(Entry { name: format!("{}/{name}", self.folder), length, time, is_program });
        self.sources.push(source);
        Ok(())
    }

    /// The archive, with everything that was put into it.
    pub(super) fn done(self) -> Packed {
        Packed {
            layout: Layout::new(self.entries),
            sources: self.sources,
            etag: format!("\"{}\"", files::tag(&self.tag.finalize())),
        }
    }
}

/// That no archive is made, and what to do.
fn unfit(unsent: &Unsent) -> Problem {
    let what = "`scanner dataset verify` shows what else is wrong with it, and what to do";
    Problem::new(ProblemType::Dataset, format!("no archive of this scan can be made: {unsent}; {what}"))
}

impl Packed {
    /// The content of an entry with its CRC-32, which is as long as it was.
    fn read(&self, index: usize, checksums: &Checksums) -> std::io::Result<(Bytes, u32)> {
        match self.sources.get(index) {
            Some(Source::Bytes(bytes)) => Ok((bytes.clone(), crc32fast::hash(bytes))),
            Some(Source::File(file, key)) => {
                let opened = file.open().map_err(std::io::Error::other)?;
                if opened.length != key.length || opened.changed != key.changed {
                    return Err(std::io::Error::other(format!("{} has changed", key.path.display())));
                }
                let bytes = opened.read()?;
                let crc = checksums.get(key).unwrap_or_else(|| crc32fast::hash(&bytes));
                checksums.put(key.clone(), crc);
                Ok((bytes.into(), crc))
            }
            None => Err(std::io::Error::other("an archive without that entry")),
        }
    }

    fn checksum(&self, index: usize, checksums: &Checksums) -> std::io::Result<u32> {
        if let Some(Source::File(_, key)) = self.sources.get(index)
            && let Some(crc) = checksums.get(key)
        {
            return Ok(crc);
        }
        self.read(index, checksums).map(|(_, crc)| crc)
    }

    /// A part of the archive. Blocks.
    fn part(&self, part: Part, checksums: &Checksums) -> std::io::Result<Bytes> {
        Ok(match part {
            Part::Local(index) => self.layout.local(index, self.checksum(index, checksums)?).into(),
            Part::Content(index) => self.read(index, checksums)?.0,
            Part::Central(index) => self.layout.central(index, self.checksum(index, checksums)?).into(),
            Part::End => self.layout.end().into(),
        })
    }

    /// What `headers` ask for of the archive, which a browser keeps as `file_name`. That name has no character that would
    /// have to be escaped.
    pub(super) fn respond(
        self: Arc<Self>,
        scans: &Scans,
        headers: &HeaderMap,
        file_name: &str,
    ) -> Answer<Response> {
        let (length, etag) = (self.layout.length(), self.etag.clone());
        let wanted = files::wanted(headers, length, &etag);
        let mut response = files::respond(wanted, length, &etag, "application/zip", |range| {
            Body::from_stream(stream(scans.clone(), self, &range))
        })?;
        let name = HeaderValue::from_str(&format!("attachment; filename=\"{file_name}\""));
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name.map_err(Problem::failed)?);
        Ok(response)
    }
}

/// Bytes of `range`, a part after the other, each read when the one before has been taken.
fn stream(
    scans: Scans,
    archive: Arc<Packed>,
    range: &std::ops::RangeInclusive<u64>,
) -> impl Stream<Item = std::io::Result<Bytes>> + use<> {
    let parts: Vec<_> = archive.layout.parts(range).collect();
    unfold((scans, archive, parts.into_iter()), |(scans, archive, mut parts)| async move {
        let (part, range) = parts.next()?;
        let (shared, whole) = (scans.clone(), archive.clone());
        let read = tokio::task::spawn_blocking(move || whole.part(part, &shared.checksums)).await;
        let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let bytes = read.and_then(|bytes| {
            let (from, to) = (*range.start() as usize, *range.end() as usize + 1);
            if to <= bytes.len() {
                Ok(bytes.slice(from..to))
            } else {
                Err(std::io::Error::other("a part too short"))
            }
        });
        // The length that was announced is not reached: the client sees that it does not have all.
        let bytes = bytes.inspect_err(|error| tracing::warn!("an archive breaks off: {error}"));
        Some((bytes, (scans, archive, parts)))
    })
}
