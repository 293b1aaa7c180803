//! One writer at a time: an advisory lock on a dataset's folder, gone with the process that holds it.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::OpenError;
use super::error::Context;

/// Held by the one who may write.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, were it not for processes that are being started at this moment: until they execute
        // their program, they have the descriptor, too.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl Lock {
    /// Takes the lock of the dataset at `dir`. A reader that looks whether it is held holds it for a moment
    /// itself, hence the few tries.
    pub(super) fn take(dir: &Path) -> Result<Self, OpenError> {
        let folder = open(dir)?;
        for _ in 0..10 {
            if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok(Self(folder));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(OpenError::InUse(dir.to_owned()))
    }
}

/// Whether somebody holds the lock of the dataset at `dir`.
pub(super) fn is_held(dir: &Path) -> bool {
    open(dir).is_ok_and(|folder| flock(&folder, FlockOperation::NonBlockingLockShared).is_err())
}

fn open(dir: &Path) -> Result<File, OpenError> {
    match File::open(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(OpenError::NotFound(dir.to_owned()))
        }
        opened => Ok(opened.context("open", dir)?),
    }
}
