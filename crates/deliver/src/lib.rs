//! Brings a finished scan to where it is kept, and compares it there.
//!
//! One [`Job`] is carried out and told of line by line ([`Said`]). A file counts as delivered once it was read back and had the length and
//! checksum that it has here; a scan once `delivered.json` lies beside its files, which comes last. Whatever ends a job in between, the
//! next one goes on: what is there already, and is right, is not sent again.

mod check;
mod copy;
mod failure;
mod folder;
mod job;
mod list;
mod pace;
mod s3;
mod said;
mod source;
mod store;

use std::io::Write;

pub use failure::Failure;
pub use job::{File, Folder, Job, S3, Target, Work};
pub use said::{Said, Wrong};

/// Carries out `job`, and says how it goes.
///
/// # Errors
/// The target does not take it, or what is here is not as it should be.
pub fn perform(job: &Job, out: &mut dyn Write) -> Result<Said, Failure> {
    job.check()?;
    let mut store: Box<dyn store::Store> = match &job.target {
        Target::Folder(folder) => Box::new(folder::FolderStore::open(folder, job)?),
        Target::S3(s3) => Box::new(s3::S3Store::open(s3, &job.scan, job.work)?),
    };
    let mut pace = pace::Pace::new(job.pace);
    match job.work {
        Work::Copy => copy::copy(job, store.as_mut(), &mut pace, out),
        Work::Check => check::check(&job.scan, store.as_mut(), &mut pace),
        Work::Reach => store.reach().map(|()| Said::Reached {}),
    }
}
