//! Which part of the log is to be seen; as `journalctl` has it.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::complete;

/// Which part of the log.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct LogsArgs {
    /// Only of this scan
    #[arg(add = ArgValueCompleter::new(complete::scans))]
    pub(in crate::cli) scan: Option<String>,
    /// Go on with what is logged from now on
    #[arg(long, short)]
    pub(in crate::cli) follow: bool,
    /// With an explanation of each event
    #[arg(long, short = 'x')]
    pub(in crate::cli) explain: bool,
    /// Only the last lines, so many
    #[arg(long, short = 'n', value_name = "NUMBER")]
    pub(in crate::cli) lines: Option<u32>,
    /// Only from then on: "2026-11-21 14:30", "1 hour ago", yesterday, -15min
    #[arg(long, short = 'S', value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<String>,
    /// Only until then
    #[arg(long, short = 'U', value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) until: Option<String>,
}
