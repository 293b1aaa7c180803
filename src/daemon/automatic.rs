//! A scan that was interrupted, by a crash, `kill -9` or a power cut, goes on when the service starts again; so does one
//! that was paused because part of the service broke down. Not for ever, should it be the scan that brings the service
//! down.

use std::time::Duration;

use tracing::{error, info, warn};

use crate::config::{self, Config, Scan};
use crate::dataset::{self, Listed, OpenError, ScanId};
use crate::event::Event;
use crate::model::Axis;
use crate::run::Emit;
use crate::scan::{ScanState, WaitsFor};

use super::error::StartError;
use super::resumes::{Note, path, read, write};
use super::service::Service;
use super::storage;
use super::work::Work;

/// How often a disk that is missed is looked for.
const LOOK: Duration = Duration::from_secs(2);

/// A scan, and what it waits for.
struct Found {
    scan: Listed,
    waits_for: Option<WaitsFor>,
}

/// What becomes of the newest scan when the service starts.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It ended or was paused: that is for a person to change.
    Leave,
    /// It did not end, and somebody else may be at it.
    Elsewhere { scan: ScanId },
    /// It was interrupted, and the configuration says to leave it.
    SwitchedOff { scan: ScanId },
    /// It was interrupted, and nobody but a person knows where this axis stands.
    ByHand { scan: ScanId, axis: Axis },
    /// It was interrupted as often as it may be.
    GivenUp { scan: ScanId, resumes: u32 },
    /// It goes on, with this note of how often it did.
    Resume(Note),
}

fn decide(newest: Option<&Found>, note: Option<&Note>, config: &Scan, by_hand: Option<Axis>) -> Verdict {
    let interrupted = newest.filter(|found| match found.scan.scan.as_ref().map(|manifest| manifest.state) {
        // A process that dies writes nothing: it still says that it runs.
        Ok(ScanState::Running) => true,
        // Part of the service broke down, and what could still be done in order was.
        Ok(ScanState::Paused) => found.waits_for == Some(WaitsFor::Service),
        Ok(ScanState::Finished(_)) | Err(_) => false,
    });
    let Some(Found { scan: listed, .. }) = interrupted else { return Verdict::Leave };
    let scan = listed.id.clone();
    if listed.in_use {
        return Verdict::Elsewhere { scan };
    }
    if !config.resume_after_crash {
        return Verdict::SwitchedOff { scan };
    }
    if let Some(axis) = by_hand {
        return Verdict::ByHand { scan, axis };
    }
    let resumes = note.filter(|note| note.scan == scan).map_or(0, |note| note.resumes);
    if resumes >= config.max_automatic_resumes {
        return Verdict::GivenUp { scan, resumes };
    }
    Verdict::Resume(Note { scan, resumes: resumes + 1 })
}

/// Takes the rig for the newest scan if that was interrupted and the configuration wants it to go on, within the hours
/// of `[schedule]`: when they begin, this is asked again. For the service before anybody can ask it for anything else;
/// waits for the disk, and for no camera.
pub fn resume_interrupted(service: &Service) {
    let storage = &service.station().config().storage;
    if let Err(missed) = storage::look(storage) {
        error!("no scan can begin or go on: {missed}; {}", missed.remedy());
        return;
    }
    let station = service.station();
    if service.is_busy() || !station.config().schedule.at(&jiff::Zoned::now()).open {
        return;
    }
    let by_hand = station.axes().assumed().first().map(|(axis, _)| *axis);
    let tell = |scan: &ScanId, message: String| service.tell(scan, &Event::NotResumed { message });
    let Some(Note { scan, resumes }) = verdict(station.config(), by_hand, &tell) else { return };
    warn!(scan_id = %scan, "scan {scan} was interrupted: going on with it (automatic resume {resumes})");
    let starting = service.begin(Work::Resume { scan: scan.clone() });
    let listeners = service.listeners();
    tokio::spawn(async move {
        let started = match starting {
            Ok(starting) => starting.done().await,
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            let message = format!("{error}; then: scanner start --resume {scan}");
            Emit::new(scan.as_str(), listeners).event(&Event::NotResumed { message });
        }
    });
}

