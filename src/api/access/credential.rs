//! What a request shows to be let in: a token in its header, or the id of a session in its cookie.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::api::transport::peer::Peer;

/// What a browser keeps, for what a page cannot set headers for: images, `WebSocket`s.
pub(in crate::api) const COOKIE: &str = "scanner_session";
/// The same where the connection is encrypted: browsers take a cookie of that name from this host alone, and by HTTPS.
const SECURE_COOKIE: &str = "__Host-scanner_session";
/// For how long a browser keeps it. Whether the session still lasts is ours to know.
const COOKIE_AGE: Duration = Duration::from_secs(180 * 24 * 3600);

/// The token in the header of a request.
pub(in crate::api) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The sessions in the cookies of a request. There may be one that somebody else at this host has set.
pub(in crate::api) fn sessions(headers: &HeaderMap, peer: Peer) -> impl Iterator<Item = &str> {
    let own = name_of(peer);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(name, _)| *name == own).map(|(_, id)| id)
}

/// Has a browser keep the session `id`.
pub(in crate::api) fn keep(id: &str, peer: Peer) -> Option<HeaderValue> {
    cookie(id, COOKIE_AGE, peer)
}

/// Has a browser forget its session.
pub(in crate::api) fn forget(peer: Peer) -> Option<HeaderValue> {
    cookie("", Duration::ZERO, peer)
}

/// With the port: a browser keeps cookies by host, and another rig may be another port of it.
fn name_of(peer: Peer) -> String {
    let name = if peer.secure { SECURE_COOKIE } else { COOKIE };
    format!("{name}_{}", peer.local.port())
}

fn cookie(id: &str, age: Duration, peer: Peer) -> Option<HeaderValue> {
    let (name, age) = (name_of(peer), age.as_secs());
    let secure = if peer.secure { "; Secure" } else { "" };
    let text = format!("{name}={id}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_in_a_header_and_a_session_among_cookies() {
        let with =
            |name: header::HeaderName, value: &str| HeaderMap::from_iter([(name, value.parse().unwrap())]);
        let token = |value| bearer(&with(header::AUTHORIZATION, value)).map(str::to_owned);
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(token("Basic abc"), None);
        let local = "127.0.0.1:80".parse().unwrap();
        let ids = |value, secure| -> Vec<String> {
            let peer = Peer { remote: local, local, secure };
            sessions(&with(header::COOKIE, value), peer).map(str::to_owned).collect()
        };
        assert_eq!(
            ids("a=b; scanner_session_80=abc; c=d;scanner_session_80=e; scanner_session_81=f", false),
            ["abc", "e"]
        );
        assert_eq!(ids("xscanner_session_80=abc; scanner_session=abc; scanner_token=abc", false), [""; 0]);
        assert_eq!(ids("__Host-scanner_session_80=abc; scanner_session_80=e", true), ["abc"]);
        assert_eq!(ids("__Host-scanner_session_80=abc", false), [""; 0]);
    }

    #[test]
    fn a_cookie_is_for_no_page_to_read_and_by_https_for_this_host_alone() {
        let local = "127.0.0.1:80".parse().unwrap();
        let plain = Peer { remote: local, local, secure: false };
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        let rest = "; Path=/; Max-Age=15552000; HttpOnly; SameSite=Strict";
        assert_eq!(text(keep("abc", plain)), format!("scanner_session_80=abc{rest}"));
        let secure = Peer { secure: true, ..plain };
        assert_eq!(text(keep("abc", secure)), format!("__Host-scanner_session_80=abc{rest}; Secure"));
        assert!(text(forget(secure)).starts_with("__Host-scanner_session_80=; Path=/; Max-Age=0;"));
    }
}
