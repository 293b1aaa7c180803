//! `scanner watch`: a live view in numbers, to see whether one can be had.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::client::policy::Step;
use crate::client::{Client, LiveEvent, SYSTEM_CERTIFICATES, watch as look};

use super::exit::{Exit, Failure};
use super::output;

pub(super) fn watch(
    config: &Path,
    camera: &str,
    url: Option<String>,
    ca: Option<PathBuf>,
    seconds: Option<u64>,
) -> Result<Exit, Failure> {
    let token = std::env::var("SCANNER_TOKEN").unwrap_or_default();
    if token.is_empty() {
        let message =
            "there is no token: `scanner token NAME` makes one; put it into the environment as SCANNER_TOKEN";
        return Err(Failure::new(Exit::Failed, &message));
    }
    let (url, known_by) = match url {
        Some(url) => (url, None),
        None => address(config)?,
    };
    let ca = ca.or(known_by).unwrap_or_else(|| SYSTEM_CERTIFICATES.into());
    let failed = |error: crate::client::ClientError| Failure::new(Exit::Failed, &error);
    let client = Client::new(&url, &token, &ca).map_err(failed)?;
    let end = seconds.map(|seconds| std::time::Instant::now() + std::time::Duration::from_secs(seconds));
    let (mut frames, mut sharpness) = (0_u64, 0.0);
    let seen = look(&client, camera, |event| {
        let line = match event {
            LiveEvent::Frame(frame) => {
                frames += 1;
                sharpness =
                    frame.get(20..24).and_then(|bytes| bytes.try_into().ok()).map_or(0.0, f32::from_le_bytes);
                None
            }
            LiveEvent::Said(said) if said["type"] == "stats" => {
                Some(format!("{camera}: {} fps, {frames} frames seen, sharpness {sharpness:.0}", said["fps"]))
            }
            LiveEvent::Said(said) => Some(match said["paused"].as_str() {
                Some(reason) => format!("{camera}: paused: {reason}"),
                None => format!("{camera}: goes on"),
            }),
            LiveEvent::Lost { reason, step: Step::Connect(wait) } => {
                Some(format!("{camera}: {reason}; connecting again in {:.1} s", wait.as_secs_f64()))
            }
            LiveEvent::Lost { step: Step::Ask(wait), .. } if !wait.is_zero() => {
                Some(format!("{camera}: a photograph is being taken"))
            }
            LiveEvent::Lost { step: Step::Ask(_) | Step::GiveUp, .. } => None,
        };
        // Who does not read any more has seen enough.
        let told = line.is_none_or(|line| output::print(&line).is_ok());
        let over = end.is_some_and(|end| std::time::Instant::now() >= end);
        if told && !over { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    seen.map_err(failed)?;
    Ok(Exit::Done)
}

/// Where the API of the configuration is, and the certificate that it shows.
fn address(path: &Path) -> Result<(String, Option<PathBuf>), Failure> {
    let api = super::load(path)?.api;
    let listen = api.listen.ok_or_else(|| {
        Failure::new(
            Exit::Config,
            &"this configuration has no API: add `listen` to [api], or say where one is with --url",
        )
    })?;
    let port = listen.port();
    let host = if listen.ip().is_unspecified() { format!("localhost:{port}") } else { listen.to_string() };
    Ok(match api.tls {
        Some(files) => (format!("https://{host}"), Some(files.certificate)),
        None => (format!("http://{host}"), None),
    })
}
