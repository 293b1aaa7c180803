//! `scanner dataset`: scans on disk.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::daemon::{StartError, find_scan};
use crate::dataset::{self, Listed};

use super::args::DatasetCommand;
use super::exit::{Exit, Failure};
use super::{load, output};

pub(super) fn dataset(config: &Path, command: DatasetCommand) -> Result<Exit, Failure> {
    match command {
        DatasetCommand::List { json } => list(&load(config)?, json),
        DatasetCommand::Show { scan, json } => show(&locate(config, &scan)?, json),
        DatasetCommand::Verify { scan, json } => verify(&locate(config, &scan)?, json),
    }
}

/// A path names a folder anywhere, and needs no configuration; anything else must be a scan's id.
fn locate(config: &Path, scan: &str) -> Result<PathBuf, Failure> {
    if scan.contains('/') && Path::new(scan).is_dir() {
        return Ok(scan.into());
    }
    let id = scan.parse().map_err(StartError::ScanId)?;
    Ok(find_scan(&load(config)?, &id)?)
}

fn list(config: &Config, json: bool) -> Result<Exit, Failure> {
    let scans = dataset::list(&config.storage.directory).map_err(dataset::OpenError::from)?;
    if json {
        output::json(&scans)?;
        return Ok(Exit::Done);
    }
    output::print(&output::table(["SCAN", "STATE", "STORED", "FAILED", "PLANNED"], scans.iter().map(row)))?;
    Ok(Exit::Done)
}

fn row(listed: &Listed) -> [String; 5] {
    let id = listed.id.to_string();
    match &listed.scan {
        Ok(scan) => {
            let counts = &scan.shots;
            let state = if scan.state.is_finished() || listed.in_use {
                scan.state.to_string()
            } else {
                format!("{} (resumable)", scan.state)
            };
            [id, state, counts.done.to_string(), counts.failed.to_string(), counts.planned.to_string()]
        }
        Err(damaged) => [id, format!("damaged: {damaged}"), String::new(), String::new(), String::new()],
    }
}

fn show(directory: &Path, json: bool) -> Result<Exit, Failure> {
    let listed = dataset::show(directory)?;
    if json {
        output::json(&listed)?;
    } else {
        output::print(&output::table(["SCAN", "STATE", "STORED", "FAILED", "PLANNED"], [row(&listed)]))?;
        output::print(&format!("Folder: {}", listed.dir.display()))?;
    }
    Ok(if listed.scan.is_ok() { Exit::Done } else { Exit::Invalid })
}

fn verify(directory: &Path, json: bool) -> Result<Exit, Failure> {
    let report = dataset::verify(directory)?;
    if json {
        output::json(&report)?;
    } else {
        for violation in &report.violations {
            output::print(&format!("violation: {violation}"))?;
        }
        for note in &report.notes {
            output::print(&format!("note: {note}"))?;
        }
        let counts = &report.shots;
        output::print(&format!(
            "{}: {}; {} of {} shots stored, {} failed, {} pending; {} violations",
            report.dir.display(),
            report.state,
            counts.done,
            counts.planned,
            counts.failed,
            counts.pending,
            report.violations.len()
        ))?;
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::Invalid })
}
