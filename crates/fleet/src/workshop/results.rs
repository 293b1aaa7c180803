//! Fetches results to the scans that they are of: `SCAN/workshop/JOB/`, with what is known of the job in `job.json`, which comes last.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use scanner::durable::{self, Readers};
use scanner::ownership;
use serde::Serialize;
use tracing::warn;

use super::error::ShopError;
use super::files::FileError;
use super::job::{JobId, is_inside};
use super::records::{ChangeError, Record};
use super::shop::Shop;
use super::state::{Input, Put, State};
use super::{RESULTS, dataset};

/// In the scan's folder.
pub const FOLDER: &str = "workshop";
/// In the folder of a job.
pub const RECORD: &str = "job.json";
/// So often a file is tried that came damaged.
const TRIES: u32 = 3;

/// A result that is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// The job.
    pub job: JobId,
    /// Where its files are.
    pub folder: PathBuf,
    /// How many.
    pub files: usize,
}

/// A result that was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file.
    #[error(
        "the result of {job} is not fetched: {name}: {source}; if that stays, `scanner fleet forget {job}`, and offer the scan again"
    )]
    File {
        /// The job.
        job: JobId,
        /// The file.
        name: String,
        /// What is wrong.
        source: FileError,
    },
    /// The folder of the scan.
    #[error("{} cannot be written: {source}", path.display())]
    Folder {
        /// What.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The broker.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The record.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// Has in the folder of each scan in `scans` how its jobs stand, and the results of those that are done. What fails of one job is told, and
/// keeps no other one.
pub async fn fetch(shop: &Shop, scans: &Path) -> Result<(Vec<Fetched>, Vec<FetchError>), ShopError> {
    let (mut fetched, mut failed) = (Vec::new(), Vec::new());
    for (job, record) in shop.jobs().await? {
        let Some(dir) = folder_of(scans, &record) else { continue };
        match fetch_one(shop, &dir, &job, &record).await {
            Ok(None) => {}
            Ok(Some(one)) => fetched.push(one),
            Err(error) => failed.push(error),
        }
    }
    Ok((fetched, failed))
}

/// The folder of the scan that a job is of, if that is here: another rig's scan may have the same name.
fn folder_of(scans: &Path, record: &Record) -> Option<PathBuf> {
    let scan = &record.about.scan;
    let dir = (is_inside(scan) && !scan.contains('/')).then(|| scans.join(scan))?;
    let is_here = dir.is_dir() && dataset::plan_of(&dir).is_ok_and(|plan| plan == record.about.plan);
    is_here.then_some(dir)
}

async fn fetch_one(
    shop: &Shop,
    dir: &Path,
    job: &JobId,
    record: &Record,
) -> Result<Option<Fetched>, FetchError> {
    let folder = dir.join(FOLDER).join(job.as_str());
    match &record.standing.state {
        State::Done { run, files, .. } => {
            make(&folder)?;
            for file in files {
                bring(shop, job, &folder, RESULTS, file).await?;
            }
            // Once it says so here, nothing of it is needed at the broker. Its record comes last: as long as that says that it is to be
            // fetched, what is left is taken away the next time.
            write(&folder, record)?;
            shop.purge(job).await?;
            shop.change(job, Input::Fetch { run: run.clone() }, None).await?;
            Ok(Some(Fetched { job: job.clone(), folder, files: files.len() }))
        }
        State::Failed { .. } => {
            make(&folder)?;
            let logs = record.standing.failures.iter().filter_map(|failure| failure.log.as_ref());
            for log in logs {
                // That of a failure which cannot be had is no reason to fail.
                if let Err(error) = bring(shop, job, &folder, RESULTS, log).await {
                    warn!("{error}");
                }
            }
            write(&folder, record)?;
            Ok(None)
        }
        State::Queued | State::Running { .. } => {
            make(&folder)?;
            write(&folder, record)?;
            Ok(None)
        }
        // The files say how it was done.
        State::Fetched { .. } => Ok(None),
    }
}

fn make(folder: &Path) -> Result<(), FetchError> {
    ownership::create_folders(folder).map_err(|source| FetchError::Folder { path: folder.into(), source })
}

/// Keeps what is known of a job, if that has changed.
fn write(folder: &Path, record: &Record) -> Result<(), FetchError> {
    let path = folder.join(RECORD);
    let failed = |source| FetchError::Folder { path: path.clone(), source };
    let json = serde_json::to_vec_pretty(record).map_err(|error| failed(error.into()))?;
    if fs::read(&path).is_ok_and(|there| there == json) {
        return Ok(());
    }
    durable::replace(&path, &json, Readers::AsUsual).map_err(failed)
}

/// Has `file` in `folder`, whole, and not before it is.
async fn bring(shop: &Shop, job: &JobId, folder: &Path, stream: &str, file: &Put) -> Result<(), FetchError> {
    let failed = |source| FetchError::File { job: job.clone(), name: file.name.clone(), source };
    if !is_inside(&file.name) || file.name.contains('/') || file.name == RECORD {
        let odd = std::io::Error::other("that is no name of a file");
        return Err(failed(FileError::Here(odd)));
    }
    let path = folder.join(&file.name);
    if File::open(&path).and_then(dataset::sum).is_ok_and(|sum| sum == file.sum) {
        return Ok(());
    }
    let part = folder.join(format!(".{}.part", file.name));
    let mut tries = 0;
    loop {
        tries += 1;
        match receive(shop, &part, stream, file).await {
            Err(FileError::DamagedThere(reason)) if tries < TRIES => {
                warn!("{job}: {}: {reason}: once more", file.name);
            }
            Err(error) => {
                // Nothing half stays.
                let _ = fs::remove_file(&part);
                return Err(failed(error));
            }
            Ok(()) => {
                let placed = fs::rename(&part, &path).and_then(|()| durable::sync_folder(folder));
                return placed.map_err(|error| failed(FileError::Here(error)));
            }
        }
    }
}

async fn receive(shop: &Shop, part: &Path, stream: &str, file: &Put) -> Result<(), FileError> {
    let mut to = File::create(part).map_err(FileError::Here)?;
    shop.get(stream, &file.subject, &mut to, file.sum).await?;
    to.flush().and_then(|()| to.sync_all()).map_err(FileError::Here)
}
