//! A scan that was interrupted, by a crash, `kill -9` or a power cut, goes on when the service starts again; not for
//! ever, should it be the scan that brings the service down.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use crate::config::{Config, Scan};
use crate::dataset::{self, Listed, ScanId, State};
use crate::plan::Axis;

use super::service::{Service, Work};

/// Beside the scans: it must outlive what it counts.
const NOTE: &str = "automatic-resumes.json";

/// How often a scan was resumed without a person since it last ended in an orderly way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    scan: ScanId,
    resumes: u32,
}

/// What becomes of the newest scan when the service starts.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It ended or was paused: that is for a person to change.
    Leave,
    /// It was interrupted, and the configuration says to leave it.
    SwitchedOff { scan: ScanId },
    /// It was interrupted, and nobody but a person knows where this axis stands.
    ByHand { scan: ScanId, axis: Axis },
    /// It was interrupted as often as it may be.
    GivenUp { scan: ScanId, resumes: u32 },
    /// It goes on.
    Resume(Note),
}

fn decide(newest: Option<&Listed>, note: Option<&Note>, config: &Scan, by_hand: Option<Axis>) -> Verdict {
    let interrupted = newest.filter(|scan| {
        // A process that dies writes nothing: it still says that it runs.
        !scan.in_use && scan.scan.as_ref().is_ok_and(|manifest| manifest.state == State::Running)
    });
    let Some(scan) = interrupted.map(|scan| scan.id.clone()) else { return Verdict::Leave };
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

/// Takes the rig for the newest scan if that was interrupted and the configuration wants it to go on. For the service
/// before anybody can ask it for anything else; waits for the disk, and for no camera.
pub fn resume_interrupted(service: &Service) {
    let station = service.station();
    let by_hand = station.axes().assumed().first().map(|(axis, _)| *axis);
    let Some(Note { scan, resumes }) = verdict(station.config(), by_hand) else { return };
    warn!(scan_id = %scan, "scan {scan} was interrupted: going on with it (automatic resume {resumes})");
    let starting = service.begin(Work::Resume { scan: scan.clone() });
    tokio::spawn(async move {
        let started = match starting {
            Ok(starting) => starting.done().await,
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            error!(scan_id = %scan, "scan {scan} does not go on: {error}; then: scanner start --resume {scan}");
        }
    });
}

/// What is to be resumed. It is counted before anything is touched, durably: it may be the last thing that is done.
fn verdict(config: &Config, by_hand: Option<Axis>) -> Option<Note> {
    let root = config.storage.directory.as_path();
    let newest = match dataset::newest(root) {
        Ok(newest) => newest,
        Err(error) => {
            error!("cannot look for an interrupted scan: {error}");
            return None;
        }
    };
    match decide(newest.as_ref(), read(root).as_ref(), &config.scan, by_hand) {
        Verdict::Leave => None,
        Verdict::SwitchedOff { scan } => {
            warn!(scan_id = %scan, "scan {scan} was interrupted; go on with: scanner start --resume {scan}");
            None
        }
        Verdict::ByHand { scan, axis } => {
            error!(
                scan_id = %scan,
                "scan {scan} was interrupted, and it is not known where the {axis} stands: \
                 stop the service, put the {axis} in its place, start the service, then: scanner start --resume {scan}"
            );
            None
        }
        Verdict::GivenUp { scan, resumes } => {
            error!(
                scan_id = %scan,
                "scan {scan} was interrupted again after {resumes} automatic resumes \
                 (scan.max_automatic_resumes): find out why first, then: scanner start --resume {scan}"
            );
            None
        }
        Verdict::Resume(note) => match write(root, &note) {
            Ok(()) => Some(note),
            Err(error) => {
                let path = path(root);
                error!(
                    scan_id = %note.scan,
                    "scan {} does not go on by itself, since that cannot be counted in {}: {error}; \
                     then: scanner start --resume {}",
                    note.scan, path.display(), note.scan
                );
                None
            }
        },
    }
}

/// A scan has ended in an orderly way: what was counted is of no more interest.
pub(super) fn forget(root: &Path) {
    match fs::remove_file(path(root)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            info!("cannot remove {}: {error}; it does no harm", path(root).display());
        }
        Ok(()) | Err(_) => {}
    }
}

fn path(root: &Path) -> PathBuf {
    root.join(NOTE)
}

/// A note that cannot be read counts nothing: it says less than the scan's own journal.
fn read(root: &Path) -> Option<Note> {
    serde_json::from_slice(&fs::read(path(root)).ok()?).ok()
}

fn write(root: &Path, note: &Note) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(root)?;
    file.write_all(&serde_json::to_vec(note)?)?;
    file.as_file().sync_all()?;
    file.persist(path(root))?;
    File::open(root)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Counts, FORMAT, Manifest};

    fn listed(id: &str, state: State) -> Listed {
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
        };
        Listed { dir: id.as_str().into(), id, in_use: false, scan: Ok(manifest) }
    }

    fn config(resume_after_crash: bool, max_automatic_resumes: u32) -> Scan {
        Scan {
            capture: crate::config::CaptureOrder::Simultaneous,
            on_failed_shot: crate::config::OnFailedShot::Continue,
            on_wedged_camera: crate::config::OnWedgedCamera::Pause,
            max_failed_in_a_row: 6,
            queue_depth: 4,
            resume_after_crash,
            max_automatic_resumes,
        }
    }

    const OWL: &str = "2026-11-21-143005-owl";

    #[test]
    fn only_a_scan_that_nobody_stopped_goes_on() {
        let ended = [State::Paused, State::Complete, State::Incomplete, State::Cancelled, State::Aborted];
        for state in ended {
            let verdict = decide(Some(&listed(OWL, state)), None, &config(true, 3), None);
            assert_eq!(verdict, Verdict::Leave, "{state:?}");
        }
        assert_eq!(decide(None, None, &config(true, 3), None), Verdict::Leave);
        let mut running = listed(OWL, State::Running);
        let scan = running.id.clone();
        let resumed = Verdict::Resume(Note { scan: scan.clone(), resumes: 1 });
        assert_eq!(decide(Some(&running), None, &config(true, 3), None), resumed);
        assert_eq!(decide(Some(&running), None, &config(false, 3), None), Verdict::SwitchedOff { scan });
        let by_hand = Verdict::ByHand { scan: running.id.clone(), axis: Axis::Lift };
        assert_eq!(decide(Some(&running), None, &config(true, 3), Some(Axis::Lift)), by_hand);
        running.in_use = true;
        assert_eq!(decide(Some(&running), None, &config(true, 3), None), Verdict::Leave);
    }

    #[test]
    fn the_last_allowed_resume_is_made_and_the_one_after_it_is_not() {
        let running = listed(OWL, State::Running);
        let scan = running.id.clone();
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
        forget(root.path());
        forget(root.path());
        assert!(!path(root.path()).exists());
        assert!(
            write(&root.path().join("nowhere"), &Note { scan: OWL.parse().unwrap(), resumes: 1 }).is_err()
        );
    }
}
