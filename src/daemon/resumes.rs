//! How often a scan was resumed by itself: a note that outlives the program, since that may be what the resume ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::info;

use crate::config::Storage;
use crate::dataset::ScanId;
use crate::durable::{self, Readers};
use crate::regular_file;

/// In the state directory: it must outlive the process, and counts for this rig alone.
const NOTE: &str = "automatic-resumes.json";

/// How often a scan was resumed without a person since it last ended in an orderly way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    pub(super) scan: ScanId,
    pub(super) resumes: u32,
}

/// A scan has ended in an orderly way: what was counted is of no more interest.
pub(super) fn forget(storage: &Storage) {
    // It was beside the scans once.
    for folder in [&storage.state_directory, &storage.directory] {
        match fs::remove_file(path(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                info!("cannot remove {}: {error}; it does no harm", path(folder).display());
            }
            Ok(()) | Err(_) => {}
        }
    }
}

pub(super) fn path(state: &Path) -> PathBuf {
    state.join(NOTE)
}

/// A note that cannot be read counts nothing: it says less than the scan's own journal.
pub(super) fn read(state: &Path) -> Option<Note> {
    serde_json::from_slice(&regular_file::read(&path(state), regular_file::SMALL).ok()?).ok()
}

pub(super) fn write(state: &Path, note: &Note) -> io::Result<()> {
    durable::replace(&path(state), &serde_json::to_vec(note)?, Readers::Owner)
}
