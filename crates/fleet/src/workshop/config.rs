//! The worker's configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::broker::{self, Broker};
use crate::names::NodeName;
use crate::toml_file;
use crate::trust::Fingerprint;

/// What a worker is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// Its name, which no other worker of the broker has.
    pub name: NodeName,
    /// The broker's address.
    #[serde(default = "broker::default_address")]
    pub broker: String,
    /// What the broker's authority is known by, if it is spoken to encrypted.
    pub ca: Option<Fingerprint>,
    /// Its key, which is made if it is not there.
    #[serde(default = "default_key")]
    pub key: PathBuf,
    /// Where datasets and results lie while it works, in a folder of that name which [`super::scratch::FOLDER`] says; each worker has its own.
    #[serde(default = "default_scratch")]
    pub scratch: PathBuf,
    /// What reconstructs: a program and its arguments. `{dataset}` is the folder of the dataset, `{out}` the one for results.
    pub command: Vec<String>,
    /// How long that may take, in seconds.
    #[serde(default = "default_time_limit")]
    pub time_limit_s: u64,
    /// How often a job may fail before it counts as failed.
    #[serde(default = "default_tries")]
    pub tries: u32,
    /// How long a job waits that is given back, in seconds.
    #[serde(default = "default_pause")]
    pub pause_s: f64,
    /// Megabytes that stay free in the scratch folder: with less, no job is taken.
    #[serde(default = "default_keep_free")]
    pub keep_free_mb: u64,
}

impl WorkerConfig {
    /// Reads `path`; an error says where it is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        toml_file::read(path, Self::check)
    }

    /// How long a job waits that is given back.
    pub fn pause(&self) -> Duration {
        Duration::from_secs_f64(self.pause_s)
    }

    /// How long the command may take.
    pub fn time_limit(&self) -> Duration {
        Duration::from_secs(self.time_limit_s)
    }

    /// The broker.
    pub fn broker(&self) -> Broker {
        Broker::told(&self.broker, self.ca)
    }

    fn check(&self) -> Result<(), String> {
        broker::check(&self.broker, self.ca)?;
        if self.command.first().is_none_or(String::is_empty) {
            return Err(
                "command: name the program that reconstructs, as in [\"/usr/share/scanner/workshop/colmap\"]"
                    .into(),
            );
        }
        if !(0.05..=3600.0).contains(&self.pause_s) {
            return Err(format!("pause_s = {}: it lies between 0.05 and 3600", self.pause_s));
        }
        if !(1..=100).contains(&self.tries) {
            return Err(format!("tries = {}: it lies between 1 and 100", self.tries));
        }
        Ok(())
    }
}

fn default_key() -> PathBuf {
    "/var/lib/scanner-worker/worker.nk".into()
}

fn default_scratch() -> PathBuf {
    "/var/lib/scanner-worker/scratch".into()
}

fn default_time_limit() -> u64 {
    6 * 3600
}

fn default_tries() -> u32 {
    3
}

fn default_pause() -> f64 {
    30.0
}

fn default_keep_free() -> u64 {
    1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WorkerConfig, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        WorkerConfig::read(file.path())
    }

    #[test]
    fn a_name_and_a_command_are_enough() {
        let config = read("name = \"pc\"\ncommand = [\"true\"]\n").unwrap();
        assert_eq!((config.tries, config.pause()), (3, Duration::from_secs(30)));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let most = "name = \"pc\"\ncommand = [\"true\"]\n";
        for (bad, why) in [
            ("name = \"pc\"\n".to_owned(), "command"),
            ("name = \"p.c\"\ncommand = [\"true\"]\n".to_owned(), "p.c"),
            ("name = \"pc\"\ncommand = []\n".to_owned(), "command"),
            (format!("{most}tries = 0\n"), "tries"),
            (format!("{most}pause_s = 0.0\n"), "pause_s"),
            (format!("{most}colour = 1\n"), "colour"),
            (format!("{most}ca = \"sha256:{}\"\n", "0a".repeat(32)), "tls://"),
        ] {
            let error = read(&bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
