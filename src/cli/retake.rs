//! `scanner retake`: shots of a scan, once more.

use crate::config::Config;
use crate::daemon::{StartError, find_scan};
use crate::dataset::{self, ScanId};
use crate::plan::ShotIndex;

use super::control;
use super::exit::{Exit, Failure};
use super::output;

pub(super) fn retake(config: &Config, scan: &str, shots: &[String]) -> Result<Exit, Failure> {
    let id: ScanId = scan.parse().map_err(StartError::ScanId)?;
    let dir = find_scan(config, &id)?;
    let plan = dataset::read_contents(&dir)?.plan;
    let find = |name: &String| {
        plan.find_shot(name).ok_or_else(|| Failure {
            exit: Exit::NotFound,
            message: format!(
                "scan {id} has no shot {name:?}: use CAMERA/LABEL as in images/, or a number below {}",
                plan.shot_count()
            ),
        })
    };
    let shots = shots.iter().map(find).collect::<Result<Vec<ShotIndex>, Failure>>()?;
    if let Some(exit) = control::retake(config, &id, &shots)? {
        return Ok(exit);
    }
    let retaken = dataset::retake(&dir, &shots)?;
    let counts = retaken.tally.counts();
    output::print(&format!(
        "{} of {} shots are stored; take the others with: scanner resume {id}",
        counts.done, counts.planned
    ))?;
    Ok(Exit::Done)
}
