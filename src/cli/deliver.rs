//! `scanner deliver`: scans to where they are kept, in the foreground; and how that stands.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::config::{Config, Deliver, DestinationKind};
use crate::daemon::{Request, StartError, ask, deliverable, find_scan};
use crate::dataset::{self, ScanId};
use crate::deliver::{Delivery, DeliveryError, Done, Far, Records, wanted};
use crate::logging;

use super::args::DeliverArgs;
use super::control::{ANSWER_PATIENCE, accepted};
use super::exit::{Exit, Failure};
use super::output;

pub(super) fn deliver(config: &Config, args: &DeliverArgs) -> Result<Exit, Failure> {
    let targets = targets(config, args.to.as_deref())?;
    if args.status {
        return status(config, &targets, args.json);
    }
    let scan =
        args.scan.as_deref().map(|scan| scan.parse::<ScanId>().map_err(StartError::ScanId)).transpose()?;
    match scan {
        Some(scan) if args.check => check(config, &targets, &scan, args.json),
        scan => bring(config, &targets, scan.as_ref(), args.json),
    }
}

/// The one of this name, or all.
fn targets<'c>(config: &'c Config, to: Option<&str>) -> Result<Vec<&'c Deliver>, Failure> {
    let chosen: Vec<&Deliver> =
        config.deliver.iter().filter(|target| to.is_none_or(|to| target.name == to)).collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let names: Vec<&str> = config.deliver.iter().map(|target| target.name.as_str()).collect();
    let message = match to {
        Some(to) if !names.is_empty() => {
            format!("there is no [[deliver]] {to:?}; there are: {}", names.join(", "))
        }
        Some(_) | None => {
            "scans are delivered nowhere: write a [[deliver]] into the configuration, see docs/delivery.md"
                .to_owned()
        }
    };
    Err(Failure { exit: Exit::Config, message })
}

