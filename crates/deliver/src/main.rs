//! `scanner-deliver`: one job as JSON on standard input, lines of JSON about it on standard output.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use scanner_deliver::{Failure, Job, perform};

/// Longest job: a list of a hundred thousand files.
const LONGEST: u64 = 32 << 20;

/// Brings a finished scan to where it is kept. Reads one job (JSON) from standard input, says how it goes on standard output; `scanner
/// deliver` is for people.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The scan's folder, for who looks through processes: what counts is the job.
    scan: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { scan: _ } = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let (said, code) = match read().and_then(|job| perform(&job, &mut out)) {
        Ok(said) => (said, ExitCode::SUCCESS),
        Err(failure) => (failure.said(), ExitCode::FAILURE),
    };
    // Where nobody listens any more, the exit code has to do.
    let _ = said.write(&mut out).and_then(|()| out.flush());
    code
}

fn read() -> Result<Job, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Job(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| Failure::Job(error.to_string()))
}
