//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::rig::panel::Button;

/// Drives a 3D-scanner rig: cameras, turntable, lights. No scan is lost, and none lies.
#[derive(Debug, Parser)]
#[command(name = "scanner", version, about, max_term_width = 110, after_help = super::exit::HELP)]
pub(super) struct Args {
    /// The configuration file; drop-ins are read from FILE.d/*.toml
    #[arg(
        long,
        short,
        value_name = "FILE",
        env = "SCANNER_CONFIG",
        default_value = "/etc/scanner/scanner.toml",
        global = true
    )]
    pub(super) config: PathBuf,
    /// What to log: error, warn, info, debug, trace, or a filter such as scanner=debug
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", global = true)]
    pub(super) log: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run as the service: wait for commands and scan when asked
    Run,
    /// Scan now, in the foreground; Ctrl-C pauses, a second one cancels
    Scan {
        /// Which [plan.NAME]; the first one if absent
        plan: Option<String>,
        /// What to call the scan, as 2026-11-21-143005-owl; by date and time if absent
        #[arg(long)]
        id: Option<String>,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Go on with a scan that was paused or interrupted, or try again what failed
    Resume {
        /// Its id, as `scanner dataset list` shows it
        scan: String,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show it working: a scan on the simulated rig, with faults
    Demo(DemoArgs),
    /// Print the points of a plan, its travel and its expected duration
    Plan(PlanArgs),
    /// Check the configuration and show every problem in it
    CheckConfig {
        /// Also start every camera's driver and check that the camera is there and takes its settings
        #[arg(long)]
        devices: bool,
        /// Print the problems as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what every camera's driver says of it, and who holds it
    Devices {
        /// End the programs of `recovery.may_end` that hold a camera
        #[arg(long)]
        release: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at scans on disk
    Dataset {
        #[command(subcommand)]
        command: DatasetCommand,
    },
    /// Show what the running scanner is doing
    Status {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask the running scanner to begin a scan
    Start {
        /// Which [plan.NAME]; the first one if absent
        plan: Option<String>,
        /// Go on with this scan instead
        #[arg(long, value_name = "SCAN", conflicts_with = "plan")]
        resume: Option<String>,
    },
    /// Ask the running scanner to pause its scan
    Pause,
    /// Ask the running scanner to cancel its scan
    Cancel,
    /// Show the service's log, or what it says of one scan
    Logs {
        /// Only of this scan
        scan: Option<String>,
        /// Go on with what is logged from now on
        #[arg(long, short)]
        follow: bool,
        /// With an explanation of each event
        #[arg(long, short = 'x')]
        explain: bool,
    },
    /// Ask the running service to read its configuration again
    Reload,
    /// Press a button of the running scanner's simulated panel
    Press {
        /// Which button
        button: PanelButton,
    },
    /// Print shell completions
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Write man pages into a folder
    Man {
        /// Which folder
        directory: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum PanelButton {
    /// Begin a scan, or go on with the last one if it was paused or interrupted
    Start,
    /// Pause the scan under way
    Stop,
}

impl From<PanelButton> for Button {
    fn from(button: PanelButton) -> Self {
        match button {
            PanelButton::Start => Self::Start,
            PanelButton::Stop => Self::Stop,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Where to keep the scan
    #[arg(long, value_name = "DIRECTORY", default_value = "demo-scans")]
    pub(super) directory: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How many times faster than a real rig
    #[arg(long, value_name = "FACTOR")]
    pub(super) time_scale: Option<f64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// Which [plan.NAME]; the first one if absent
    pub(super) plan: Option<String>,
    /// Draw it into this file
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum DatasetCommand {
    /// List the scans, the newest first
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one scan
    Show {
        /// Its id, or the path of its folder
        scan: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check every promise about a scan; changes nothing
    Verify {
        /// Its id, or the path of its folder
        scan: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}
