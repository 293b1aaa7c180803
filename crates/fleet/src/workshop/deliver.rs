//! Offering as a program that delivers: one job as JSON on standard input, lines of JSON about it on standard output. It is what
//! `scanner-deliver` is for folders and S3, for the target `{"workshop": {"broker": ADDRESS, "key": FILE}}`; the address may be left out.

use std::io::{Read as _, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::ShopError;
use super::offer::{OfferError, offer};
use super::shop::{ACK_WAIT, DEFAULT_KEY, Shop};

/// Longest job: a list of a hundred thousand files.
const LONGEST: u64 = 32 << 20;

/// What is asked: of all that is said of it, what matters here. The list of files is looked for anew.
#[derive(Debug, Deserialize)]
struct Job {
    work: Work,
    source: PathBuf,
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Work {
    Copy,
    Check,
    Reach,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Target {
    Workshop(Place),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    broker: Option<String>,
    #[serde(default = "default_key")]
    key: PathBuf,
}

fn default_key() -> PathBuf {
    DEFAULT_KEY.into()
}

/// A line that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// So far it has come.
    Progress {
        /// Files that are there.
        files: u64,
        /// Of so many.
        of_files: u64,
        /// Their bytes.
        bytes: u64,
        /// Of so many.
        of_bytes: u64,
    },
    /// It is in the queue, or was.
    Delivered {
        /// How many files it has.
        files: u64,
        /// Their bytes.
        bytes: u64,
        /// Those that had to be sent.
        sent_files: u64,
        /// Bytes of these.
        sent_bytes: u64,
    },
    /// The workshop is there, and takes scans.
    Reached {},
    /// It came to nothing.
    Failed {
        /// Which kind of failure it is.
        kind: String,
        /// What has happened, to what, and what to do.
        message: String,
        /// Whether it lies in the scan: other scans may go there.
        of_scan: bool,
    },
}

/// Does the job that standard input has, and says so on `out`; whether it has gone well.
pub async fn deliver(out: &mut (dyn Write + Send)) -> bool {
    let said = perform(out).await;
    let well = match said {
        Said::Delivered { .. } | Said::Reached {} => true,
        Said::Progress { .. } | Said::Failed { .. } => false,
    };
    // Where nobody listens any more, the exit code has to do.
    let _ = say(out, &said);
    well
}

async fn perform(out: &mut (dyn Write + Send)) -> Said {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    let job = match read
        .map_err(|error| error.to_string())
        .and_then(|_| serde_json::from_str::<Job>(&text).map_err(|error| error.to_string()))
    {
        Ok(job) => job,
        Err(reason) => {
            let message = format!(
                "this is no job for scanner-workshop ({reason}): install scanner-fleet and scanner of one version"
            );
            return Said::Failed { kind: "job".into(), message, of_scan: false };
        }
    };
    let Job { work, source, target: Target::Workshop(Place { broker, key }) } = job;
    match work {
        Work::Check => {
            let message = "the workshop keeps no scans: there is nothing to compare with".to_owned();
            return Said::Failed { kind: "no_copy".into(), message, of_scan: true };
        }
        Work::Copy | Work::Reach => {}
    }
    let shop = match Shop::of_rig(broker.as_deref(), &key, ACK_WAIT).await {
        Ok(shop) => shop,
        Err(error) => return failed(&OfferError::Shop(error)),
    };
    if work == Work::Reach {
        return Said::Reached {};
    }
    let mut far = |far: super::offer::Far, found: &super::dataset::Offer| {
        let super::records::About { files: of_files, bytes: of_bytes, .. } = found.about;
        // Who does not listen is not told at the end, either.
        let _ = say(out, &Said::Progress { files: far.files, of_files, bytes: far.bytes, of_bytes });
    };
    match offer(&shop, &source, &mut far).await {
        Ok(offered) => Said::Delivered {
            files: offered.files,
            bytes: offered.bytes,
            sent_files: offered.sent_files,
            sent_bytes: offered.sent_bytes,
        },
        Err(error) => failed(&error),
    }
}

fn failed(error: &OfferError) -> Said {
    let (kind, of_scan) = match error {
        OfferError::Scan(_) => ("scan", true),
        OfferError::Damaged { .. } => ("damaged_here", true),
        OfferError::Busy(_) => ("busy", true),
        OfferError::Shop(ShopError::Key(_)) => ("file", false),
        OfferError::Shop(ShopError::Broker(_)) => ("unreachable", false),
        OfferError::Shop(ShopError::Closed(_) | ShopError::NotLetIn { .. }) => ("refused", false),
        OfferError::Shop(ShopError::Broken { .. }) | OfferError::Change(_) => ("answer", false),
    };
    Said::Failed { kind: kind.into(), message: error.to_string(), of_scan }
}

fn say(out: &mut (dyn Write + Send), said: &Said) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
