//! Numbers for Prometheus: the machine's, besides those of scans.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::api::events::metrics::Measured;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;

use super::state::Operation;

/// What the text format calls itself.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Numbers for Prometheus, in the `OpenMetrics` text format.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "operation", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(in crate::api) async fn metrics(State(operation): State<Operation>) -> Answer<Response> {
    let text = on_disk(move || {
        let rig = &operation.rig;
        let disk = rustix::fs::statvfs(&rig.config().storage.directory).ok();
        let now = Measured {
            disk: disk.map(|disk| {
                let bytes = |blocks: u64| blocks as f64 * disk.f_frsize as f64;
                (bytes(disk.f_bavail), bytes(disk.f_blocks))
            }),
            temperature: temperature(),
            throttled: throttled(),
            scanning: rig.service.status().scanning,
            viewers: operation.live.viewers(),
            captures: rig.service.captures().stored().unwrap_or_default(),
        };
        operation.events.metrics().text(&now).map_err(Problem::failed)
    });
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text.await?).into_response())
}

/// Temperature of the processor, in degrees Celsius; none where the kernel does not say.
fn temperature() -> Option<f64> {
    let text = std::fs::read_to_string("/sys/class/thermal/thermal_zone0/temp").ok()?;
    Some(text.trim().parse::<f64>().ok()? / 1000.0)
}

/// As `vcgencmd get_throttled` says, without asking it.
fn throttled() -> Option<i64> {
    let text = std::fs::read_to_string("/sys/devices/platform/soc/soc:firmware/get_throttled").ok()?;
    i64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}
