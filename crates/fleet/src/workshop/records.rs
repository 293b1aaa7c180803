//! Records of jobs at the broker: read, and changed by comparing and setting.

use async_nats::jetstream::kv::{Operation, UpdateErrorKind};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::error::{ShopError, broken};
use super::job::{JobId, Sum};
use super::shop::Shop;
use super::state::{self, Input, Refused, Standing};
use super::{JOBS, RECORDS, job_subject};

/// The layout of records described here.
const FORMAT: u32 = 1;
/// Two who change one record get in each other's way that often at most.
const TRIES: u32 = 50;

/// What the rig says of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The scan.
    pub scan: String,
    /// The machine that offers it.
    pub rig: String,
    /// When, in seconds since 1970.
    pub offered_s: u64,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What the list of them has to be.
    pub list: Sum,
    /// The checksum of its plan, by which the rig knows it as its own.
    pub plan: u32,
}

/// All that is known of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// What the rig says.
    #[serde(flatten)]
    pub about: About,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It cannot be made.
    #[error("{job}: {refused}")]
    Refused {
        /// The job.
        job: JobId,
        /// Why not.
        refused: Refused,
    },
    /// It is not known whether it was made.
    #[error(transparent)]
    Shop(#[from] ShopError),
}

impl ChangeError {
    /// Why it cannot be made; none if that is not known.
    pub fn refused(&self) -> Option<Refused> {
        match self {
            Self::Refused { refused, .. } => Some(*refused),
            Self::Shop(_) => None,
        }
    }
}

impl Shop {
    /// The record of `job`, and its revision: 0 if there is none.
    pub async fn record(&self, job: &JobId) -> Result<(Option<Record>, u64), ShopError> {
        let failed = broken("give the record of a job");
        let entry = self.records.entry(job.as_str()).await.map_err(|error| failed(&error))?;
        match entry {
            None => Ok((None, 0)),
            Some(entry) if entry.operation == Operation::Put => {
                let record: Record = serde_json::from_slice(&entry.value).map_err(|error| failed(&error))?;
                if record.format != FORMAT {
                    let own = env!("CARGO_PKG_VERSION");
                    return Err(failed(&format!(
                        "that of {job} has format {}, which scanner-fleet {own} does not know",
                        record.format
                    )));
                }
                Ok((Some(record), entry.revision))
            }
            // Forgotten.
            Some(entry) => Ok((None, entry.revision)),
        }
    }

    /// What becomes of `job` by `input`, written. Of an offer, `about` is what the rig says.
    pub async fn change(
        &self,
        job: &JobId,
        input: Input,
        about: Option<&About>,
    ) -> Result<Record, ChangeError> {
        let failed = broken("keep the record of a job");
        for _ in 0..TRIES {
            let (record, revision) = self.record(job).await?;
            let before = record.clone();
            let (known, standing) =
                record.map_or((None, None), |record| (Some(record.about), Some(record.standing)));
            let refuse = |refused| ChangeError::Refused { job: job.clone(), refused };
            let standing = state::step(standing, input.clone()).map_err(refuse)?;
            let about = about.cloned().or(known).ok_or_else(|| refuse(Refused::Unknown))?;
            let record = Record { format: FORMAT, about, standing };
            if before.as_ref() == Some(&record) {
                return Ok(record);
            }
            let json = serde_json::to_vec(&record).map_err(|error| failed(&error))?;
            match self.records.update(job.as_str(), json.into(), revision).await {
                Ok(_) => return Ok(record),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(failed(&error).into()),
            }
        }
        Err(failed(&format!("that of {job} is changed by others all the time")).into())
    }

    /// All jobs, the oldest first.
    pub async fn jobs(&self) -> Result<Vec<(JobId, Record)>, ShopError> {
        let failed = broken("list the jobs");
        // By its subjects: `keys` of the client waits for ever where a record changes meanwhile.
        let stream = self.jetstream.get_stream_no_info(format!("KV_{RECORDS}")).await;
        let stream = stream.map_err(|error| failed(&error))?;
        let prefix = format!("$KV.{RECORDS}.");
        let mut subjects =
            stream.info_with_subjects(format!("{prefix}>")).await.map_err(|error| failed(&error))?;
        let mut jobs = Vec::new();
        while let Some(subject) = subjects.next().await {
            let (subject, _) = subject.map_err(|error| failed(&error))?;
            let Some(Ok(job)) = subject.strip_prefix(&prefix).map(str::parse::<JobId>) else { continue };
            if let (Some(record), _) = self.record(&job).await? {
                jobs.push((job, record));
            }
        }
        jobs.sort_by(|(a, one), (b, other)| (one.about.offered_s, a).cmp(&(other.about.offered_s, b)));
        Ok(jobs)
    }

    /// Takes away all of `job`: files, its place in the queue, and its record. A worker that has it is told so when it next says something.
    pub async fn forget(&self, job: &JobId) -> Result<(), ShopError> {
        if let (None, _) = self.record(job).await? {
            return Err(broken("forget a job")(&format!(
                "there is no {job}: `scanner fleet jobs` shows those that there are"
            )));
        }
        self.purge_subject(JOBS, &job_subject(job)).await?;
        self.purge(job).await?;
        self.records.delete(job.as_str()).await.map_err(|error| broken("forget a job")(&error))
    }
}
