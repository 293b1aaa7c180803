//! A disk that can lose power after every operation, and part way through a write.
//!
//! [`Recorder`] does everything for real and keeps a log. [`super::power_model::states_after`] replays the log's beginning on a
//! model of what is in memory and what is on the disk, and gives the states in which power could leave it:
//! - The bytes of a file that are not synced may be there, not be there, be zero, or be there in part.
//! - A name that is not synced (of a file created, renamed, removed) may be there or not, each independently of
//!   the others. A rename within one folder or between two happens whole or not at all, and lasts once every
//!   folder concerned is synced.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::dataset::{Disk, DiskFile, OsDisk};

/// An open file, whatever name it has by now.
pub(super) type Handle = usize;

/// One operation, with paths relative to the recorder's root.
#[derive(Debug, Clone)]
pub(super) enum Op {
    CreateDir(PathBuf),
    /// Also gives the number by which the open file is known from here on.
    Create(PathBuf, Handle),
    Open(PathBuf, Handle),
    /// At the file's end.
    Write(Handle, Vec<u8>),
    Sync(Handle),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(PathBuf),
}

/// Which syncs a deliberately wrong writer leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgets {
    Nothing,
    /// To sync files outside the top folder (images and metadata).
    FileSync,
    /// To sync folders of images and metadata.
    DirSync,
}

/// Does everything, and remembers it.
#[derive(Debug)]
pub(super) struct Recorder {
    root: PathBuf,
    log: Arc<Mutex<Vec<Op>>>,
    forgets: Forgets,
}

impl Recorder {
    pub(super) fn new(root: &Path, forgets: Forgets) -> Self {
        Self { root: root.to_owned(), log: Arc::default(), forgets }
    }

    pub(super) fn log(&self) -> Vec<Op> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn len(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap().to_owned()
    }

    fn done<T>(&self, result: io::Result<T>, op: Op) -> io::Result<T> {
        if result.is_ok() {
            self.log.lock().unwrap().push(op);
        }
        result
    }
}

fn is_of_a_shot(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "cam0")
}

impl Disk for Recorder {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.done(OsDisk.create_dir(path), Op::CreateDir(self.relative(path)))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let handle = self.len();
        let file = self.done(OsDisk.create(path), Op::Create(self.relative(path), handle))?;
        let syncs = self.forgets != Forgets::FileSync || !is_of_a_shot(path);
        Ok(Box::new(RecordedFile { file, handle, log: Arc::clone(&self.log), syncs }))
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let handle = self.len();
        let file = self.done(OsDisk.append(path), Op::Open(self.relative(path), handle))?;
        Ok(Box::new(RecordedFile { file, handle, log: Arc::clone(&self.log), syncs: true }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.done(OsDisk.rename(from, to), Op::Rename(self.relative(from), self.relative(to)))
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.done(OsDisk.replace(from, to), Op::Rename(self.relative(from), self.relative(to)))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.done(OsDisk.remove_file(path), Op::Remove(self.relative(path)))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.forgets != Forgets::DirSync || !is_of_a_shot(path) {
            self.log.lock().unwrap().push(Op::SyncDir(self.relative(path)));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct RecordedFile {
    file: Box<dyn DiskFile>,
    handle: Handle,
    log: Arc<Mutex<Vec<Op>>>,
    syncs: bool,
}

impl DiskFile for RecordedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.log.lock().unwrap().push(Op::Write(self.handle, bytes.to_vec()));
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        if self.syncs {
            self.log.lock().unwrap().push(Op::Sync(self.handle));
        }
        Ok(())
    }
    fn cut(&mut self, _: u64) -> io::Result<()> {
        panic!("nothing fails here before the power does")
    }
}
