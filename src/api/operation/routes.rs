//! For those who look after the rig: whether it is fit for a scan, its log, and everything that helps to find a fault.

use std::io::Write as _;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dataset::{self, open};
use crate::doctor::{self, Finding, Verdict};
use crate::logging::{self, Line};
use crate::nodes;
use crate::rig::camera::State as CameraState;

use super::state::Operation;
use crate::api::rig::state::Rig;
use crate::api::transport::extract::Query;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;
use crate::api::transport::zip::{DosTime, Entry, Layout};

/// Lines of the log, if nobody says.
const LINES: usize = 200;
/// Most lines of the log.
const MAX_LINES: usize = 4000;
/// The longest file of a scan in a support bundle, in bytes.
const LONGEST: u64 = 64 << 20;

/// Whether the rig is fit for a scan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Preflight {
    /// Whether it is: no finding is a problem.
    go: bool,
    /// What keeps it from being so, for people.
    reasons: Vec<String>,
    /// Everything that was looked at.
    findings: Vec<Finding>,
}

fn rig_findings(rig: &Rig) -> Vec<Finding> {
    let station = rig.service.station();
    let mut findings = Vec::new();
    findings.push(match station.axes().fault() {
        None => Finding::fine("axes", "free to move"),
        Some(cause) => Finding::problem("axes", cause, "put that right, then clear it"),
    });
    let assumed = station.axes().assumed();
    if !assumed.is_empty() {
        let axes = assumed.iter().map(|(axis, at)| format!("the {axis} at {at} {}", axis.unit()));
        let axes = axes.collect::<Vec<_>>().join(", ");
        let what = "turn it there if it is not, and home it";
        findings.push(Finding::advice(
            "homing",
            format!("nobody has said since the start that {axes} is true"),
            what,
        ));
    }
    for camera in station.cameras() {
        let name = camera.name();
        findings.push(match camera.status().state {
            CameraState::Wedged { pid, .. } => Finding::problem(
                "cameras",
                format!("the driver of {name} (process {pid}) cannot be ended"),
                "reboot",
            ),
            CameraState::Failed { error } => Finding::advice("cameras", error.to_string(), error.advice()),
            CameraState::Closed
            | CameraState::Opening
            | CameraState::Streaming { .. }
            | CameraState::Capturing { .. }
            | CameraState::Recovering { .. }
            | CameraState::Closing => {
                Finding::fine("cameras", format!("{name} is in order, as far as it was used"))
            }
        });
        let lens = camera.hello().map(|hello| hello.controls.iter().any(|control| control.name == "focus"));
        findings.push(match lens {
            None => Finding::unknown("lens", format!("{name} was not open yet")),
            Some(true) => Finding::fine("lens", format!("that of {name} can be moved")),
            Some(false) => Finding::fine("lens", format!("that of {name} is fixed")),
        });
    }
    let lights = station.config().lights.len();
    findings.push(if lights == 0 {
        Finding::advice(
            "lights",
            "none is configured",
            "add [[light]], so that all images have the same light",
        )
    } else {
        Finding::fine("lights", format!("{lights} configured"))
    });
    findings
}

/// Whether the rig is fit for a scan: disk, memory, voltage and heat, cameras, lens, axes, lights, clock. Takes a moment,
/// in which it writes to the disk; not during a scan.
#[utoipa::path(post, path = "/api/v1/preflight", operation_id = "run_preflight", tag = "operation", responses(
    (status = 200, body = Preflight),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn preflight(State(operation): State<Operation>) -> Answer<Json<Preflight>> {
    if operation.rig.service.status().scanning {
        return Err(Problem::new(
            ProblemType::InUse,
            "a scan is under way, and the disk is its own: look again after it",
        ));
    }
    let shared = operation.clone();
    on_disk(move || {
        let mut findings = doctor::examine_rig(shared.rig.config(), &shared.rig.service.station().wanted());
        findings.extend(rig_findings(&shared.rig));
        let reason = |finding: &Finding| match &finding.verdict {
            Verdict::Problem { what_to_do } => {
                Some(format!("{}: {}; {what_to_do}", finding.check, finding.found))
            }
            Verdict::Fine | Verdict::Unknown | Verdict::Advice { .. } => None,
        };
        let reasons: Vec<String> = findings.iter().filter_map(reason).collect();
        Ok(Json(Preflight { go: reasons.is_empty(), reasons, findings }))
    })
    .await
}

