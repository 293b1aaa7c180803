//! `scanner doctor`: what may be in the way, and what to do.

use std::path::Path;

use crate::camera_driver::protocol::Condition;
use crate::config::Config;
use crate::daemon::Request;
use crate::doctor::{Finding, Verdict, examine};

use super::control::{ANSWER_PATIENCE, ask_for};
use super::exit::{Exit, Failure};
use super::output;

pub(super) fn doctor(config: &Path, as_json: bool) -> Result<Exit, Failure> {
    let mut findings = examine(config);
    findings.extend(conditions(config));
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

/// How the cameras are, by the service that has them. Nothing where none runs, and of cameras that do not say.
fn conditions(config: &Path) -> Vec<Finding> {
    let Ok(config) = Config::load(config) else { return Vec::new() };
    let Ok((_, status)) = ask_for(&config, &Request::Status, ANSWER_PATIENCE) else { return Vec::new() };
    let cameras = status["cameras"].as_array().map(Vec::as_slice).unwrap_or_default();
    let condition = |camera: &serde_json::Value| {
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
