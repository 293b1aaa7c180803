//! Hours in which cameras may be open. Outside them no scan begins, cameras are closed, and a scan under way is paused; it
//! goes on when the next hours begin, unless a person has done something about it meanwhile.

use std::time::Duration;

use jiff::Zoned;
use tracing::{error, info};

use crate::dataset::{self, ScanId, State};
use crate::scan::Record;

use super::service::{Service, Work};

/// How often the clock is looked at: it may be set at any time.
const LOOK: Duration = Duration::from_secs(1);

/// Why a scan paused; by this it is known again.
const REASON: &str = "outside the hours of [schedule]: it goes on by itself";

/// Keeps the hours until the task is dropped. Ends at once where there are none.
pub async fn keep_hours(service: Service) {
    if service.station().config().schedule == crate::schedule::Schedule::default() {
        return;
    }
    let mut was_open = None;
    loop {
        let hours = service.station().config().schedule.at(&Zoned::now());
        let until = || {
            hours
                .until
                .as_ref()
                .map_or_else(|| "for good".into(), |until| format!("until {}", until.strftime("%F %H:%M")))
        };
        if was_open != Some(hours.open) {
            service.studio().set_hours(hours.open);
            if hours.open {
                info!("the hours of [schedule] begin: open {}", until());
                go_on(&service).await;
            } else {
                info!("outside the hours of [schedule]: cameras are closed {}", until());
            }
            was_open = Some(hours.open);
        }
        if !hours.open {
            // Whatever began meanwhile, or is still starting, pauses as well. Without a scan there is nothing to pause.
            let _ = service.pause(REASON);
            service.studio().close_idle().await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Goes on with the newest scan, if it was the hours that paused it.
async fn go_on(service: &Service) {
    let root = service.station().config().storage.directory.clone();
    let found = tokio::task::spawn_blocking(move || paused_by_hours(&root)).await;
    let Ok(Some(scan)) = found else { return };
    info!(scan_id = %scan, "going on with scan {scan}, which was paused outside the hours");
    if let Err(error) = service.start(Work::Resume { scan: scan.clone() }).await {
        error!(scan_id = %scan, "scan {scan} does not go on: {error}; then: scanner start --resume {scan}");
    }
}

fn paused_by_hours(root: &std::path::Path) -> Option<ScanId> {
    let newest = dataset::newest(root).ok()??;
    let paused = newest.scan.as_ref().is_ok_and(|manifest| manifest.state == State::Paused);
    if newest.in_use || !paused {
        return None;
    }
    let contents = dataset::read_contents(&newest.dir).ok()?;
    let last = contents.entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Paused { reason } => Some(reason == REASON),
        Record::Opened { .. }
        | Record::Attempted { .. }
        | Record::AttemptFailed { .. }
        | Record::Stored(_)
        | Record::ShotFailed { .. }
        | Record::Lost { .. }
        | Record::Retake { .. }
        | Record::Resumed => None,
        // A person has paused it since, by wanting a shot again.
        Record::Finished { .. } => Some(false),
    });
    last.filter(|ours| *ours).map(|_| newest.id)
}
