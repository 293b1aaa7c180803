//! Errors as problem documents (RFC 9457).

use std::fmt::Display;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::daemon::{ExtendError, MasksRefused, Reason, RetakeError, ScanDescribeError, StartError};
use crate::dataset::OpenError;
use crate::drop_in::StoreError;
use crate::mask::MaskError;
use crate::rig::axes::MotionError;
use crate::scan::Unfit;

/// What went wrong, for programs. A type never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::api) enum ProblemType {
    /// No token, or none that is valid: log in.
    #[serde(rename = "/problems/unauthorized")]
    Unauthorized,
    /// The request was made for another host, or from a page of another one.
    #[serde(rename = "/problems/foreign")]
    Foreign,
    /// The token may only look, and this captures or changes something.
    #[serde(rename = "/problems/look_only")]
    LookOnly,
    /// Too many attempts to log in, or to be paired: try again after `retry_after`.
    #[serde(rename = "/problems/too_many_attempts")]
    TooManyAttempts,
    /// A browser cannot be paired here, or this pairing has ended.
    #[serde(rename = "/problems/pairing")]
    Pairing,
    /// The request is not as the document says.
    #[serde(rename = "/problems/bad_request")]
    BadRequest,
    /// There is no such thing.
    #[serde(rename = "/problems/not_found")]
    NotFound,
    /// A scan is under way, or the scan is in use.
    #[serde(rename = "/problems/in_use")]
    InUse,
    /// No scan is under way.
    #[serde(rename = "/problems/no_scan")]
    NoScan,
    /// The camera is taken: ask again after `retry_after`.
    #[serde(rename = "/problems/camera_taken")]
    CameraTaken,
    /// The camera, or its driver, failed.
    #[serde(rename = "/problems/camera")]
    Camera,
    /// The plan does not exist, or cannot be carried out.
    #[serde(rename = "/problems/plan")]
    Plan,
    /// The disk is full, or failing.
    #[serde(rename = "/problems/storage")]
    Storage,
    /// It is not known where any image of the scan was taken from.
    #[serde(rename = "/problems/no_poses")]
    NoPoses,
    /// No masks can be made of the scan: the empty rig was not scanned before it, or it is a scan of the empty rig.
    #[serde(rename = "/problems/no_masks")]
    NoMasks,
    /// The rig cannot be calibrated, as it is configured or installed; or it is not the newest calibration that is to be taken back,
    /// or one cannot be read.
    #[serde(rename = "/problems/calibration")]
    Calibration,
    /// The dataset is damaged, or of a version that this program does not know.
    #[serde(rename = "/problems/dataset")]
    Dataset,
    /// The scan was made on another rig, or the configuration has changed.
    #[serde(rename = "/problems/other_rig")]
    OtherRig,
    /// The axes do not move as asked: a fault, their travel, or a position that is not known.
    #[serde(rename = "/problems/motion")]
    Motion,
    /// The rig cannot be set up so: an answer is missing, or the configuration would not load with the answers.
    #[serde(rename = "/problems/setup")]
    Setup,
    /// The configuration would not load, or not do.
    #[serde(rename = "/problems/configuration")]
    Configuration,
    /// Somebody else has changed it meanwhile: look at it again.
    #[serde(rename = "/problems/changed_meanwhile")]
    ChangedMeanwhile,
    /// This is not changed over the network.
    #[serde(rename = "/problems/reserved")]
    Reserved,
    /// Somebody gave it up before it began.
    #[serde(rename = "/problems/given_up")]
    GivenUp,
    /// The cameras are not to be open at this time of day.
    #[serde(rename = "/problems/out_of_hours")]
    OutOfHours,
    /// The rig is not ready, or about to end.
    #[serde(rename = "/problems/unavailable")]
    Unavailable,
    /// Anything else: the log says more.
    #[serde(rename = "/problems/failed")]
    Failed,
}

