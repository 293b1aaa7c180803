//! Where things are in a dataset's folder.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::file_name;
use crate::model::{FileKind, FileType, Suffix};
use crate::plan::{Plan, PlanCamera, ShotIndex};

use super::error::{Context as _, DiskError, OpenError};

pub(super) const MANIFEST: &str = "scan.json";
pub(super) const PLAN: &str = "plan.json";
pub(super) const JOURNAL: &str = "journal.jsonl";
/// Who writes to it, while somebody does.
pub(super) const OWNER: &str = "owner.json";
pub(super) const IMAGES: &str = "images";
/// What cameras make beside the image. A folder of its own: programs that take all images of a folder would take these, too.
pub(super) const RAW: &str = "raw";
pub(super) const METADATA: &str = "metadata";
pub(super) const THUMBNAILS: &str = "thumbnails";
pub(super) const RETAKEN: &str = "retaken";
pub(super) const QUARANTINE: &str = "quarantine";
/// Ends the name of every file that is not whole yet.
pub(super) const TEMPORARY: &str = ".tmp";
/// Starts the name of a dataset that is being created.
pub(super) const NEW_PREFIX: &str = ".new-";
/// Starts the name of a dataset that is being removed.
pub(super) const TRASH_PREFIX: &str = ".trash-";

/// Where the photograph of `shot` is: `images/cam0/r01_a017.jpg`.
pub(super) fn image(plan: &Plan, shot: ShotIndex) -> String {
    shot_file(plan, shot, IMAGES, "jpg")
}

/// Where a file of `shot` is: `raw/cam0/r01_a017.cr2`.
pub(super) fn file(plan: &Plan, shot: ShotIndex, kind: &FileKind) -> String {
    match kind {
        FileKind::Jpeg => image(plan, shot),
        FileKind::Raw { suffix } => shot_file(plan, shot, RAW, suffix.as_str()),
    }
}

/// The kind of the file of `shot` that is at `path`; none if it has none there.
pub(super) fn kind_of(plan: &Plan, shot: ShotIndex, path: &str) -> Option<FileKind> {
    if path == image(plan, shot) {
        return Some(FileKind::Jpeg);
    }
    let (_, suffix) = path.rsplit_once('.')?;
    let kind = FileKind::Raw { suffix: Suffix::try_from(suffix.to_owned()).ok()? };
    (path == file(plan, shot, &kind)).then_some(kind)
}

/// The kinds of the files that `shot` has once it is stored, the image first.
pub(super) fn files_of(plan: &Plan, shot: ShotIndex) -> &[FileType] {
    &plan.camera(plan.camera_of(shot)).files
}

/// The folders of files that are recorded, each with those cameras of `plan` that have some in it.
pub(super) fn folders(plan: &Plan) -> impl Iterator<Item = (&'static str, Vec<&PlanCamera>)> {
    let with_raw: Vec<_> = plan.cameras.iter().filter(|camera| camera.has_raw()).collect();
    let all = || plan.cameras.iter().collect();
    [(IMAGES, all()), (RAW, with_raw), (METADATA, all())]
        .into_iter()
        .filter(|(folder, cameras)| *folder != RAW || !cameras.is_empty())
}

/// Where the metadata of `shot` are: `metadata/cam0/r01_a017.json`.
pub(super) fn metadata(plan: &Plan, shot: ShotIndex) -> String {
    shot_file(plan, shot, METADATA, "json")
}

/// Where the thumbnail of `shot` is: `thumbnails/cam0/r01_a017.jpg`.
pub(super) fn thumbnail(plan: &Plan, shot: ShotIndex) -> String {
    shot_file(plan, shot, THUMBNAILS, "jpg")
}

/// `retaken/cam0/r01_a017.1` of attempt 1, to which an ending belongs.
pub(super) fn retaken(plan: &Plan, shot: ShotIndex, attempt: u32) -> String {
    shot_file(plan, shot, RETAKEN, &attempt.to_string())
}

fn shot_file(plan: &Plan, shot: ShotIndex, folder: &str, extension: &str) -> String {
    let camera = &plan.camera(plan.camera_of(shot)).name;
    let label = &plan.point(plan.point_of(shot)).label;
    format!("{folder}/{camera}/{label}.{extension}")
}

/// The folder that a file is in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// `path` with `.tmp` behind it, and `attempt` so that no attempt meets another one's left-over.
pub(super) fn temporary(path: &Path, attempt: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{attempt}{TEMPORARY}"));
    name.into()
}

/// A path in `root` that was never used, by anybody: others with the same process id, on this machine or on another one,
/// may make and remove such for the same scan.
pub(super) fn unused(root: &Path, prefix: &str, name: &str) -> Result<PathBuf, DiskError> {
    let random = getrandom::u64().map_err(io::Error::from).context("choose a new name in", root)?;
    Ok(root.join(format!("{prefix}{name}.{random:016x}")))
}

/// That every label and camera of the plan can name a file, and none is there twice.
pub(super) fn check_names(plan: &Plan) -> Result<(), OpenError> {
    let labels = plan.points.iter().map(|point| point.label.as_str());
    let cameras = plan.cameras.iter().map(|camera| camera.name.as_str());
    check_each(labels)?;
    check_each(cameras)
}

/// That they, and the scan's own, can be had and kept apart by whatever system the scan is carried to. Scans that were
/// made before are read as they are.
pub(super) fn check_portable(id: &str, plan: &Plan) -> Result<(), OpenError> {
    let refused = |name: &str, reason| Err(OpenError::Name { name: name.into(), reason });
    if let Some(reason) = file_name::objection(id) {
        return refused(id, reason);
    }
    let labels = plan.points.iter().map(|point| (IMAGES, point.label.as_str()));
    let cameras = plan.cameras.iter().map(|camera| ("", camera.name.as_str()));
    let mut seen = HashSet::new();
    for (folder, name) in labels.chain(cameras) {
        if let Some(reason) = file_name::objection(name) {
            return refused(name, reason);
        }
        if !seen.insert((folder, file_name::folded(name))) {
            return refused(
                name,
                "another one differs in capitals alone, and Windows and Macs cannot keep them apart",
            );
        }
    }
    Ok(())
}

fn check_each<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), OpenError> {
    let mut seen = HashSet::new();
    for name in names {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let reason =
            if name.is_empty() || name.starts_with('.') || name.len() > 100 || !name.chars().all(allowed) {
                "use 1 to 100 letters, digits, '-', '_' and '.', the first no '.'"
            } else if !seen.insert(name) {
                "it is there twice"
            } else {
                continue;
            };
        return Err(OpenError::Name { name: name.into(), reason });
    }
    Ok(())
}
