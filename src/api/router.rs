//! Every route, and what holds for all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::document::{Document, complete};
use super::problem::Problem;
use super::{
    archive, auth, cameras, capture_status, captures, events, health, live_routes, metrics, operation, page,
    pair, plans, rig, scans, shots, status,
};

/// Most bytes of a body.
const MAX_BODY: usize = 64 * 1024;
/// How long a client may take for it.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// What a page of ours may do: nothing with any other host.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; \
    script-src 'self'; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(operation::preflight))
        .routes(routes!(operation::log))
        .routes(routes!(operation::support))
        .routes(routes!(auth::login))
        .routes(routes!(pair::begin))
        .routes(routes!(pair::collect))
        .routes(routes!(pair::give_up))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::session))
        .routes(routes!(status::status))
        .routes(routes!(events::events))
        .routes(routes!(events::events_ws))
        .routes(routes!(plans::plans))
        .routes(routes!(plans::plan))
        .routes(routes!(plans::preview))
        .routes(routes!(scans::scans, scans::start))
        .routes(routes!(scans::scan, scans::remove))
        .routes(routes!(scans::resume))
        .routes(routes!(scans::verify))
        .routes(routes!(shots::shots))
        .routes(routes!(shots::retake))
        .routes(routes!(captures::capture))
        .routes(routes!(captures::test))
        .routes(routes!(capture_status::capture_status))
        .routes(routes!(captures::preview))
        .routes(routes!(captures::history))
        .routes(routes!(captures::image))
        .routes(routes!(captures::thumbnail))
        .routes(routes!(live_routes::live))
        .routes(routes!(live_routes::socket))
        .routes(routes!(live_routes::mjpeg))
        .routes(routes!(cameras::cameras))
        .routes(routes!(cameras::set))
        .routes(routes!(cameras::lights))
        .routes(routes!(archive::archive))
        .routes(routes!(shots::image))
        .routes(routes!(shots::thumbnail))
        .routes(routes!(shots::cover))
        .routes(routes!(rig::pause))
        .routes(routes!(rig::cancel))
        .routes(routes!(rig::clear))
        .routes(routes!(rig::axes))
        .routes(routes!(rig::jog))
        .routes(routes!(rig::home))
}

/// The document of the API, generated from its handlers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    complete(routes().into_openapi())
}

/// Everything that is served.
pub(super) fn router(app: Arc<App>) -> Router {
    let (routes, document) = routes().split_for_parts();
    let document = Arc::new(complete(document));
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    routes
        .route("/api/v1/openapi.json", axum::routing::get(move || async move { Json(document.clone()) }))
        .fallback(page::page)
        .layer(from_fn_with_state(app.clone(), auth::gate))
        .layer(from_fn(hear_out))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(fixed(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .with_state(app)
}

/// Reads the body, up to what any request needs, before anybody answers: who is answered in the middle of sending may be
/// hung up on, and never see the answer.
async fn hear_out(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(BODY_PATIENCE, axum::body::to_bytes(body, MAX_BODY)).await;
    match read {
        Ok(Ok(body)) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Ok(Err(error)) => {
            let detail = format!("not a body of at most {MAX_BODY} bytes, sent to its end: {error}");
            Problem::bad_request(detail).with_status(StatusCode::PAYLOAD_TOO_LARGE).into_response()
        }
        Err(_) => {
            let detail = format!("the body was not sent within {} s", BODY_PATIENCE.as_secs());
            Problem::bad_request(detail).with_status(StatusCode::REQUEST_TIMEOUT).into_response()
        }
    }
}

fn panicked(_panic: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request of the API met a defect of this program");
    Problem::failed("a defect of this program: its log says more").into_response()
}
