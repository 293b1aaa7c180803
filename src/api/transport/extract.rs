//! Parts of requests, whose mistakes are answered by problem documents.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;

use super::objects::{self, Mistake};
use super::problem::{Answer, Problem};

/// A body that has to be JSON of this type.
pub(in crate::api) struct Body<T>(pub(in crate::api) T);

/// A JSON body that says what is to be different (RFC 7396): `application/merge-patch+json`, or plain JSON.
pub(in crate::api) struct MergePatch<T>(pub(in crate::api) T);

/// A JSON body that may be left out.
pub(in crate::api) struct MaybeBody<T>(pub(in crate::api) T);

/// Parameters of the path.
pub(in crate::api) struct Path<T>(pub(in crate::api) T);

/// Parameters behind the question mark.
pub(in crate::api) struct Query<T>(pub(in crate::api) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        let (headers, bytes) = parts(request, state).await?;
        json(&headers, &bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        let (headers, bytes) = parts(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        json(&headers, &bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        let (mut headers, bytes) = parts(request, state).await?;
        if essence(&headers).eq_ignore_ascii_case("application/merge-patch+json") {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        json(&headers, &bytes).map(Self)
    }
}

async fn parts<S: Send + Sync>(request: Request, state: &S) -> Answer<(HeaderMap, Bytes)> {
    let headers = request.headers().clone();
    let bytes = Bytes::from_request(request, state).await;
    let refused = |error: BytesRejection| Problem::bad_request(error.body_text()).with_status(error.status());
    Ok((headers, bytes.map_err(refused)?))
}

/// The type of a body, without its parameters.
fn essence(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

fn json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Answer<T> {
    if !essence(headers).eq_ignore_ascii_case("application/json") {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let detail = format!("a body of {kind:?}: write JSON, and `Content-Type: application/json`");
        return Err(Problem::bad_request(detail).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    objects::read(bytes).map_err(|Mistake { message, is_json }| {
        let status = if is_json { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Problem::bad_request(format!("the body is not as the document says: {message}")).with_status(status)
    })
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        // What cannot be the name of anything names nothing.
        path.map(|axum::extract::Path(value)| Self(value))
            .map_err(|error| Problem::not_found(error.body_text()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| Problem::bad_request(error.body_text()).with_status(error.status()))
    }
}
