//! The commands of the workshop.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use scanner_fleet::workshop::config::WorkerConfig;
use scanner_fleet::workshop::job::JobId;
use scanner_fleet::workshop::offer::{self, Was};
use scanner_fleet::workshop::records::Record;
use scanner_fleet::workshop::results;
use scanner_fleet::workshop::shop::{ACK_WAIT, DEFAULT_KEY, Shop};
use scanner_fleet::workshop::state::{State, Step};
use scanner_fleet::workshop::work;
use serde_json::json;

/// How often it is looked for results, with `--follow`.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Reconstruct scans that rigs offer, one after the other, until told to end
    Work {
        /// What it is called, and what reconstructs
        #[arg(long, value_name = "FILE", default_value = "/etc/scanner/worker.toml")]
        config: PathBuf,
    },
    /// Offer a finished scan to the workshop; the same one again is the same job
    Offer {
        /// The scan's folder
        dataset: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Show the jobs of the workshop
    Jobs {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Fetch results into the folders of the scans that they are of
    FetchResults {
        /// The folder of the scans
        #[arg(long, value_name = "FOLDER", default_value = "/var/lib/scanner/scans")]
        scans: PathBuf,
        /// Go on until told to end
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        at: At,
    },
    /// Take a job away, with all that the broker has of it
    Forget {
        /// The job
        job: JobId,
        #[command(flatten)]
        at: At,
    },
    #[command(hide = true)]
    Supervise {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// Where the workshop is.
#[derive(Debug, clap::Args)]
pub(super) struct At {
    /// The broker's address, if not that of `scanner fleet init`
    #[arg(long, value_name = "ADDRESS")]
    broker: Option<String>,
    /// The rig's key, beside which the broker's authority lies, if it is encrypted
    #[arg(long, value_name = "FILE", default_value = DEFAULT_KEY)]
    key: PathBuf,
    /// How many seconds a worker may be silent; set by who uses the workshop first
    #[arg(long, value_name = "SECONDS", default_value_t = ACK_WAIT.as_secs(), hide = true)]
    ack_wait: u64,
}

impl At {
    async fn shop(&self) -> Result<Shop, String> {
        let ack_wait = Duration::from_secs(self.ack_wait.max(1));
        Shop::of_rig(self.broker.as_deref(), &self.key, ack_wait).await.map_err(|error| error.to_string())
    }
}

pub(super) async fn run(command: Command) -> Result<String, String> {
    match command {
        Command::Work { config } => {
            work::work(WorkerConfig::read(&config)?).await?;
            Ok(String::new())
        }
        Command::Offer { dataset, at } => {
            let shop = at.shop().await?;
            let mut quiet = |_, _: &_| {};
            let offered =
                offer::offer(&shop, &dataset, &mut quiet).await.map_err(|error| error.to_string())?;
            let what = match offered.was {
                Was::New => "is in the queue",
                Was::There => "was in the queue already",
                Was::Failed => "had failed, and is in the queue again",
                Was::Done => "is done already",
            };
            let (files, bytes) = (offered.sent_files, offered.sent_bytes);
            Ok(format!(
                "{} {what}; {files} of {} files were sent, with {bytes} bytes\n",
                offered.job, offered.files
            ))
        }
        Command::Jobs { json, at } => {
            let jobs = at.shop().await?.jobs().await.map_err(|error| error.to_string())?;
            if json {
                let jobs: Vec<_> =
                    jobs.iter().map(|(job, record)| json!({"job": job, "record": record})).collect();
                return serde_json::to_string_pretty(&jobs)
                    .map(|text| text + "\n")
                    .map_err(|error| error.to_string());
            }
            if jobs.is_empty() {
                return Ok("there are no jobs: `scanner fleet offer SCAN` makes one\n".to_owned());
            }
            Ok(jobs.iter().map(|(job, record)| line(job, record)).collect())
        }
        Command::FetchResults { scans, follow, at } => fetch(&at, &scans, follow).await,
        Command::Forget { job, at } => {
            at.shop().await?.forget(&job).await.map_err(|error| error.to_string())?;
            Ok(format!("{job} is forgotten\n"))
        }
        // Before there is a runtime.
        Command::Supervise { .. } => Ok(String::new()),
    }
}

async fn fetch(at: &At, scans: &std::path::Path, follow: bool) -> Result<String, String> {
    let mut told = Vec::new();
    loop {
        let pass = async {
            let (fetched, failed) =
                results::fetch(&at.shop().await?, scans).await.map_err(|error| error.to_string())?;
            let lines = fetched
                .iter()
                .map(|one| format!("{}: {} files in {}\n", one.job, one.files, one.folder.display()));
            // Nobody may read it.
            let _ = std::io::stdout().write_all(lines.collect::<String>().as_bytes());
            match failed.first() {
                Some(_) => Err(failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
                None => Ok(()),
            }
        };
        let pass = pass.await;
        if !follow {
            return pass.map(|()| String::new());
        }
        // Each trouble is told once, until it has gone well.
        match pass {
            Ok(()) => told.clear(),
            Err(message) if !told.contains(&message) => {
                tracing::warn!("{message}");
                told.push(message);
            }
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn line(job: &JobId, record: &Record) -> String {
    let standing = &record.standing;
    let how = match &standing.state {
        State::Queued if standing.failures.is_empty() => "waits".to_owned(),
        State::Queued => format!("waits, after {} failures", standing.failures.len()),
        State::Running { worker, step, .. } => format!("{worker}: {}", doing(step)),
        State::Failed { reason } => format!("has failed: {reason}"),
        State::Done { worker, took_s, .. } => format!("done by {worker} in {took_s} s, to be fetched"),
        State::Fetched { worker } => format!("done by {worker}, and fetched"),
    };
    format!("{job}  {how}\n")
}

fn doing(step: &Step) -> String {
    match step {
        Step::Fetching { bytes, of } => format!("fetches, {} of {} MB", bytes / 1_000_000, of / 1_000_000),
        Step::Working { said } if said.is_empty() => "reconstructs".to_owned(),
        Step::Working { said } => format!("reconstructs: {said}"),
        Step::Putting => "puts the result back".to_owned(),
    }
}
