//! Parts of requests, whose mistakes are answered by problem documents.

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A JSON body; an absent one where the type has a default.
pub(super) struct Body<T>(pub(super) T);

/// A JSON body that may be left out.
pub(super) struct MaybeBody<T>(pub(super) T);

/// Parameters of the path.
pub(super) struct Path<T>(pub(super) T);

/// Parameters behind the question mark.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = axum::Json::from_request(request, state).await;
        json.map(|axum::Json(value)| Self(value)).map_err(|error| json_problem(&error))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = axum::body::Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error: BytesRejection| {
            Problem::bad_request(error.body_text()).with_status(error.status())
        })?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let json = axum::Json::from_bytes(&bytes);
        json.map(|axum::Json(value)| Self(value)).map_err(|error| json_problem(&error))
    }
}

fn json_problem(error: &JsonRejection) -> Problem {
    Problem::bad_request(error.body_text()).with_status(error.status())
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
