//! The web page, if this program was built with one.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::transport::files;
use super::transport::problem::Problem;

/// What is said in its place.
const NO_PAGE: &str = "<!doctype html><title>scanner</title><p>This scanner was built without its web page: \
    <code>make</code> builds it (it needs npm), <code>cargo</code> alone does not. The API works: \
    see <a href=\"/api/v1/openapi.json\">its document</a>.";

/// First parts of paths that are never views of the page: what is below them is a route, or nothing.
const NO_VIEWS: [&str; 4] = ["api", "healthz", "readyz", "metrics"];

/// The files of `target/ui`, as the build found them.
#[derive(rust_embed::RustEmbed)]
#[folder = "target/ui"]
#[allow_missing = true]
struct Files;

/// A file of the page; any other path that is not the API's is a page of its own (`docs`), or else a view of the page.
pub(super) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_matches('/');
    let nothing = || {
        Problem::not_found(format!(
            "there is nothing at /{path}: GET /api/v1/openapi.json shows what there is"
        ))
        .into_response()
    };
    if path.split('/').next().is_some_and(|first| NO_VIEWS.contains(&first)) {
        return nothing();
    }
    if method != Method::GET && method != Method::HEAD {
        let mut response = wrong_method(method, uri).await.into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    // A page that is shown at a view's path asks for its files beside that: there, so that a proxy may have put a path
    // of its own before it, which only the browser knows.
    let path = path.find("/assets/").map_or(path, |at| &path[at + 1..]);
    let is_view = !path.contains('.');
    let found = if is_view {
        file(&format!("{path}.html"), &headers).or_else(|| file("index.html", &headers))
    } else {
        file(path, &headers)
    };
    let Some(response) = found else {
        if is_view {
            return (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], NO_PAGE)
                .into_response();
        }
        return nothing();
    };
    response
}

/// What is answered where something else can be done.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{method} is nothing that can be done to {}: see `Allow`", uri.path());
    Problem::bad_request(detail).with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The file, in the best encoding that the client takes and the build has.
fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts = |name: &str| {
        accepted
            .split(',')
            .filter_map(|item| item.split(';').next())
            .any(|item| item.trim().eq_ignore_ascii_case(name))
    };
    let plain = Files::get(path)?;
    let mut packed = [("br", "br"), ("gzip", "gz")].into_iter().filter(|(name, _)| accepts(name));
    let packed = packed.find_map(|(name, end)| Some((name, Files::get(&format!("{path}.{end}"))?)));
    let (encoding, file) = match packed {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, Files::get(path)?),
    };
    let tag = HeaderValue::from_str(&format!(
        "\"{}{}\"",
        files::tag(&file.metadata.sha256_hash()),
        encoding.unwrap_or_default()
    ));
    let tag = tag.ok()?;
    // Names in `assets` change with their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.into_owned().into_response()
    };
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_str(plain.metadata.mimetype()).ok()?);
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    own.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    own.insert(header::ETAG, tag);
    if let Some(encoding) = encoding {
        own.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}
