//! Offers a finished scan: its files, its record, and then its place in the queue.
//!
//! Whatever ends it in between, the next offer goes on: files that the broker has are not sent again. And the same scan, offered twice, is
//! one job.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use async_nats::jetstream::message::PublishMessage;
use scanner::dataset as stored;
use scanner::file_lock;

use super::dataset::{self, Offer};
use super::error::{ShopError, broken};
use super::files::FileError;
use super::job::{JobId, Sum};
use super::records::ChangeError;
use super::shop::Shop;
use super::state::{Input, Refused, State};
use super::{DATASETS, JOBS, data_subject, job_subject};

/// What the broker says where a job is in the queue already.
const IS_THERE: &str = "maximum messages per subject exceeded";

/// What keeps a scan from being offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The scan.
    #[error("{0}")]
    Scan(String),
    /// A file of the scan is not what the journal says, or cannot be read.
    #[error("{} is not offered: {reason}; see what is left with `scanner dataset verify`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Somebody else is at it.
    #[error("another process offers {0} at this moment")]
    Busy(String),
    /// The broker.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The record.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// What an offer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The job.
    pub job: JobId,
    /// What was there of it before.
    pub was: Was,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that were sent now.
    pub sent_files: u64,
    /// Bytes of these.
    pub sent_bytes: u64,
}

/// What there was of a job before it was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// Nothing.
    New,
    /// It waits, or a worker has it.
    There,
    /// It had failed.
    Failed,
    /// Its result is there.
    Done,
}

/// So far an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Far {
    /// Files that are there.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Offers the scan in `dir`, and tells `far` how far that is, of `about`.
pub async fn offer(
    shop: &Shop,
    dir: &Path,
    far: &mut (dyn FnMut(Far, &Offer) + Send),
) -> Result<Offered, OfferError> {
    let [_, (plan, _), _] = stored::DESCRIPTIONS;
    let file = stored::open::file(dir, plan)
        .map_err(|error| OfferError::Scan(format!("{}: {error}", dir.display())))?;
    let lock = file_lock::take(&file);
    if matches!(lock, Ok(None)) {
        return Err(OfferError::Busy(dir.display().to_string()));
    }
    let found = dataset::look(dir).map_err(OfferError::Scan)?;
    let (record, _) = shop.record(&found.job).await?;
    let was = match record.map(|record| record.standing.state) {
        None => Was::New,
        Some(State::Queued | State::Running { .. }) => Was::There,
        Some(State::Failed { .. }) => Was::Failed,
        Some(State::Done { .. } | State::Fetched { .. }) => Was::Done,
    };
    let Offer { job, about, .. } = &found;
    let mut offered = Offered {
        job: job.clone(),
        was,
        files: about.files,
        bytes: about.bytes,
        sent_files: 0,
        sent_bytes: 0,
    };
    if was == Was::Done {
        return Ok(offered);
    }
    if was != Was::There {
        if was == Was::Failed {
            // What is there may be why.
            shop.purge(job).await?;
            // The worker may have told the record alone so far: what it tells the queue later is of this message, not of the new one.
            shop.purge_subject(JOBS, &job_subject(job)).await?;
        }
        send(shop, dir, &found, &mut offered, far).await?;
        match shop.change(job, Input::Offer, Some(about)).await {
            Err(error) if error.refused() == Some(Refused::Over) => {
                return Ok(Offered { was: Was::Done, ..offered });
            }
            Err(error) if error.refused() == Some(Refused::There) => {}
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
    }
    queue(shop, job).await?;
    Ok(offered)
}

/// Sends what is not there.
async fn send(
    shop: &Shop,
    dir: &Path,
    found: &Offer,
    offered: &mut Offered,
    far: &mut (dyn FnMut(Far, &Offer) + Send),
) -> Result<(), OfferError> {
    let mut so_far = Far { files: 0, bytes: 0 };
    for (number, file) in found.list.files.iter().enumerate() {
        let damaged = |reason: String| OfferError::Damaged { path: dir.join(&file.path), reason };
        let subject = data_subject(&found.job, &number.to_string());
        if !shop.holds(DATASETS, &subject, file.sum).await? {
            let from = stored::open::file(dir, &file.path).map_err(|error| damaged(error.to_string()))?;
            put(shop, &subject, &mut { from }, file.sum).await.map_err(|error| match error {
                FileError::Shop(error) => OfferError::Shop(error),
                FileError::Here(error) => damaged(error.to_string()),
                FileError::DamagedHere(reason) | FileError::DamagedThere(reason) => damaged(reason),
            })?;
            offered.sent_files += 1;
            offered.sent_bytes += file.sum.bytes;
        }
        so_far = Far { files: so_far.files + 1, bytes: so_far.bytes + file.sum.bytes };
        far(so_far, found);
    }
    let subject = data_subject(&found.job, "list");
    if !shop.holds(DATASETS, &subject, found.about.list).await? {
        let sent = put(shop, &subject, &mut Cursor::new(&found.json), found.about.list).await;
        sent.map_err(|error| broken("take the list of files")(&error))?;
    }
    Ok(())
}

/// In the place of what an earlier try has left there.
async fn put(
    shop: &Shop,
    subject: &str,
    from: &mut (dyn std::io::Read + Send),
    sum: Sum,
) -> Result<(), FileError> {
    shop.purge_subject(DATASETS, subject).await?;
    shop.put(subject, from, sum).await
}

/// Has the job in the queue once.
async fn queue(shop: &Shop, job: &JobId) -> Result<(), OfferError> {
    let failed = broken("take a job");
    let message = PublishMessage::build().payload(job.to_string().into());
    let sent =
        shop.jetstream.send_publish(job_subject(job), message).await.map_err(|error| failed(&error))?;
    match sent.await {
        Ok(_) => Ok(()),
        Err(error) if format!("{error:?} {error}").contains(IS_THERE) => Ok(()),
        Err(error) => Err(failed(&error).into()),
    }
}
