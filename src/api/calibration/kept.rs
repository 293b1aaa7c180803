//! Calibrations that are kept: the newest, which counts, and those before it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::state::Calibrations;
use crate::api::transport::extract::Path;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;
use crate::calibration::{self, Calibration, CalibrationError, History, Kept};

/// What the rig has measured of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CalibrationDetail {
    /// Its number, from 1 on.
    number: u32,
    /// What has changed since the one before, for people; nothing if there is none before, or it cannot be read.
    changes: Vec<String>,
    #[serde(flatten)]
    calibration: Calibration,
}

/// The calibrations that are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CalibrationList {
    /// The newest first, which counts.
    calibrations: Vec<CalibrationSummary>,
    /// Those that cannot be read, the newest first.
    damaged: Vec<DamagedCalibration>,
}

/// A calibration in a line.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CalibrationSummary {
    /// Its number.
    number: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made: Timestamp,
    /// The scan whose images it is made from.
    scan: String,
    /// How far corners are from where they should be, rms in pixels.
    rms_px: f64,
    /// The cameras that were measured.
    cameras: Vec<String>,
}

/// A calibration that cannot be read.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DamagedCalibration {
    /// Its number.
    number: u32,
    /// Why, and what to do, for people.
    message: String,
}

impl From<Kept> for CalibrationSummary {
    fn from(kept: Kept) -> Self {
        let Kept { number, calibration: Calibration { made, scan, rms_px, cameras, .. } } = kept;
        let cameras = cameras.into_iter().map(|camera| camera.name).collect();
        Self { number, made, scan, rms_px, cameras }
    }
}

/// What the rig has last measured of itself: it counts for the plans of scans.
#[utoipa::path(get, path = "/api/v1/calibration", operation_id = "get_calibration", tag = "calibration", responses(
    (status = 200, body = CalibrationDetail),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn newest(
    State(calibrations): State<Calibrations>,
) -> Answer<Json<CalibrationDetail>> {
    on_disk(move || {
        let numbers = calibrations.history.numbers()?;
        let newest = numbers.first().ok_or_else(|| {
            Problem::not_found(
                "the rig has not been calibrated yet: print the board (`scanner board`), put it on the turntable, and \
                 `POST /api/v1/calibration`",
            )
        })?;
        Ok(Json(detail(&calibrations.history, &numbers, *newest)?))
    })
    .await
}

/// The calibrations that are kept.
#[utoipa::path(get, path = "/api/v1/calibrations", operation_id = "list_calibrations", tag = "calibration", responses(
    (status = 200, body = CalibrationList),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn list(State(calibrations): State<Calibrations>) -> Answer<Json<CalibrationList>> {
    on_disk(move || {
        let mut list = CalibrationList { calibrations: Vec::new(), damaged: Vec::new() };
        for number in calibrations.history.numbers()? {
            match calibrations.history.read(number) {
                Ok(kept) => list.calibrations.push(kept.into()),
                Err(error) => list.damaged.push(DamagedCalibration { number, message: error.to_string() }),
            }
        }
        Ok(Json(list))
    })
    .await
}

/// A calibration, and what has changed since the one before.
#[utoipa::path(get, path = "/api/v1/calibrations/{number}", operation_id = "get_kept_calibration", tag = "calibration",
    params(("number" = u32, Path)), responses(
    (status = 200, body = CalibrationDetail),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn one(
    State(calibrations): State<Calibrations>,
    Path(number): Path<u32>,
) -> Answer<Json<CalibrationDetail>> {
    on_disk(move || {
        let numbers = calibrations.history.numbers()?;
        Ok(Json(detail(&calibrations.history, &numbers, number)?))
    })
    .await
}

/// Take the newest calibration back: its file is removed, and the one before it counts again.
#[utoipa::path(delete, path = "/api/v1/calibrations/{number}", operation_id = "take_back_calibration", tag = "calibration",
    params(("number" = u32, Path)), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn take_back(
    State(calibrations): State<Calibrations>,
    Path(number): Path<u32>,
) -> Answer<StatusCode> {
    on_disk(move || {
        let numbers = calibrations.history.numbers()?;
        check_kept(&numbers, number)?;
        if let Some(newest) = numbers.first().filter(|newest| **newest != number) {
            let detail =
                format!("calibration {number} is not the newest: only that, {newest}, is taken back");
            return Err(Problem::new(ProblemType::Calibration, detail));
        }
        calibrations.history.remove(number)?;
        tracing::info!("calibration {number} was taken back through the API");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn check_kept(numbers: &[u32], number: u32) -> Answer<()> {
    if numbers.contains(&number) {
        return Ok(());
    }
    Err(Problem::not_found(format!(
        "there is no calibration {number}: GET /api/v1/calibrations lists those that are kept"
    )))
}

fn detail(history: &History, numbers: &[u32], number: u32) -> Answer<CalibrationDetail> {
    check_kept(numbers, number)?;
    let Kept { number, calibration } = history.read(number)?;
    let before = numbers.iter().find(|other| **other < number);
    let changes = match before.map(|before| history.read(*before)) {
        Some(Ok(before)) => calibration::changes(&before.calibration, &calibration),
        None | Some(Err(_)) => Vec::new(),
    };
    let changes = changes.iter().map(ToString::to_string).collect();
    Ok(CalibrationDetail { number, changes, calibration })
}

impl From<CalibrationError> for Problem {
    fn from(error: CalibrationError) -> Self {
        let kind = match error {
            CalibrationError::Dataset(error) => return error.into(),
            CalibrationError::NoProgram(_)
            | CalibrationError::Unknown { .. }
            | CalibrationError::Unreadable { .. } => ProblemType::Calibration,
            CalibrationError::Io { .. } => ProblemType::Storage,
            CalibrationError::GivenUp => ProblemType::GivenUp,
            CalibrationError::Program { .. }
            | CalibrationError::Silent { .. }
            | CalibrationError::Ended { .. }
            | CalibrationError::Answer { .. }
            | CalibrationError::Refused(_)
            | CalibrationError::NothingSeen { .. } => ProblemType::Failed,
        };
        Self::new(kind, error)
    }
}
