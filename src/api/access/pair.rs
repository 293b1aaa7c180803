//! `/pair`: a browser without a token is let in by who holds the rig's start button.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::daemon::{self, CollectError, PairAnswer, PairError, TokenError};

use super::auth::{Session, logged_in};
use super::state::Access;
use crate::api::transport::extract::Body;
use crate::api::transport::peer::Peer;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;

/// Who asks to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PairWish {
    /// What its token is to be called: 1 to 64 letters, digits, `-`, `_`, `.` and spaces. The token gets a number behind
    /// it if there is one of that name.
    name: String,
}

/// A pairing that waits to be approved at the rig.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct PairBegun {
    /// By which its asker asks for what became of it. For nobody else's eyes.
    secret: String,
    /// To be shown: six digits, by which the person at the rig tells it from others (`scanner status`, `scanner pair CODE`).
    code: String,
    /// Seconds for which the rig's start button is to be held, and then let go, to approve it.
    hold_s: u64,
}

/// The secret of a pairing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PairSecret {
    /// As it was answered when the pairing began, or as a link of `scanner open` has it behind `#login=`.
    secret: String,
}

/// A pairing that nobody has approved yet.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct PairWaiting {
    /// Seconds after which it ends.
    left_s: f64,
    /// Whether the start button would approve it: not while others wait as well, or did a moment ago. Its code always does.
    button: bool,
}

/// Ask to be let in by a person at the rig, who holds its start button, or names the code: `scanner pair CODE`. The log and `scanner
/// status` show who asks. Several can; at most three of one address. Refused while a scan is under way, whose buttons mean something else;
/// and for `retry_after`, where 64 ask already and each of them has its turn.
#[utoipa::path(post, path = "/api/v1/pair", operation_id = "begin_pairing", tag = "session", security(()), responses(
    (status = 201, body = PairBegun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn begin(
    State(access): State<Access>,
    axum::Extension(peer): axum::Extension<Peer>,
    Body(wish): Body<PairWish>,
) -> Answer<Response> {
    let address = peer.remote.ip().to_canonical();
    access.pairings.check(address)?;
    let begun = access.rig.service.pair(&wish.name, address);
    if !matches!(begun, Err(PairError::Token(_))) {
        access.pairings.count(address);
    }
    let daemon::PairBegun { secret, code, long_press } = begun?;
    Ok((StatusCode::CREATED, Json(PairBegun { secret, code, hold_s: long_press.as_secs() })).into_response())
}

/// Ask what became of a pairing. Once it was approved, a browser is logged in by the answer, as by `/login`: that is done
/// once. 202 while it waits: ask again in a second; 410 when it has ended otherwise.
#[utoipa::path(post, path = "/api/v1/pair/collect", operation_id = "collect_pairing", tag = "session", security(()), responses(
    (status = 200, body = Session),
    (status = 202, body = PairWaiting),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn collect(
    State(access): State<Access>,
    axum::Extension(peer): axum::Extension<Peer>,
    Body(PairSecret { secret }): Body<PairSecret>,
) -> Answer<Response> {
    let service = access.rig.service.clone();
    let answer = on_disk(move || {
        // What nobody has any more makes room.
        service.sessions().sweep(service.tokens());
        Ok(service.pairing().collect(&secret, service.tokens())?)
    });
    let answer = answer.await?;
    match answer {
        PairAnswer::Waiting { left, button } => {
            let waiting = PairWaiting { left_s: left.as_secs_f64(), button };
            Ok((StatusCode::ACCEPTED, Json(waiting)).into_response())
        }
        PairAnswer::Paired { token, .. } => {
            let token = access.rig.service.tokens().verify(&token);
            logged_in(&access, peer, token.ok_or_else(|| Problem::failed("the token was revoked"))?).await
        }
    }
}

/// Do not ask to be let in any more.
#[utoipa::path(post, path = "/api/v1/pair/give-up", operation_id = "cancel_pairing", tag = "session", security(()), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn give_up(
    State(access): State<Access>,
    Body(PairSecret { secret }): Body<PairSecret>,
) -> StatusCode {
    access.rig.service.pairing().give_up(&secret);
    StatusCode::NO_CONTENT
}

impl From<PairError> for Problem {
    fn from(error: PairError) -> Self {
        match error {
            PairError::Off | PairError::NoButton => Self::new(ProblemType::Pairing, error),
            PairError::Busy => Self::new(ProblemType::InUse, error),
            PairError::Crowded { again } => Self::new(ProblemType::TooManyAttempts, error).retry_after(again),
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
