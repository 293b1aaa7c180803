//! `scanner scan`, `scanner reference` and `scanner resume`: one scan in the foreground.

use std::time::Duration;

use tokio::task::JoinSet;
use tracing::warn;

use crate::config::Config;
use crate::daemon::{Launched, PlanChoice, Service, StartError, Starting, Station, Work, attend, serve};
use crate::dataset;
use crate::rig::camera::reap_orphans;
use crate::run::Summary;
use crate::scan::{Description, DescriptionChanges};
use crate::units::rounded;

use super::args::DescriptionArgs;
use super::exit::{Exit, Failure};
use super::signals::{GaveUp, Heard, Signals};
use super::{output, progress, run};

/// How long an export that is given up may take for the image at hand.
const EXPORT_PATIENCE: Duration = Duration::from_secs(10);
/// How long a program may seem to hang.
const SILENCE: Duration = Duration::from_secs(1);

pub(super) fn scan(
    config: Config,
    plan: Option<String>,
    id: Option<&str>,
    what: DescriptionArgs,
    reference: bool,
    json: bool,
) -> Result<Exit, Failure> {
    let id = id.map(str::parse).transpose().map_err(StartError::ScanId)?;
    let plan = plan.into();
    let said = DescriptionChanges::from(what);
    let description =
        said.applied(&Description::default()).map_err(|unfit| Failure::new(Exit::Failed, &unfit))?;
    let work = if reference {
        Work::Reference { plan, id, description }
    } else {
        Work::New { plan, id, description }
    };
    foreground(config, work, Word::default(), json)
}

/// What only a person can say, before a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// Axes that are put by hand stand where they should.
    pub(super) homed: bool,
    /// The other machine that has the scan has stopped for good.
    pub(super) take_over: bool,
}

pub(super) fn resume(config: Config, scan: &str, word: Word, json: bool) -> Result<Exit, Failure> {
    let scan = scan.parse().map_err(StartError::ScanId)?;
    foreground(config, Work::Resume { scan }, word, json)
}

fn foreground(config: Config, work: Work, word: Word, json: bool) -> Result<Exit, Failure> {
    let directory = config.storage.directory.clone();
    let summary = perform(config, work, word)?;
    let told = if json {
        output::json(&summary)
    } else {
        let dataset = format!("Dataset: {}", directory.join(&summary.scan).display());
        output::print(&describe(&summary)).and_then(|()| output::print(&dataset))
    };
    // How the scan ended does not depend on who is there to read it.
    if let Err(Failure { message, .. }) = told {
        output::error(&message);
    }
    Ok(Exit::from(&summary.end))
}

