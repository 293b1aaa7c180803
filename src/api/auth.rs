//! Who may do what: anybody with a valid token, everything; anybody else, what is in [`OPEN`].

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::{App, Shared};
use super::extract::Body;
use super::problem::{Answer, Problem, ProblemType};
use super::server::Peer;

/// Routes that need no token. What matches no route is the page, which has no secrets, or nothing.
pub(super) const OPEN: [&str; 7] = [
    "/healthz",
    "/readyz",
    "/api/v1/openapi.json",
    "/api/v1/login",
    "/api/v1/pair",
    "/api/v1/pair/collect",
    "/api/v1/pair/give-up",
];

/// The cookie that has the token, for what a page cannot set headers for: images, `WebSocket`s.
const COOKIE: &str = "scanner_token";
/// For how long a browser keeps it.
const COOKIE_AGE: Duration = Duration::from_secs(180 * 24 * 3600);

/// Attempts of one address: this many at once, ...
const BURST: u32 = 5;
/// ... and one more each time that this has passed.
const EVERY: Duration = Duration::from_secs(10);
/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 4096;

/// Who asks, by the name of the token.
#[derive(Debug, Clone)]
pub(super) struct User(pub(super) String);

/// Lets in what is for this machine, and from somebody with a token.
pub(super) async fn gate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return Problem::failed("a connection without addresses").into_response();
    };
    if let Err(problem) = app.hosts.check(request.headers(), &peer) {
        return problem.into_response();
    }
    let user = token_of(request.headers()).and_then(|token| app.service.tokens().verify(token));
    if user.is_none() && !is_open(&request) {
        let detail = "log in with a token, which `scanner token` makes: POST /api/v1/login, or `Authorization: Bearer`";
        return Problem::new(ProblemType::Unauthorized, detail).into_response();
    }
    if let Some(user) = user {
        request.extensions_mut().insert(User(user));
    }
    next.run(request).await
}

fn is_open(request: &Request) -> bool {
    match request.extensions().get::<MatchedPath>() {
        Some(path) => OPEN.contains(&path.as_str()),
        None => !request.uri().path().starts_with("/api"),
    }
}

/// The token that a request has, in its header or its cookie.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let cookies = || headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let in_cookie = || {
        let pairs = cookies().flat_map(|cookies| cookies.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
        named.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
    };
    bearer.or_else(in_cookie)
}

/// A token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// As `scanner token` printed it.
    token: String,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// The name of the token.
    name: String,
}

/// Log a browser in: with the answer it gets a cookie.
#[utoipa::path(post, path = "/api/v1/login", operation_id = "log_in", tag = "session", security(()), responses(
    (status = 200, body = Session),
    (status = 401, description = "This token is not valid.", body = Problem, content_type = "application/problem+json"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn login(
    app: Shared,
    axum::Extension(peer): axum::Extension<Peer>,
    Body(login): Body<Login>,
) -> Answer<Response> {
    let address = peer.remote.ip();
    let token = login.token.trim();
    let Some(name) = app.service.tokens().verify(token) else {
        // Whoever has a token is let in, however often others have tried.
        app.attempts.check(address)?;
        app.attempts.count(address);
        tracing::warn!(%address, "an attempt to log in failed");
        let detail = "this token is not valid (any more): `scanner token` makes a new one";
        return Err(Problem::new(ProblemType::Unauthorized, detail));
    };
    logged_in(peer, name, token)
}

/// Gives a browser its cookie.
pub(super) fn logged_in(peer: Peer, name: String, token: &str) -> Answer<Response> {
    let mut response = Json(Session { name }).into_response();
    let cookie = cookie(token, COOKIE_AGE, peer);
    response
        .headers_mut()
        .insert(header::SET_COOKIE, cookie.ok_or_else(|| Problem::failed("a token that is no text"))?);
    Ok(response)
}

/// Log a browser out: it forgets its cookie. The token stays valid.
#[utoipa::path(post, path = "/api/v1/logout", operation_id = "log_out", tag = "session", responses((status = 204)))]
pub(super) async fn logout(axum::Extension(peer): axum::Extension<Peer>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie("", Duration::ZERO, peer) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "get_session", tag = "session", responses((status = 200, body = Session)))]
pub(super) async fn session(axum::Extension(User(name)): axum::Extension<User>) -> Json<Session> {
    Json(Session { name })
}

