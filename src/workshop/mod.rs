//! What a workshop has made of a scan: `scanner fleet fetch-results` leaves it in the scan's folder, here it is only read.
//!
//! `SCAN/workshop/JOB/job.json` says how the job stands, and is replaced as a whole. Of a job that is done it comes last: what it names is
//! there. So it alone decides what there is. What it does not name may be half of something, or somebody else's.

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dataset::open;
use crate::file_name;
use crate::regular_file::{self, Unread};

/// In the scan's folder.
const FOLDER: &str = "workshop";
/// In the folder of a job.
const RECORD: &str = "job.json";
/// The longest of these, in bytes.
const LONGEST: u64 = 4 << 20;
/// The layout that is known here.
const FORMAT: u32 = 1;
/// Longest id of a job.
const LONGEST_ID: usize = 81;
/// Longest name of a file, in bytes.
const LONGEST_NAME: usize = 255;
/// Most jobs of one scan that are looked at.
const MOST: usize = 100;

/// A scan that was offered to a workshop, as it stood there when that was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkshopJob {
    /// Its id.
    pub job: String,
    /// How it stands.
    pub state: WorkshopState,
    /// When it was offered, by the rig's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub offered: Option<Timestamp>,
    /// Since when it has stood so here.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed: Option<Timestamp>,
    /// What went wrong since it was offered: it may have been tried again.
    pub failures: Vec<WorkshopFailure>,
    /// What is here of it, whole.
    pub files: Vec<WorkshopFile>,
}

/// How a job of a workshop stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum WorkshopState {
    /// No worker has it.
    Waiting,
    /// A worker fetches the scan.
    Fetching {
        /// Which.
        worker: String,
        /// Bytes that it has.
        bytes: u64,
        /// Of so many; 0 as long as that is not known.
        of_bytes: u64,
    },
    /// Its command is at work.
    Working {
        /// Whose.
        worker: String,
        /// The last line that it has said.
        said: String,
    },
    /// The worker puts the result back.
    Putting {
        /// Which.
        worker: String,
    },
    /// The result is here.
    Done {
        /// Who made it.
        worker: String,
        /// How long that took, in seconds; none if it is not known.
        took_s: Option<u64>,
    },
    /// It has failed as often as it may. It can be offered again.
    Failed {
        /// Why, the last time.
        reason: String,
    },
    /// What says so cannot be read.
    Unknown {
        /// Why not, for people.
        message: String,
    },
}

/// A try at a job that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkshopFailure {
    /// Who tried.
    pub worker: String,
    /// Why it came to nothing.
    pub reason: String,
    /// The file that has what was said, if it is here.
    pub log: Option<String>,
}

/// A file that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkshopFile {
    /// Its name.
    pub name: String,
    /// What it is, by its name.
    pub kind: WorkshopFileKind,
    /// How long it is.
    pub bytes: u64,
    /// The checksum of its bytes.
    #[serde(skip)]
    pub crc32c: u32,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkshopFileKind {
    /// The model: `model.*`.
    Model,
    /// A picture of it: `picture.jpg` or `picture.png`.
    Picture,
    /// What the worker's command has said: `log.txt`, or `failed-*.txt` of a try that came to nothing.
    Log,
    /// Anything else.
    Other,
}

impl WorkshopFileKind {
    fn of(name: &str) -> Self {
        match name {
            "picture.jpg" | "picture.png" => Self::Picture,
            "log.txt" => Self::Log,
            _ if name.starts_with("model.") => Self::Model,
            _ if name.strip_prefix("failed-").is_some_and(|run| run.strip_suffix(".txt").is_some()) => {
                Self::Log
            }
            _ => Self::Other,
        }
    }
}

/// What tells one layout from another.
#[derive(Debug, Deserialize)]
struct Layout {
    format: u32,
}

/// What `job.json` says, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Record {
    offered_s: i64,
    state: State,
    #[serde(default)]
    failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
enum State {
    Queued,
    Running { worker: String, step: Step },
    Failed { reason: String },
    Done { worker: String, took_s: u64, files: Vec<Put> },
    Fetched { worker: String },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Fetching { bytes: u64, of: u64 },
    Working { said: String },
    Putting,
}

#[derive(Debug, Deserialize)]
struct Failure {
    worker: String,
    reason: String,
    log: Option<Put>,
}

#[derive(Debug, Clone, Deserialize)]
struct Put {
    name: String,
    bytes: u64,
    crc32c: u32,
}