/// Why a request was not carried out (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in crate::api) struct Problem {
    /// What programs go by.
    #[serde(rename = "type")]
    kind: ProblemType,
    /// The type in a few words.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// What happened, to which thing, and what to do.
    detail: String,
    /// Seconds after which it makes sense to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<f64>,
}

/// What a handler answers.
pub(in crate::api) type Answer<T> = Result<T, Problem>;

impl Problem {
    pub(in crate::api) fn new(kind: ProblemType, detail: impl Display) -> Self {
        let (status, title) = kind.meaning();
        Self { kind, title, status: status.as_u16(), detail: detail.to_string(), retry_after: None }
    }

    /// That it makes sense to ask again after this time.
    pub(in crate::api) fn retry_after(mut self, time: Duration) -> Self {
        // In milliseconds, and never at once.
        self.retry_after = Some((time.as_secs_f64() * 1000.0).ceil().max(100.0) / 1000.0);
        self
    }

    /// With another status, where the type has more than one.
    pub(in crate::api) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status.as_u16();
        self
    }

    pub(in crate::api) fn bad_request(detail: impl Display) -> Self {
        Self::new(ProblemType::BadRequest, detail)
    }

    /// What was sent is understood, and is no answer.
    pub(in crate::api) fn unprocessable(detail: impl Display) -> Self {
        Self::bad_request(detail).with_status(StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// The rig cannot be set up so.
    pub(in crate::api) fn setup(detail: impl Display) -> Self {
        Self::new(ProblemType::Setup, detail)
    }

    pub(in crate::api) fn not_found(detail: impl Display) -> Self {
        Self::new(ProblemType::NotFound, detail)
    }

    pub(in crate::api) fn failed(detail: impl Display) -> Self {
        Self::new(ProblemType::Failed, detail)
    }
}

impl ProblemType {
    const fn meaning(self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "not logged in"),
            Self::Foreign => (StatusCode::FORBIDDEN, "a foreign host or page"),
            Self::LookOnly => (StatusCode::FORBIDDEN, "may only look"),
            Self::TooManyAttempts => (StatusCode::TOO_MANY_REQUESTS, "too many attempts"),
            Self::Pairing => (StatusCode::CONFLICT, "no pairing"),
            Self::BadRequest => (StatusCode::BAD_REQUEST, "not a valid request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Self::InUse => (StatusCode::CONFLICT, "in use"),
            Self::NoScan => (StatusCode::CONFLICT, "no scan is under way"),
            Self::CameraTaken => (StatusCode::TOO_MANY_REQUESTS, "the camera is taken"),
            Self::Camera => (StatusCode::SERVICE_UNAVAILABLE, "the camera failed"),
            Self::Plan => (StatusCode::UNPROCESSABLE_ENTITY, "the plan cannot be carried out"),
            Self::Storage => (StatusCode::INSUFFICIENT_STORAGE, "the disk"),
            Self::NoPoses => (StatusCode::CONFLICT, "no poses"),
            Self::NoMasks => (StatusCode::CONFLICT, "no masks"),
            Self::Calibration => (StatusCode::CONFLICT, "cannot be calibrated so"),
            Self::Dataset => (StatusCode::CONFLICT, "the dataset cannot be used"),
            Self::OtherRig => (StatusCode::CONFLICT, "made on another rig"),
            Self::Motion => (StatusCode::CONFLICT, "the axes do not move"),
            Self::Setup => (StatusCode::CONFLICT, "cannot be set up so"),
            Self::Configuration => (StatusCode::UNPROCESSABLE_ENTITY, "the configuration would not do"),
            Self::ChangedMeanwhile => (StatusCode::CONFLICT, "changed meanwhile"),
            Self::Reserved => (StatusCode::FORBIDDEN, "not over the network"),
            Self::GivenUp => (StatusCode::CONFLICT, "given up"),
            Self::OutOfHours => (StatusCode::CONFLICT, "out of hours"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "not available now"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after.map(|seconds| seconds.ceil() as u64);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"scanner\""));
        }
        response
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let kind = if matches!(error, StartError::Closed) {
            ProblemType::Unavailable
        } else if matches!(error, StartError::OutOfHours { .. }) {
            ProblemType::OutOfHours
        } else if matches!(error, StartError::Motion(_) | StartError::Assumed { .. }) {
            ProblemType::Motion
        } else if matches!(error, StartError::Dataset(OpenError::Exists { .. })) {
            ProblemType::InUse
        } else {
            Reason::from(&error).into()
        };
        Self::new(kind, error)
    }
}

