//! The whole dataset of a scan as one ZIP archive, or any part of it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use http::{HeaderMap, HeaderValue, header};
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use crate::dataset;

use super::app::{App, Shared};
use super::extract::Path;
use super::files;
use super::problem::{Answer, Problem};
use super::zip::{DosTime, Entry, Layout, Part};

/// Checksums that are remembered, so that a client that goes on with an archive does not have all of it read again.
const MAX_CHECKSUMS: usize = 100_000;

/// Where the content of an entry comes from.
#[derive(Debug, Clone)]
enum Source {
    /// A file that is replaced only when its shot is taken again.
    File(FileKey),
    /// What stands in a file that changes, as it was when the archive was laid out.
    Bytes(Bytes),
}

/// A file as it was at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileKey {
    path: PathBuf,
    length: u64,
    changed: Option<SystemTime>,
}

/// CRC-32 of files that were read.
#[derive(Debug, Default)]
pub(super) struct Checksums(Mutex<HashMap<FileKey, u32>>);

impl Checksums {
    fn get(&self, key: &FileKey) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    fn put(&self, key: FileKey, crc: u32) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CHECKSUMS {
            known.clear();
        }
        known.insert(key, crc);
    }
}

struct Archive {
    layout: Layout,
    sources: Vec<Source>,
    etag: String,
}

impl Archive {
    /// Of the files that the scan's records know, and those that describe it.
    fn of(dir: &std::path::Path, id: &str) -> Answer<Self> {
        let contents = dataset::read_contents(dir)?;
        let zone = TimeZone::system();
        let time = |at: jiff::Timestamp| DosTime::of(&at.to_zoned(zone.clone()));
        let created = time(contents.manifest.created);
        let mut entries = Vec::new();
        let mut sources = Vec::new();
        let mut tag = Sha256::new();
        let mut add = |name: &str, source: Source, time: DosTime| -> Answer<()> {
            let length = match &source {
                Source::File(key) => key.length,
                Source::Bytes(bytes) => bytes.len() as u64,
            };
            let length =
                u32::try_from(length).map_err(|_| Problem::failed(format!("{name} is larger than 4 GiB")))?;
            match &source {
                Source::File(key) => tag.update(format!("{name} {length} {:?}\n", key.changed)),
                Source::Bytes(bytes) => tag.update(bytes),
            }
            entries.push(Entry { name: format!("{id}/{name}"), length, time });
            sources.push(source);
            Ok(())
        };
        // Of a scan under way these grow: they are as they are now.
        for name in dataset::DESCRIPTIONS {
            if let Ok(bytes) = std::fs::read(dir.join(name)) {
                add(name, Source::Bytes(bytes.into()), created)?;
            }
        }
        for stored in contents.tally().stored() {
            let Some(files) = contents.files(stored.shot) else { continue };
            let at = time(stored.facts.taken_at);
            for name in [files.image, files.metadata, files.thumbnail] {
                // A thumbnail may be missing. So may an image, which `verify` is there to tell.
                if let Ok(metadata) = std::fs::metadata(dir.join(&name)) {
                    let key = FileKey {
                        path: dir.join(&name),
                        length: metadata.len(),
                        changed: metadata.modified().ok(),
                    };
                    add(&name, Source::File(key), at)?;
                }
            }
        }
        Ok(Self {
            layout: Layout::new(entries),
            sources,
            etag: format!("\"{}\"", files::tag(&tag.finalize())),
        })
    }

    /// The content of an entry with its CRC-32, which is as long as it was.
    fn read(&self, index: usize, checksums: &Checksums) -> std::io::Result<(Bytes, u32)> {
        match self.sources.get(index) {
            Some(Source::Bytes(bytes)) => Ok((bytes.clone(), crc32fast::hash(bytes))),
            Some(Source::File(key)) => {
                let bytes = std::fs::read(&key.path)?;
                let changed = std::fs::metadata(&key.path)?.modified().ok();
                if bytes.len() as u64 != key.length || changed != key.changed {
                    return Err(std::io::Error::other(format!("{} has changed", key.path.display())));
                }
                let crc = checksums.get(key).unwrap_or_else(|| crc32fast::hash(&bytes));
                checksums.put(key.clone(), crc);
                Ok((bytes.into(), crc))
            }
            None => Err(std::io::Error::other("an archive without that entry")),
        }
    }

    fn checksum(&self, index: usize, checksums: &Checksums) -> std::io::Result<u32> {
        if let Some(Source::File(key)) = self.sources.get(index)
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
}

/// Bytes of `range`, a part after the other, each read when the one before has been taken.
fn stream(
    app: Arc<App>,
    archive: Arc<Archive>,
    range: &std::ops::RangeInclusive<u64>,
) -> impl Stream<Item = std::io::Result<Bytes>> + use<> {
    let parts: Vec<_> = archive.layout.parts(range).collect();
    unfold((app, archive, parts.into_iter()), |(app, archive, mut parts)| async move {
        let (part, range) = parts.next()?;
        let (shared, whole) = (app.clone(), archive.clone());
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
        Some((bytes, (app, archive, parts)))
    })
}

/// The whole dataset as a ZIP archive, nothing compressed. Parts of it can be had (`Range`), as long as the scan does
/// not change (`If-Range`).
#[utoipa::path(get, path = "/api/v1/scans/{scan}/archive.zip", operation_id = "get_scan_archive", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "application/zip"),
    (status = 206, body = [u8], content_type = "application/zip"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn archive(app: Shared, headers: HeaderMap, Path(scan): Path<String>) -> Answer<Response> {
    let shared = app.0.clone();
    let id = scan.clone();
    let archive = app.on_disk(move || Archive::of(&shared.folder_of(&id)?, &id).map(Arc::new)).await?;
    let (length, etag) = (archive.layout.length(), archive.etag.clone());
    let wanted = files::wanted(&headers, length, &etag);
    let mut response = files::respond(wanted, length, &etag, "application/zip", |range| {
        Body::from_stream(stream(app.0.clone(), archive, &range))
    })?;
    // The id of a scan has no character that would have to be escaped.
    let name =
        HeaderValue::from_str(&format!("attachment; filename=\"{scan}.zip\"")).map_err(Problem::failed)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
