//! `scanner status`, `start`, `pause`, `cancel`, `press`: ask the process that has the rig.

use std::time::Duration;

use crate::camera_driver::protocol::Condition;
use crate::config::Config;
use crate::daemon::{ControlError, Reply, Request, TokenAction, ask};
use crate::dataset::ScanId;
use crate::model::Axis;
use crate::plan::{NewPoint, ShotIndex};
use crate::rig::panel::Button;
use crate::scan::{Description, DescriptionChanges};

use super::args::{DescriptionArgs, RigAxis};
use super::exit::{Exit, Failure};
use super::output;

/// A question is answered at once; a start opens the cameras first.
pub(super) const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
pub(super) const RELOAD_PATIENCE: Duration = START_PATIENCE;
const START_PATIENCE: Duration = Duration::from_secs(120);
/// A resume reads every image of the scan before.
const RESUME_PATIENCE: Duration = Duration::from_secs(3600);

pub(super) fn status(config: &Config, json: bool) -> Result<Exit, Failure> {
    let status = ask_for(config, &Request::Status, ANSWER_PATIENCE)?.1;
    if json {
        output::json(&status)?;
        return Ok(Exit::Done);
    }
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let scanning = status["scanning"].as_bool().unwrap_or_default();
    let scan = &status["scan"];
    let line = if scan.is_null() {
        if scanning { "starting".to_owned() } else { "idle".to_owned() }
    } else {
        let state = if scanning { "scanning" } else { "idle; last scan" };
        format!(
            "{state} {}{}: point {}/{}, {}/{} shots stored, {} failed",
            text(&scan["scan"]),
            scan["name"].as_str().map(|name| format!(" ({name})")).unwrap_or_default(),
            scan["point"],
            scan["points"],
            scan["stored"],
            scan["shots"],
            scan["failed"]
        )
    };
    output::print(&line)?;
    if let Some(seconds) = status["disk_wait_s"].as_u64() {
        output::print(&format!("Waiting for the disk, which has not answered for {seconds} s"))?;
    }
    let last = &status["last"];
    if !scanning && let Some(message) = last["message"].as_str() {
        output::print(&format!("The last start failed: {message}"))?;
    }
    if !scanning && let Some(end) = last["end"].as_str() {
        let reason = last["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        output::print(&format!("The last scan ended {end}{reason}"))?;
    }
    if let Some(fault) = status["fault"].as_str() {
        output::print(&format!("The axes are stopped: {fault}; when it is safe again: scanner clear"))?;
    }
    let pairings = status["pairings"].as_array().cloned().unwrap_or_default();
    let button = if pairings.len() == 1 { "hold the start button, or: " } else { "" };
    for pairing in &pairings {
        let (name, address, code) =
            (text(&pairing["name"]), text(&pairing["address"]), text(&pairing["code"]));
        output::print(&format!(
            "{name:?} at {address} asks to be let in; if its page shows {code}, {button}scanner pair {code}"
        ))?;
    }
    for fault in status["panel_faults"].as_array().into_iter().flatten() {
        output::print(&format!("Panel: {}", text(fault)))?;
    }
    for delivery in status["deliveries"].as_array().into_iter().flatten() {
        print_delivery(delivery)?;
    }
    if let Some(led) = status["led"].as_str() {
        output::print(&format!("LED: {led}"))?;
    }
    let cameras = status["cameras"].as_array().cloned().unwrap_or_default();
    let rows = cameras.iter().map(|camera| [text(&camera["camera"]), camera_state(&camera["state"])]);
    output::print(&output::table(["CAMERA", "STATE"], rows))?;
    for camera in &cameras {
        if let Ok(condition) = serde_json::from_value::<Condition>(camera["condition"].clone()) {
            output::print(&format!("{}: {condition}", text(&camera["camera"])))?;
        }
    }
    Ok(Exit::Done)
}

/// How what is brought to one place stands, if there is something to tell.
fn print_delivery(delivery: &serde_json::Value) -> Result<(), Failure> {
    let target = delivery["target"].as_str().unwrap_or_default();
    let now = &delivery["under_way"];
    if let Some(scan) = now["scan"].as_str() {
        output::print(&format!(
            "Delivering {scan} to {target}: {} of {} files",
            now["files"], now["of_files"]
        ))?;
    }
    if let Some(trouble) = delivery["trouble"].as_str() {
        output::print(&format!("{} scans wait for {target}: {trouble}", delivery["waiting"]))?;
    }
    Ok(())
}

/// What a camera is doing, in a few words: `state` as in the JSON status.
fn camera_state(state: &serde_json::Value) -> String {
    let name = state["state"].as_str().unwrap_or("unknown");
    let detail = match name {
        "streaming" => format!("driver {}", state["pid"]),
        "capturing" => format!("shot {}", state["shot"]),
        "recovering" => state["rung"].as_str().unwrap_or_default().to_owned(),
        "wedged" => format!("driver {} cannot be ended: reboot", state["pid"]),
        "failed" => {
            let part = |key: &str| state["error"][key].as_str().unwrap_or_default();
            format!("{}: {}", part("kind"), part("message"))
        }
        _ => return name.to_owned(),
    };
    format!("{name} ({detail})")
}

pub(super) fn start(
    config: &Config,
    plan: Option<String>,
    reference: bool,
    resume: Option<String>,
    what: DescriptionArgs,
    unattended: bool,
) -> Result<Exit, Failure> {
    if let Some(axis) = config.motion.backend.placed_by_hand()
        && unattended
    {
        let message = format!("the {axis} has to be put in its place by hand before the service starts");
        return Err(Failure { exit: Exit::Config, message });
    }
    match resume {
        Some(scan) => {
            let changes = DescriptionChanges::from(what);
            if !changes.is_empty() {
                describe(config, scan.clone(), changes)?;
            }
            tell(config, &Request::Resume { scan }, RESUME_PATIENCE)
        }
        None => tell(config, &Request::Start { plan, reference, description: what.into() }, START_PATIENCE),
    }
}

/// None if no scanner runs on this rig.
pub(super) fn retake(config: &Config, scan: &ScanId, shots: &[ShotIndex]) -> Result<Option<Exit>, Failure> {
    // A request has a longest length, and each shot costs a few syncs.
    for shots in shots.chunks(32) {
        let request =
            Request::Retake { scan: scan.to_string(), shots: shots.iter().map(|shot| shot.0).collect() };
        match ask(&config.storage.runtime_directory, &request, START_PATIENCE) {
            Err(ControlError::NotRunning { .. }) => return Ok(None),
            answer => output::print(&accepted(answer?)?.0)?,
        }
    }
    Ok(Some(Exit::Done))
}

/// None if no scanner runs on this rig.
pub(super) fn extend(config: &Config, scan: &ScanId, points: &[NewPoint]) -> Result<Option<Exit>, Failure> {
    let request = Request::Extend { scan: scan.to_string(), points: points.to_vec() };
    match ask(&config.storage.runtime_directory, &request, START_PATIENCE) {
        Err(ControlError::NotRunning { .. }) => Ok(None),
        answer => {
            output::print(&accepted(answer?)?.0)?;
            Ok(Some(Exit::Done))
        }
    }
}

/// What the scan is called now; none if no scanner runs on this rig.
pub(super) fn describe(
    config: &Config,
    scan: String,
    changes: DescriptionChanges,
) -> Result<Option<Description>, Failure> {
    let request = Request::Describe { scan, changes };
    match ask(&config.storage.runtime_directory, &request, START_PATIENCE) {
        Err(ControlError::NotRunning { .. }) => Ok(None),
        answer => Ok(Some(serde_json::from_value(accepted(answer?)?.1).map_err(std::io::Error::from)?)),
    }
}

pub(super) fn pause(config: &Config) -> Result<Exit, Failure> {
    tell(config, &Request::Pause, ANSWER_PATIENCE)
}

pub(super) fn cancel(config: &Config) -> Result<Exit, Failure> {
    tell(config, &Request::Cancel, ANSWER_PATIENCE)
}

pub(super) fn reload(config: &Config) -> Result<Exit, Failure> {
    tell(config, &Request::Reload { when_idle: false }, RELOAD_PATIENCE)
}

pub(super) fn clear(config: &Config) -> Result<Exit, Failure> {
    tell(config, &Request::Clear, ANSWER_PATIENCE)
}

pub(super) fn home(config: &Config, axes: Vec<RigAxis>) -> Result<Exit, Failure> {
    let axes = axes.into_iter().map(Axis::from).collect();
    tell(config, &Request::Home { axes }, START_PATIENCE)
}

pub(super) fn level(config: &Config, pin: u32, high: Option<bool>) -> Result<Exit, Failure> {
    tell(config, &Request::Level { pin, high }, ANSWER_PATIENCE)
}

pub(super) fn press(config: &Config, button: Button) -> Result<Exit, Failure> {
    tell(config, &Request::Press { button }, ANSWER_PATIENCE)
}

pub(super) fn pair(config: &Config, code: &str, refuse: bool) -> Result<Exit, Failure> {
    // As people write them.
    let code = code.replace([' ', '-'], "");
    tell(config, &Request::Pair { code, refuse }, ANSWER_PATIENCE)
}

pub(super) fn token(config: &Config, action: TokenAction) -> Result<Exit, Failure> {
    let list = action == TokenAction::List;
    let (message, tokens) = ask_for(config, &Request::Token { action }, ANSWER_PATIENCE)?;
    if !list {
        output::print(&message)?;
        return Ok(Exit::Done);
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let rows = tokens.as_array().into_iter().flatten();
    let rows = rows.map(|token| [text(&token["name"]), text(&token["created"]), text(&token["may"])]);
    output::print(&output::table(["NAME", "CREATED", "MAY"], rows))?;
    Ok(Exit::Done)
}

fn tell(config: &Config, request: &Request, patience: Duration) -> Result<Exit, Failure> {
    let (message, _) = ask_for(config, request, patience)?;
    output::print(&message)?;
    Ok(Exit::Done)
}

pub(super) fn ask_for(
    config: &Config,
    request: &Request,
    patience: Duration,
) -> Result<(String, serde_json::Value), Failure> {
    accepted(ask(&config.storage.runtime_directory, request, patience)?)
}

pub(super) fn accepted(reply: Reply) -> Result<(String, serde_json::Value), Failure> {
    match reply {
        Reply::Ok { message, status } => Ok((message, status)),
        Reply::Refused { reason, message } => Err(Failure { exit: reason.into(), message }),
    }
}
