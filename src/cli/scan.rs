//! `scanner scan` and `scanner resume`: one scan in the foreground.

use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use crate::config::Config;
use crate::daemon::{Launched, Service, StartError, Station, Work, serve};
use crate::run::Summary;

use super::exit::{Exit, Failure};
use super::{output, progress, run};

pub(super) fn scan(
    config: Config,
    plan: Option<String>,
    id: Option<&str>,
    json: bool,
) -> Result<Exit, Failure> {
    let id = id.map(str::parse).transpose().map_err(StartError::ScanId)?;
    foreground(config, Work::New { plan, id }, json)
}

pub(super) fn resume(config: Config, scan: &str, json: bool) -> Result<Exit, Failure> {
    let scan = scan.parse().map_err(StartError::ScanId)?;
    foreground(config, Work::Resume { scan }, json)
}

fn foreground(config: Config, work: Work, json: bool) -> Result<Exit, Failure> {
    let directory = config.storage.directory.clone();
    let summary = perform(config, work)?;
    if json {
        output::json(&summary)?;
    } else {
        output::print(&describe(&summary))?;
        output::print(&format!("Dataset: {}", directory.join(&summary.scan).display()))?;
    }
    Ok(summary.end.into())
}

/// Wires the rig up, scans, and takes it down again.
pub(super) fn perform(config: Config, work: Work) -> Result<Summary, Failure> {
    let runtime = run::runtime()?;
    let outcome = runtime.block_on(async {
        let directory = config.storage.runtime_directory.clone();
        let service = Service::new(Station::open(config)?);
        let control = tokio::spawn(serve(service.clone(), &directory)?);
        let launched = service.start(work).await?;
        let summary = watch(&service, launched).await;
        control.abort();
        summary
    });
    run::shut_down(runtime);
    outcome
}

/// Waits for the end of the scan, draws its progress and passes the user's signals on.
async fn watch(service: &Service, launched: Launched) -> Result<Summary, Failure> {
    let Launched { id, progress, mut end } = launched;
    let bar = tokio::spawn(progress::draw(progress));
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupted = false;
    let ended = loop {
        tokio::select! {
            ended = &mut end => break ended,
            _ = interrupt.recv() => {
                // Too late to matter if the scan has just ended.
                let _ = if interrupted {
                    warn!("cancelling scan {id}");
                    service.cancel()
                } else {
                    warn!("pausing scan {id}; press Ctrl-C again to cancel it");
                    service.pause("Ctrl-C")
                };
                interrupted = true;
            }
            _ = terminate.recv() => {
                warn!("pausing scan {id}: asked to end");
                let _ = service.pause("SIGTERM");
            }
        }
    };
    let _ = bar.await;
    match ended {
        Ok(Ok(summary)) => Ok(summary),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(Failure::new(Exit::Failed, &format!("scan {id} failed: {error}"))),
    }
}

/// The summary as a person reads it.
pub(super) fn describe(summary: &Summary) -> String {
    let timing = &summary.timing;
    let list = |counts: &std::collections::BTreeMap<&str, u32>| {
        let total: u32 = counts.values().sum();
        let kinds = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>();
        if kinds.is_empty() { "none".to_owned() } else { format!("{total}: {}", kinds.join(", ")) }
    };
    let reason = summary.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut rows = vec![
        ["Scan".into(), summary.scan.clone()],
        ["Outcome".into(), format!("{}{reason}", summary.end.name())],
        [
            "Shots".into(),
            format!("{} of {} stored, {} failed", summary.stored, summary.shots, summary.failed),
        ],
        ["Attempts".into(), summary.attempts.to_string()],
        ["Failed attempts".into(), list(&summary.failures)],
        ["Recoveries".into(), list(&summary.recoveries)],
    ];
    let phases = [
        ("Moving", timing.moving),
        ("Settling", timing.settling),
        ("Waiting for a frame", timing.frame_wait),
        ("Exposing", timing.exposing),
        ("Reading out", timing.readout),
        ("Recovering", timing.recovering),
        ("Software between points", timing.software),
        ("Storing the last frames", timing.finishing),
        ("In all", timing.wall),
    ];
    rows.extend(phases.map(|(phase, seconds)| [phase.to_owned(), format!("{seconds:8.2} s")]));
    rows.push(["Over physics".into(), format!("{:8.2} ms a point", timing.software_ms_per_point())]);
    output::table(["", ""], rows)
}
