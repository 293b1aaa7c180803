//! `scanner extend`: further points of a scan.

use std::path::Path;

use crate::config::Config;
use crate::daemon::{ExtendError, Reason, StartError, find_scan};
use crate::dataset::{self, ScanId};
use crate::hull::{self, Proposal};
use crate::plan::{additions, read_new_points};
use crate::scan::ExtendedBy;

use super::control;
use super::exit::{Exit, Failure};
use super::masks::with_bar;
use super::output;

pub(super) fn extend(config: &Config, scan: &str, file: Option<&Path>) -> Result<Exit, Failure> {
    let id: ScanId = scan.parse().map_err(StartError::ScanId)?;
    let dir = find_scan(config, &id)?;
    let points = if let Some(file) = file {
        read_new_points(file)
            .map_err(|error| Failure { exit: Exit::Plan, message: format!("{}: {error}", file.display()) })?
    } else {
        let proposal =
            with_bar("views", |tell| hull::propose(&dir, &config.motion.axes, &|done, of| tell(done, of)))?;
        output::print(&describe(&proposal))?;
        if proposal.points.is_empty() {
            return Ok(Exit::Done);
        }
        proposal.points
    };
    if let Some(exit) = control::extend(config, &id, &points)? {
        return Ok(exit);
    }
    let axes = &config.motion.axes;
    let chosen = dataset::extend(&dir, ExtendedBy::Person, |plan, tally| -> Result<_, ExtendError> {
        // Nobody says where the axes stand: where the scan has them last.
        let last = tally.last_pending().map(|shot| plan.point_of(shot).0 as usize);
        let last = last.and_then(|point| plan.points.get(point)).or(plan.points.last());
        let start = last.map(|point| point.pose).unwrap_or_default();
        Ok(additions(plan, points, axes, &start)?)
    });
    let extended = chosen.map_err(|error| Failure::new(Reason::from(&error).into(), &error))?;
    let counts = extended.tally.counts();
    output::print(&format!(
        "{} of {} shots are stored; take the others with: scanner resume {id}",
        counts.done, counts.planned
    ))?;
    Ok(Exit::Done)
}

/// `scanner dataset propose`.
pub(super) fn propose(config: &Config, dir: &Path, json: bool) -> Result<Exit, Failure> {
    let axes = &config.motion.axes;
    let proposal = with_bar("views", |tell| hull::propose(dir, axes, &|done, of| tell(done, of)))?;
    if json {
        output::json(&proposal)?;
    } else {
        output::print(&describe(&proposal))?;
    }
    Ok(Exit::Done)
}

fn describe(proposal: &Proposal) -> String {
    let Proposal { well_covered_percent, expected_percent, points } = proposal;
    if points.is_empty() {
        return format!(
            "{well_covered_percent} % of the surface is well covered: no further point within reach shows more of it"
        );
    }
    let mut text = format!(
        "{well_covered_percent} % of the surface is well covered; {} points more would make it {expected_percent} %:\n",
        points.len()
    );
    let rows =
        points.iter().map(|point| crate::model::Axis::ALL.map(|axis| format!("{:.1}", point.pose.get(axis))));
    text.push_str(&output::table(["turntable", "lift", "rail", "tilt"], rows));
    text
}
