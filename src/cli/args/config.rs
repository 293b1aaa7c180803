//! What can be written of the configuration.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigCommand {
    /// Show what is written, and in which file
    Show {
        /// Also what is not written, with its default
        #[arg(long)]
        defaults: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what keys are for, and what they are by default
    Explain {
        /// Of keys that begin so, such as "motion.settle" or "gate"; of all if absent
        key: Option<String>,
        /// As a page of the documentation
        #[arg(long, conflicts_with = "key")]
        markdown: bool,
    },
    /// Give a key a value, if the whole configuration loads with it
    Set {
        /// Which, such as "motion.settle" or "camera.cam0.controls.gain"
        key: String,
        /// Its value, such as "250 ms", 8, true, or `["0 mm", "40 mm"]`
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Take back what `config set`, or the page, says of a key
    Unset {
        /// Which
        key: String,
        /// Also take away what other files say of it
        #[arg(long)]
        take_away: bool,
    },
    /// List what was before the last changes
    Versions {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Have the file of a change say what it said before that; other files stay
    TakeBack {
        /// Which version, as `scanner config versions` numbers them
        version: u32,
    },
    /// Write the whole configuration into one file, without secrets
    Backup {
        /// Which file; it must not exist
        file: PathBuf,
    },
    /// Have the configuration as a backup has it
    Restore {
        /// The backup
        file: PathBuf,
    },
}
