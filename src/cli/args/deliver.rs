//! `scanner deliver`.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::complete;

/// What is delivered, and where.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DeliverArgs {
    /// Its id, as `scanner dataset list` shows it; every scan that is missing there, if absent
    #[arg(add = ArgValueCompleter::new(complete::scans))]
    pub(in crate::cli) scan: Option<String>,
    /// Which `[[deliver]]`; every one, if absent
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) to: Option<String>,
    /// Deliver nothing, and show what is there, what waits, and what is in the way
    #[arg(long, conflicts_with_all = ["scan", "check"])]
    pub(in crate::cli) status: bool,
    /// Deliver nothing, and read and compare what was delivered of the scan
    #[arg(long, requires = "scan")]
    pub(in crate::cli) check: bool,
    /// Print as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
