//! A disk on which somebody else tidies up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::dataset::{Disk, DiskFile, OsDisk};

/// Removes what is being created, once, before an operation of its choice. A machine that shares nothing but the files
/// sees no lock.
#[derive(Debug)]
pub(super) struct Swept {
    root: PathBuf,
    left: AtomicUsize,
    done: AtomicBool,
}

impl Swept {
    pub(super) fn after(operations: usize, root: &Path) -> Self {
        Self { root: root.to_owned(), left: AtomicUsize::new(operations), done: AtomicBool::new(false) }
    }

    pub(super) fn has_swept(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    fn pass(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return;
        }
        for entry in fs::read_dir(&self.root).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with(".new-") {
                let trash = self.root.join(".trash-elsewhere");
                fs::rename(&path, &trash).unwrap();
                fs::remove_dir_all(&trash).unwrap();
                self.done.store(true, Ordering::SeqCst);
            }
        }
        // Before the first operation there is nothing yet.
        self.done.fetch_or(fs::read_dir(&self.root).unwrap().count() == 0, Ordering::SeqCst);
    }
}

impl Disk for Swept {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.pass();
        OsDisk.create_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.pass();
        OsDisk.create(path)
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        OsDisk.append(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass();
        OsDisk.rename(from, to)
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass();
        OsDisk.replace(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove_file(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.pass();
        OsDisk.sync_dir(path)
    }
}