/// Lines of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Log {
    /// The lines that were asked for, the oldest first.
    lines: Vec<Line>,
}

/// Which lines of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Tail {
    scan: Option<String>,
    limit: Option<usize>,
}

/// The newest lines of the log since the program started.
#[utoipa::path(get, path = "/api/v1/log", operation_id = "get_log", tag = "operation", params(
    ("scan" = Option<String>, Query, description = "Only lines of this scan."),
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 4000, description = "How many: 200 if absent."),
), responses(
    (status = 200, body = Log),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn log(Query(tail): Query<Tail>) -> Answer<Json<Log>> {
    let limit = tail.limit.unwrap_or(LINES);
    if !(1..=MAX_LINES).contains(&limit) {
        return Err(Problem::bad_request(format!("write a limit of 1 to {MAX_LINES} lines")));
    }
    Ok(Json(Log { lines: logging::recent(tail.scan.as_deref(), limit) }))
}

/// Everything that helps to find a fault, as a ZIP archive: status, log, preflight, configuration as it was understood,
/// the journal of the newest scan, and what other machines with cameras of this rig say of themselves. No images, no tokens.
#[utoipa::path(get, path = "/api/v1/support.zip", operation_id = "get_support_bundle", tag = "operation", responses(
    (status = 200, body = [u8], content_type = "application/zip"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn support(State(operation): State<Operation>) -> Answer<Response> {
    let shared = operation.clone();
    let archive = on_disk(move || bundle(&shared)).await?;
    let mut response = archive.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let name = HeaderValue::from_static("attachment; filename=\"scanner-support.zip\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

fn bundle(operation: &Operation) -> Answer<Vec<u8>> {
    let pretty = |value: serde_json::Result<String>| value.map(String::into_bytes).map_err(Problem::failed);
    let config = operation.rig.config();
    // What writes to the disk is left out while a scan does.
    let mut findings = rig_findings(&operation.rig);
    if !operation.rig.service.status().scanning {
        findings.extend(doctor::examine_rig(config, &operation.rig.service.station().wanted()));
    }
    let lines = logging::recent(None, MAX_LINES);
    let log = lines.iter().fold(Vec::new(), |mut text, line| {
        // Writing to memory does not fail.
        let _ = writeln!(text, "{} {} {}", line.at, line.level, line.message);
        text
    });
    let mut files = vec![
        ("status.json".to_owned(), pretty(serde_json::to_string_pretty(&operation.events.status()))?),
        ("findings.json".to_owned(), pretty(serde_json::to_string_pretty(&findings))?),
        ("log.txt".to_owned(), log),
        ("config.txt".to_owned(), format!("{config:#?}\n").into_bytes()),
    ];
    // Each with its log.
    for (number, reports) in nodes::reports(config).into_iter().enumerate() {
        files.push(match reports {
            Ok(reports) => (format!("nodes-{number}.json"), pretty(serde_json::to_string_pretty(&reports))?),
            Err(reason) => (format!("nodes-{number}.unread.txt"), format!("{reason}\n").into_bytes()),
        });
    }
    let newest = dataset::newest(&config.storage.directory, None).map_err(dataset::OpenError::from)?;
    for (name, limit) in newest.iter().flat_map(|_| dataset::DESCRIPTIONS) {
        let Some(scan) = newest.as_ref() else { continue };
        // What cannot be read is what somebody looks for here.
        let file = match open::read(&scan.dir, name, limit.min(LONGEST)) {
            Ok(bytes) => (format!("newest-scan/{name}"), bytes),
            Err(unread) => {
                (format!("newest-scan/{name}.unread.txt"), format!("{name} {unread}\n").into_bytes())
            }
        };
        files.push(file);
    }
    let time = DosTime::of(&jiff::Zoned::now());
    let entry = |(name, bytes): &(String, Vec<u8>)| Entry {
        name: format!("scanner-support/{name}"),
        length: bytes.len() as u32,
        time,
        is_program: false,
    };
    Ok(Layout::new(files.iter().map(entry).collect()).write(files.iter().map(|(_, bytes)| bytes.as_slice())))
}
