//! Finding out how the axes swing: begun, watched and given up.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::access::grant::Grant;
use crate::api::configuration::fit;
use crate::api::rig::state::Rig;
use crate::api::transport::extract::MaybeBody;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::daemon::{TuneError, TuningEnd};
use crate::model::Axis;

/// What to tune.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct NewTuning {
    /// Which axes; all that the rig has, if empty.
    axes: Vec<Axis>,
}

/// How the tuning stands, or what came of the last one. A tuning that is put in force ends the API for a moment, and is not
/// remembered here: `at` and `in_force` of `GET /api/v1/tuning` tell of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(in crate::api) enum TuningState {
    /// Nobody has wanted one since the service, or its configuration, is there.
    Idle,
    /// The axes are moved to and fro.
    Moving {
        /// The axis that is moved; null while cameras are opened, and while what was seen is written.
        axis: Option<Axis>,
        /// Moves that were looked at.
        done: usize,
        /// Moves in all; 0 while `axis` is null.
        moves: usize,
    },
    /// It is written, and put in force.
    Made {
        /// The axes that were tuned.
        axes: Vec<Axis>,
    },
    /// Somebody gave it up: nothing has changed.
    Cancelled,
    /// It came to nothing, or is not in force.
    Failed {
        /// Why, and what to do, for people.
        message: String,
    },
}

impl From<TuningEnd> for TuningState {
    fn from(end: TuningEnd) -> Self {
        match end {
            TuningEnd::Made { axes } => Self::Made { axes },
            TuningEnd::Cancelled => Self::Cancelled,
            TuningEnd::Failed { message } => Self::Failed { message },
        }
    }
}

/// Find out how the axes swing: **each is moved to and fro**, 18 times at each of its ends, while the cameras look. Put
/// something with texture on the turntable. What is found is written into the configuration, and put in force, for which
/// every connection ends. Not during a scan. Answers once it has begun; `progress` tells how far it is.
#[utoipa::path(post, path = "/api/v1/tuning", operation_id = "begin_tuning", tag = "calibration",
    request_body = Option<NewTuning>, responses(
    (status = 202),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn begin(
    State(rig): State<Rig>,
    axum::Extension(grant): axum::Extension<Grant>,
    MaybeBody(NewTuning { axes }): MaybeBody<NewTuning>,
) -> Answer<StatusCode> {
    let tuning = rig.service.begin_tuning(axes, &grant.token.name, fit)?;
    tracing::info!("the rig is being tuned: asked for through the API");
    // It goes on if the client goes away.
    rig.runtime().spawn(tuning);
    Ok(StatusCode::ACCEPTED)
}

/// How the tuning of the rig stands, or what came of the last one.
#[utoipa::path(get, path = "/api/v1/tuning/progress", operation_id = "get_tuning_progress", tag = "calibration", responses(
    (status = 200, body = TuningState),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn progress(State(rig): State<Rig>) -> Json<TuningState> {
    let tunings = rig.service.tunings();
    // First, since what came of it is there before it has ended.
    if tunings.is_under_way() {
        let progress = tunings.progress();
        let (done, moves) = progress.map_or((0, 0), |progress| (progress.done, progress.moves));
        return Json(TuningState::Moving { axis: progress.map(|progress| progress.axis), done, moves });
    }
    Json(tunings.last().map_or(TuningState::Idle, TuningState::from))
}

/// Give the tuning up; answers once the axes rest, and nothing has changed. `POST /api/v1/rig/cancel` does so, too, and waits for
/// nothing.
#[utoipa::path(post, path = "/api/v1/tuning/cancel", operation_id = "cancel_tuning", tag = "calibration", responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn cancel(State(rig): State<Rig>) -> Answer<StatusCode> {
    let tunings = rig.service.tunings();
    if !tunings.is_under_way() {
        return Err(Problem::not_found("the rig is not being tuned"));
    }
    // Nobody else has the rig; it may have given it back just now.
    let _ = rig.service.cancel();
    tunings.done().await;
    Ok(StatusCode::NO_CONTENT)
}

impl From<TuneError> for Problem {
    fn from(error: TuneError) -> Self {
        let kind = match error {
            TuneError::Rig(error) => return error.into(),
            TuneError::NoAxis(_) => ProblemType::NotFound,
            TuneError::NoCamera => ProblemType::Calibration,
            TuneError::Blind => ProblemType::Camera,
            TuneError::GivenUp => ProblemType::GivenUp,
        };
        Self::new(kind, error)
    }
}
