//! Moving files out of the way without losing one.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::{Context, DiskError};
use super::layout::parent;

/// Makes a folder that need not be missing; durable on return.
pub(super) fn make_folder(disk: &dyn Disk, folder: &Path) -> Result<(), DiskError> {
    match disk.create_dir(folder) {
        Ok(()) => disk.sync_dir(parent(folder)).context("sync", parent(folder)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).context("create", folder),
    }
}

/// Moves `from` to the first of `names` that is free; durable on return.
pub(super) fn move_to(
    disk: &dyn Disk,
    from: &Path,
    names: impl Iterator<Item = PathBuf>,
) -> Result<(), DiskError> {
    for to in names {
        match disk.rename(from, &to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            moved => {
                moved.context("move aside", from)?;
                disk.sync_dir(parent(&to)).context("sync", parent(&to))?;
                return disk.sync_dir(parent(from)).context("sync", parent(from));
            }
        }
    }
    Ok(())
}

/// `stem` and `ending`, then `stem`, `.2` and `ending`, and so on, without end.
pub(super) fn candidates(stem: &Path, ending: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let (stem, ending) = (stem.to_owned(), ending.to_owned());
    (1..).map(move |n: u32| {
        let number = if n == 1 { String::new() } else { format!(".{n}") };
        let mut name = stem.clone().into_os_string();
        name.push(format!("{number}{ending}"));
        name.into()
    })
}
