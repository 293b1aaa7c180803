//! `scanner run`: the service.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::config::Config;
use crate::daemon::{Service, Station, serve};

use super::exit::{Exit, Failure};

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
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let service = Service::new(Station::open(config)?);
    let control = tokio::spawn(serve(service.clone(), &directory)?);
    info!("ready: `scanner start` begins the plan {plan:?}");
    tokio::select! {
        _ = interrupt.recv() => info!("asked to end (SIGINT)"),
        _ = terminate.recv() => info!("asked to end (SIGTERM)"),
    }
    control.abort();
    if service.pause("the service is stopping").is_ok() {
        let idle = async {
            while service.status().scanning {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(STOP_PATIENCE, idle).await.is_err() {
            warn!(
                "the scan did not pause in {STOP_PATIENCE:?}; what it has stored is safe, and it can be resumed"
            );
        }
    }
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
