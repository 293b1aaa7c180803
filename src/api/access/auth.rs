//! Who may do what: anybody with a valid token, or a session by one, as much as the token says; anybody else, what is in
//! [`OPEN`].

use std::sync::Arc;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grant::Grant;
use super::state::Access;
use super::{credential, scope};
use crate::api::transport::crowd::Place;
use crate::api::transport::extract::Body;
use crate::api::transport::peer::Peer;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;
use crate::daemon::{May, Token};

/// Routes that need no token. What matches no route is the page, which has no secrets, or nothing.
pub(in crate::api) const OPEN: [&str; 7] = [
    "/healthz",
    "/readyz",
    "/api/v1/openapi.json",
    "/api/v1/login",
    "/api/v1/pair",
    "/api/v1/pair/collect",
    "/api/v1/pair/give-up",
];

/// Answered to whoever names no host, too.
const HEALTH: &str = "/healthz";

/// Lets in what is for this machine, and from somebody who may do it.
pub(in crate::api) async fn gate(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let (Some(peer), Some(place)) =
        (extensions.get::<Peer>().copied(), extensions.get::<Arc<Place>>().cloned())
    else {
        return Problem::failed("a connection without addresses").into_response();
    };
    match admit(&access, &request, peer) {
        Err(problem) => problem.into_response(),
        Ok(None) => next.run(request).await,
        Ok(Some(grant)) => {
            place.let_in();
            request.extensions_mut().insert(grant.clone());
            grant.bind(next.run(request).await, place)
        }
    }
}

/// Who asks, if anybody who is known. Also refuses whoever is, in the name of another page or beyond what it may.
fn admit(access: &Access, request: &Request, peer: Peer) -> Answer<Option<Grant>> {
    let (method, headers) = (request.method(), request.headers());
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    // What watches over machines may speak HTTP/1.0. No browser does, and there is nothing to be read.
    if route != Some(HEALTH) || headers.contains_key(header::HOST) {
        access.hosts.check(headers, &peer)?;
    }
    let grant = Grant::of(&access.rig.service, headers, peer);
    let Some(route) = route else {
        // The page, or nothing.
        let is_api = request.uri().path().starts_with("/api");
        return if is_api && grant.is_none() { Err(unauthorized()) } else { Ok(grant) };
    };
    let is_open = OPEN.contains(&route);
    if !is_open || *method != Method::GET {
        scope::check_site(method, route, headers, peer, grant.as_ref().is_some_and(Grant::by_cookie))?;
    }
    match grant {
        None if is_open => Ok(None),
        None => Err(unauthorized()),
        Some(grant) => {
            if grant.token.may == May::Look && !is_open && !scope::only_looks(method, route) {
                let detail = format!(
                    "the token {:?} may only look: log in with one that `scanner token NAME` makes without `--look-only`",
                    grant.token.name
                );
                return Err(Problem::new(ProblemType::LookOnly, detail));
            }
            grant.touch();
            Ok(Some(grant))
        }
    }
}

fn unauthorized() -> Problem {
    let detail =
        "log in with a token, which `scanner token` makes: POST /api/v1/login, or `Authorization: Bearer`";
    Problem::new(ProblemType::Unauthorized, detail)
}

/// What a browser logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Login {
    /// As `scanner token` printed it.
    token: String,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Session {
    /// The name of the token.
    name: String,
    /// What may be done by it.
    may: May,
}

/// Log a browser in: with the answer it gets a cookie.
#[utoipa::path(post, path = "/api/v1/login", operation_id = "log_in", tag = "session", security(()), responses(
    (status = 200, body = Session),
    (status = 401, description = "This token is not valid.", body = Problem, content_type = "application/problem+json"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn login(
    State(access): State<Access>,
    axum::Extension(peer): axum::Extension<Peer>,
    Body(login): Body<Login>,
) -> Answer<Response> {
    let address = peer.remote.ip();
    let Some(token) = access.rig.service.tokens().verify(login.token.trim()) else {
        // Whoever has a token is let in, however often others have tried.
        access.attempts.check(address)?;
        access.attempts.count(address);
        tracing::warn!(%address, "an attempt to log in failed");
        let detail = "this token is not valid (any more): `scanner token` makes a new one";
        return Err(Problem::new(ProblemType::Unauthorized, detail));
    };
    logged_in(&access, peer, token).await
}

/// Gives a browser its cookie.
pub(in crate::api) async fn logged_in(access: &Access, peer: Peer, token: Token) -> Answer<Response> {
    let answer = Session { name: token.name.clone(), may: token.may };
    let service = access.rig.service.clone();
    let id = on_disk(move || Ok(service.sessions().begin(&token, service.tokens())?)).await?;
    let mut response = Json(answer).into_response();
    let cookie = credential::keep(&id, peer).ok_or_else(|| Problem::failed("an id that is no text"))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Log a browser out: its session ends, and with it the streams that it has open. The token stays valid, unless it was made for
/// this browser by pairing.
#[utoipa::path(post, path = "/api/v1/logout", operation_id = "log_out", tag = "session", responses((status = 204)))]
pub(in crate::api) async fn logout(
    State(access): State<Access>,
    axum::Extension(peer): axum::Extension<Peer>,
    headers: HeaderMap,
) -> Answer<Response> {
    let ids: Vec<String> = credential::sessions(&headers, peer).map(str::to_owned).collect();
    let service = access.rig.service.clone();
    on_disk(move || {
        for id in ids {
            service.sessions().end(&id, service.tokens());
        }
        Ok(())
    })
    .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = credential::forget(peer) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "get_session", tag = "session", responses((status = 200, body = Session)))]
pub(in crate::api) async fn session(axum::Extension(grant): axum::Extension<Grant>) -> Json<Session> {
    Json(Session { name: grant.token.name, may: grant.token.may })
}
