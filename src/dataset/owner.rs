//! Who writes to a dataset, written down in it: over a network, `flock` excludes nobody on another machine.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use serde::{Deserialize, Serialize};

use super::OpenError;
use super::error::{Context, DiskError};
use super::layout::OWNER;
use super::open::{self, Unread};
use crate::durable::{self, Readers};
use crate::procfs::{self, Identity};

/// How often the sign of life grows.
const BEAT: Duration = Duration::from_secs(2);
/// Names this machine where it has no id of its own, such as in a container, and in tests.
const MACHINE: &str = "SCANNER_MACHINE_ID";

/// A process on a machine, and its sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    machine: String,
    host: String,
    boot: String,
    pid: u32,
    /// In ticks since the boot: a later process of the same number has another one.
    start: u64,
    beats: u64,
    /// When it last grew, by the owner's clock. For people.
    at: Timestamp,
}

impl Owner {
    /// # Errors
    /// This process could not look at itself: under another name, nobody would know whether it lives.
    fn this_process() -> io::Result<Self> {
        let pid = std::process::id();
        let machine = std::env::var(MACHINE).ok();
        Ok(Self {
            machine: machine.map_or_else(procfs::machine_id, Ok)?,
            host: procfs::line("/proc/sys/kernel/hostname")?,
            boot: procfs::line(procfs::BOOT_ID)?,
            pid,
            start: started(pid)?.unwrap_or_default(),
            beats: 0,
            at: Timestamp::now(),
        })
    }

    fn is_same_process(&self, other: &Self) -> bool {
        (&self.machine, &self.boot, self.pid, self.start)
            == (&other.machine, &other.boot, other.pid, other.start)
    }

    /// Whether it may still write, as far as this machine can tell.
    ///
    /// # Errors
    /// There was no looking: it may.
    fn may_live(&self) -> io::Result<bool> {
        let here = Self::this_process()?;
        if self.machine != here.machine {
            return Ok(true);
        }
        // Ourselves: then the lock says whether it is taken.
        let may_be = !self.is_same_process(&here) && self.boot == here.boot;
        Ok(may_be && started(self.pid)? == Some(self.start))
    }
}

/// When a process started; none if it is not there.
fn started(pid: u32) -> io::Result<Option<u64>> {
    // No process has a greater number.
    let Ok(pid) = i32::try_from(pid) else { return Ok(None) };
    Ok(Identity::of(pid)?.map(|process| process.start_ticks))
}

/// Who else may still write to the dataset at `dir`, as an error; none if nobody.
pub(super) fn somebody_else(dir: &Path) -> Option<OpenError> {
    let path = dir.join(OWNER);
    let text = match open::read(dir, OWNER, open::DESCRIPTION) {
        Ok(text) => text,
        Err(Unread::Missing) => return None,
        Err(unread) => {
            let source = io::Error::from(unread);
            return Some(DiskError { action: "read", path, source }.into());
        }
    };
    let owner = serde_json::from_slice::<Owner>(&text).ok();
    match owner.as_ref().map(Owner::may_live) {
        Some(Ok(false)) => return None,
        Some(Err(source)) => {
            return Some(DiskError { action: "tell whose scan it is, by", path, source }.into());
        }
        Some(Ok(true)) | None => {}
    }
    let who = owner.map_or_else(
        || "somebody unknown".to_owned(),
        |owner| {
            format!(
                "process {} on {} (sign of life {}, last at {})",
                owner.pid, owner.host, owner.beats, owner.at
            )
        },
    );
    Some(OpenError::Owned { dir: dir.to_owned(), who, note: path })
}

/// As [`somebody_else`], if that is on another machine, or nobody knows who it is.
pub(super) fn another_machine(dir: &Path) -> Option<OpenError> {
    let owned = somebody_else(dir)?;
    let is_here = || {
        let note = read(&File::open(dir).ok()?).ok()??;
        Some(note.machine == Owner::this_process().ok()?.machine)
    };
    if is_here() == Some(true) { None } else { Some(owned) }
}

/// Takes the dataset at `dir` away from another machine, which a person says has stopped for good: its writer, if it
/// lives after all, sees that within two beats and writes no more. Whether there was anything to take.
///
/// # Errors
/// It belongs to a process that lives on this machine, or the disk fails.
pub fn take_over(dir: &Path) -> Result<bool, OpenError> {
    let Some(owned) = somebody_else(dir) else { return Ok(false) };
    let here = Owner::this_process().context("tell whose scan it is, by", dir)?;
    let folder = File::open(dir).context("open", dir)?;
    let note = dir.join(OWNER);
    if read(&folder).context("read", &note)?.is_some_and(|owner| owner.machine == here.machine) {
        return Err(owned);
    }
    fs::remove_file(&note).and_then(|()| folder.sync_all()).context("remove", &note)?;
    Ok(true)
}