/// Waits for a disk that is not there when the service starts, and then does what [`resume_interrupted`] would have done.
/// Ends at once where it is there.
pub async fn resume_when_there(service: Service) {
    let look = || {
        let storage = service.station().config().storage.clone();
        async move { tokio::task::spawn_blocking(move || storage::look(&storage)).await }
    };
    if !matches!(look().await, Ok(Err(_))) {
        return;
    }
    while matches!(look().await, Ok(Err(_))) {
        tokio::time::sleep(LOOK).await;
    }
    info!("the disk of the scans is there: {}", service.station().config().storage.directory.display());
    tokio::task::block_in_place(|| resume_interrupted(&service));
}

/// The newest scan of this rig among those of others with whom it may share the storage.
pub(super) fn newest_of_this_rig(storage: &config::Storage) -> Result<Option<Listed>, StartError> {
    // Without its name, the scan of another rig would be taken for its own.
    let rig = storage::rig(storage)?;
    Ok(dataset::newest(&storage.directory, Some(&rig)).map_err(OpenError::from)?)
}

/// What is to be resumed. It is counted before anything is touched, durably: it may be the last thing that is done.
fn verdict(config: &Config, by_hand: Option<Axis>, tell: &dyn Fn(&ScanId, String)) -> Option<Note> {
    let root = config.storage.directory.as_path();
    let newest = match newest_of_this_rig(&config.storage) {
        Ok(newest) => newest,
        Err(error) => {
            error!("cannot look for an interrupted scan: {error}");
            return None;
        }
    };
    let newest = newest.map(|scan| Found { waits_for: scan.waits_for(), scan });
    let state = config.storage.state_directory.as_path();
    // It was beside the scans once.
    let note = read(state).or_else(|| read(root));
    match decide(newest.as_ref(), note.as_ref(), &config.scan, by_hand) {
        Verdict::Leave => None,
        Verdict::Elsewhere { scan } => {
            let why = newest.and_then(|newest| newest.scan.owned());
            let why = why.map_or_else(|| "another process is at it".to_owned(), |owned| owned.to_string());
            warn!(scan_id = %scan, "scan {scan} did not end, and is left alone: {why}");
            None
        }
        Verdict::SwitchedOff { scan } => {
            warn!(scan_id = %scan, "scan {scan} was interrupted; go on with: scanner start --resume {scan}");
            None
        }
        Verdict::ByHand { scan, axis } => {
            let message = format!(
                "it was interrupted, and it is not known where the {axis} stands: stop the service, put the {axis} in \
                 its place, start the service, then: scanner start --resume {scan}"
            );
            tell(&scan, message);
            None
        }
        Verdict::GivenUp { scan, resumes } => {
            let message = format!(
                "it was interrupted again after {resumes} automatic resumes (scan.max_automatic_resumes): find out why \
                 first, then: scanner start --resume {scan}"
            );
            tell(&scan, message);
            None
        }
        Verdict::Resume(note) => match write(state, &note) {
            Ok(()) => Some(note),
            Err(error) => {
                let path = path(state);
                let message = format!(
                    "that cannot be counted in {}: {error}; then: scanner start --resume {}",
                    path.display(),
                    note.scan
                );
                tell(&note.scan, message);
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::daemon::resumes::forget;
    use crate::dataset::{Counts, FORMAT, Manifest};
    use crate::scan::Outcome;

    fn listed(id: &str, state: ScanState) -> Listed {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let id: ScanId = id.parse().unwrap();
        let manifest = Manifest {
            format: FORMAT,
            id: id.clone(),
            created: at,
            updated: at,
            state,
            shots: Counts::default(),
            cameras: Vec::new(),
            software: String::new(),
            reference: false,
            description: crate::scan::Description::default(),
            shutter_spread: None,
        };
        Listed { dir: id.as_str().into(), id, rig: None, in_use: false, began_as: None, scan: Ok(manifest) }
    }

    fn config(resume_after_crash: bool, max_automatic_resumes: u32) -> Scan {
        Scan {
            capture: config::CaptureOrder::Simultaneous,
            on_failed_shot: config::OnFailedShot::Continue,
            on_wedged_camera: config::OnWedgedCamera::Pause,
            max_failed_in_a_row: 6,
            queue_depth: 4,
            resume_after_crash,
            max_automatic_resumes,
            silhouettes: false,
            extend: config::Extend::Ask,
        }
    }

    const OWL: &str = "2026-11-21-143005-owl";

    fn found(state: ScanState, waits_for: Option<WaitsFor>) -> Found {
        Found { scan: listed(OWL, state), waits_for }
    }

    #[test]
    fn only_a_scan_that_nobody_stopped_goes_on() {
        let outcomes = [Outcome::Complete, Outcome::Incomplete, Outcome::Cancelled, Outcome::Aborted];
        let ended = outcomes.map(ScanState::Finished).into_iter().chain([ScanState::Paused]);
        for state in ended {
            for waits_for in [None, Some(WaitsFor::Person), Some(WaitsFor::Hours)] {
                let verdict = decide(Some(&found(state, waits_for)), None, &config(true, 3), None);
                assert_eq!(verdict, Verdict::Leave, "{state:?}");
            }
        }
        assert_eq!(decide(None, None, &config(true, 3), None), Verdict::Leave);
        let mut running = found(ScanState::Running, None);
        let scan = running.scan.id.clone();
        let resumed = Verdict::Resume(Note { scan: scan.clone(), resumes: 1 });
        assert_eq!(decide(Some(&running), None, &config(true, 3), None), resumed);
        assert_eq!(
            decide(Some(&running), None, &config(false, 3), None),
            Verdict::SwitchedOff { scan: scan.clone() }
        );
        let by_hand = Verdict::ByHand { scan: scan.clone(), axis: Axis::Lift };
        assert_eq!(decide(Some(&running), None, &config(true, 3), Some(Axis::Lift)), by_hand);
        let broken_down = found(ScanState::Paused, Some(WaitsFor::Service));
        assert_eq!(decide(Some(&broken_down), None, &config(true, 3), None), resumed, "as after a power cut");
        running.scan.in_use = true;
        assert_eq!(decide(Some(&running), None, &config(true, 3), None), Verdict::Elsewhere { scan });
    }

    #[test]
    fn the_last_allowed_resume_is_made_and_the_one_after_it_is_not() {
        let running = found(ScanState::Running, None);
        let scan = running.scan.id.clone();
        let note = |resumes| Note { scan: scan.clone(), resumes };
        let decide = |note: Note| decide(Some(&running), Some(&note), &config(true, 2), None);
        assert_eq!(decide(note(1)), Verdict::Resume(note(2)));
        assert_eq!(decide(note(2)), Verdict::GivenUp { scan: scan.clone(), resumes: 2 });
        // What was counted of another scan says nothing of this one.
        let other = Note { scan: "2026-11-20-143005-elk".parse().unwrap(), resumes: 9 };
        assert_eq!(decide(other), Verdict::Resume(note(1)));
    }

    #[test]
    fn the_count_outlives_the_process_and_is_forgotten_when_a_scan_ends() {
        let root = tempfile::tempdir().unwrap();
        let note = Note { scan: OWL.parse().unwrap(), resumes: 2 };
        assert_eq!(read(root.path()), None);
        write(root.path(), &note).unwrap();
        assert_eq!(read(root.path()), Some(note));
        assert!(dataset::list(root.path()).unwrap().is_empty(), "it is no scan");
        fs::write(path(root.path()), "{torn").unwrap();
        assert_eq!(read(root.path()), None);
        let mut storage =
            Config::from_text("scanner.toml", include_str!("../../config/scanner.toml")).unwrap().storage;
        storage.state_directory = root.path().into();
        storage.directory = root.path().join("scans");
        forget(&storage);
        forget(&storage);
        assert!(!path(root.path()).exists());
        assert!(
            write(&root.path().join("nowhere"), &Note { scan: OWL.parse().unwrap(), resumes: 1 }).is_err()
        );
    }
}
