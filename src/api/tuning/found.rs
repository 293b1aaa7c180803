//! What was found of the axes the last time.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::rig::state::Rig;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::config::Config;
use crate::daemon::gain_of;
use crate::model::{Axis, AxisConfig, Shaper, Swing};
use crate::tune::{AxisSwing, Gain, TunedAxis, TunedPlace, Tuning};

/// The drawing has everything in itself, and does nothing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; sandbox";

/// How the axes swing, as far as that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TuningFound {
    /// Each axis of the rig.
    axes: Vec<TuningAxis>,
}

/// What was found of an axis.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TuningAxis {
    /// The axis.
    axis: Axis,
    /// The unit of its positions: `deg` or `mm`.
    unit: &'static str,
    /// When it was tuned; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// How it swings; null if that was not found, or it does not swing.
    swing: Option<TunedSwing>,
    /// Whether scans go by this swing: the configuration in force says so.
    in_force: bool,
    /// What was seen, at each place where it was moved to and fro.
    places: Vec<TuningPlace>,
    /// What a usual move gains by it; null if no swing is known.
    gain: Option<TuningGain>,
}

/// How an axis swings.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TunedSwing {
    /// How often, in hertz.
    frequency_hz: f64,
    /// How fast it dies down: 0 never, 1 at once.
    damping: f64,
    /// How far the frequency may be off, as a part of it.
    spread: f64,
}

/// What was seen of an axis at one place.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TuningPlace {
    /// The axis' position, in its unit.
    at: f64,
    /// The camera that has seen it best; null if none has seen anything.
    camera: Option<String>,
    /// What was seen, for people.
    found: String,
}

/// What a usual move gains: the first plan's, or ten degrees or millimetres.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TuningGain {
    /// How far it goes, in the axis' unit.
    distance: f64,
    /// Seconds until nothing swings any more if it is not shaped; null if it swings for ever.
    unshaped_s: Option<f64>,
    /// The same with the shaper that is chosen.
    shaped_s: Option<f64>,
    /// The shaper; `off` if none makes that sooner.
    shaper: Shaper,
}

impl From<AxisSwing> for TunedSwing {
    fn from(AxisSwing { frequency_hz, damping, spread }: AxisSwing) -> Self {
        Self { frequency_hz, damping, spread }
    }
}

impl From<TunedPlace> for TuningPlace {
    fn from(TunedPlace { at, camera, found }: TunedPlace) -> Self {
        Self { at, camera, found: found.to_string() }
    }
}

impl From<Gain> for TuningGain {
    fn from(Gain { distance, unshaped_s, shaped_s, shaper }: Gain) -> Self {
        Self { distance, unshaped_s, shaped_s, shaper }
    }
}

impl TuningAxis {
    fn of(config: &Config, axis: &AxisConfig, found: Option<TunedAxis>) -> Self {
        let swing = found.as_ref().and_then(TunedAxis::swing);
        let gain = found.as_ref().and_then(|found| gain_of(config, found)).map(TuningGain::from);
        let in_force = swing.as_ref().is_some_and(|swing| axis.swing == Some(Swing::from(swing)));
        let (at, places) = found.map(|found| (found.at, found.places)).unzip();
        Self {
            axis: axis.axis,
            unit: axis.axis.unit(),
            at,
            swing: swing.map(TunedSwing::from),
            in_force,
            places: places.unwrap_or_default().into_iter().map(TuningPlace::from).collect(),
            gain,
        }
    }
}

/// How the axes swing, as far as the rig has found that out by its cameras.
#[utoipa::path(get, path = "/api/v1/tuning", operation_id = "get_tuning", tag = "calibration", responses(
    (status = 200, body = TuningFound),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn found(State(rig): State<Rig>) -> Answer<Json<TuningFound>> {
    on_disk(move || {
        let config = rig.config();
        let kept = Tuning::kept(&config.storage.state_directory).map_err(Problem::failed)?;
        let mut kept = kept.map(|tuning| tuning.axes).unwrap_or_default();
        let axes = config.motion.axes.iter().map(|axis| {
            let found = kept.iter().position(|found| found.axis == axis.axis);
            TuningAxis::of(config, axis, found.map(|at| kept.swap_remove(at)))
        });
        Ok(Json(TuningFound { axes: axes.collect() }))
    })
    .await
}

/// What was seen of each axis, and the swing that fits it, drawn.
#[utoipa::path(get, path = "/api/v1/tuning/picture", operation_id = "get_tuning_picture", tag = "calibration", responses(
    (status = 200, body = String, content_type = "image/svg+xml"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn picture(State(rig): State<Rig>) -> Answer<Response> {
    on_disk(move || {
        let drawn = Tuning::drawn(&rig.config().storage.state_directory).map_err(Problem::failed)?;
        let svg = drawn.ok_or_else(|| {
            Problem::not_found("the rig has not been tuned yet: `POST /api/v1/tuning`, or `scanner tune`")
        })?;
        let mut response = svg.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
        Ok(response)
    })
    .await
}