/// This process, as the owner of a dataset; no more when it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    dir: File,
    lost: Arc<AtomicBool>,
    owner: Owner,
    beating: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Claim {
    /// Writes down that this process has the dataset at `path`, whose open folder is `dir`.
    pub(super) fn take(path: &Path, dir: &File) -> Result<Self, OpenError> {
        if let Some(other) = somebody_else(path) {
            return Err(other);
        }
        let dir = dir.try_clone().context("open", path)?;
        let note = path.join(OWNER);
        let owner = Owner::this_process().context("say whose scan it is, in", &note)?;
        // Replaced as a whole, so that nobody reads half of it; synced once, before the scan.
        let written = encode(&owner).and_then(|json| durable::replace(&note, &json, Readers::AsUsual));
        written.context("write", &note)?;
        let lost = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = mpsc::channel();
        let mut claim = Self { dir, lost: lost.clone(), owner: owner.clone(), beating: None };
        // Without a sign of life nobody could tell that the scan is ours. The claim takes its note away again.
        let beaten = claim.dir.try_clone().and_then(|dir| {
            let beat = move || keep(&dir, owner, &lost, &stopped);
            std::thread::Builder::new().name("owner".into()).spawn(beat)
        });
        claim.beating = Some((stop, beaten.context("start the thread that shows life in", &note)?));
        Ok(claim)
    }

    /// Whether somebody has taken the dataset over.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.beating.take() {
            drop(stop);
            let _ = thread.join();
        }
        if read(&self.dir).is_ok_and(|found| found.is_some_and(|found| found.is_same_process(&self.owner))) {
            let _ = unlinkat(&self.dir, OWNER, AtFlags::empty());
        }
    }
}

/// Lets the sign of life grow, and sees when it is somebody else's. Syncs nothing.
fn keep(dir: &File, mut owner: Owner, lost: &AtomicBool, stopped: &mpsc::Receiver<()>) {
    while stopped.recv_timeout(BEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
        match read(dir) {
            Ok(Some(found)) if found.is_same_process(&owner) => {
                owner.beats += 1;
                owner.at = Timestamp::now();
                let note = openat(dir, OWNER, OFlags::WRONLY | open::PLAIN, Mode::empty());
                // A network that is away for a moment is no reason to stop: the next one may be written.
                let _ = note
                    .map_err(io::Error::from)
                    .and_then(|note| File::from(note).write_all(&encode(&owner)?));
            }
            Ok(Some(_) | None) => lost.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
    }
}

/// Always of one length, so that it can be written over in place.
fn encode(owner: &Owner) -> io::Result<Vec<u8>> {
    let mut json = serde_json::to_vec(owner)?;
    json.resize(json.len().max(1024), b' ');
    Ok(json)
}

/// None if there is none, or one that cannot be understood.
fn read(dir: &File) -> io::Result<Option<Owner>> {
    match open::read_in(dir, OWNER, open::DESCRIPTION) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(Unread::Failed(error)) => Err(error),
        Err(Unread::Missing | Unread::NotAFile | Unread::TooLong { .. }) => Ok(None),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn what_another_machine_or_a_living_process_has_is_not_taken_and_what_a_dead_one_had_is() {
        let dir = tempfile::tempdir().unwrap();
        let folder = File::open(dir.path()).unwrap();
        let note = |owner: &Owner| fs::write(dir.path().join(OWNER), encode(owner).unwrap()).unwrap();
        let here = Owner::this_process().unwrap();
        note(&Owner { machine: "another".into(), host: "rig-b".into(), ..here.clone() });
        let refused = Claim::take(dir.path(), &folder).unwrap_err().to_string();
        assert!(refused.contains("rig-b") && refused.contains(OWNER), "{refused}");
        let parent = std::os::unix::process::parent_id();
        note(&Owner { pid: parent, start: started(parent).unwrap().unwrap(), ..here.clone() });
        assert!(Claim::take(dir.path(), &folder).is_err(), "a process that lives");
        note(&Owner { pid: parent, start: 1, ..here.clone() });
        drop(Claim::take(dir.path(), &folder).unwrap());
        note(&Owner { boot: "earlier".into(), pid: parent, ..here });
        drop(Claim::take(dir.path(), &folder).unwrap());
        assert!(!dir.path().join(OWNER).exists());
        fs::write(dir.path().join(OWNER), "").unwrap();
        assert!(Claim::take(dir.path(), &folder).is_err(), "nobody knows who it is");
        assert!(take_over(dir.path()).unwrap());
        drop(Claim::take(dir.path(), &folder).unwrap());
        assert!(!take_over(dir.path()).unwrap(), "nobody's any more");
    }

    #[test]
    fn what_is_taken_over_is_another_machines_and_never_a_living_process_of_this_one() {
        let dir = tempfile::tempdir().unwrap();
        let note = |owner: &Owner| fs::write(dir.path().join(OWNER), encode(owner).unwrap()).unwrap();
        let here = Owner::this_process().unwrap();
        let parent = std::os::unix::process::parent_id();
        note(&Owner { pid: parent, start: started(parent).unwrap().unwrap(), ..here.clone() });
        assert!(matches!(take_over(dir.path()), Err(OpenError::Owned { .. })));
        assert!(somebody_else(dir.path()).is_some() && another_machine(dir.path()).is_none());
        note(&Owner { machine: "another".into(), ..here });
        assert!(matches!(another_machine(dir.path()), Some(OpenError::Owned { .. })));
        assert!(take_over(dir.path()).unwrap());
        assert!(!dir.path().join(OWNER).exists());
    }
}
