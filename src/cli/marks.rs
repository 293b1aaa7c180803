//! `scanner dataset marks`: where table and cameras stood, by the ring of marks in the images.

use std::path::Path;

use crate::calibration::{self, CalibrationError, History, Sightings};
use crate::config::Config;
use crate::dataset;
use crate::threads;

use super::exit::{Exit, Failure};
use super::{masks, output};

/// Behind everything that a scan needs.
const NICE: i32 = 10;

pub(super) fn marks(config: &Config, dir: &Path, json: bool) -> Result<Exit, Failure> {
    threads::step_back(NICE);
    let contents = dataset::read_contents(dir)?;
    let plan = &contents.plan;
    let mut seen = Sightings::read(dir, &contents);
    let history = History::of(&config.storage.state_directory);
    let Some(mut watch) = calibration::fitting(&history, plan, config.marks.tolerance)? else {
        let message = "none of its cameras is placed by a calibration of this rig that has seen the ring of marks: \
                       calibrate with the ring on the turntable (`scanner board`, `scanner calibrate`), then scan";
        return Err(Failure::new(Exit::NotFound, &message));
    };
    let images: Vec<_> =
        contents.tally().stored().filter(|stored| watch.watches(plan, stored.shot)).collect();
    let new: Vec<_> = images.iter().filter(|stored| seen.of(stored).is_none()).collect();
    let looked = masks::with_bar("marks", |tell| {
        let mut unseen = Vec::new();
        for (done, stored) in new.iter().enumerate() {
            tell(done, new.len());
            match watch.look(dir, plan, stored) {
                Ok(Some(sighting)) => {
                    calibration::append(dir, &sighting)?;
                    seen.insert(sighting);
                }
                Ok(None) => {}
                Err(CalibrationError::Refused(reason)) => unseen.push((stored.image.clone(), reason)),
                Err(error) => return Err(error),
            }
        }
        Ok(unseen)
    });
    let unseen = looked?;
    if json {
        let all: Vec<_> = seen.iter().collect();
        output::json(&all)?;
        return Ok(Exit::Done);
    }
    let displaced: Vec<_> = seen.iter().filter(|sighting| sighting.verdict.is_displaced()).collect();
    if !displaced.is_empty() {
        let rows = displaced.iter().map(|sighting| [sighting.image.clone(), sighting.says.clone()]);
        output::print(&output::table(["IMAGE", "WHAT THE MARKS SHOW"], rows))?;
    }
    for (image, reason) in &unseen {
        output::print(&format!("note: {image} tells nothing: {reason}"))?;
    }
    let unknown = seen.iter().filter(|sighting| sighting.verdict == calibration::Verdict::Unknown).count();
    output::print(&format!(
        "{} of {} images show the table or their camera elsewhere; {unknown} show too few marks; {} were looked at now",
        displaced.len(),
        images.len(),
        new.len() - unseen.len()
    ))?;
    Ok(Exit::Done)
}
