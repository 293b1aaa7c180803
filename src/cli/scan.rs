//! `scanner scan` and `scanner resume`: one scan in the foreground.

use tokio::task::JoinSet;

use crate::config::Config;
use crate::daemon::{Launched, Service, StartError, Starting, Station, Work, attend, serve};
use crate::run::Summary;

use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::{output, progress, run};

pub(super) fn scan(
    config: Config,
    plan: Option<String>,
    id: Option<&str>,
    json: bool,
) -> Result<Exit, Failure> {
    let id = id.map(str::parse).transpose().map_err(StartError::ScanId)?;
    foreground(config, Work::New { plan: plan.into(), id }, false, json)
}

pub(super) fn resume(config: Config, scan: &str, homed: bool, json: bool) -> Result<Exit, Failure> {
    let scan = scan.parse().map_err(StartError::ScanId)?;
    foreground(config, Work::Resume { scan }, homed, json)
}

fn foreground(config: Config, work: Work, homed: bool, json: bool) -> Result<Exit, Failure> {
    let directory = config.storage.directory.clone();
    let summary = perform(config, work, homed)?;
    if json {
        output::json(&summary)?;
    } else {
        output::print(&describe(&summary))?;
        output::print(&format!("Dataset: {}", directory.join(&summary.scan).display()))?;
    }
    Ok(summary.end.into())
}

/// Wires the rig up, scans, and takes it down again. `homed`: axes that are put by hand stand where they should.
pub(super) fn perform(config: Config, work: Work, homed: bool) -> Result<Summary, Failure> {
    let runtime = run::runtime()?;
    let outcome = runtime.block_on(async {
        let directory = config.storage.runtime_directory.clone();
        let mut signals = Signals::install_at_terminal()?;
        let service = Service::new(Station::open(config)?);
        if homed {
            let assumed: Vec<_> =
                service.station().axes().assumed().into_iter().map(|(axis, _)| axis).collect();
            if !assumed.is_empty() {
                service.home(&assumed).await?;
            }
        }
        let control = serve(service.clone(), &directory)?;
        let starting = service.begin(work)?;
        // One scan it is, whatever is asked for at its end.
        service.close();
        let mut tasks = JoinSet::new();
        tasks.spawn(control);
        tasks.spawn(attend(service.clone()));
        let summary = perform_started(&service, starting, &mut signals).await;
        tasks.shutdown().await;
        tokio::task::block_in_place(|| service.station().end());
        summary
    });
    run::shut_down(runtime);
    outcome
}

/// Waits for the end of the scan, draws its progress and passes the user's signals on.
async fn perform_started(
    service: &Service,
    starting: Starting,
    signals: &mut Signals,
) -> Result<Summary, Failure> {
    let Launched { id, progress, end } = signals.pass_on(service, starting.done()).await?;
    let bar = tokio::spawn(progress::draw(progress));
    let ended = signals.pass_on(service, end).await;
    // It ends with the scan, and fails only with it.
    let _ = bar.await;
    match ended {
        Ok(ended) => Ok(ended?),
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
