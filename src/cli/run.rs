//! `scanner run`: the service.

use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::config::Config;
use crate::daemon::{Service, Station, attend, serve};

use super::exit::{Exit, Failure};
use super::signals::Signals;

/// How long a scan may take to pause when the service is asked to end: an image being written is finished.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// How long left-over blocking work may delay the end of the process.
const SHUT_DOWN_PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn run(config: Config) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve_until_told(config));
    shut_down(runtime);
    outcome.map(|()| Exit::Done)
}

async fn serve_until_told(config: Config) -> Result<(), Failure> {
    let directory = config.storage.runtime_directory.clone();
    let plan = config.plans.first().map(|plan| plan.name.clone()).unwrap_or_default();
    let mut signals = Signals::install()?;
    let service = Service::new(Station::open(config)?);
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(service.clone(), &directory)?);
    tasks.spawn(attend(service.clone()));
    info!("ready: `scanner start` begins the plan {plan:?}");
    info!("asked to end ({})", signals.next().await.name());
    service.close();
    tasks.shutdown().await;
    // Without a scan to pause, one may still be closing its cameras.
    let _ = service.pause("the service is stopping");
    if tokio::time::timeout(STOP_PATIENCE, service.idle()).await.is_err() {
        warn!(
            "the scan did not pause in {STOP_PATIENCE:?}; what it has stored is safe, and it can be resumed"
        );
    }
    // Whatever hangs keeps the station, whose end would do so, too.
    tokio::task::block_in_place(|| service.station().end());
    Ok(())
}

/// Two workers serve every rig: the work is done by other threads and processes.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Ends the runtime without waiting for ever for a blocking call.
pub(super) fn shut_down(runtime: tokio::runtime::Runtime) {
    runtime.shutdown_timeout(SHUT_DOWN_PATIENCE);
}
