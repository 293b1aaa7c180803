//! A disk that fails at any operation of a dataset: once, or from then on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;

use crate::dataset::{Disk, DiskFile, OsDisk};

/// When the next operation fails, and how.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// Operations before that.
    left: Arc<AtomicUsize>,
    error: Errno,
    lasts: Lasts,
}

/// Far from now.
const NEVER: usize = usize::MAX;

/// What comes of operations after the one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    /// They are done.
    Once,
    /// They fail, too.
    ForGood,
}

impl Fault {
    fn may_go_on(&self) -> io::Result<()> {
        let left = self.left.load(Ordering::SeqCst);
        let after = match (left, self.lasts) {
            (0, Lasts::Once) => NEVER,
            (0, Lasts::ForGood) => 0,
            (left, Lasts::Once | Lasts::ForGood) => left - 1,
        };
        self.left.store(after, Ordering::SeqCst);
        if left == 0 { Err(self.error.into()) } else { Ok(()) }
    }

    /// So many more are done before.
    pub(super) fn after(&self, operations: usize) {
        self.left.store(operations, Ordering::SeqCst);
    }

    /// It does not come.
    pub(super) fn never(&self) {
        self.after(NEVER);
    }

    /// Whether it is still to come, and was to come.
    pub(super) fn is_ahead(&self) -> bool {
        (1..NEVER / 2).contains(&self.left.load(Ordering::SeqCst))
    }
}

/// A disk of the operating system that fails.
#[derive(Debug)]
pub(super) struct Failing(pub(super) Fault);

impl Failing {
    pub(super) fn new(error: Errno, lasts: Lasts) -> Arc<Self> {
        Arc::new(Self(Fault { left: Arc::new(AtomicUsize::new(NEVER)), error, lasts }))
    }

    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FailingFile { file, fault: self.0.clone(), failed: false })
    }
}

impl Disk for Failing {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.may_go_on()?;
        OsDisk.create_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.may_go_on()?;
        Ok(self.file(OsDisk.create(path)?))
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(OsDisk.append(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.may_go_on()?;
        OsDisk.rename(from, to)
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.may_go_on()?;
        OsDisk.replace(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove_file(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.may_go_on()?;
        OsDisk.sync_dir(path)
    }
}

#[derive(Debug)]
struct FailingFile {
    file: Box<dyn DiskFile>,
    fault: Fault,
    failed: bool,
}

impl DiskFile for FailingFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert!(!self.failed, "a file was written to after an error");
        let goes_on = self.fault.may_go_on();
        if goes_on.is_err() {
            self.failed = true;
            self.file.write_all(&bytes[..bytes.len() / 2])?;
        }
        goes_on?;
        self.file.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        assert!(!self.failed, "a file was synced after an error");
        self.fault.may_go_on().inspect_err(|_| self.failed = true)?;
        self.file.sync()
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.fault.may_go_on()?;
        self.file.cut(length)
    }
}
