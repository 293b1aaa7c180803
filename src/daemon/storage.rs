//! Which storage the scans are on. Disks come and go, and the empty folder on which one was mounted looks like any other:
//! so a storage gets a mark of its own, once, and the state directory remembers which one belongs to a folder.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FsWord, PROC_SUPER_MAGIC, statfs};
use serde::{Deserialize, Serialize};

use crate::config;
use crate::dataset::open::{self, Unread};
use crate::durable::{self, Readers};

use super::mounts;
use super::tokens::hex;

/// In the folder of the scans.
const MARK: &str = ".scanner-storage.json";
/// In the state directory.
const KNOWN: &str = "rig.json";
/// The file system of `/sys`, as `statfs(2)` tells it.
const SYSFS_MAGIC: FsWord = 0x6265_6572;
/// What a storage is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Random, so that no other storage has it.
    pub id: String,
    /// When it was first used, by the clock of then. For people.
    pub since: Timestamp,
}

/// A storage that was used, and what it was mounted from. For people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    #[serde(flatten)]
    mark: Mark,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<String>,
}

impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mark { id, since } = &self.mark;
        let on = self.on.as_ref().map_or_else(String::new, |on| format!(" on {on}"));
        write!(f, "storage {id}{on}, in use since {}", since.strftime("%F"))
    }
}

/// What the state directory knows of this rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Who this rig is among those that share a storage. Random.
    rig: String,
    /// By the folder of the scans.
    storages: BTreeMap<String, Remembered>,
}

/// What is in the folder of the scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// What was there before.
    Same(Remembered),
    /// Nothing is remembered of this folder: the first scan makes it, and its mark.
    New,
}

/// Why no scan begins in the folder of the scans.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such folder.
    #[error("the folder of the scans, {}, does not exist: {wanted} is not there", directory.display())]
    NoFolder {
        /// The folder as the configuration has it.
        directory: PathBuf,
        /// The storage that was there, for people.
        wanted: String,
    },
    /// The folder is there, and its storage is not.
    #[error("{wanted}, is not mounted at {}: {there}", directory.display())]
    NotMounted {
        /// The folder as the configuration has it.
        directory: PathBuf,
        /// The storage that was there, for people.
        wanted: String,
        /// What is there now.
        there: String,
    },
    /// Another storage is there.
    #[error("another storage is at {}: it is {found}, and scans go to {wanted}", directory.display())]
    Other {
        /// The folder as the configuration has it.
        directory: PathBuf,
        /// The storage that is there now, for people.
        found: String,
        /// The storage that was there, for people.
        wanted: String,
    },
    /// What is remembered cannot be read.
    #[error("{} cannot be used: {reason}", path.display())]
    Damaged {
        /// The file that is damaged.
        path: PathBuf,
        /// What reading it said.
        reason: String,
    },
    /// The system refused to read or write a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The file that it was tried on.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl StorageError {
    /// Whether a disk is missed, and not only the knowledge of it.
    pub const fn is_missing(&self) -> bool {
        match self {
            Self::NoFolder { .. } | Self::NotMounted { .. } | Self::Other { .. } => true,
            Self::Damaged { .. } | Self::Io { .. } => false,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoFolder { .. } | Self::NotMounted { .. } => {
                "connect and mount its disk; if scans are to go elsewhere from now on: scanner storage --accept".into()
            }
            Self::Other { .. } => {
                "put the other one back; if scans are to go to this one from now on: scanner storage --accept".into()
            }
            Self::Damaged { .. } => "put it right or remove it, and then look which disk is there".into(),
            Self::Io { path, source, .. } if source.kind() == io::ErrorKind::PermissionDenied => format!(
                "look at who owns {}: it is for the service's user and its group (sudo usermod -aG scanner USER, and \
                 log in again)",
                path.parent().unwrap_or(path).display()
            ),
            Self::Io { .. } => "look at the disk: the kernel's log (dmesg) may say more".into(),
        }
    }
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StorageError + use<'a> {
    move |source| StorageError::Io { action, path: path.to_owned(), source }
}

/// Whether the storage of the scans is the one that was there before. Changes nothing.
pub fn look(storage: &config::Storage) -> Result<Found, StorageError> {
    let Some(known) = remembered(storage)? else { return Ok(Found::New) };
    let wanted = known.to_string();
    let directory = storage.directory.clone();
    if fs::metadata(&directory).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Err(StorageError::NoFolder { directory, wanted });
    }
    match read_mark(&directory)? {
        Some(mark) if mark.id == known.mark.id => Ok(Found::Same(known)),
        Some(mark) => {
            let found = Remembered { mark, on: mounts::source_of(&directory) }.to_string();
            Err(StorageError::Other { directory, found, wanted })
        }
        None => {
            let there = what_is_there(&directory);
            Err(StorageError::NotMounted { directory, wanted, there })
        }
    }
}

/// What is wrong with where scans are to be kept, for people, as far as it can be told before there is one.
pub fn warning(storage: &config::Storage) -> Option<String> {
    let why = in_the_way(&storage.directory)?;
    Some(format!("no scan can be kept in {} (storage.directory): {why}", storage.directory.display()))
}

