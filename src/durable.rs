//! Files that are whole or not there: written under another name, and renamed into place.
//!
//! The one place that does so with files outside a dataset's journal. What a dataset acknowledges goes over
//! [`Disk`](crate::dataset::Disk) instead, which a model of a disk that loses power can stand in for.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::ownership;

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The user that the program runs as.
    Owner,
    /// Whoever the umask lets.
    AsUsual,
}

/// Puts a file with these bytes in the place of `path`. On return it will be there after a power cut.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let file = written(path, bytes, readers)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(parent(path))
}

/// As [`replace`]; whoever may read the file `like` may read this one, whatever the umask is.
pub fn replace_like(path: &Path, bytes: &[u8], like: &Path) -> io::Result<()> {
    let file = written(path, bytes, Readers::Owner)?;
    // Before anybody finds it under its name: it would be one that they cannot read.
    file.as_file().set_permissions(fs::metadata(like)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(parent(path))
}

/// Removes a file, which need not be there. On return it will not be there after a power cut.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync_folder(parent(path))),
    }
}

/// Makes a file that must not exist. On return its bytes are durable; its name is, once the caller has called
/// [`sync_folder`].
pub fn create(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let file = written(path, bytes, readers)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

/// Puts a file with these bytes in the place of `path`, so that a reader sees all of the old one or all of the new
/// one. Nothing is synced: for what need not outlive the machine's power.
pub fn swap(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    written(path, bytes, readers)?.persist(path)?;
    Ok(())
}

/// Makes the names in a folder durable: of files that were made, renamed and removed.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it, so that they will be there after a power cut. They may exist.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        create_folder(above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        created => created.map(|()| ownership::hand_over_at(folder, parent(folder))),
    }?;
    sync_folder(parent(folder))
}

/// Makes the folder `below` of the folder `dir`, as [`create_folder`] does; `dir` itself has to be there.
pub fn create_folder_in(dir: &Path, below: &Path) -> io::Result<()> {
    let mut folder = dir.to_owned();
    for part in below.components() {
        let above = folder.clone();
        folder.push(part);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            created => created?,
        }
        ownership::hand_over_at(&folder, &above);
        sync_folder(&above)?;
    }
    Ok(())
}

/// A file beside `path` that is removed again if it is not renamed.
fn written(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::AsUsual => 0o666,
    };
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(parent(path))?;
    file.write_all(bytes)?;
    ownership::hand_over(&file, parent(path));
    Ok(file)
}

/// The folder that a file is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_or_creates_whole_files_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        create(&path, b"one", Readers::Owner).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode()), (b"one".to_vec(), 0o600));
        let refused = create(&path, b"two", Readers::Owner).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three", Readers::AsUsual).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(mode() & 0o600, 0o600);
        swap(&path, b"four", Readers::Owner).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode()), (b"four".to_vec(), 0o600));
        let like = dir.path().join("like");
        fs::write(&like, "").unwrap();
        fs::set_permissions(&like, Permissions::from_mode(0o644)).unwrap();
        replace_like(&path, b"five", &like).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode()), (b"five".to_vec(), 0o644));
        remove(&like).unwrap();
        remove(&like).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn makes_folders_that_may_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        create_folder(&folder).unwrap();
        create_folder(&folder).unwrap();
        assert!(folder.is_dir());
        fs::write(folder.join("file"), "").unwrap();
        create_folder(&folder.join("file")).unwrap_err();
        create_folder_in(dir.path(), Path::new("a/c/d")).unwrap();
        create_folder_in(dir.path(), Path::new("a/c/d")).unwrap();
        assert!(dir.path().join("a/c/d").is_dir());
        create_folder_in(&dir.path().join("gone"), Path::new("a")).unwrap_err();
        assert!(!dir.path().join("gone").exists());
    }
}
