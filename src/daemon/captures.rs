//! Photographs that a person took between scans: a folder of its own beside the scans, which is none of them.
//!
//! ```text
//! _captures/
//!   000042.jpg         numbers go up and never come back; one for each photograph
//!   000042.json        what is known of it: written last, so a photograph without one was not acknowledged
//!   000042.thumb.jpg   for looking at; may be missing
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::config;
use crate::dataset::open::{self, Unread};
use crate::durable::{self, Readers};
use crate::model::Size;
use crate::ownership;
use crate::regular_file::is_for_want;
use crate::scan::FrameFacts;

use super::storage;

/// A name that no scan can have.
const FOLDER: &str = "_captures";

/// What is known of a photograph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Capture {
    /// Its number: one more than that of the one before.
    pub id: u64,
    /// Which camera took it.
    pub camera: String,
    /// What the person who took it calls the occasion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Its path in the folder of the scans.
    pub path: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows of pixels in the photograph.
    pub height: u32,
    /// Its length in bytes.
    pub bytes: u64,
    /// What the camera and the measurement say of it.
    pub metadata: FrameFacts,
}

/// A photograph that is not on disk yet.
#[derive(Debug, Clone)]
pub struct Developed {
    /// Which camera took it.
    pub camera: String,
    /// Size of the image, in pixels.
    pub size: Size,
    /// What is known of it.
    pub facts: FrameFacts,
    /// The whole image, as JPEG.
    pub image: Vec<u8>,
    /// A small picture of it, if it could be made.
    pub thumbnail: Option<Vec<u8>>,
}

/// The folder of photographs, and how many are in it.
#[derive(Debug)]
pub struct Captures {
    folder: PathBuf,
    /// Looked at before anything is written, if it is known.
    storage: Option<config::Storage>,
    /// Number of the last one, and how many there are; unknown before the folder was read.
    count: Mutex<Option<Count>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    last: u64,
    stored: u64,
}

impl Captures {
    /// Those beside the scans in `root`.
    pub fn new(root: &Path) -> Self {
        Self { folder: root.join(FOLDER), storage: None, count: Mutex::default() }
    }

    /// Those of a rig: none is stored while its disk is away.
    pub fn in_storage(storage: &config::Storage) -> Self {
        Self { storage: Some(storage.clone()), ..Self::new(&storage.directory) }
    }

