//! What can be written on the command line.

mod calibrate;
mod config;
mod dataset;
mod deliver;
mod demo;
mod description;
mod logs;
mod rig;
mod tune;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use crate::units::Millimetres;
pub(super) use calibrate::{BoardArgs, CalibrateArgs, CalibrationArgs};
pub(super) use config::ConfigCommand;
pub(super) use dataset::DatasetCommand;
pub(super) use deliver::DeliverArgs;
pub(super) use demo::DemoArgs;
pub(super) use description::DescriptionArgs;
pub(super) use logs::LogsArgs;
use rig::PanelButton;
pub(super) use rig::{RigAxis, RigCommand};
pub(super) use tune::{SpeedArgs, SwingArgs, TuneArgs, Tuned};

/// Drives a 3D-scanner rig: cameras, turntable, lights. No scan is lost, and none lies.
#[derive(Debug, Parser)]
#[command(name = "scanner", version, about, max_term_width = 110, after_help = super::exit::HELP)]
pub(super) struct Args {
    /// The configuration file; drop-ins are read from FILE.d/*.toml
    #[arg(
        long,
        short,
        value_name = "FILE",
        env = complete::CONFIG_VARIABLE,
        default_value = complete::CONFIG,
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
        #[arg(add = ArgValueCompleter::new(complete::plans))]
        plan: Option<String>,
        /// Its id, as 2026-11-21-143005-owl; by date and time if absent
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        what: DescriptionArgs,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Scan the empty rig, in the foreground: by that, later scans of the same plan get masks. It is kept
    Reference {
        /// Which [plan.NAME]; the first one if absent
        #[arg(add = ArgValueCompleter::new(complete::plans))]
        plan: Option<String>,
        /// Its id; by date and time if absent
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        what: DescriptionArgs,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the board with which the rig measures itself, or the ring of marks for the turntable's edge, true to scale
    Board(BoardArgs),
    /// Have the rig measure itself: scan the printed board on the turntable, and keep where cameras stand and what lenses they have
    Calibrate(CalibrateArgs),
    /// Find out by the rig's own cameras how its axes swing, so that moves are shaped and they do not; or how fast they can be
    Tune(TuneArgs),
    /// Show what the rig has measured of itself, with its history
    Calibration(CalibrationArgs),
    /// Go on with a scan that was paused or interrupted, or try again what failed
    Resume {
        /// Its id, as `scanner dataset list` shows it
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// The axes that are put by hand stand where the configuration says: they were turned there
        #[arg(long)]
        homed: bool,
        /// The other machine to which the scan belongs has stopped for good
        #[arg(long)]
        take_over: bool,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Describe the rig by answering questions: leaves a configuration that scans. Everything can be left and come back to
    Setup {
        /// Take the answers from this file, and ask nothing; it says which are missing
        #[arg(long, value_name = "FILE")]
        answers: Option<PathBuf>,
        /// Ask nothing of the rig: try the parts of the one that is set up, one by one
        #[arg(long = "try", conflicts_with = "answers")]
        try_parts: bool,
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
    /// Show the configuration, change it key by key, and take changes back
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
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
    /// Bring finished scans to where `[[deliver]]` wants them, now and in the foreground; or look how that stands
    Deliver(DeliverArgs),
    /// Show which storage scans go to; a disk has a mark by which it is known again
    Storage {
        /// From now on scans go to what is there now, such as a new disk
        #[arg(long)]
        accept: bool,
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
        #[arg(add = ArgValueCompleter::new(complete::plans))]
        plan: Option<String>,
        /// Of the empty rig: by that, later scans of the same plan get masks
        #[arg(long)]
        reference: bool,
        /// Go on with this scan instead
        #[arg(
            long,
            value_name = "SCAN",
            conflicts_with_all = ["plan", "reference"],
            add = ArgValueCompleter::new(complete::scans)
        )]
        resume: Option<String>,
        #[command(flatten)]
        what: DescriptionArgs,
        /// Not if an axis has to be put in its place by hand first
        #[arg(long)]
        unattended: bool,
    },
    /// Take shots of a scan again: at once if it is under way, else when it is resumed
    Retake {
        /// Its id, as `scanner dataset list` shows it
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Shots as the log names them, such as `cam0/r01_a017`, or by their numbers in the plan
        #[arg(required = true, value_name = "SHOT", add = ArgValueCompleter::new(complete::shots))]
        shots: Vec<String>,
    },
    /// Add points to a scan: they are visited behind its own, at once if it is under way, else when it is resumed
    Extend {
        /// Its id, as `scanner dataset list` shows it
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// A list of points, as plans with `shape = "list"` have it
        #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath, required_unless_present = "proposed")]
        points: Option<PathBuf>,
        /// Those that `scanner dataset propose` names: where the surface was seen too little
        #[arg(long, conflicts_with = "points")]
        proposed: bool,
    },
    /// Ask the running scanner to pause its scan
    Pause,
    /// Ask the running scanner to cancel its scan
    Cancel,
    /// Offer this machine's cameras to the scanner of another one, until told to end
    Node {
        /// What it is called, and which cameras it has
        #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, default_value = "/etc/scanner/node.toml")]
        file: PathBuf,
    },
    /// Let nodes in that have cameras, and show them: `scanner fleet help` says how
    Fleet {
        /// What to do, and with what
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Look for what may be in the way of a scan on this machine, and say what to do
    Doctor {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the service's log, or what it says of one scan
    Logs(LogsArgs),
    /// Show who is told how scans stand, by `[[notify]]`, and how many messages wait; or try it out
    Notify {
        /// Send each of them a test, as the running scanner would, and say what became of it
        #[arg(long)]
        test: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask the running service to read its configuration again
    Reload,
    /// Let the axes of the running scanner move again after an emergency stop or another fault
    Clear,
    /// Let the running scanner find out where axes stand: by their switch, or by your word
    Home {
        /// Which; those of which it is not known, if absent
        axes: Vec<RigAxis>,
    },
    /// Try the rig by hand, while no scanner is running
    Rig {
        #[command(subcommand)]
        command: RigCommand,
    },
    /// Put every output into its safe state; needs nothing but the configuration
    SafeState {
        /// Even if another process has the rig: it hangs, or cannot be ended
        #[arg(long)]
        force: bool,
    },
    /// Press a button of the running scanner's simulated panel
    Press {
        /// Which button
        button: PanelButton,
    },
    /// Make a token by which a browser or a program may use the HTTP API, and print it: it is shown once
    Token {
        /// What to call it: for what or whom it is
        #[arg(default_value = "default")]
        name: String,
        /// Who has it may look at everything, and change and capture nothing
        #[arg(long, conflicts_with_all = ["revoke", "list"])]
        look_only: bool,
        /// Make the token of this name invalid
        #[arg(long, conflicts_with = "list")]
        revoke: bool,
        /// List the names of all tokens
        #[arg(long)]
        list: bool,
    },
    /// Let in a browser that asks to be paired with the rig
    Pair {
        /// The code that its page shows; `scanner status` has it, too, with name and address
        code: String,
        /// Refuse it instead
        #[arg(long)]
        refuse: bool,
    },
    /// Print a link that opens the page in one browser, logged in: here, or on a phone by its QR code
    Open {
        /// What to call the token of that browser
        #[arg(default_value = "browser")]
        name: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look through a camera over the HTTP API, in numbers; the token is in the environment (`SCANNER_TOKEN`)
    Watch {
        /// Which camera
        #[arg(add = ArgValueCompleter::new(complete::cameras))]
        camera: String,
        /// Where the scanner is, as scanner.local:8080 or `https://scanner.local`; by the configuration if absent
        #[arg(long)]
        url: Option<String>,
        /// Certificates by which a scanner at https is known, such as its own; by default that of the configuration, or
        /// those of the system
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// For how many seconds; until Ctrl-C if absent
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Print the document (`OpenAPI`) of the HTTP API
    Openapi,
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

#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// Which [plan.NAME]; the first one if absent
    #[arg(add = ArgValueCompleter::new(complete::plans))]
    pub(super) plan: Option<String>,
    /// Draw it into this file
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Say how well it would cover a ball of this radius that stands on the turntable
    #[arg(long, value_name = "RADIUS", num_args = 0..=1, default_missing_value = "40 mm")]
    pub(super) coverage: Option<Millimetres>,
    /// Print as JSON
    #[arg(long)]
    pub(super) json: bool,
}
