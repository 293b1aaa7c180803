//! What is in a dataset's folder, read without changing anything.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::model::is_whole_jpeg;
use crate::plan::Plan;
use crate::scan::{RecordedFile, Stored};

use super::Tally;
use super::error::{Context, DiskError, OpenError};
use super::layout::{self, IMAGES, PLAN};
use super::open::{self, Unread};
use super::shot::ShotMetadata;

/// The plan and the bytes of its file.
pub(super) fn read_plan(dir: &Path) -> Result<(Plan, Vec<u8>), OpenError> {
    let path = dir.join(PLAN);
    let damaged = |reason: String| OpenError::Plan { path: path.clone(), reason };
    let json = match open::read(dir, PLAN, open::PLAN) {
        Err(Unread::Failed(error)) => return Err(error).context("read", &path)?,
        read => read.map_err(|error| damaged(error.to_string()))?,
    };
    let plan: Plan = serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
    layout::check_names(&plan)?;
    Ok((plan, json))
}

/// What is wrong with a file of a stored shot; none if it is as recorded.
///
/// # Errors
/// It could not be looked at, which says nothing of it.
pub(super) fn damage(dir: &Path, file: &RecordedFile) -> Result<Option<String>, DiskError> {
    Ok(read(dir, file)?.err())
}

/// The bytes of a stored image, or what is wrong with it.
///
/// # Errors
/// It could not be looked at, which says nothing of it.
pub fn read_image(dir: &Path, stored: &Stored) -> Result<Result<Vec<u8>, String>, DiskError> {
    stored.files().next().map_or_else(|| Ok(Err("there is no image".into())), |image| read(dir, &image))
}

/// The bytes of a file of a stored shot, or what is wrong with it.
///
/// # Errors
/// It could not be looked at, which says nothing of it.
pub(super) fn read(dir: &Path, file: &RecordedFile) -> Result<Result<Vec<u8>, String>, DiskError> {
    let is_image = Path::new(&file.path).starts_with(IMAGES);
    let what = if is_image { "the image" } else { "the raw file" };
    let bytes = match open::read(dir, &file.path, file.bytes.min(open::IMAGE)) {
        Ok(bytes) => bytes,
        Err(Unread::Failed(error)) => return Err(error).context("read", &dir.join(&file.path)),
        Err(wrong @ (Unread::Missing | Unread::NotAFile | Unread::TooLong { .. })) => {
            return Ok(Err(format!("{what} {wrong}")));
        }
    };
    if bytes.len() as u64 != file.bytes {
        return Ok(Err(format!("{what} has {} bytes instead of {}", bytes.len(), file.bytes)));
    }
    if crc32c::crc32c(&bytes) != file.crc32c {
        return Ok(Err(format!("{what} has a wrong checksum")));
    }
    Ok(if is_image && !is_whole_jpeg(&bytes) {
        Err(format!("{what} is not a whole JPEG"))
    } else {
        Ok(bytes)
    })
}

/// The metadata file of this name; none if it is missing or damaged.
///
/// # Errors
/// It could not be looked at, which says nothing of it.
pub(super) fn read_metadata(dir: &Path, name: &str) -> Result<Option<ShotMetadata>, DiskError> {
    match open::read(dir, name, open::DESCRIPTION) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(Unread::Failed(error)) => Err(error).context("read", &dir.join(name)),
        Err(Unread::Missing | Unread::NotAFile | Unread::TooLong { .. }) => Ok(None),
    }
}

/// Files (and folders that do not belong) in the folders of what is recorded that no stored shot accounts for, by their
/// paths in the dataset, sorted.
pub(super) fn unrecorded_files(dir: &Path, plan: &Plan, tally: &Tally) -> Result<Vec<String>, DiskError> {
    let known: HashSet<String> = tally
        .stored()
        .flat_map(|stored| {
            let metadata = layout::metadata(plan, stored.shot);
            stored.files().map(|file| file.path).chain([metadata])
        })
        .collect();
    let mut found = Vec::new();
    for (folder, cameras) in layout::folders(plan) {
        let cameras: HashSet<&str> = cameras.into_iter().map(|camera| camera.name.as_str()).collect();
        for camera in names(&dir.join(folder))? {
            if !cameras.contains(camera.as_str()) {
                found.push(format!("{folder}/{camera}"));
                continue;
            }
            let files = names(&dir.join(folder).join(&camera))?;
            found.extend(files.into_iter().map(|file| format!("{folder}/{camera}/{file}")));
        }
    }
    found.retain(|path| !known.contains(path));
    found.sort();
    Ok(found)
}

/// The names in a folder; none if it is missing.
fn names(folder: &Path) -> Result<Vec<String>, DiskError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.context("read", folder)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.context("read", folder)?.file_name();
        // A name that is no text was not given by this program, and is in nobody's way.
        names.extend(name.into_string().ok().filter(|name| !is_of_a_file_manager(name)));
    }
    Ok(names)
}

/// What a Mac or Windows leaves in a folder that somebody has looked at.
fn is_of_a_file_manager(name: &str) -> bool {
    name.starts_with("._") || [".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini"].contains(&name)
}
