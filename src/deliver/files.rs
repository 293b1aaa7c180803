//! What of a scan's folder is brought.

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;

use crate::dataset::{self, Contents};
use crate::scan::RecordedFile;

use super::error::DeliveryError;

/// What is not brought: exports have the same images once more, and are made anew of what is brought; the note of who writes to the scan
/// is of this machine; and lists of what was delivered are of the place that a scan was brought back from.
const LEFT_OUT: [&str; 4] = ["exports", "owner.json", "delivered.json", "delivering.json"];

/// A file, as `scanner-deliver` is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct File {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Recorded>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Recorded {
    bytes: u64,
    crc32c: u32,
}

/// The files of the scan in `dir`: its plan first, which tells it from another one; what the journal records; the rest; and what says how it
/// stands last.
pub(super) fn files(dir: &Path, contents: &Contents) -> Result<Vec<File>, DeliveryError> {
    let [(manifest, _), (plan, _), (journal, _)] = dataset::DESCRIPTIONS;
    let unrecorded = |path: &str| File { path: path.to_owned(), recorded: None };
    let mut files = vec![unrecorded(plan)];
    for stored in contents.tally().stored() {
        files.extend(stored.files().map(|RecordedFile { path, bytes, crc32c }| File {
            path,
            recorded: Some(Recorded { bytes, crc32c }),
        }));
    }
    let mut known: HashSet<String> = files.iter().map(|file| file.path.clone()).collect();
    known.extend([manifest, journal].map(str::to_owned));
    let rest = dataset::carried(dir, &LEFT_OUT);
    let mut rest = rest.map_err(|source| DeliveryError::Folder { path: dir.to_owned(), source })?;
    rest.retain(|path| !known.contains(path));
    files.extend(rest.iter().map(|path| unrecorded(path)));
    files.extend([manifest, journal].map(unrecorded));
    Ok(files)
}
