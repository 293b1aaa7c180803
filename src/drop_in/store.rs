//! Changing a drop-in so that what is there always loads, and nothing that was there is lost.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::PAGE;
use super::disk::{Disk, Durable};
use super::edit::{Edit, edit};
use super::error::StoreError;
use super::fingerprint::Fingerprint;
use super::versions::{Version, Versions};
use crate::config::Config;
use crate::durable;
use crate::file_lock;
use crate::ownership;
use crate::regular_file::{self, Unread};

/// Longest drop-in, in bytes.
const LONGEST: usize = 64 << 10;
/// Longest file of versions that is read: twenty drop-ins, as JSON.
const LONGEST_VERSIONS: u64 = 8 << 20;
/// What the drop-in of the page begins with.
const HEADER: &str = "# Changed in the page, or by `scanner config`.\n";
const VERSIONS: &str = "configuration-versions.json";
const LOCK: &str = "configuration.lock";

/// The drop-ins of one configuration.
#[derive(Debug, Clone)]
pub struct Store {
    /// The main file.
    path: PathBuf,
    /// Where the versions are kept.
    state: PathBuf,
}

/// What somebody wants a drop-in to say.
#[derive(Debug)]
pub struct Wish<'w> {
    /// Which drop-in: the name of a file that ends in `.toml`.
    pub drop_in: &'w str,
    /// What it is to say; none for no such file.
    pub text: Option<&'w str>,
    /// The files that the wish is based on; none if whatever is there is to be replaced.
    pub based_on: Option<&'w Fingerprint>,
    /// Who wants it, for people.
    pub by: &'w str,
    /// What is changed by it, for people.
    pub change: &'w str,
}

/// What became of a wish.
#[derive(Debug)]
pub struct Put {
    /// The configuration as it is now.
    pub config: Config,
    /// Its files.
    pub fingerprint: Fingerprint,
    /// Whether the drop-in said something else before.
    pub changed: bool,
}

impl Store {
    /// Of the configuration whose main file is at `path`; versions are kept in the folder `state`.
    pub fn new(path: &Path, state: &Path) -> Self {
        Self { path: path.to_owned(), state: state.to_owned() }
    }

    /// The main file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a drop-in is, or would be.
    pub fn file(&self, drop_in: &str) -> PathBuf {
        Config::drop_in_folder(&self.path).join(drop_in)
    }

