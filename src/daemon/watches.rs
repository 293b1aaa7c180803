//! Photographs of scans under way are looked at for the ring of marks as they come: each scan in a thread of its own, off the way of
//! everything else, one after the other.
//!
//! What was seen is kept in the dataset, so a scan that goes on is followed from the first image that was not looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, warn};

use super::followers::{Follower, Followers, Following};
use crate::calibration::{self, CalibrationError, History, News, Sighting, Sightings, Verdict, Watch};
use crate::config::{Marks, MarksPolicy};
use crate::dataset::{self, ScanId};
use crate::event::{Event, ShotName};
use crate::plan::{Plan, ShotIndex};

/// How often one that follows a scan looks for what was stored.
const LOOK: Duration = Duration::from_millis(500);
/// Behind everything that a scan needs.
const NICE: i32 = 10;
/// After so many images in a row that could not be looked at, no further one is tried.
const MOST_FAILURES: u32 = 3;

/// What is wanted of one.
pub(super) struct Wish {
    /// The folder of the scan.
    pub(super) dir: PathBuf,
    pub(super) config: Marks,
    pub(super) history: History,
    /// Tells what was seen.
    pub(super) tell: Box<dyn Fn(&Event) + Send>,
    /// Pauses the scan.
    pub(super) pause: Box<dyn Fn(&str) + Send>,
}

/// Begins to follow `scan`. The program that finds marks ends with the thread that started it: the follower's.
pub(super) fn follow(watches: &Arc<Followers>, scan: &ScanId, wish: Wish) -> Following {
    watches.begin(scan, ("watch", NICE), move |follower| perform(follower, &wish)).unwrap_or_else(|error| {
        warn!(scan_id = %scan, "the marks in images of scan {scan} are not looked at: there is no thread to be had ({error})");
        Following::none()
    })
}

fn perform(follower: &Follower, wish: &Wish) {
    let scan = follower.scan();
    match look(follower, wish) {
        Ok(()) => {}
        // Somebody was quick to remove it.
        Err(_) if !wish.dir.exists() => {}
        Err(error) => {
            warn!(scan_id = %scan, "nobody looks at the marks in images of scan {scan} any more: {error}; `scanner dataset marks` does it later");
        }
    }
}

fn look(follower: &Follower, wish: &Wish) -> Result<(), CalibrationError> {
    let Wish { dir, config, history, tell, pause } = wish;
    let scan = follower.scan();
    let Some(newest) = history.newest()? else { return Ok(()) };
    let contents = dataset::read_contents(dir)?;
    let Some(mut watch) = Watch::of(newest.calibration, &contents.plan, config.tolerance) else {
        debug!(scan_id = %scan, "scan {scan} is not by the newest calibration, or that has no ring: nobody looks for marks");
        return Ok(());
    };
    let plan = &contents.plan;
    // What is known of earlier runs was told then, and who has gone on with the scan knows it.
    let mut news = News::new(config.tolerance);
    let known = Sightings::read(dir, &contents);
    for sighting in known.iter() {
        news.note(camera_of(plan, sighting), sighting);
    }
    let before: BTreeSet<_> = contents.tally().stored().map(|stored| (stored.shot, stored.crc32c)).collect();
    let mut looked_at: BTreeSet<_> = contents
        .tally()
        .stored()
        .filter(|stored| known.of(stored).is_some())
        .map(|stored| (stored.shot, stored.crc32c))
        .collect();
    let (mut length, mut failures) = (None, 0);
    loop {
        // Asked before the dataset is: what is stored between both is seen.
        let is_last = !follower.scan_goes_on();
        let now = journal_length(dir);
        if is_last || now.is_none() || now != length {
            length = now;
            // The plan, too: it may have been extended meanwhile.
            let contents = dataset::read_contents(dir)?;
            let plan = &contents.plan;
            for stored in contents.tally().stored() {
                let image = (stored.shot, stored.crc32c);
                if !watch.watches(plan, stored.shot) || !looked_at.insert(image) {
                    continue;
                }
                if !follower.goes_on() {
                    return Ok(());
                }
                let sighting = match watch.look(dir, plan, stored) {
                    Ok(Some(sighting)) => sighting,
                    Ok(None) => continue,
                    // Taken again meanwhile, its file is elsewhere.
                    Err(CalibrationError::Refused(reason)) => {
                        debug!(scan_id = %scan, "{} tells nothing of the marks: {reason}", stored.image);
                        continue;
                    }
                    Err(error) => {
                        failures += 1;
                        if failures >= MOST_FAILURES || matches!(error, CalibrationError::NoProgram(_)) {
                            return Err(error);
                        }
                        warn!(scan_id = %scan, "{} tells nothing of the marks: {error}", stored.image);
                        continue;
                    }
                };
                failures = 0;
                calibration::append(dir, &sighting)?;
                if news.note(camera_of(plan, &sighting), &sighting) {
                    let event = displaced(plan, &sighting);
                    tell(&event);
                    if config.policy == MarksPolicy::Pause && !before.contains(&image) {
                        pause(&reason(plan, &sighting));
                    }
                }
            }
        }
        if is_last || !follower.goes_on() {
            return Ok(());
        }
        follower.wait(LOOK);
    }
}

fn camera_of<'a>(plan: &'a Plan, sighting: &Sighting) -> &'a str {
    &plan.camera(plan.camera_of(ShotIndex(sighting.shot))).name
}

/// The journal says when something is new.
fn journal_length(dir: &Path) -> Option<u64> {
    let [.., (journal, _)] = dataset::DESCRIPTIONS;
    Some(dir.join(journal).metadata().ok()?.len())
}

fn displaced(plan: &Plan, sighting: &Sighting) -> Event {
    let (table_deg, camera_mm) = match sighting.verdict {
        Verdict::TableElsewhere => (sighting.offset_deg, None),
        Verdict::CameraMoved => (None, sighting.distance_mm()),
        Verdict::AsCommanded | Verdict::Unknown => (None, None),
    };
    let shot = ShotName::of(plan, ShotIndex(sighting.shot));
    Event::Displaced { shot, message: sighting.says.clone(), table_deg, camera_mm }
}

/// Why the scan pauses.
fn reason(plan: &Plan, sighting: &Sighting) -> String {
    let ShotName { label, camera, .. } = ShotName::of(plan, ShotIndex(sighting.shot));
    let says = &sighting.says;
    let what = match sighting.verdict {
        Verdict::CameraMoved => "put it back or calibrate anew",
        Verdict::TableElsewhere | Verdict::AsCommanded | Verdict::Unknown => {
            "look at its motor, belt and load, then home the axes; exports have the angles that were measured"
        }
    };
    format!("in the image {camera}/{label}, {says}: {what}")
}
