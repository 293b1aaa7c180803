//! `/pair`: a browser without a token is let in by who holds the rig's start button.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::daemon::{CollectError, PairAnswer, PairError, TokenError};

use super::app::Shared;
use super::auth::{Session, logged_in};
use super::extract::Body;
use super::problem::{Answer, Problem, ProblemType};
use super::server::Peer;

/// Who asks to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairWish {
    /// What its token is to be called: 1 to 64 letters, digits, `-`, `_`, `.` and spaces. The token gets a number behind
    /// it if there is one of that name.
    name: String,
}

/// A pairing that waits to be approved at the rig.
#[derive(Serialize, ToSchema)]
pub(super) struct PairBegun {
    /// By which its asker asks for what became of it. For nobody else's eyes.
    secret: String,
    /// Seconds for which the rig's start button is to be held, and then let go, to approve it.
    hold_s: u64,
}

/// The secret of a pairing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairSecret {
    /// As it was answered when the pairing began.
    secret: String,
}

/// A pairing that nobody has approved yet.
#[derive(Serialize, ToSchema)]
pub(super) struct PairWaiting {
    /// Seconds after which it ends.
    left_s: f64,
}

/// Ask to be let in by a person at the rig, who holds its start button. One can ask at a time; the log and `scanner
/// status` show who does. Refused while a scan is under way, whose buttons mean something else.
#[utoipa::path(post, path = "/api/v1/pair", operation_id = "begin_pairing", tag = "session", security(()), responses(
    (status = 201, body = PairBegun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn begin(
    app: Shared,
    axum::Extension(peer): axum::Extension<Peer>,
    Body(wish): Body<PairWish>,
) -> Answer<Response> {
    let address = peer.remote.ip().to_canonical();
    app.pairings.check(address)?;
    let begun = app.service.pair(&wish.name, address);
    // Who asks again and again whether another one is done would be the next one.
    if !matches!(begun, Err(PairError::Token(_))) {
        app.pairings.count(address);
    }
    let (secret, hold) = begun?;
    Ok((StatusCode::CREATED, Json(PairBegun { secret, hold_s: hold.as_secs() })).into_response())
}

/// Ask what became of a pairing. Once it was approved, a browser is logged in by the answer, as by `/login`: that is done
/// once. 202 while it waits: ask again in a second; 410 when it has ended otherwise.
#[utoipa::path(post, path = "/api/v1/pair/collect", operation_id = "collect_pairing", tag = "session", security(()), responses(
    (status = 200, body = Session),
    (status = 202, body = PairWaiting),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn collect(
    app: Shared,
    axum::Extension(peer): axum::Extension<Peer>,
    Body(PairSecret { secret }): Body<PairSecret>,
) -> Answer<Response> {
    let service = app.service.clone();
    let answer = app.on_disk(move || Ok(service.pairing().collect(&secret, service.tokens())?)).await?;
    match answer {
        PairAnswer::Waiting { left } => {
            Ok((StatusCode::ACCEPTED, Json(PairWaiting { left_s: left.as_secs_f64() })).into_response())
        }
        PairAnswer::Paired { name, token } => logged_in(peer, name, &token),
    }
}

/// Do not ask to be let in any more, so that somebody else can.
#[utoipa::path(post, path = "/api/v1/pair/give-up", operation_id = "cancel_pairing", tag = "session", security(()), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn give_up(app: Shared, Body(PairSecret { secret }): Body<PairSecret>) -> StatusCode {
    app.service.pairing().give_up(&secret);
    StatusCode::NO_CONTENT
}

impl From<PairError> for Problem {
    fn from(error: PairError) -> Self {
        match error {
            PairError::Off | PairError::NoButton => Self::new(ProblemType::Pairing, error),
            PairError::Busy => Self::new(ProblemType::InUse, error),
            PairError::Another { left } => Self::new(ProblemType::InUse, &error).retry_after(left),
            PairError::Token(error) => error.into(),
        }
    }
}

impl From<CollectError> for Problem {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Over(why) => {
                let detail = format!("{why}; begin a new pairing, or log in with a token");
                Self::new(ProblemType::Pairing, detail).with_status(StatusCode::GONE)
            }
            CollectError::Token(error) => error.into(),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Name(_) => Self::bad_request(error),
            TokenError::TooMany => Self::new(ProblemType::Pairing, error),
            TokenError::Io { .. } => Self::new(ProblemType::Storage, error),
            TokenError::Damaged(_)
            | TokenError::Taken(_)
            | TokenError::Unknown(_)
            | TokenError::PassedOn(_)
            | TokenError::Random(_) => Self::failed(error),
        }
    }
}
