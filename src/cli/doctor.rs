//! `scanner doctor`: what may be in the way, and what to do.

use std::path::Path;

use serde_json::Value;

use crate::camera_driver::protocol::Condition;
use crate::config::Config;
use crate::daemon::Request;
use crate::doctor::{Finding, Served, Verdict, examine};

use super::control::{ANSWER_PATIENCE, ask_for};
use super::exit::{Exit, Failure};
use super::output;

pub(super) fn doctor(config: &Path, as_json: bool) -> Result<Exit, Failure> {
    let status = status(config);
    let mut findings = examine(config, &status.as_ref().map_or(Served::NotAsked, served));
    findings.extend(status.iter().flat_map(conditions));
    if as_json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            output::print(&text(finding))?;
        }
    }
    let sick = findings.iter().any(|finding| matches!(finding.verdict, Verdict::Problem { .. }));
    Ok(if sick { Exit::Failed } else { Exit::Done })
}

/// How the scanner stands that runs on the rig; none where none runs, or answers.
fn status(config: &Path) -> Option<Value> {
    let config = Config::load(config).ok()?;
    Some(ask_for(&config, &Request::Status, ANSWER_PATIENCE).ok()?.1)
}

/// Whether the page can be opened of the scanner that stands so.
pub(super) fn served(status: &Value) -> Served {
    let api = &status["api"];
    let address = api["address"].as_str().and_then(|address| address.parse().ok());
    match (address, api["message"].as_str()) {
        (Some(address), _) => Served::At(address),
        (None, Some(message)) => Served::Refused(message.to_owned()),
        (None, None) => Served::Not,
    }
}

/// How the cameras are, by the service that has them. Nothing of cameras that do not say.
fn conditions(status: &Value) -> Vec<Finding> {
    let cameras = status["cameras"].as_array().map(Vec::as_slice).unwrap_or_default();
    let condition = |camera: &Value| {
        let condition: Condition = serde_json::from_value(camera["condition"].clone()).ok()?;
        let found = format!("{}: {condition}", camera["camera"].as_str().unwrap_or_default());
        Some(match condition.unfit {
            Some(why) => Finding::problem("camera", found, why),
            None => Finding::fine("camera", found),
        })
    };
    cameras.iter().filter_map(condition).collect()
}

fn text(Finding { check, found, verdict }: &Finding) -> String {
    let (mark, what_to_do) = match verdict {
        Verdict::Fine => ("ok     ", None),
        Verdict::Unknown => ("unknown", None),
        Verdict::Advice { what_to_do } => ("advice ", Some(what_to_do)),
        Verdict::Problem { what_to_do } => ("PROBLEM", Some(what_to_do)),
    };
    let what_to_do = what_to_do.map(|what| format!("\n          {what}")).unwrap_or_default();
    format!("{mark}  {check}: {found}{what_to_do}")
}
