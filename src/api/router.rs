//! Every route, and what holds for all of them.

use std::sync::{Arc, LazyLock};
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

use super::access::{self, auth};
use super::app::App;
use super::document::{Document, complete};
use super::page;
use super::transport::problem::Problem;
use super::{calibration, captures, configuration, events, live, operation, rig, scans, setup, tuning};

/// Most bytes of a body.
const MAX_BODY: usize = 64 * 1024;
/// How long a client may take for it.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// What a page of ours may do: nothing with any other host.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; \
    script-src 'self'; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(operation::health::healthz))
        .routes(routes!(operation::health::readyz))
        .routes(routes!(operation::metrics::metrics))
        .routes(routes!(operation::routes::preflight))
        .routes(routes!(operation::routes::log))
        .routes(routes!(operation::nodes::nodes))
        .routes(routes!(operation::routes::support))
        .routes(routes!(configuration::routes::configuration, configuration::routes::change))
        .routes(routes!(configuration::routes::check))
        .routes(routes!(configuration::versions::versions))
        .routes(routes!(configuration::versions::take_back))
        .routes(routes!(configuration::versions::backup, configuration::versions::restore))
        .routes(routes!(auth::login))
        .routes(routes!(access::pair::begin))
        .routes(routes!(access::pair::collect))
        .routes(routes!(access::pair::give_up))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::session))
        .routes(routes!(events::routes::status))
        .routes(routes!(events::routes::events))
        .routes(routes!(events::routes::events_ws))
        .routes(routes!(scans::plans::plans))
        .routes(routes!(scans::plans::plan))
        .routes(routes!(scans::plans::preview))
        .routes(routes!(scans::references::references))
        .routes(routes!(scans::routes::scans, scans::routes::start))
        .routes(routes!(scans::routes::scan, scans::describe::describe, scans::routes::remove))
        .routes(routes!(scans::routes::resume))
        .routes(routes!(scans::routes::verify))
        .routes(routes!(scans::report::report))
        .routes(routes!(scans::shots::shots))
        .routes(routes!(scans::shots::retake))
        .routes(routes!(scans::extend::extend))
        .routes(routes!(scans::extend::propose))
        .routes(routes!(calibration::kept::newest, calibration::measuring::begin))
        .routes(routes!(calibration::kept::list))
        .routes(routes!(calibration::kept::one, calibration::kept::take_back))
        .routes(routes!(calibration::measuring::progress))
        .routes(routes!(calibration::measuring::cancel))
        .routes(routes!(tuning::found::found, tuning::measuring::begin))
        .routes(routes!(tuning::found::picture))
        .routes(routes!(tuning::measuring::progress))
        .routes(routes!(tuning::measuring::cancel))
        .routes(routes!(captures::routes::capture))
        .routes(routes!(captures::routes::test))
        .routes(routes!(captures::status::capture_status))
        .routes(routes!(captures::routes::preview))
        .routes(routes!(captures::routes::history))
        .routes(routes!(captures::routes::image))
        .routes(routes!(captures::routes::thumbnail))
        .routes(routes!(live::routes::live))
        .routes(routes!(live::routes::socket))
        .routes(routes!(live::routes::stream))
        .routes(routes!(rig::cameras::cameras))
        .routes(routes!(rig::cameras::set))
        .routes(routes!(rig::cameras::lights))
        .routes(routes!(scans::archive::archive))
        .routes(routes!(scans::poses::poses))
        .routes(routes!(scans::model::numbers))
        .routes(routes!(scans::model::model))
        // Documented in `Document`.
        .route(scans::exports::ROUTE, axum::routing::get(scans::exports::export))
        .routes(routes!(scans::shots::image))
        .routes(routes!(scans::shots::file))
        .routes(routes!(scans::shots::thumbnail))
        .routes(routes!(scans::masks::masks, scans::masks::make))
        .routes(routes!(scans::masks::cancel))
        .routes(routes!(scans::masks::mask))
        .routes(routes!(scans::masks::thumbnail))
        .routes(routes!(scans::shots::cover))
        .routes(routes!(scans::workshop::jobs))
        .routes(routes!(scans::workshop::file))
        .routes(routes!(rig::routes::pause))
        .routes(routes!(rig::routes::cancel))
        .routes(routes!(rig::routes::clear))
        .routes(routes!(rig::routes::axes))
        .routes(routes!(rig::routes::jog))
        .routes(routes!(rig::routes::home))
        .routes(routes!(setup::questions::state))
        .routes(routes!(setup::questions::answer))
        .routes(routes!(setup::questions::forget))
        .routes(routes!(setup::look::look))
        .routes(routes!(setup::look::picture))
        .routes(routes!(setup::trial::try_part))
        .routes(routes!(setup::trial::answer))
        .routes(routes!(setup::trial::pin))
        .routes(routes!(setup::trial::end))
        .routes(routes!(setup::apply::preview))
        .routes(routes!(setup::apply::apply))
}

/// The document of the API, generated from its handlers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    complete(routes().into_openapi())
}

/// Everything that is served.
pub(super) fn router(app: App) -> Router {
    let (routes, document) = routes().split_for_parts();
    // Few ask for it, and a start need not wait for it.
    let document = Arc::new(LazyLock::new(move || complete(document)));
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    routes
        .route("/api/v1/openapi.json", axum::routing::get(move || async move { Json((**document).clone()) }))
        .method_not_allowed_fallback(page::wrong_method)
        .fallback(page::page)
        .layer(from_fn_with_state(app.access.clone(), auth::gate))
        .layer(from_fn(hear_out))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // By which we know our own page (`access::scope`); nobody else is told.
        .layer(fixed(header::REFERRER_POLICY, "same-origin"))
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