/// The jobs of the scan in `dir`, the newest first; none if it was never offered, or nobody fetches results.
///
/// # Errors
/// Its folder cannot be looked through.
pub fn jobs(dir: &Path) -> io::Result<Vec<WorkshopJob>> {
    let folder = dir.join(FOLDER);
    match fs::symlink_metadata(&folder) {
        Ok(found) if found.is_dir() => {}
        // Somebody else's, whatever it is.
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let names = fs::read_dir(&folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut jobs: Vec<WorkshopJob> = names.filter_map(|name| job(dir, &name)).take(MOST).collect();
    jobs.sort_by(|one, other| (other.offered, &other.job).cmp(&(one.offered, &one.job)));
    Ok(jobs)
}

/// The job of this id of the scan in `dir`; none if there is none, or nothing is known of it yet.
pub fn job(dir: &Path, id: &str) -> Option<WorkshopJob> {
    if !is_id(id) {
        return None;
    }
    let unknown = |message: String| WorkshopJob {
        job: id.to_owned(),
        state: WorkshopState::Unknown { message },
        offered: None,
        changed: None,
        failures: Vec::new(),
        files: Vec::new(),
    };
    let path = path_of(id, RECORD);
    let read = || -> Result<(Vec<u8>, Option<Timestamp>), Unread> {
        let file = open::file(dir, &path)?;
        let changed = file.metadata().and_then(|found| found.modified()).ok();
        Ok((
            regular_file::whole(file, LONGEST)?,
            changed.and_then(|changed| Timestamp::try_from(changed).ok()),
        ))
    };
    let (json, changed) = match read() {
        Ok(read) => read,
        Err(Unread::Missing) => return None,
        Err(unread) => return Some(unknown(format!("{path} {unread}"))),
    };
    let parsed = serde_json::from_slice::<Layout>(&json).and_then(|Layout { format }| {
        if format == FORMAT { serde_json::from_slice(&json).map(Ok) } else { Ok(Err(format)) }
    });
    Some(match parsed {
        Ok(Ok(record)) => shown(dir, id, record, changed),
        Ok(Err(format)) => unknown(format!(
            "{path} has format {format}, which this version does not know: install scanner and scanner-fleet of one version"
        )),
        Err(error) => unknown(format!(
            "{path} is damaged ({error}): `scanner fleet fetch-results` writes it anew when the job changes"
        )),
    })
}

fn shown(dir: &Path, id: &str, record: Record, changed: Option<Timestamp>) -> WorkshopJob {
    let (state, put) = match record.state {
        State::Queued => (WorkshopState::Waiting, Vec::new()),
        State::Running { worker, step } => {
            let state = match step {
                Step::Fetching { bytes, of } => WorkshopState::Fetching { worker, bytes, of_bytes: of },
                Step::Working { said } => WorkshopState::Working { worker, said },
                Step::Putting => WorkshopState::Putting { worker },
            };
            (state, Vec::new())
        }
        State::Failed { reason } => (WorkshopState::Failed { reason }, Vec::new()),
        State::Done { worker, took_s, files } => {
            (WorkshopState::Done { worker, took_s: Some(took_s) }, files)
        }
        State::Fetched { worker } => (WorkshopState::Done { worker, took_s: None }, Vec::new()),
    };
    let logs = record.failures.iter().filter_map(|failure| failure.log.clone());
    let mut files: Vec<WorkshopFile> = Vec::new();
    for Put { name, bytes, crc32c } in put.into_iter().chain(logs) {
        let is_known = files.iter().any(|file| file.name == name);
        if !is_known && is_name(&name) && is_here(dir, id, &name, bytes) {
            files.push(WorkshopFile { kind: WorkshopFileKind::of(&name), name, bytes, crc32c });
        }
    }
    let failure = |Failure { worker, reason, log }: Failure| {
        let log = log.map(|log| log.name).filter(|log| files.iter().any(|file| file.name == *log));
        WorkshopFailure { worker, reason, log }
    };
    let failures = record.failures.into_iter().map(failure).collect();
    let offered = Timestamp::from_second(record.offered_s).ok();
    WorkshopJob { job: id.to_owned(), state, offered, changed, failures, files }
}

/// The path of a job's file in the scan's folder.
pub fn path_of(job: &str, file: &str) -> String {
    format!("{FOLDER}/{job}/{file}")
}

/// Whether the file is here, as long as it has to be.
fn is_here(dir: &Path, job: &str, name: &str, bytes: u64) -> bool {
    let found = open::file(dir, &path_of(job, name));
    found.is_ok_and(|file| file.metadata().is_ok_and(|found| found.len() == bytes))
}

/// Whether `text` may be a job: it names a folder.
fn is_id(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(part) && !text.starts_with('-')
}

/// Whether `name` names a file of a result: one of the folder itself, that is not hidden.
fn is_name(name: &str) -> bool {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | '"');
    (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name != RECORD
        && !name.chars().any(is_odd)
        && file_name::objection(name).is_none()
}
