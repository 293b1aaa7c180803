//! An export's folder: made aside, then renamed into place, so that one with its name is whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{ioctl_ficlone, syncfs};
use serde::Serialize;

use crate::dataset::{self, OpenError, open, with_remedy};
use crate::durable;

use super::care::{self, Care};
use super::{At, Format, Views};
use crate::ownership;
use crate::units::Bytes;

/// An export that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Where it was made.
    pub folder: PathBuf,
    /// How many images it has.
    pub images: usize,
    /// How many of these have a mask in it.
    pub masks: usize,
    /// Images that take no space, since they share it with the dataset's.
    pub shared: usize,
    /// What the export leaves to the program, and why. For people.
    pub lacking: Vec<String>,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The dataset cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing to export.
    #[error("the scan at {0} has no stored image yet: there is nothing to export")]
    Empty(PathBuf),
    /// There is something already.
    #[error("{0} exists already: remove it, or name another folder with --out")]
    Exists(PathBuf),
    /// An image is not as the journal says.
    #[error(
        "{image} of the dataset {what}: run scanner dataset verify, and resume the scan to take it again"
    )]
    Image {
        /// Its path in the dataset.
        image: String,
        /// What is wrong with it, as the end of a sentence.
        what: String,
    },
    /// There is too little room.
    #[error(
        "{path} has no room for the export: it needs {:.1} MB more and {:.0} MB are to stay free (storage.keep_free), but only \
         {:.1} MB are free; free some space, or name a folder on another disk with --out",
        wanted.get() / 1e6, keep_free.get() / 1e6, free.get() / 1e6
    )]
    Full {
        /// The folder that it was to be made in.
        path: PathBuf,
        /// What is to be written next.
        wanted: Bytes,
        /// What has to stay free beyond it: `storage.keep_free`.
        keep_free: Bytes,
        /// What is free there now.
        free: Bytes,
    },
    /// Somebody wanted it so.
    #[error("the export was given up: begin it again")]
    GivenUp,
    /// The folder cannot be filled.
    #[error("cannot {action} {path}: {source}")]
    Write {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The file or folder that it was tried on.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Exports the dataset at `dir` into the folder `out`, which must not exist. What fails leaves nothing behind; of what was
/// cut off, the next export into the same folder removes the rest. On return it will be there after a power cut.
pub fn export(dir: &Path, format: Format, out: &Path, care: &Care<'_>) -> Result<Exported, ExportError> {
    let contents = dataset::read_contents(dir)?;
    let views = Views::of(&contents).measured(dir, &contents);
    let views = if care.masks { views.with_masks(dir, &contents) } else { views };
    let views = if care.singles { views } else { views.merged(dir, &contents) };
    if views.views.is_empty() {
        return Err(ExportError::Empty(dir.to_owned()));
    }
    if out.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(out.to_owned()));
    }
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |error| ExportError::Write { action, source: with_remedy(error, &path), path }
    };
    let out = std::path::absolute(out).map_err(failed("find", out))?;
    let parent = out.parent().unwrap_or(Path::new("/"));
    ownership::create_folders(parent).map_err(failed("create", parent))?;
    let (aside, lock) = care::begin(parent).map_err(failed("create a folder in", parent))?;
    // Temporary folders are for their owner only.
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(aside.path(), mode).map_err(failed("open to others", aside.path()))?;
    ownership::hand_over_at(aside.path(), parent);
    let files = format.files(&views, At::Folder(&out));
    let texts: usize = files.texts.iter().map(|(_, text)| text.len()).sum();
    check_room(parent, texts as u64, care)?;
    let mut shared = 0;
    for (view, name) in views.views.iter().zip(&files.images) {
        let to = aside.path().join(name);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        if !(care.go_on)() {
            return Err(ExportError::GivenUp);
        }
        shared += usize::from(place(dir, &view.image, view.bytes, &to, care)?);
    }
    let mut masks = 0;
    for (view, name) in views.views.iter().zip(&files.masks) {
        let (Some(mask), Some(name)) = (&view.mask, name) else { continue };
        let to = aside.path().join(name);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        place(dir, &mask.path, mask.bytes, &to, care)?;
        masks += 1;
    }
    for (name, text) in &files.texts {
        let to = aside.path().join(name);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        let mut file = File::create_new(&to).map_err(failed("create", &to))?;
        file.write_all(text.as_bytes()).map_err(failed("write", &to))?;
        if Path::new(name).extension().is_some_and(|extension| extension == "sh") {
            file.set_permissions(fs::Permissions::from_mode(0o755))
                .map_err(failed("make executable", &to))?;
        }
    }
    syncfs(&lock).map_err(io::Error::from).map_err(failed("sync", aside.path()))?;
    // Fails where something has come there meanwhile that is not an empty folder.
    fs::rename(aside.path(), &out).map_err(failed("rename into place", &out))?;
    let _ = aside.keep();
    durable::sync_folder(parent).map_err(failed("sync", parent))?;
    Ok(Exported { folder: out, images: views.views.len(), masks, shared, lacking: views.lacking })
}

/// That `wanted` further bytes fit into the file system of `folder`.
fn check_room(folder: &Path, wanted: u64, care: &Care<'_>) -> Result<(), ExportError> {
    let (wanted, keep_free) = (Bytes::new(wanted as f64), care.keep_free);
    let path = folder.to_owned();
    match care::free(folder) {
        Ok(free) if free < wanted + keep_free => Err(ExportError::Full { path, wanted, keep_free, free }),
        Ok(_) => Ok(()),
        Err(source) => Err(ExportError::Write { action: "find the free space of", path, source }),
    }
}

/// Places an image of the dataset at `to`, and says whether it shares its space with the dataset's.
fn place(dir: &Path, image: &str, bytes: u64, to: &Path, care: &Care<'_>) -> Result<bool, ExportError> {
    let wrong = |what: String| ExportError::Image { image: image.to_owned(), what };
    let mut from = open::file(dir, image).map_err(|error| wrong(error.to_string()))?;
    let length = from.metadata().map_err(|error| wrong(error.to_string()))?.len();
    if length != bytes {
        return Err(wrong(format!("has {length} bytes instead of {bytes}")));
    }
    let failed =
        |error| ExportError::Write { action: "write", path: to.to_owned(), source: with_remedy(error, to) };
    let mut copy = File::create_new(to).map_err(failed)?;
    // A clone, of which a change reaches the dataset's image no more than of a copy.
    if ioctl_ficlone(&copy, &from).is_ok() {
        return Ok(true);
    }
    drop(copy);
    fs::remove_file(to).map_err(failed)?;
    // Programs that reconstruct read images; one that writes to them would change the dataset's, and verify would tell.
    if fs::hard_link(dir.join(image), to).is_ok() {
        return Ok(true);
    }
    check_room(to.parent().unwrap_or(to), bytes, care)?;
    copy = File::create_new(to).map_err(failed)?;
    io::copy(&mut from, &mut copy).map_err(failed)?;
    Ok(false)
}
