//! One writer at a time: an advisory lock on a dataset's folder, gone with the process that holds it.

use std::fs::File;
use std::path::Path;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;

use super::OpenError;
use super::error::Context;
use super::owner::{self, Claim};
use crate::file_lock;

/// Held by the one who may write.
#[derive(Debug)]
pub(super) struct Lock {
    folder: File,
    /// None while it is made or dropped, and of a left-over.
    claim: Option<Claim>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before somebody else can write a note of their own.
        drop(self.claim.take());
        // Closing would do, were it not for processes that are being started at this moment: until they execute
        // their program, they have the descriptor, too.
        let _ = flock(&self.folder, FlockOperation::Unlock);
    }
}

impl Lock {
    /// Takes the lock of the dataset at `dir`.
    pub(super) fn take(dir: &Path) -> Result<Self, OpenError> {
        let mut lock = Self::take_unsaid(dir)?;
        lock.claim = Some(Claim::take(dir, &lock.folder)?);
        Ok(lock)
    }

    /// Takes the lock of what a process left that died while it made or removed a dataset. Nothing is written there:
    /// a machine that is about to claim it does not see this lock.
    pub(super) fn take_left_over(dir: &Path) -> Result<Self, OpenError> {
        let lock = Self::take_unsaid(dir)?;
        owner::somebody_else(dir).map_or(Ok(lock), Err)
    }

    fn take_unsaid(dir: &Path) -> Result<Self, OpenError> {
        let folder = open(dir)?;
        let locked = match file_lock::take(&folder) {
            // The note of its owner keeps other processes out, on this machine too.
            Err(error) if file_lock::are_lacking(error) => {
                let folder = dir.display();
                tracing::warn!(%folder, %error, "the file system has no locks: only the scan's owner.json keeps others out");
                Some(())
            }
            locked => locked.map_err(std::io::Error::from).context("lock", dir)?,
        };
        locked.ok_or_else(|| OpenError::InUse(dir.to_owned()))?;
        Ok(Self { folder, claim: None })
    }

    /// Whether somebody has taken the dataset over, who must not meet our writes.
    pub(super) fn is_lost(&self) -> bool {
        self.claim.as_ref().is_some_and(Claim::is_lost)
    }
}

/// Whether somebody holds the lock of the dataset at `dir`, or may write to it from another machine.
pub(super) fn is_held(dir: &Path) -> bool {
    open(dir)
        .is_ok_and(|folder| flock(&folder, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
        || owner::somebody_else(dir).is_some()
}

fn open(dir: &Path) -> Result<File, OpenError> {
    // A folder, since a FIFO would wait for its other end.
    match openat(CWD, dir, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => Err(OpenError::NotFound(dir.to_owned())),
        opened => Ok(opened.map(File::from).map_err(std::io::Error::from).context("open", dir)?),
    }
}
