//! Points that a scan gets because it shows too little without: `scan.extend = "auto"`.

use std::sync::Arc;

use tracing::{info, warn};

use super::super::proposer::Proposer;
use super::super::refused::ExtendError;
use super::super::station::find_scan;
use super::super::work::Work;
use super::Service;
use crate::config::Extend;
use crate::dataset::{self, ScanId};
use crate::scan::{End, ExtendedBy, Outcome};

impl Service {
    /// This one, which asks `proposer` about scans that are complete, if the configuration wants that.
    #[must_use]
    pub fn proposing(self, proposer: Arc<dyn Proposer>) -> Self {
        Self { proposer: Some(proposer), ..self }
    }

    /// Adds what is proposed for a scan that has come to its end, at most once in its life; whether it has to go on.
    /// The rig is still taken. In the foreground nobody would go on with it, and nobody is asked.
    pub(super) async fn extend_once(&self, scan: &ScanId, end: &End) -> bool {
        let wanted = self.station.config().scan.extend == Extend::Auto;
        let Some(proposer) = self.proposer.clone() else { return false };
        if !wanted || self.is_closed() || *end != End::Finished(Outcome::Complete) {
            return false;
        }
        let (service, id) = (self.clone(), scan.clone());
        let added = tokio::task::spawn_blocking(move || service.propose(&*proposer, &id)).await;
        match added {
            Ok(Ok(added)) => added,
            Ok(Err(message)) => {
                warn!(scan_id = %scan, "no points are proposed for scan {scan}, which stays as it is: {message}");
                false
            }
            Err(error) => {
                warn!(scan_id = %scan, "no points are proposed for scan {scan}, which stays as it is: {error}");
                false
            }
        }
    }

    fn propose(&self, proposer: &dyn Proposer, scan: &ScanId) -> Result<bool, String> {
        let say = |error: ExtendError| error.to_string();
        let dir = find_scan(self.station.config(), scan).map_err(|error| error.to_string())?;
        let contents = dataset::read_contents(&dir).map_err(|error| error.to_string())?;
        // The journal knows: not even a crash makes it twice.
        if contents.extended_unasked() {
            return Ok(false);
        }
        let points = proposer.propose(&dir, &contents)?;
        drop(contents);
        if points.is_empty() {
            return Ok(false);
        }
        self.extend_on_disk(scan, points, ExtendedBy::Proposer).map_err(say)?;
        Ok(true)
    }

    /// Goes on with a scan that was extended; the rig is free.
    pub(super) fn go_on_with(&self, scan: ScanId) {
        let id = scan.clone();
        match self.begin(Work::Resume { scan }) {
            // It goes on by itself.
            Ok(starting) => drop(starting),
            Err(error) => {
                info!(scan_id = %id, "scan {id} waits with its further points: {error}; go on with: scanner start --resume {id}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::config::Config;
    use crate::daemon::{PlanChoice, Station};
    use crate::dataset::{Contents, read_contents};
    use crate::model::{Axis, Lighting, Pose};
    use crate::plan::NewPoint;
    use crate::scan::{Record, ScanState};

    const COMPLETE: End = End::Finished(Outcome::Complete);

    /// Proposes a point at this angle, or says why not; and counts how often it was asked.
    struct At(Option<f64>, AtomicU32);

    impl Proposer for At {
        fn propose(&self, dir: &Path, scan: &Contents) -> Result<Vec<NewPoint>, String> {
            assert!(dir.join("journal.jsonl").is_file() && scan.plan.points.len() == 3);
            self.1.fetch_add(1, Ordering::Relaxed);
            let turn = self.0.ok_or("nothing can be said")?;
            let pose = Pose::default().with(Axis::Turntable, turn);
            Ok(vec![NewPoint { label: None, pose, focus: None, lighting: Lighting::Front }])
        }
    }

    /// A service with a proposer and a scan that says it is complete, though nothing of it was taken by this rig.
    fn service(folder: &Path, policy: &str, turn: Option<f64>) -> (Service, Arc<At>, ScanId) {
        let path = folder.join("scanner.toml");
        let config = format!("{}\n[scan]\nextend = \"{policy}\"\n", crate::daemon::station::TEST_RIG);
        fs::write(&path, config).unwrap();
        let config = Config::load(&path).unwrap();
        let root = config.storage.directory.clone();
        fs::create_dir_all(&root).unwrap();
        let at = Arc::new(At(turn, AtomicU32::new(0)));
        let service = Service::new(Station::open(config).unwrap()).proposing(at.clone());
        let id: ScanId = "2026-11-21-143005-owl".parse().unwrap();
        let plan = service.station().plan(&PlanChoice::First).unwrap();
        let dataset = dataset::create(&root, &id, plan).unwrap();
        // Complete would need its images, of which nobody asks here.
        dataset.note(&Record::Finished { outcome: Outcome::Cancelled }).unwrap();
        (service, at, id)
    }

    fn contents(service: &Service, id: &ScanId) -> Contents {
        read_contents(&find_scan(service.station.config(), id).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_scan_is_extended_once_in_its_life() {
        let folder = tempfile::tempdir().unwrap();
        let (service, at, id) = service(folder.path(), "auto", Some(77.0));
        assert!(service.extend_once(&id, &COMPLETE).await);
        let extended = contents(&service, &id);
        assert_eq!((extended.plan.points.len(), extended.manifest.state), (4, ScanState::Paused));
        assert_eq!(extended.plan.points[3].label, "x0001");
        assert!(extended.extended_unasked());
        assert!(!service.extend_once(&id, &COMPLETE).await, "the journal knows that it was");
        assert_eq!(contents(&service, &id).plan, extended.plan);
        assert_eq!(at.1.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn nobody_is_asked_unless_it_is_wanted_and_can_be_gone_on_with() {
        for (policy, end, closed) in [
            ("ask", COMPLETE, false),
            ("off", COMPLETE, false),
            ("auto", End::Finished(Outcome::Cancelled), false),
            ("auto", End::Finished(Outcome::Incomplete), false),
            ("auto", End::paused("a person"), false),
            ("auto", COMPLETE, true),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (service, at, id) = service(folder.path(), policy, Some(77.0));
            if closed {
                service.close();
            }
            assert!(!service.extend_once(&id, &end).await, "{policy} {end:?} {closed}");
            assert_eq!(at.1.load(Ordering::Relaxed), 0, "{policy} {end:?} {closed}");
        }
    }

    #[tokio::test]
    async fn a_scan_of_which_nothing_can_be_said_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (service, at, id) = service(folder.path(), "auto", None);
        assert!(!service.extend_once(&id, &COMPLETE).await);
        assert_eq!(at.1.load(Ordering::Relaxed), 1);
        let same = contents(&service, &id);
        assert_eq!((same.plan.points.len(), same.extended_unasked()), (3, false));
    }
}
