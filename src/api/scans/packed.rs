//! Files of a dataset, and texts, as one ZIP archive that is never written anywhere: any part of it can be sent.

use std::fs::File;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::FileExt as _;
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
use crate::api::transport::stored::{Opened, StoredFile, Unsent};
use crate::api::transport::zip::{DosTime, Entry, Layout, Part};

/// As many bytes are read at once of a file that may be long.
const PIECE: u64 = 1 << 20;

/// Where the content of an entry comes from.
#[derive(Debug)]
enum Source {
    /// A file that is replaced only when its shot is taken again.
    File(StoredFile, FileKey),
    /// A file that grows, or in whose place another one comes: kept open, and read as far as it went when the archive was laid
    /// out. It may be as long as a journal, so never all of it is in memory.
    Open(File, FileKey),
    /// What is written nowhere.
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

    /// Adds what is not in a file.
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
        let key = self.key(name, file, &opened);
        self.add(name, Source::Open(opened.file, key), time)
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
        let key = self.key(name, &file, &opened);
        self.add(name, Source::File(file, key), time).map(Some)
    }

    /// What tells `file`, which goes into the archive under this name, from what it is before and after.
    fn key(&mut self, name: &str, file: &StoredFile, opened: &Opened) -> FileKey {
        let path: PathBuf = file.dir.join(&file.name);
        let key = FileKey { path, length: opened.length, changed: opened.changed };
        self.tag.update(format!("{name} {} {:?}\n", key.length, key.changed));
        key
    }

    fn add(&mut self, name: &str, source: Source, time: DosTime) -> Answer<()> {
        let length = match &source {
            Source::File(_, key) | Source::Open(_, key) => key.length,
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
    /// The parts of the archive that have something of `range`, and what of each, in pieces for which there is room.
    fn pieces(&self, range: &RangeInclusive<u64>) -> Vec<(Part, Range<u64>)> {
        let parts = self.layout.parts(range).flat_map(|(part, range)| {
            let range = *range.start()..*range.end() + 1;
            let source = if let Part::Content(index) = part { self.sources.get(index) } else { None };
            let piece = if matches!(source, Some(Source::Open(..))) { PIECE } else { u64::MAX };
            cut(range, piece).map(move |piece| (part, piece))
        });
        parts.collect()
    }

    /// So much of a part of the archive. Blocks.
    fn piece(&self, part: Part, range: &Range<u64>, checksums: &Checksums) -> io::Result<Bytes> {
        let source = |index: usize| {
            self.sources.get(index).ok_or_else(|| io::Error::other("an archive without that entry"))
        };
        let whole: Bytes = match part {
            Part::Local(index) => self.layout.local(index, source(index)?.checksum(checksums)?).into(),
            Part::Content(index) => return source(index)?.read(range, checksums),
            Part::Central(index) => self.layout.central(index, source(index)?.checksum(checksums)?).into(),
            Part::End => self.layout.end().into(),
        };
        slice(&whole, range)
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

impl Source {
    /// So much of the content, which is as long as it was.
    fn read(&self, range: &Range<u64>, checksums: &Checksums) -> io::Result<Bytes> {
        match self {
            Self::Bytes(bytes) => slice(bytes, range),
            Self::File(file, key) => {
                let bytes = unchanged(file, key)?;
                // The directory will ask for it.
                checksums.of(key, || Ok(crc32fast::hash(&bytes)))?;
                slice(&bytes, range)
            }
            Self::Open(file, _) => read_at(file, range),
        }
    }

    /// The CRC-32 of all of the content.
    fn checksum(&self, checksums: &Checksums) -> io::Result<u32> {
        match self {
            Self::Bytes(bytes) => Ok(crc32fast::hash(bytes)),
            Self::File(file, key) => checksums.of(key, || Ok(crc32fast::hash(&unchanged(file, key)?))),
            Self::Open(file, key) => checksums.of(key, || {
                let mut crc = crc32fast::Hasher::new();
                for piece in cut(0..key.length, PIECE) {
                    crc.update(&read_at(file, &piece)?);
                }
                Ok(crc.finalize())
            }),
        }
    }
}

/// All of `file`, if it is as it was.
fn unchanged(file: &StoredFile, key: &FileKey) -> io::Result<Bytes> {
    let opened = file.open().map_err(io::Error::other)?;
    if opened.length != key.length || opened.changed != key.changed {
        return Err(io::Error::other(format!("{} has changed", key.path.display())));
    }
    opened.read().map(Bytes::from)
}

fn read_at(file: &File, range: &Range<u64>) -> io::Result<Bytes> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> io::Result<Bytes> {
    if range.end <= bytes.len() as u64 {
        Ok(bytes.slice(range.start as usize..range.end as usize))
    } else {
        Err(io::Error::other("a part too short"))
    }
}

/// `range` in pieces of at most `piece` bytes.
fn cut(range: Range<u64>, piece: u64) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = range;
    let count = (end - start).div_ceil(piece);
    (0..count).map(move |index| start + index * piece..end.min((start + index * piece).saturating_add(piece)))
}

/// Bytes of `range`, a piece after the other, each read when the one before has been taken.
fn stream(
    scans: Scans,
    archive: Arc<Packed>,
    range: &RangeInclusive<u64>,
) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let pieces = archive.pieces(range);
    unfold((scans, archive, pieces.into_iter()), |(scans, archive, mut pieces)| async move {
        let (part, range) = pieces.next()?;
        let (shared, whole) = (scans.clone(), archive.clone());
        let read = tokio::task::spawn_blocking(move || whole.piece(part, &range, &shared.checksums)).await;
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        // The length that was announced is not reached: the client sees that it does not have all.
        let bytes = read.inspect_err(|error| tracing::warn!("an archive breaks off: {error}"));
        Some((bytes, (scans, archive, pieces)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::transport::stored::Length;

    #[test]
    fn what_grows_or_is_replaced_is_sent_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        // Longer than a piece, and no whole number of them.
        let journal: Vec<u8> = (0..PIECE as u32 / 3).flat_map(u32::to_le_bytes).collect();
        let length = journal.len() as u64;
        assert!(length > PIECE && !length.is_multiple_of(PIECE));
        let files = [("journal", journal.as_slice()), ("empty", b""), ("manifest", b"{}")];
        let time = DosTime::of(&"2026-11-21T14:30:06+00:00[UTC]".parse().unwrap());
        let mut packing = Packing::new("owl".into());
        for (name, content) in files {
            std::fs::write(path(name), content).unwrap();
            let length = Length::AtMost(1 << 30);
            let file = StoredFile { dir: dir.path().to_owned(), name: name.to_owned(), length };
            assert!(packing.file_as_it_is(name, &file, time).is_ok());
        }
        let packed = packing.done();
        let grown = File::options().append(true).open(path("journal"));
        io::Write::write_all(&mut grown.unwrap(), b"a further line").unwrap();
        std::fs::write(path("new"), "{ }").unwrap();
        std::fs::rename(path("new"), path("manifest")).unwrap();

        let whole = packed.layout.write(files.map(|(_, content)| content));
        let checksums = Checksums::default();
        let sent = |range: RangeInclusive<u64>| {
            let pieces = packed.pieces(&range).into_iter();
            let pieces = pieces.map(|(part, range)| packed.piece(part, &range, &checksums).unwrap());
            let pieces: Vec<Bytes> = pieces.inspect(|piece| assert!(piece.len() as u64 <= PIECE)).collect();
            pieces.concat()
        };
        let last = whole.len() as u64 - 1;
        assert!(sent(0..=last) == whole);
        for (from, to) in [(0, 0), (40, PIECE + 40), (PIECE, 2 * PIECE), (100, last - 1), (last, last)] {
            let wanted = whole.get(from as usize..=to.min(last) as usize).unwrap();
            assert!(sent(from..=to.min(last)) == wanted, "{from} to {to}");
        }
    }
}
