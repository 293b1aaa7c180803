//! What was delivered to a target, in the state directory.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::Deliver;
use crate::dataset::{self, ScanId};
use crate::durable::{self, Readers};
use crate::file_lock;
use crate::ownership;
use crate::regular_file::{self, Unread};

/// In the state directory.
const FOLDER: &str = "deliver";
/// Longest file: a hundred thousand scans.
const LONGEST: u64 = 64 << 20;
/// How much of a journal's end it is known by.
const END: u64 = 4096;

/// What was delivered to a target, and what is in the way of the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Where it is: records of another place are none of this one.
    to: String,
    /// Scans that are there, also such as are not here any more.
    pub delivered: BTreeMap<ScanId, Delivered>,
    /// What the last try failed of; none once one has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// A scan that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Since when, by the clock of then.
    pub at: Timestamp,
    /// As which its journal was.
    pub journal: Stamp,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// By what a journal is known: it only ever grows, each line has a checksum, and what takes its place is longer or ends otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    bytes: u64,
    end_crc32c: u32,
}

/// What a try failed of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// Of which scan.
    pub scan: ScanId,
    /// Its kind, for programs.
    pub kind: String,
    /// What has happened, and what to do.
    pub message: String,
}

impl Stamp {
    /// Of the journal of the scan whose folder is `dir`.
    pub fn of(dir: &Path) -> Result<Self, Unread> {
        let [.., (journal, _)] = dataset::DESCRIPTIONS;
        let mut file = dataset::open::file(dir, journal)?;
        let read = || -> io::Result<Self> {
            let bytes = file.metadata()?.len();
            file.seek(SeekFrom::Start(bytes.saturating_sub(END)))?;
            let mut end = Vec::new();
            file.take(END).read_to_end(&mut end)?;
            Ok(Self { bytes, end_crc32c: crc32c::crc32c(&end) })
        };
        read().map_err(Unread::Failed)
    }
}

impl Records {
    /// Those of `target`.
    ///
    /// # Errors
    /// They cannot be looked at.
    pub fn read(state: &Path, target: &Deliver) -> io::Result<Self> {
        let (path, to) = (path(state, target, "json"), target.to.address());
        let none = Self { to: to.clone(), ..Self::default() };
        let json = match regular_file::read(&path, LONGEST) {
            Err(Unread::Missing) => return Ok(none),
            read => read?,
        };
        match serde_json::from_slice::<Self>(&json) {
            Ok(records) if records.to == to => Ok(records),
            Ok(_) => Ok(none),
            Err(error) => {
                let path = path.display();
                warn!("{path} is damaged ({error}): what was delivered is compared there once more");
                Ok(none)
            }
        }
    }

    /// Whether the scan, with the journal that it has now, is there.
    pub fn has(&self, scan: &ScanId, journal: Stamp) -> bool {
        self.since(scan, journal).is_some()
    }

    /// Since when the scan, with the journal that it has now, is there; none if it is not.
    pub fn since(&self, scan: &ScanId, journal: Stamp) -> Option<Timestamp> {
        self.delivered
            .get(scan)
            .filter(|delivered| delivered.journal == journal)
            .map(|delivered| delivered.at)
    }

    /// Reads them, has `change` change them, and keeps them. Whoever delivers holds the target's [`Turn`].
    pub(super) fn change(
        state: &Path,
        target: &Deliver,
        _: &Turn,
        change: impl FnOnce(&mut Self),
    ) -> io::Result<()> {
        let mut records = Self::read(state, target)?;
        change(&mut records);
        durable::replace(
            &path(state, target, "json"),
            &serde_json::to_vec_pretty(&records)?,
            Readers::AsUsual,
        )
    }
}

/// The right to deliver to a target: one process at a time has it.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: File,
}

impl Turn {
    /// None if another process has it.
    pub(super) fn take(state: &Path, target: &Deliver) -> io::Result<Option<Self>> {
        durable::create_folder(&state.join(FOLDER))?;
        let path = path(state, target, "lock");
        let lock = OpenOptions::new().create(true).append(true).open(&path)?;
        ownership::hand_over(&lock, &state.join(FOLDER));
        match file_lock::take(&lock) {
            Ok(taken) => Ok(taken.map(|()| Self { _lock: lock })),
            // Two at once would send the same bytes twice, and no more.
            Err(error) if file_lock::are_lacking(error) => Ok(Some(Self { _lock: lock })),
            Err(error) => Err(error.into()),
        }
    }
}

fn path(state: &Path, target: &Deliver, ending: &str) -> PathBuf {
    state.join(FOLDER).join(format!("{}.{ending}", target.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Destination, Keep};

    fn target(path: &str) -> Deliver {
        let to = Destination::Folder { path: path.into(), mount_point: None };
        Deliver {
            name: "nas".into(),
            to,
            pace: None,
            during_scans: false,
            incomplete: false,
            keep: Keep::UntilDelivered,
        }
    }

    #[test]
    fn what_was_delivered_is_known_as_long_as_target_and_journal_are_the_same() {
        let state = tempfile::tempdir().unwrap();
        let (dir, scan) = (tempfile::tempdir().unwrap(), ScanId::try_from("owl".to_owned()).unwrap());
        let journal = dir.path().join("journal.jsonl");
        std::fs::write(&journal, vec![b'x'; 10_000]).unwrap();
        let stamp = Stamp::of(dir.path()).unwrap();
        let read = |path| Records::read(state.path(), &target(path)).unwrap();
        assert!(!read("/a").has(&scan, stamp));
        let turn = Turn::take(state.path(), &target("/a")).unwrap().unwrap();
        assert!(Turn::take(state.path(), &target("/a")).unwrap().is_none(), "two have it");
        let delivered = Delivered { at: Timestamp::UNIX_EPOCH, journal: stamp, files: 3, bytes: 4 };
        let note = |records: &mut Records| {
            records.delivered.insert(scan.clone(), delivered);
        };
        Records::change(state.path(), &target("/a"), &turn, note).unwrap();
        assert!(read("/a").has(&scan, stamp) && !read("/b").has(&scan, stamp));
        std::fs::write(&journal, vec![b'x'; 10_001]).unwrap();
        assert!(!read("/a").has(&scan, Stamp::of(dir.path()).unwrap()));
        let mut other = vec![b'x'; 10_000];
        other[9_999] = b'y';
        std::fs::write(&journal, other).unwrap();
        assert!(!read("/a").has(&scan, Stamp::of(dir.path()).unwrap()));
        std::fs::write(state.path().join("deliver/nas.json"), "{torn").unwrap();
        assert_eq!(read("/a").delivered.len(), 0);
    }
}
