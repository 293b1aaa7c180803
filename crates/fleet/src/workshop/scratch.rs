//! The worker's folder: what a job needs while it is worked on. A job that comes again finds what was fetched of it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use scanner::file_lock;

use super::dataset;
use super::job::{Item, JobId};

/// In the folder that is configured: whatever else lies there is somebody else's.
pub const FOLDER: &str = "scanner-jobs";

/// [`FOLDER`], which is this worker's as long as this lives.
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

/// The folders of one job.
#[derive(Debug)]
pub struct Bench {
    /// Its dataset's: fetched, and gone on with.
    pub dataset: PathBuf,
    /// Where the command runs.
    pub work: PathBuf,
    /// Where it leaves its results.
    pub out: PathBuf,
    /// What it says.
    pub log: PathBuf,
    folder: PathBuf,
}

impl Scratch {
    /// Takes [`FOLDER`] in `path`, which are made.
    pub fn take(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!(
                "the scratch folder {} cannot be used: {error}; see `scratch` of the worker's configuration",
                path.display()
            )
        };
        let own = path.join(FOLDER);
        fs::create_dir_all(&own).map_err(|error| failed(&error))?;
        // The command works in folders below, and takes its paths for whole ones.
        let path = own.canonicalize().map_err(|error| failed(&error))?;
        let lock = File::create(path.join("lock")).map_err(|error| failed(&error))?;
        match file_lock::take(&lock) {
            Ok(Some(())) => Ok(Self { path, _lock: lock }),
            Ok(None) => Err(failed(&"another worker has it, and each needs its own")),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The folders of `job`; those of others are removed, and what an earlier run of this one has made of its dataset.
    pub fn bench(&self, job: &JobId, scan: &str) -> io::Result<Bench> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && entry.file_name() != job.as_str() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let folder = self.path.join(job.as_str());
        let bench = Bench {
            dataset: folder.join("dataset").join(scan),
            work: folder.join("work"),
            out: folder.join("out"),
            log: folder.join("log.txt"),
            folder,
        };
        for fresh in [&bench.work, &bench.out] {
            match fs::remove_dir_all(fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => fs::create_dir_all(fresh)?,
            }
        }
        fs::create_dir_all(&bench.dataset)?;
        Ok(bench)
    }

    /// Bytes that are free there.
    pub fn free(&self) -> io::Result<u64> {
        let stat = statvfs(&self.path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

impl Bench {
    /// Whether `file` of the dataset is here, whole.
    pub fn has(&self, file: &Item) -> bool {
        let path = self.dataset.join(&file.path);
        let as_long =
            fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == file.sum.bytes);
        as_long && File::open(&path).and_then(dataset::sum).is_ok_and(|sum| sum == file.sum)
    }

    /// Removes what is in the dataset's folder, or beside it, and no file of it: a command may have written there.
    pub fn clear(&self, files: &[Item]) -> io::Result<()> {
        let known = files.iter().map(|file| self.dataset.join(&file.path)).collect();
        sweep(&self.dataset, &known)
    }

    /// Removes all of it.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

fn sweep(folder: &Path, known: &std::collections::HashSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sweep(&entry.path(), known)?;
        } else if !known.contains(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::job::Sum;

    #[test]
    fn a_job_that_comes_again_finds_its_dataset_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::take(&folder.path().join("scratch")).unwrap();
        assert!(Scratch::take(&folder.path().join("scratch")).is_err(), "two workers in one folder");
        let (job, other): (JobId, JobId) = ("owl-1".parse().unwrap(), "owl-2".parse().unwrap());
        let bench = scratch.bench(&job, "owl").unwrap();
        let file = Item { path: "images/a.jpg".into(), sum: Sum::NONE.and(b"abc") };
        fs::create_dir_all(bench.dataset.join("images")).unwrap();
        for (path, bytes) in
            [(bench.dataset.join(&file.path), b"abc"), (bench.dataset.join("images/b.part"), b"xyz")]
        {
            fs::write(path, bytes).unwrap();
        }
        fs::write(bench.out.join("model.ply"), b"half").unwrap();
        let bench = scratch.bench(&job, "owl").unwrap();
        bench.clear(std::slice::from_ref(&file)).unwrap();
        assert!(bench.has(&file) && !bench.dataset.join("images/b.part").exists());
        assert!(!bench.out.join("model.ply").exists());
        // Damaged meanwhile: fetched again.
        fs::write(bench.dataset.join(&file.path), b"abd").unwrap();
        assert!(!bench.has(&file));
        scratch.bench(&other, "owl").unwrap();
        assert!(!bench.folder.exists(), "that of another job stays");
    }

    #[test]
    fn what_else_lies_in_the_folder_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let others = ["lock", "photos/a.jpg"].map(|name| folder.path().join(name));
        fs::create_dir(folder.path().join("photos")).unwrap();
        for other in &others {
            fs::write(other, "mine").unwrap();
        }
        let scratch = Scratch::take(folder.path()).unwrap();
        scratch.bench(&"owl-1".parse().unwrap(), "owl").unwrap().remove().unwrap();
        for other in &others {
            assert_eq!(fs::read_to_string(other).unwrap(), "mine", "{}", other.display());
        }
    }
}