    /// What a drop-in says; none if it is not there.
    pub fn text(&self, drop_in: &str) -> Result<Option<String>, StoreError> {
        let file = self.file(drop_in);
        match regular_file::read(&file, LONGEST as u64) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(Unread::Missing) => Ok(None),
            Err(unread) => Err(failed("read", &file)(unread.into())),
        }
    }

    /// What the drop-in of the page would say after these changes.
    pub fn edited(&self, edits: &[Edit]) -> Result<String, StoreError> {
        let text = self.text(PAGE)?.unwrap_or_else(|| HEADER.to_owned());
        Ok(edit(&text, edits)?)
    }

    /// The files as they are now.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoreError> {
        Fingerprint::of(&self.path).map_err(failed("list the drop-ins of", &self.path))
    }

    /// The versions that are kept, the newest first.
    pub fn versions(&self) -> Result<Vec<Version>, StoreError> {
        self.kept().map(Versions::newest_first)
    }

    /// Lets a drop-in say what is wished, if the whole configuration loads with it and is `fit`. On return it will be there after
    /// a power cut, and what it said before is kept. What is in force does not change by that: for that, a reload is asked for.
    ///
    /// # Errors
    /// Nothing has changed.
    pub fn put(
        &self,
        wish: &Wish<'_>,
        fit: &dyn Fn(&Config) -> Result<(), String>,
    ) -> Result<Put, StoreError> {
        self.put_on(&Durable, wish, fit)
    }

    /// Lets the drop-in of version `number` say what it said then. Otherwise as [`Self::put`].
    pub fn take_back(
        &self,
        number: u32,
        by: &str,
        fit: &dyn Fn(&Config) -> Result<(), String>,
    ) -> Result<Put, StoreError> {
        let kept = self.kept()?;
        let version = kept.find(number).ok_or(StoreError::NoVersion(number))?;
        let change = format!("back to version {number}");
        let (drop_in, text) = (version.drop_in.as_str(), version.text.as_deref());
        self.put(&Wish { drop_in, text, based_on: None, by, change: &change }, fit)
    }

    pub(super) fn put_on(
        &self,
        disk: &dyn Disk,
        wish: &Wish<'_>,
        fit: &dyn Fn(&Config) -> Result<(), String>,
    ) -> Result<Put, StoreError> {
        check_length(wish)?;
        let _alone = self.lock()?;
        if wish.based_on.is_some_and(|seen| self.fingerprint().ok().as_ref() != Some(seen)) {
            return Err(StoreError::Conflict);
        }
        let config = Config::load_as_if(&self.path, wish.drop_in, wish.text)?;
        fit(&config).map_err(StoreError::Unfit)?;
        let before = self.text(wish.drop_in)?;
        // A drop-in that says nothing is as good as none.
        let says_nothing = before.is_none() && wish.text == Some(HEADER);
        let changed = before.as_deref() != wish.text && !says_nothing;
        if changed {
            self.keep(disk, wish, before)?;
            self.replace(disk, wish)?;
        }
        Ok(Put { config, fingerprint: self.fingerprint()?, changed })
    }

    /// Keeps what the drop-in says, before it says anything else.
    fn keep(&self, disk: &dyn Disk, wish: &Wish<'_>, before: Option<String>) -> Result<(), StoreError> {
        let nothing_to_lose = before.is_none();
        let mut kept = self.kept()?;
        kept.add(Version {
            number: 0,
            until: Timestamp::now(),
            by: wish.by.to_owned(),
            change: wish.change.to_owned(),
            drop_in: wish.drop_in.to_owned(),
            text: before,
        });
        let file = self.state.join(VERSIONS);
        let json = serde_json::to_vec(&kept).map_err(|error| failed("write", &file)(error.into()))?;
        match durable::create_folder(&self.state).and_then(|()| disk.keep(&file, &json)) {
            Err(error) if nothing_to_lose => {
                tracing::warn!(
                    "that there was no {} is not kept in {}: {error}",
                    wish.drop_in,
                    file.display()
                );
                Ok(())
            }
            kept => kept.map_err(failed("write", &file)),
        }
    }

    fn replace(&self, disk: &dyn Disk, wish: &Wish<'_>) -> Result<(), StoreError> {
        let file = self.file(wish.drop_in);
        let Some(text) = wish.text else { return disk.remove(&file).map_err(failed("remove", &file)) };
        let folder = Config::drop_in_folder(&self.path);
        if !folder.is_dir() {
            let made = durable::create_folder(&folder).and_then(|()| {
                // Whoever finds the main file finds its drop-ins: root's mask may be one under which nobody else could.
                let above = self.path.parent().filter(|above| !above.as_os_str().is_empty());
                let permissions = fs::metadata(above.unwrap_or(Path::new(".")))?.permissions();
                fs::set_permissions(&folder, permissions)
            });
            made.map_err(failed("make", &folder))?;
        }
        disk.put(&file, text, &self.path).map_err(failed("write", &file))
    }

    fn kept(&self) -> Result<Versions, StoreError> {
        let path = self.state.join(VERSIONS);
        match regular_file::read(&path, LONGEST_VERSIONS) {
            Ok(json) => serde_json::from_slice(&json)
                .map_err(|error| StoreError::Versions { path, reason: error.to_string() }),
            Err(Unread::Missing) => Ok(Versions::default()),
            Err(unread) => Err(StoreError::Versions { path, reason: unread.to_string() }),
        }
    }

    /// Nobody else changes the configuration until this is dropped. Where there is no place for a lock, nothing is kept either,
    /// and nothing is changed that could be lost.
    fn lock(&self) -> Result<Option<File>, StoreError> {
        let path = self.state.join(LOCK);
        let open = || {
            durable::create_folder(&self.state)?;
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o660).open(&path)
        };
        let Ok(file) = open() else { return Ok(None) };
        ownership::hand_over(&file, &self.state);
        match file_lock::take(&file) {
            Ok(Some(())) => Ok(Some(file)),
            Ok(None) => Err(StoreError::Busy),
            Err(error) if file_lock::are_lacking(error) => Ok(Some(file)),
            Err(error) => Err(failed("lock", &path)(error.into())),
        }
    }
}

fn check_length(wish: &Wish<'_>) -> Result<(), StoreError> {
    let too_long = wish.text.is_some_and(|text| text.len() > LONGEST);
    if too_long { Err(StoreError::TooLong { limit: LONGEST }) } else { Ok(()) }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}
