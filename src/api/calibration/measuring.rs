//! Calibrating the rig: begun, watched and given up.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::Calibrations;
use crate::api::transport::extract::MaybeBody;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;
use crate::calibration::{Marks, Targets};
use crate::daemon::{CalibrationEnd, CalibrationOutcome, CalibrationRefused, find_scan};
use crate::dataset::{self, ScanId};
use crate::scan::{Description, DescriptionChanges};
use crate::units::Dioptres;

/// What such a scan is called.
const NAME: &str = "calibration";
/// Most lens positions: each is as many images again.
const MOST_POSITIONS: usize = 20;

/// How to calibrate the rig.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct NewCalibration {
    /// What was printed, as measured on the print; what is absent is as `scanner board` prints it.
    targets: Targets,
    /// Lens positions, at each of which the lens is measured; if there are none, where it is configured to be.
    #[schema(max_items = 20)]
    focus: Vec<Dioptres>,
    /// The id of a scan that was a calibration: its images are taken, and the rig is not moved.
    from: Option<String>,
}

/// A calibration that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CalibrationBegun {
    /// Its scan, by which it is watched as any other.
    id: String,
}

/// How the calibration of the rig stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(in crate::api) enum CalibrationState {
    /// Nobody has wanted one since the service started.
    Idle,
    /// Its images are being taken, or its scan is paused.
    Scanning {
        /// The scan.
        scan: String,
        /// Whether it is under way: else it waits to be gone on with, or given up.
        under_way: bool,
    },
    /// The images are looked at, one by one; once all are done, the rig is solved for.
    Measuring {
        /// Their scan.
        scan: String,
        /// Images that are done.
        done: usize,
        /// Images in all; 0 while the scan is read.
        images: usize,
        /// Whether it waits for a scan to end.
        waiting: bool,
    },
    /// There is a new calibration, which counts.
    Made {
        /// The scan that it was made from.
        scan: String,
        /// Its number.
        number: u32,
        /// What has changed since the one before, for people.
        changes: Vec<String>,
    },
    /// Somebody gave it up, or its scan: nothing has changed.
    Cancelled {
        /// The scan.
        scan: String,
    },
    /// It came to nothing.
    Failed {
        /// The scan.
        scan: String,
        /// Why, and what to do, for people.
        message: String,
    },
}

impl From<CalibrationEnd> for CalibrationState {
    fn from(CalibrationEnd { scan, outcome }: CalibrationEnd) -> Self {
        let scan = scan.to_string();
        match outcome {
            CalibrationOutcome::Made { number, changes } => {
                Self::Made { scan, number, changes: changes.iter().map(ToString::to_string).collect() }
            }
            CalibrationOutcome::Cancelled => Self::Cancelled { scan },
            CalibrationOutcome::Failed { message } => Self::Failed { scan, message },
        }
    }
}

/// Calibrate the rig: it scans the printed board on the turntable, and is measured by the images once that has ended. Answers
/// once the scan has begun, or, with `from`, once the images of that scan are looked at; `progress` tells how far it is.
#[utoipa::path(post, path = "/api/v1/calibration", operation_id = "begin_calibration", tag = "calibration",
    request_body = Option<NewCalibration>, responses(
    (status = 201, body = CalibrationBegun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn begin(
    State(calibrations): State<Calibrations>,
    MaybeBody(NewCalibration { targets, focus, from }): MaybeBody<NewCalibration>,
) -> Answer<Response> {
    targets.check().map_err(Problem::unprocessable)?;
    if focus.len() > MOST_POSITIONS {
        return Err(Problem::unprocessable(format!("`focus`: at most {MOST_POSITIONS} lens positions")));
    }
    calibrations.rig.service.calibrations().check_free()?;
    let id = match from {
        Some(_) if !focus.is_empty() => {
            return Err(Problem::bad_request("either `from` or `focus`, not both"));
        }
        Some(scan) => measure_again(&calibrations, scan, targets).await?,
        None => scan(&calibrations, focus, targets).await?,
    };
    tracing::info!(scan = %id, "the rig is being calibrated: asked for through the API");
    let location = HeaderValue::from_str(&format!("/api/v1/scans/{id}")).map_err(Problem::failed)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(CalibrationBegun { id: id.to_string() }))
        .into_response())
}

async fn scan(calibrations: &Calibrations, focus: Vec<Dioptres>, targets: Targets) -> Answer<ScanId> {
    // Before the rig moves for nothing.
    on_disk(|| {
        drop(Marks::start()?);
        Ok(())
    })
    .await?;
    let named = DescriptionChanges { name: Some(Some(NAME.into())), ..DescriptionChanges::default() };
    let description = named.applied(&Description::default())?;
    let start = |service: crate::daemon::Service| async move {
        Ok(service.start_calibration(focus, targets, description).await?.id)
    };
    calibrations.rig.act(start).await
}

async fn measure_again(calibrations: &Calibrations, scan: String, targets: Targets) -> Answer<ScanId> {
    let rig = calibrations.rig.clone();
    on_disk(move || {
        let id: ScanId = scan.parse().map_err(Problem::not_found)?;
        let dir = find_scan(rig.config(), &id)?;
        let shown = dataset::show(&dir)?;
        if shown.in_use {
            let detail = format!("scan {id} is in use: measure by it when it has ended");
            return Err(Problem::new(ProblemType::InUse, detail));
        }
        rig.service.measure(&id, dir, targets)?;
        Ok(id)
    })
    .await
}

/// How the calibration of the rig stands, or what came of the last one.
#[utoipa::path(get, path = "/api/v1/calibration/progress", operation_id = "get_calibration_progress", tag = "calibration", responses(
    (status = 200, body = CalibrationState),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn progress(State(calibrations): State<Calibrations>) -> Json<CalibrationState> {
    let service = &calibrations.rig.service;
    let known = service.calibrations();
    // First, since it is forgotten behind what becomes of it.
    let wanted = known.wanted();
    if let Some(progress) = known.progress() {
        let (scan, done, images) = (progress.scan.to_string(), progress.done, progress.images);
        return Json(CalibrationState::Measuring { scan, done, images, waiting: progress.waiting });
    }
    if let Some(scan) = wanted {
        let status = service.status();
        let is_it = |of: &crate::run::Progress| of.scan == scan.as_str();
        let under_way = status.scanning && status.scan.as_ref().is_some_and(is_it);
        return Json(CalibrationState::Scanning { scan: scan.to_string(), under_way });
    }
    Json(known.last().map_or(CalibrationState::Idle, CalibrationState::from))
}

/// Give the measuring up; answers once it has ended, and nothing has changed. A scan that is under way is cancelled as any other.
#[utoipa::path(post, path = "/api/v1/calibration/cancel", operation_id = "cancel_calibration", tag = "calibration", responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn cancel(State(calibrations): State<Calibrations>) -> Answer<StatusCode> {
    let known = calibrations.rig.service.calibrations();
    if !known.cancel(None) {
        return Err(Problem::not_found(
            "the rig is not being measured; a scan ends by `POST /api/v1/rig/cancel`",
        ));
    }
    known.done().await;
    Ok(StatusCode::NO_CONTENT)
}

impl From<CalibrationRefused> for Problem {
    fn from(refused: CalibrationRefused) -> Self {
        let kind = match refused {
            CalibrationRefused::Busy { .. } => ProblemType::InUse,
            CalibrationRefused::Closed | CalibrationRefused::NoThread(_) => ProblemType::Unavailable,
        };
        Self::new(kind, refused)
    }
}
