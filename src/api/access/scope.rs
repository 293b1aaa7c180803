//! What a request does, as far as it matters to who may do it: whether it only looks, and whether a browser can be made to do it
//! by a page of somebody else's.

use http::{HeaderMap, Method, header};

use crate::api::transport::peer::Peer;
use crate::api::transport::problem::{Problem, ProblemType};

/// What is asked for by GET, and yet does something: it takes a photograph, or writes to the disk.
const ACTS: [&str; 3] = ["/api/v1/preview.jpg", "/api/v1/support.zip", "/api/v1/setup/picture.jpg"];
/// What only looks, and yet is for nobody but those who may change it.
const PRIVATE: [&str; 2] = ["/api/v1/setup", "/api/v1/setup/drop-in"];
/// What opens a camera to look through it.
const OPENS: [&str; 2] = ["/api/v1/live/{camera}", "/api/v1/live/{camera}/mjpeg"];
/// What is not asked for by GET, and yet changes nothing.
const LOOKS: [&str; 4] =
    ["/api/v1/logout", "/api/v1/plans/preview", "/api/v1/scans/{scan}/verify", "/api/v1/configuration/check"];

/// Whether this route changes and captures nothing.
pub(in crate::api) fn only_looks(method: &Method, route: &str) -> bool {
    if is_read(method) { !ACTS.contains(&route) && !PRIVATE.contains(&route) } else { LOOKS.contains(&route) }
}

/// Checks that a browser does not ask because a page of somebody else's has it ask, of this host at another port too: what it
/// loads as an image, or a frame, has no `Origin`, and it may send our cookie along.
pub(in crate::api) fn check_site(
    method: &Method,
    route: &str,
    headers: &HeaderMap,
    peer: Peer,
    by_cookie: bool,
) -> Result<(), Problem> {
    let refused = |detail: &str| Err(Problem::new(ProblemType::Foreign, detail));
    match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => return Ok(()),
        Some(_) => return refused("a page of another site may not use this scanner"),
        None => {}
    }
    // Without encryption browsers do not say so, and of what they load for a page only its address tells.
    let acts = is_read(method) && (ACTS.contains(&route) || OPENS.contains(&route));
    if by_cookie && acts && !is_from_here(headers, peer) {
        return refused(
            "this does something to the rig, and it cannot be told which page wants it: ask for it from the scanner's own \
             page, over HTTPS, or with a token in `Authorization: Bearer`",
        );
    }
    Ok(())
}

/// Whether the page that asks is one of ours, by its address. `Origin` is checked for every request.
fn is_from_here(headers: &HeaderMap, peer: Peer) -> bool {
    if headers.contains_key(header::ORIGIN) {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let (Some(host), Some(page)) = (text(header::HOST), text(header::REFERER)) else { return false };
    let plain = || page.strip_prefix("http://").filter(|_| !peer.secure);
    let page = page.strip_prefix("https://").or_else(plain).and_then(|rest| rest.split('/').next());
    page.is_some_and(|page| page.eq_ignore_ascii_case(host))
}

fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(route: &str, headers: &[(&'static str, &str)], by_cookie: bool) -> bool {
        let local = "127.0.0.1:80".parse().unwrap();
        let peer = Peer { remote: local, local, secure: false };
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap<http::HeaderValue> = headers.collect();
        check_site(&Method::GET, route, &headers, peer, by_cookie).is_ok()
    }

    #[test]
    fn pages_of_other_sites_and_of_other_ports_are_refused() {
        for (site, fine) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            for route in ["/api/v1/status", "/api/v1/preview.jpg"] {
                assert_eq!(check(route, &[("sec-fetch-site", site)], true), fine, "{site} {route}");
                assert_eq!(check(route, &[("sec-fetch-site", site)], false), fine, "{site} {route}");
            }
        }
    }

    #[test]
    fn a_cookie_alone_captures_nothing_unless_our_page_asks() {
        for route in ACTS.into_iter().chain(OPENS) {
            assert!(!check(route, &[("host", "rig:80")], true), "{route}");
            assert!(check(route, &[("host", "rig:80")], false), "{route}: a token is no browser's");
            let from = |page: &str| check(route, &[("host", "rig:80"), ("referer", page)], true);
            assert!(from("http://rig:80/live") && from("https://rig:80/") && from("http://RIG:80"));
            for page in
                ["http://rig:81/", "http://rig/", "http://rig:80.evil/", "rig:80", "http://evil/rig:80/"]
            {
                assert!(!from(page), "{route} {page}");
            }
            assert!(check(route, &[("host", "rig:80"), ("origin", "http://rig:80")], true), "{route}");
        }
        assert!(check("/api/v1/status", &[("host", "rig:80")], true));
    }

    #[test]
    fn who_may_look_captures_and_changes_nothing() {
        assert!(only_looks(&Method::GET, "/api/v1/live/{camera}"));
        assert!(only_looks(&Method::POST, "/api/v1/logout"));
        assert!(!only_looks(&Method::HEAD, "/api/v1/preview.jpg"));
        assert!(!only_looks(&Method::POST, "/api/v1/scans"));
        assert!(!only_looks(&Method::DELETE, "/api/v1/scans/{scan}"));
    }
}