fn cookie(token: &str, age: Duration, peer: Peer) -> Option<HeaderValue> {
    let (age, secure) = (age.as_secs(), if peer.secure { "; Secure" } else { "" });
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

/// Failed attempts to log in, or pairings begun, by address: when its account will be empty again. It is for load and for
/// the log, as tokens cannot be guessed anyway.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Instant>>);

impl Attempts {
    /// Whether `address` may try (again).
    pub(super) fn check(&self, address: IpAddr) -> Answer<()> {
        self.check_at(address, Instant::now()).map_err(|wait| {
            let detail = "too many attempts: wait before the next one";
            Problem::new(ProblemType::TooManyAttempts, detail).retry_after(wait)
        })
    }

    /// Counts one more.
    pub(super) fn count(&self, address: IpAddr) {
        self.count_at(address, Instant::now());
    }

    /// How long to wait, if there were too many.
    fn check_at(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = EVERY * (BURST - 1);
        let owed =
            accounts.get(&network(address)).map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
        owed.checked_sub(full).filter(|wait| !wait.is_zero()).map_or(Ok(()), Err)
    }

    fn count_at(&self, address: IpAddr, now: Instant) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MAX_ADDRESSES {
            accounts.retain(|_, due| *due > now);
        }
        if accounts.len() >= MAX_ADDRESSES {
            accounts.clear();
        }
        let due = accounts.entry(network(address)).or_insert(now);
        *due = (*due).max(now) + EVERY;
    }
}

/// Whoever has one address of version 6 has its network; but all of a link have the one of that link.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if address.is_unicast_link_local() => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_failed_attempts_then_one_each_ten_seconds_for_each_address() {
        let attempts = Attempts::default();
        let start = Instant::now();
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..BURST {
            assert_eq!(attempts.check_at(one, start), Ok(()));
            attempts.count_at(one, start);
        }
        assert_eq!(attempts.check_at(one, start), Err(EVERY));
        assert_eq!(attempts.check_at(other, start), Ok(()));
        assert_eq!(attempts.check_at("::ffff:10.0.0.1".parse().unwrap(), start), Err(EVERY));
        let later = start + EVERY;
        assert_eq!(attempts.check_at(one, later), Ok(()));
        attempts.count_at(one, later);
        assert_eq!(attempts.check_at(one, later), Err(EVERY));
        assert_eq!(attempts.check_at(one, later + EVERY * BURST), Ok(()));
    }

    #[test]
    fn addresses_of_one_network_share_an_account_and_the_memory_is_bounded() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for host in 0..u16::try_from(BURST).unwrap() {
            attempts.count_at(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into(), start);
        }
        assert!(attempts.check_at("2001:db8:0:1::ffff".parse().unwrap(), start).is_err());
        assert!(attempts.check_at("2001:db8:0:2::1".parse().unwrap(), start).is_ok());
        for network in 0..u16::MAX {
            attempts.count_at(Ipv6Addr::new(0x2001, 0xdb8, 1, network, 0, 0, 0, 1).into(), start);
        }
        assert!(attempts.0.lock().unwrap().len() <= MAX_ADDRESSES);
    }

    #[test]
    fn a_token_is_found_in_its_header_or_among_cookies() {
        let of = |name: header::HeaderName, value: &str| {
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            token_of(&headers).map(str::to_owned)
        };
        assert_eq!(of(header::AUTHORIZATION, "Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of(header::AUTHORIZATION, "bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(of(header::AUTHORIZATION, "Basic abc"), None);
        assert_eq!(of(header::COOKIE, "a=b; scanner_token=abc; c=d").as_deref(), Some("abc"));
        assert_eq!(of(header::COOKIE, "xscanner_token=abc"), None);
    }
}
