//! `scanner doctor`: what may be in the way, and what to do.

use std::path::Path;

use crate::doctor::{Finding, Verdict, examine};

use super::exit::{Exit, Failure};
use super::output;

pub(super) fn doctor(config: &Path, as_json: bool) -> Result<Exit, Failure> {
    let findings = examine(config);
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
