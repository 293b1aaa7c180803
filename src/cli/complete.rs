//! What a shell offers while a command is written: scans, shots, plans and cameras by their names. Where it cannot look, it offers
//! nothing: the command itself says why.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use clap_complete::engine::CompletionCandidate;

use crate::config::Config;
use crate::daemon::find_scan;
use crate::dataset::{self, ScanId};

/// Where the configuration is if nobody says,
pub(super) const CONFIG: &str = "/etc/scanner/scanner.toml";
/// and what says so in the environment.
pub(super) const CONFIG_VARIABLE: &str = "SCANNER_CONFIG";
/// Most scans that are offered, the newest.
const MOST_SCANS: usize = 200;

/// Scans in the storage, the newest first.
pub(super) fn scans(typed: &OsStr) -> Vec<CompletionCandidate> {
    let ids = config().map(|config| ids(&config)).unwrap_or_default();
    candidates(ids.into_iter().map(|id| id.to_string()).filter(|id| begins(id, typed)).take(MOST_SCANS))
}

/// Shots of the scan that the command names.
pub(super) fn shots(typed: &OsStr) -> Vec<CompletionCandidate> {
    let plan = config().and_then(|config| {
        let words = std::env::args_os();
        let mut ids = words.filter_map(|word| word.to_str()?.parse::<ScanId>().ok());
        let folder = ids.find_map(|id| find_scan(&config, &id).ok())?;
        Some(dataset::read_contents(&folder).ok()?.plan)
    });
    let Some(plan) = plan else { return Vec::new() };
    let names = plan
        .cameras
        .iter()
        .flat_map(|camera| plan.points.iter().map(move |point| format!("{}/{}", camera.name, point.label)));
    candidates(names.filter(|name| begins(name, typed)))
}

/// Plans of the configuration.
pub(super) fn plans(typed: &OsStr) -> Vec<CompletionCandidate> {
    configured(typed, |config| config.plans.into_iter().map(|plan| plan.name).collect())
}

/// Cameras of the configuration.
pub(super) fn cameras(typed: &OsStr) -> Vec<CompletionCandidate> {
    configured(typed, |config| config.cameras.into_iter().map(|camera| camera.name).collect())
}

/// Those of the `names` in the configuration that begin so.
fn configured(typed: &OsStr, names: impl FnOnce(Config) -> Vec<String>) -> Vec<CompletionCandidate> {
    let names = config().map(names).unwrap_or_default();
    candidates(names.into_iter().filter(|name| begins(name, typed)))
}

fn begins(name: &str, typed: &OsStr) -> bool {
    typed.to_str().is_some_and(|typed| name.starts_with(typed))
}

/// In this order.
fn candidates(names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    names.enumerate().map(|(order, name)| CompletionCandidate::new(name).display_order(Some(order))).collect()
}

/// By names alone: a folder with thousands of scans is not to be read while somebody types.
fn ids(config: &Config) -> Vec<ScanId> {
    let Ok(entries) = fs::read_dir(&config.storage.directory) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<ScanId> = names.filter_map(|name| name.parse().ok()).collect();
    ids.sort_by(|one, other| other.as_str().cmp(one.as_str()));
    ids
}

/// The configuration that the command would read.
fn config() -> Option<Config> {
    // The line as far as it was written, of which the end is no command yet: so clap cannot read it.
    let words: Vec<OsString> = std::env::args_os().collect();
    let named = words.iter().zip(words.iter().skip(1)).find_map(|(option, value)| {
        matches!(option.to_str(), Some("-c" | "--config")).then(|| PathBuf::from(value))
    });
    let path = named.or_else(|| std::env::var_os(CONFIG_VARIABLE).map(PathBuf::from));
    Config::load(&path.unwrap_or_else(|| PathBuf::from(CONFIG))).ok()
}
