//! Offers a scan to the workshop, for the daemon: what is asked comes on standard input, what becomes of it goes to standard output, as with
//! `scanner-deliver`. `scanner fleet offer` is for people.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use scanner_fleet::workshop::deliver::deliver;

/// Offers a finished scan to the workshop. Reads one job (JSON) from standard input; `scanner fleet offer` is for people.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The scan's folder, for who looks through processes: what counts is the job.
    scan: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { scan: _ } = Arguments::parse();
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    if runtime.block_on(deliver(&mut std::io::stdout())) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
