//! The workshop: a finished scan is a job, which a worker on any machine takes, and whose result comes back once.
//!
//! ```text
//! rig: offer --files, record, job--> broker (JetStream) --job--> worker: fetch, run the command, put --files, record--> broker
//!      fetch-results <----------------------------------------------------------------------------------------------'
//! ```
//!
//! Three things lie at the broker, each in a stream of its own:
//! - **The queue** (`workshop-jobs`, a work queue): a message for each job that is not over. It gives a job to one worker, and to another
//!   one once that has been silent for the consumer's `ack_wait`. It is no truth: a message that is there twice or too long does no harm.
//! - **The records** (a bucket of keys, `workshop`): how each job stands ([`state`]), changed by comparing and setting alone. A *run*, one
//!   worker's try at a job, may change it as long as the record names it; one that was believed dead is told that it is not its any more.
//!   So a result is there once.
//! - **Files** (`workshop-datasets`, `workshop-results`): in chunks, each with where it begins, the last one with length and checksum of
//!   all ([`files`]).
//!
//! The record is written before the queue is told, and the queue keeps a job until its record says that it is over: whatever dies in between,
//! no job is lost.

pub mod command;
pub mod config;
pub mod dataset;
pub mod deliver;
pub mod error;
pub mod files;
pub mod job;
pub mod offer;
pub mod records;
pub mod results;
pub mod run;
pub mod scratch;
pub mod shop;
pub mod state;
mod unopened;
pub mod work;

/// The stream of jobs,
pub const JOBS: &str = "workshop-jobs";
/// its one consumer, which all workers share,
pub const WORKERS: &str = "workers";
/// the stream of the files of datasets,
pub const DATASETS: &str = "workshop-datasets";
/// that of results,
pub const RESULTS: &str = "workshop-results";
/// and the bucket of records.
pub const RECORDS: &str = "workshop";

/// The subject of a job in the queue.
pub fn job_subject(job: &job::JobId) -> String {
    format!("workshop.job.{job}")
}

/// The subject of a file of a job's dataset: its number, or `list` for the list of them.
pub fn data_subject(job: &job::JobId, what: &str) -> String {
    format!("workshop.data.{job}.{what}")
}

/// The subject of what run `run` of a job puts back.
pub fn result_subject(job: &job::JobId, run: &str, what: &str) -> String {
    format!("workshop.result.{job}.{run}.{what}")
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