/// Wires the rig up, scans, and takes it down again.
pub(super) fn perform(config: Config, work: Work, word: Word) -> Result<Summary, Failure> {
    let runtime = run::runtime()?;
    let outcome = runtime.block_on(async {
        let directory = config.storage.runtime_directory.clone();
        let mut signals = Signals::install_at_terminal()?;
        let service = Service::new(Station::open(config).map_err(|error| taken(error, &work))?);
        let notifier = run::notifier(&service);
        if let Work::Resume { scan } = &work
            && word.take_over
        {
            let dir = service.station().config().storage.directory.join(scan.as_str());
            if dataset::take_over(&dir).map_err(StartError::Dataset)? {
                warn!(scan_id = %scan, "scan {scan} was taken over from another machine, as a person wants it");
            }
        }
        if word.homed {
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
        tasks.spawn(reap_orphans());
        let summary = perform_started(&service, starting, &mut signals).await;
        tasks.shutdown().await;
        tokio::task::block_in_place(|| service.station().end());
        // The rig is at rest by now.
        notifier.end(run::TELL_PATIENCE).await;
        summary
    });
    run::shut_down(runtime);
    outcome
}

/// Who has the rig may be the service, which can do the same.
fn taken(error: StartError, work: &Work) -> Failure {
    let in_use = matches!(error, StartError::RigInUse { .. });
    let mut failure = Failure::from(error);
    let same = match work {
        Work::Resume { scan } => Some(format!("scanner start --resume {scan}")),
        Work::New { plan, .. } => asked_for(plan).map(|plan| format!("scanner start{plan}")),
        Work::Reference { plan, .. } => {
            asked_for(plan).map(|plan| format!("scanner start{plan} --reference"))
        }
        Work::Next => None,
    };
    if let (true, Some(same)) = (in_use, same) {
        failure.message += "; if it is the service, it does the same by: ";
        failure.message += &same;
    }
    failure
}

/// A plan as `scanner start` has it asked for, if that is possible.
fn asked_for(plan: &PlanChoice) -> Option<String> {
    match plan {
        PlanChoice::First => Some(String::new()),
        PlanChoice::Named(name) => Some(format!(" {name}")),
        PlanChoice::Inline(_) | PlanChoice::Calibration { .. } => None,
    }
}

/// Waits for the end of the scan, draws its progress and passes the user's signals on.
async fn perform_started(
    service: &Service,
    starting: Starting,
    signals: &mut Signals,
) -> Result<Summary, Failure> {
    let stuck = |_: GaveUp| {
        let silent = match service.status().disk_wait_s {
            Some(seconds) => format!("its disk has not answered for {seconds} s"),
            None => "something that it waits for does not answer".into(),
        };
        let message = format!(
            "the scan was told to end, but {silent}; what is stored is safe: look at the disk, then `scanner resume`"
        );
        Failure::new(Exit::Paused, &message)
    };
    let started = signals.pass_on(service, starting.done()).await.map_err(stuck)?;
    let Launched { id, progress, end } = started?;
    let bar = tokio::spawn(progress::draw(progress));
    let ended = signals.pass_on(service, end).await.map_err(stuck)?;
    // It ends with the scan, and fails only with it.
    let _ = bar.await;
    finish_what_follows(service, signals).await;
    match ended {
        Ok(ended) => Ok(ended?),
        Err(error) => Err(Failure::new(Exit::Failed, &format!("scan {id} failed: {error}"))),
    }
}

/// Waits for the model, the last look for marks and the exports of the scan, which has ended, unless somebody wants the program to end.
async fn finish_what_follows(service: &Service, signals: &mut Signals) {
    let (exports, hulls, watches) = (service.exports(), service.hulls(), service.watches());
    let done = async {
        watches.done().await;
        hulls.done().await;
        exports.done().await;
    };
    tokio::pin!(done);
    let mut silent = true;
    loop {
        tokio::select! {
            () = &mut done => return,
            () = tokio::time::sleep(SILENCE), if silent => {
                silent = false;
                output::note(&waited_for(hulls.are_under_way(), watches.are_under_way()));
            }
            heard = signals.next() => match heard {
                Heard::HangUp => {}
                Heard::Interrupt | Heard::Terminate | Heard::Quit => break,
            },
        }
    }
    warn!("what is made of the scan, as an export or a model, is given up; the scan is as it was");
    exports.give_up();
    hulls.give_up();
    watches.give_up();
    let _ = tokio::time::timeout(EXPORT_PATIENCE, done).await;
}

/// What is waited for behind a scan; if neither is under way, an export.
fn waited_for(model: bool, marks: bool) -> String {
    let (what, command) = if model {
        ("a model is made of them", "scanner dataset hull")
    } else if marks {
        ("marks are looked for in them", "scanner dataset marks")
    } else {
        ("they are exported", "scanner dataset export")
    };
    format!("the images are safe; {what}: Ctrl-C leaves that for later (`{command}`)")
}

/// The summary as a person reads it.
pub(super) fn describe(summary: &Summary) -> String {
    let timing = &summary.timing;
    let list = |counts: &std::collections::BTreeMap<&str, u32>| {
        let total: u32 = counts.values().sum();
        let kinds = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>();
        if kinds.is_empty() { "none".to_owned() } else { format!("{total}: {}", kinds.join(", ")) }
    };
    let reason = summary.end.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut rows = vec![
        ["Scan".into(), summary.scan.clone()],
        ["Outcome".into(), format!("{}{reason}", summary.end.name())],
        [
            "Shots".into(),
            format!(
                "{} of {} stored, {} failed, {} flagged",
                summary.stored, summary.shots, summary.failed, summary.flagged
            ),
        ],
        ["Attempts".into(), summary.attempts.to_string()],
        ["Failed attempts".into(), list(&summary.failures)],
        ["Recoveries".into(), list(&summary.recoveries)],
    ];
    let phases = [
        ("Moving", timing.moving),
        ("Settling", timing.settling),
        ("Waiting for room", timing.queueing),
        ("Waiting for a frame", timing.frame_wait),
        ("Exposing", timing.exposing),
        ("Reading out", timing.readout),
        ("Recovering", timing.recovering),
        ("Software between points", timing.software),
        ("Storing the last frames", timing.finishing),
        ("In all", timing.wall),
    ];
    rows.extend(phases.map(|(phase, seconds)| [phase.to_owned(), format!("{:>8} s", rounded(seconds, 2))]));
    rows.push(["Over physics".into(), format!("{:8.2} ms a point", timing.software_ms_per_point())]);
    output::table(["", ""], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_named_with_how_to_have_it_later() {
        for (model, marks, says) in
            [(true, true, "dataset hull"), (false, true, "dataset marks"), (false, false, "dataset export")]
        {
            let said = waited_for(model, marks);
            assert!(said.contains(says) && said.contains("Ctrl-C"), "{said}");
        }
    }
}