    /// Stores a photograph. On return it is on the disk.
    pub fn store(&self, developed: &Developed, session_id: Option<&str>) -> io::Result<Capture> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(storage) = &self.storage {
            let missed =
                |error: storage::StorageError| io::Error::other(format!("{error}; {}", error.remedy()));
            storage::settle(storage).map_err(missed)?;
        }
        let Count { last, stored } = self.counted(&mut count)?;
        let id = last + 1;
        // The folder's own name is as durable as what is in it: a photograph is never without it.
        ownership::create_folders(&self.folder)?;
        durable::sync_folder(self.folder.parent().unwrap_or(Path::new(".")))?;
        let capture = Capture {
            id,
            camera: developed.camera.clone(),
            session_id: session_id.map(str::to_owned),
            path: format!("{FOLDER}/{}", image_name(id)),
            width: developed.size.width,
            height: developed.size.height,
            bytes: developed.image.len() as u64,
            metadata: developed.facts.clone(),
        };
        // A number whose photograph could not be stored whole is not used again.
        *count = Some(Count { last: id, stored });
        self.write(&image_name(id), &developed.image)?;
        if let Some(thumbnail) = &developed.thumbnail {
            self.write(&thumbnail_name(id), thumbnail)?;
        }
        self.write(&facts_name(id), &serde_json::to_vec_pretty(&capture)?)?;
        durable::sync_folder(&self.folder)?;
        *count = Some(Count { last: id, stored: stored + 1 });
        Ok(capture)
    }

    /// How many there are.
    pub fn stored(&self) -> io::Result<u64> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.counted(&mut count)?.stored)
    }

    /// The newest `most` of them, the newest first.
    pub fn newest(&self, most: usize) -> io::Result<Vec<Capture>> {
        let mut ids = self.ids()?;
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        let mut newest = Vec::new();
        for id in ids {
            if newest.len() == most {
                break;
            }
            match self.find(id) {
                Err(error) if is_for_want(&error) => return Err(error),
                // One that cannot be read has gone, or was never acknowledged.
                found => newest.extend(found.ok().flatten()),
            }
        }
        Ok(newest)
    }

    /// The one of this number; none if there is none.
    pub fn find(&self, id: u64) -> io::Result<Option<Capture>> {
        match open::read(&self.folder, &facts_name(id), open::DESCRIPTION) {
            Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
            Err(Unread::Missing) => Ok(None),
            Err(unread) => Err(unread.into()),
        }
    }

    /// Where their files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the image of this number is called there.
    pub fn image_name(id: u64) -> String {
        image_name(id)
    }

    /// What the thumbnail of this number is called there, if it has one.
    pub fn thumbnail_name(id: u64) -> String {
        thumbnail_name(id)
    }

    fn counted(&self, count: &mut Option<Count>) -> io::Result<Count> {
        if let Some(count) = count {
            return Ok(*count);
        }
        let ids = self.ids()?;
        // Images without facts have used up their numbers, too.
        let last = self.numbers()?.into_iter().max().unwrap_or(0);
        let counted = Count { last, stored: ids.len() as u64 };
        *count = Some(counted);
        Ok(counted)
    }

    /// Numbers of those that were acknowledged.
    fn ids(&self) -> io::Result<Vec<u64>> {
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect())
    }

    fn numbers(&self) -> io::Result<Vec<u64>> {
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| name.split('.').next()?.parse().ok()).collect())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// A new file, whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        durable::create(&self.folder.join(name), bytes, Readers::AsUsual)
    }
}

fn image_name(id: u64) -> String {
    format!("{id:06}.jpg")
}

fn facts_name(id: u64) -> String {
    format!("{id:06}.json")
}

fn thumbnail_name(id: u64) -> String {
    format!("{id:06}.thumb.jpg")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seconds;

    fn developed() -> Developed {
        let facts = FrameFacts {
            taken_at: "2026-11-21T14:30:05Z".parse().unwrap(),
            sensor_timestamp_ns: 1,
            exposure: Seconds::new(0.01),
            gain: 1.0,
            white_balance: None,
            focus: None,
            clock_uncertainty_us: None,
            sequence: 1,
            sharpness: 1.0,
            clipped_dark: 0.0,
            clipped_bright: 0.0,
            measured: None,
            verdict: None,
        };
        let size = Size { width: 64, height: 48 };
        Developed { camera: "cam0".into(), size, facts, image: vec![1, 2, 3], thumbnail: Some(vec![4]) }
    }

    #[test]
    fn numbers_go_up_through_restarts_and_are_never_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let captures = Captures::new(dir.path());
        assert_eq!(captures.stored().unwrap(), 0);
        assert_eq!(captures.newest(10).unwrap(), []);
        for id in 1..=12 {
            assert_eq!(captures.store(&developed(), Some("vase")).unwrap().id, id);
        }
        // An image that was never acknowledged: the process died.
        fs::write(dir.path().join("_captures/000013.jpg"), [1]).unwrap();
        let captures = Captures::new(dir.path());
        assert_eq!(captures.stored().unwrap(), 12);
        assert_eq!(captures.store(&developed(), None).unwrap().id, 14);
        assert_eq!(captures.stored().unwrap(), 13);
        let newest: Vec<u64> = captures.newest(3).unwrap().iter().map(|capture| capture.id).collect();
        assert_eq!(newest, [14, 12, 11]);
        assert_eq!(captures.find(13).unwrap(), None);
        assert_eq!(fs::read(captures.folder().join(image_name(12))).unwrap(), [1, 2, 3]);
        // None of it is taken for a scan.
        assert!(crate::dataset::list(dir.path()).unwrap().is_empty());
    }
}
