//! Hours in which cameras may be open. Outside them no scan begins, cameras are closed, and a scan under way is paused; it
//! goes on when the next hours begin, unless a person has done something about it meanwhile.

use std::time::Duration;

use jiff::Zoned;
use tracing::{error, info};

use crate::config;
use crate::dataset::ScanId;
use crate::event::Event;
use crate::scan::WaitsFor;

use super::automatic::{newest_of_this_rig, resume_interrupted};
use super::error::StartError;
use super::service::Service;
use super::work::Work;

/// How often the clock is looked at: it may be set at any time.
const LOOK: Duration = Duration::from_secs(1);

/// Why a scan paused.
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
            service.standby().set_hours(hours.open);
            if hours.open {
                info!("the hours of [schedule] begin: open {}", until());
                go_on(&service).await;
            } else {
                info!("outside the hours of [schedule]: cameras are closed {}", until());
            }
            was_open = Some(hours.open);
        }
        if !hours.open {
            // Whatever began meanwhile, or is still starting, pauses as well. Without a scan there is nothing to pause,
            // and what a person does by hand is no scan.
            let _ = service.pause_for_the_hours(REASON);
            service.standby().close_idle().await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Goes on with the newest scan, if it was the hours that paused it, or if it was interrupted.
async fn go_on(service: &Service) {
    let storage = service.station().config().storage.clone();
    let found = tokio::task::spawn_blocking(move || paused_by_hours(&storage)).await;
    let scan = match found {
        Ok(Ok(Some(scan))) => scan,
        Ok(Err(error)) => {
            error!(
                "whether a scan waits for these hours cannot be looked at: {error}; then: scanner start --resume SCAN"
            );
            return;
        }
        // It fails only with the runtime.
        Ok(Ok(None)) | Err(_) => {
            let service = service.clone();
            let _ = tokio::task::spawn_blocking(move || resume_interrupted(&service)).await;
            return;
        }
    };
    info!(scan_id = %scan, "going on with scan {scan}, which was paused outside the hours");
    if let Err(error) = service.start(Work::Resume { scan: scan.clone() }).await {
        let message = format!("{error}; then: scanner start --resume {scan}");
        service.tell(&scan, &Event::NotResumed { message });
    }
}

fn paused_by_hours(storage: &config::Storage) -> Result<Option<ScanId>, StartError> {
    let Some(newest) = newest_of_this_rig(storage)? else { return Ok(None) };
    Ok((!newest.in_use && newest.waits_for() == Some(WaitsFor::Hours)).then_some(newest.id))
}