impl From<Reason> for ProblemType {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::InUse => Self::InUse,
            Reason::Config => Self::OtherRig,
            Reason::NotFound => Self::NotFound,
            Reason::Storage => Self::Storage,
            Reason::Invalid => Self::Dataset,
            Reason::Camera => Self::Camera,
            Reason::Plan => Self::Plan,
            Reason::Cancelled | Reason::Paused => Self::GivenUp,
            Reason::Failed => Self::Failed,
        }
    }
}

impl From<RetakeError> for Problem {
    fn from(error: RetakeError) -> Self {
        match error {
            RetakeError::Scan(error) => error.into(),
            RetakeError::Shot(_) | RetakeError::Ended(_) => Self::new(Reason::from(&error).into(), error),
        }
    }
}

impl From<ExtendError> for Problem {
    fn from(error: ExtendError) -> Self {
        match error {
            ExtendError::Scan(error) => error.into(),
            ExtendError::Points(_) | ExtendError::Refused(_) | ExtendError::Ended(_) => {
                Self::new(Reason::from(&error).into(), error)
            }
        }
    }
}

impl From<ScanDescribeError> for Problem {
    fn from(error: ScanDescribeError) -> Self {
        match error {
            ScanDescribeError::Scan(error) => error.into(),
            ScanDescribeError::Unfit(unfit) => unfit.into(),
            ended @ ScanDescribeError::Ended => Self::new(ProblemType::InUse, ended),
        }
    }
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        Self::bad_request(unfit).with_status(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        StartError::from(error).into()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Config(_)
            | StoreError::Unfit(_)
            | StoreError::Edit(_)
            | StoreError::TooLong { .. } => ProblemType::Configuration,
            StoreError::Conflict | StoreError::Busy => ProblemType::ChangedMeanwhile,
            StoreError::NoVersion(_) => ProblemType::NotFound,
            StoreError::Versions { .. } | StoreError::Io { .. } => ProblemType::Failed,
        };
        Self::new(kind, error)
    }
}

impl From<MaskError> for Problem {
    fn from(error: MaskError) -> Self {
        match error {
            MaskError::Open(error) => error.into(),
            MaskError::NoReference(_) => Self::new(
                ProblemType::NoMasks,
                "the empty rig was not scanned before this scan was made: take everything off the table, and scan it \
                 (`reference` of `POST /api/v1/scans`); for this scan, if nothing on the rig has changed since, name that \
                 one as `reference`",
            ),
            MaskError::EmptyRig(_) => Self::new(
                ProblemType::NoMasks,
                "this is a scan of the empty rig: there is no object to be masked",
            ),
            MaskError::GivenUp => Self::new(ProblemType::GivenUp, error),
            MaskError::Write { .. } => Self::new(ProblemType::Storage, error),
        }
    }
}

impl From<MasksRefused> for Problem {
    fn from(refused: MasksRefused) -> Self {
        match refused {
            MasksRefused::Masks(error) => error.into(),
            MasksRefused::Busy { .. } => Self::new(ProblemType::InUse, refused),
            MasksRefused::Closed | MasksRefused::NoThread(_) => Self::new(ProblemType::Unavailable, refused),
        }
    }
}

impl From<MotionError> for Problem {
    fn from(error: MotionError) -> Self {
        StartError::from(error).into()
    }
}