fn status(config: &Config, targets: &[&Deliver], as_json: bool) -> Result<Exit, Failure> {
    let scans = deliverable(&config.storage)?;
    // Without a running scanner, nothing is under way but by hand.
    let running = ask(&config.storage.runtime_directory, &Request::Status, ANSWER_PATIENCE).ok();
    let running = running.and_then(|reply| accepted(reply).ok()).map_or(Value::Null, |(_, status)| status);
    let mut all = Vec::new();
    for target in targets {
        let records = records(config, target)?;
        let waiting = wanted(&scans, target, &records);
        let mut now = running["deliveries"].as_array().into_iter().flatten();
        let now = now.find(|one| one["target"] == target.name.as_str());
        let under_way = now.map(|one| one["under_way"].clone());
        all.push(json!({
            "target": target.name, "to": target.to.kind(), "address": target.to.address(),
            "delivered": records.delivered, "waiting": waiting, "under_way": under_way, "trouble": records.trouble,
        }));
    }
    if as_json {
        output::json(&all)?;
        return Ok(Exit::Done);
    }
    let rows = all.iter().map(|one| {
        let count = |key: &str| match &one[key] {
            Value::Array(all) => all.len().to_string(),
            Value::Object(all) => all.len().to_string(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => String::new(),
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let now = &one["under_way"];
        let now =
            now["scan"].as_str().map(|scan| format!("{scan}: {} of {} files", now["files"], now["of_files"]));
        [
            text(&one["target"]),
            text(&one["address"]),
            count("delivered"),
            count("waiting"),
            now.unwrap_or_default(),
        ]
    });
    output::print(&output::table(["NAME", "WHERE", "DELIVERED", "WAITING", "NOW"], rows))?;
    for one in &all {
        if let (Some(at), Some(message)) = (one["trouble"]["at"].as_str(), one["trouble"]["message"].as_str())
        {
            let (target, scan) = (&one["target"], &one["trouble"]["scan"]);
            output::print(&format!("{target}: the last try, of {scan} at {at}, failed: {message}"))?;
        }
    }
    Ok(Exit::Done)
}

fn check(config: &Config, targets: &[&Deliver], scan: &ScanId, as_json: bool) -> Result<Exit, Failure> {
    let (state, dir) = (&config.storage.state_directory, config.storage.directory.join(scan.as_str()));
    let (mut exit, mut all) = (Exit::Done, Vec::new());
    let keeps = |target: &&&Deliver| match target.to.kind() {
        DestinationKind::Folder | DestinationKind::S3 => true,
        DestinationKind::Workshop => false,
    };
    // Where there are no others, or one is named, it is said that it keeps none.
    let others: Vec<&Deliver> = targets.iter().filter(keeps).copied().collect();
    for target in if others.is_empty() { targets } else { &others } {
        let name = &target.name;
        let (files, bytes, wrong) = match (Delivery { target, state, scan, dir: &dir }).check(&|| true) {
            Ok(checked) => checked,
            Err(error) => {
                // What is wrong elsewhere is worse than what cannot be looked at.
                exit = if exit == Exit::Done { Exit::Failed } else { exit };
                if !as_json {
                    output::error(&format!("{scan} cannot be looked at in {name}: {error}"));
                }
                all.push(
                    json!({"target": name, "error": {"kind": error.kind(), "message": error.to_string()}}),
                );
                continue;
            }
        };
        if !as_json {
            for one in &wrong {
                output::print(&format!("{name}: {} {}", one.path, one.what))?;
            }
            let result = if wrong.is_empty() {
                "all of them as they were delivered".into()
            } else {
                format!("{} wrong", wrong.len())
            };
            output::print(&format!("{name}: {files} files of {scan} with {bytes} bytes: {result}"))?;
        }
        if !wrong.is_empty() {
            exit = Exit::Invalid;
        }
        all.push(json!({"target": name, "files": files, "bytes": bytes, "wrong": wrong}));
    }
    if as_json {
        output::json(&all)?;
    } else if exit == Exit::Invalid && dir.is_dir() {
        output::print(&format!("To bring what is wrong there again: scanner deliver {scan}"))?;
    }
    Ok(exit)
}

fn bring(
    config: &Config,
    targets: &[&Deliver],
    scan: Option<&ScanId>,
    as_json: bool,
) -> Result<Exit, Failure> {
    if let Some(scan) = scan {
        must_be_finished(config, scan)?;
    }
    let scans = deliverable(&config.storage)?;
    let state = &config.storage.state_directory;
    let (mut exit, mut all) = (Exit::Done, Vec::new());
    for target in targets {
        let scans = match scan {
            Some(scan) => vec![scan.clone()],
            None => wanted(&scans, target, &records(config, target)?),
        };
        for scan in scans {
            let dir = config.storage.directory.join(scan.as_str());
            let done =
                drawn(&scan, |far| Delivery { target, state, scan: &scan, dir: &dir }.perform(&|| true, far));
            let (name, mut one) = (&target.name, json!({"target": target.name, "scan": scan}));
            match done {
                Ok(done) => {
                    let Done { files, bytes, sent_files, .. } = done;
                    if !as_json {
                        let is = match target.to.kind() {
                            DestinationKind::Folder | DestinationKind::S3 => "at",
                            DestinationKind::Workshop => "offered to",
                        };
                        output::print(&format!(
                            "{scan} is {is} {name}: {files} files with {bytes} bytes, {sent_files} of which were sent now"
                        ))?;
                    }
                    one["done"] = json!(done);
                }
                Err(error) => {
                    exit = Exit::Failed;
                    if !as_json {
                        output::error(&format!("{scan} is not delivered to {name}: {error}"));
                    }
                    one["error"] = json!({"kind": error.kind(), "message": error.to_string()});
                }
            }
            all.push(one);
        }
    }
    if as_json {
        output::json(&all)?;
    } else if all.is_empty() {
        output::print("Every finished scan is there already.")?;
    }
    Ok(exit)
}

fn records(config: &Config, target: &Deliver) -> Result<Records, DeliveryError> {
    let state = &config.storage.state_directory;
    Records::read(state, target).map_err(|source| DeliveryError::Records {
        target: target.name.clone(),
        state: state.clone(),
        source,
    })
}

/// Whoever names a scan may have one delivered that has shots missing, but none that goes on.
fn must_be_finished(config: &Config, scan: &ScanId) -> Result<(), Failure> {
    let listed = dataset::show(&find_scan(config, scan)?)?;
    let is_finished = listed.scan.as_ref().is_ok_and(|manifest| manifest.state.is_finished());
    if is_finished && !listed.in_use {
        return Ok(());
    }
    let message = match &listed.scan {
        Ok(manifest) => format!(
            "{scan} is {}, and scans are delivered once they have ended: go on with it (scanner resume {scan})",
            manifest.state
        ),
        Err(damaged) => format!("{scan} is damaged: {damaged}"),
    };
    Err(Failure { exit: Exit::Failed, message })
}

/// Does `what`, and draws how far it is where somebody looks.
fn drawn(
    scan: &ScanId,
    what: impl FnOnce(&mut dyn FnMut(Far)) -> Result<Done, DeliveryError>,
) -> Result<Done, DeliveryError> {
    let bars = logging::bars().filter(|_| logging::is_interactive());
    let bar = bars.map(|bars| bars.add(ProgressBar::new(0)));
    let template = format!("{scan} [{{wide_bar}}] {{bytes}}/{{total_bytes}}, {{elapsed}}, {{eta}} left");
    if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template(&template)) {
        bar.set_style(style.progress_chars("=> "));
    }
    let done = what(&mut |far| {
        if let Some(bar) = &bar {
            bar.set_length(far.of_bytes);
            bar.set_position(far.bytes);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    done
}