/// What keeps a folder that is not there from ever being made, for people.
pub fn in_the_way(folder: &Path) -> Option<String> {
    // A link that leads nowhere counts as nothing: what it leads to may be mounted later.
    let there = folder.ancestors().find(|above| fs::metadata(above).is_ok())?;
    if !there.is_dir() {
        return Some(format!("{} is in the way, which is no folder", there.display()));
    }
    let kind = statfs(there).ok()?.f_type;
    (kind == PROC_SUPER_MAGIC || kind == SYSFS_MAGIC)
        .then(|| format!("{} is the kernel's own, which keeps no files", there.display()))
}

/// What is in `directory` in place of the storage, for people.
fn what_is_there(directory: &Path) -> String {
    let empty = fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    let on = mounts::source_of(directory);
    let on = on.map_or_else(String::new, |on| format!(" on {on}"));
    let what = if empty { "an empty folder" } else { "a folder without the mark of a storage" };
    format!("there is {what}{on}")
}

/// As [`look`], and makes folder and mark where nothing is remembered. For who has the rig and is about to write.
pub fn settle(storage: &config::Storage) -> Result<(), StorageError> {
    match look(storage)? {
        Found::Same(_) => Ok(()),
        Found::New => accept(storage).map(drop),
    }
}

/// From now on, scans go to the storage that is there now, whatever was there before.
pub fn accept(storage: &config::Storage) -> Result<Remembered, StorageError> {
    let directory = &storage.directory;
    durable::create_folder(directory).map_err(failed("create", directory))?;
    let mark = match read_mark(directory)? {
        Some(mark) => mark,
        None => write_mark(directory)?,
    };
    let now = Remembered { mark, on: mounts::source_of(directory) };
    let mut known = known(storage)?.map_or_else(new_rig, Ok)?;
    known.storages.insert(key(directory), now.clone());
    write_known(storage, &known)?;
    Ok(now)
}

/// Who this rig is among those that share a storage; made when it is first asked for.
pub fn rig(storage: &config::Storage) -> Result<String, StorageError> {
    if let Some(known) = known(storage)? {
        return Ok(known.rig);
    }
    let known = new_rig()?;
    write_known(storage, &known)?;
    Ok(known.rig)
}

/// As [`rig`]; none as long as nobody has asked.
pub fn known_rig(storage: &config::Storage) -> Result<Option<String>, StorageError> {
    Ok(known(storage)?.map(|known| known.rig))
}

fn remembered(storage: &config::Storage) -> Result<Option<Remembered>, StorageError> {
    Ok(known(storage)?.and_then(|mut known| known.storages.remove(&key(&storage.directory))))
}

fn key(directory: &Path) -> String {
    std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()).to_string_lossy().into_owned()
}

fn known(storage: &config::Storage) -> Result<Option<Known>, StorageError> {
    let state = &storage.state_directory;
    let path = state.join(KNOWN);
    match open::read(state, KNOWN, open::DESCRIPTION) {
        Ok(json) => serde_json::from_slice(&json)
            .map(Some)
            .map_err(|error| StorageError::Damaged { path, reason: error.to_string() }),
        Err(Unread::Missing) => Ok(None),
        Err(unread @ (Unread::NotAFile | Unread::TooLong { .. })) => {
            Err(StorageError::Damaged { path, reason: unread.to_string() })
        }
        Err(Unread::Failed(source)) => Err(StorageError::Io { action: "read", path, source }),
    }
}

fn new_rig() -> Result<Known, StorageError> {
    Ok(Known { rig: random()?, storages: BTreeMap::new() })
}

fn write_known(storage: &config::Storage, known: &Known) -> Result<(), StorageError> {
    let path = storage.state_directory.join(KNOWN);
    let written = durable::create_folder(&storage.state_directory)
        .and_then(|()| durable::replace(&path, &serde_json::to_vec_pretty(known)?, Readers::AsUsual));
    written.map_err(failed("write", &path))
}

/// None where there is none, or one that cannot be understood.
fn read_mark(directory: &Path) -> Result<Option<Mark>, StorageError> {
    match open::read(directory, MARK, open::DESCRIPTION) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(Unread::Missing | Unread::NotAFile | Unread::TooLong { .. }) => Ok(None),
        Err(Unread::Failed(source)) => {
            Err(StorageError::Io { action: "read", path: directory.join(MARK), source })
        }
    }
}

fn write_mark(directory: &Path) -> Result<Mark, StorageError> {
    let path = directory.join(MARK);
    let mark = Mark { id: random()?, since: Timestamp::now() };
    let json = serde_json::to_vec(&mark).map_err(io::Error::from).map_err(failed("encode", &path))?;
    // What cannot be understood is no mark.
    if path.symlink_metadata().is_ok() {
        let _ = fs::remove_file(&path);
    }
    match durable::create(&path, &json, Readers::AsUsual).and_then(|()| durable::sync_folder(directory)) {
        // Another rig that shares the storage was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_mark(directory)?.ok_or_else(|| failed("write", &path)(io::ErrorKind::AlreadyExists.into()))
        }
        written => written.map(|()| mark).map_err(failed("write", &path)),
    }
}

fn random() -> Result<String, StorageError> {
    let mut bytes = [0; 6];
    let random = getrandom::fill(&mut bytes).map_err(io::Error::from);
    random.map_err(failed("get random numbers from", Path::new("the system")))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests;
