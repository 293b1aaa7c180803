//! The beginning of a session: what driver and camera say of themselves, and how the camera is configured.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::super::connection::Connection;
use super::super::error::CameraError;
use super::super::mailbox::Wait;
use super::super::raw::{raw_for, raw_images};
use super::super::shared::Shared;
use super::super::sizes;
use super::super::sorting::{Answer, Want};
use super::{Streams, unless_cancelled};
use crate::camera_driver::protocol::{Configure, ErrorKind, Hello, LONGEST_CALL, OLDEST, ToDriver, VERSION};
use crate::model::{FileType, Orientation, PixelFormat, Size};

/// Hears what driver and camera are: the message `hello`.
pub(super) async fn hear(
    inner: &Arc<Shared>,
    connection: &Arc<Connection>,
    hello: Wait,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<Hello, CameraError> {
    let error = |kind, message| CameraError::new(inner.name(), kind, message);
    let heard = connection.attempt(None, hello, deadline.saturating_duration_since(Instant::now()));
    let heard = unless_cancelled(inner, cancel, heard).await.inspect_err(|error| {
        if !error.devices.is_empty() {
            inner.board().devices.clone_from(&error.devices);
        }
    });
    let Answer::Hello(hello) = heard? else {
        return Err(error(ErrorKind::Protocol, "its driver did not begin with hello".into()));
    };
    if !(OLDEST..=VERSION).contains(&hello.protocol) {
        let message =
            format!("its driver speaks protocol {}, this program {OLDEST} to {VERSION}", hello.protocol);
        return Err(error(ErrorKind::Protocol, message));
    }
    let longest_call = hello.longest_call();
    if longest_call > LONGEST_CALL {
        let (calls, most) = (longest_call.as_secs(), LONGEST_CALL.as_secs());
        let message = format!("its driver announces calls of {calls} s; at most {most} s are waited for");
        return Err(error(ErrorKind::Protocol, message));
    }
    connection.allow_busy(longest_call);
    // A driver that began badly is no fault of the settings: its successor may be fine.
    let nothing = hello.formats.is_empty() && hello.files().is_empty();
    if nothing || hello.sensor.width == 0 || hello.sensor.height == 0 {
        let message = "its driver began with a hello that names no pixel format and no file, or no sensor";
        return Err(error(ErrorKind::Protocol, message.into()));
    }
    if let Some(objection) = FileType::objection(hello.files()).filter(|_| !hello.files().is_empty()) {
        return Err(error(
            ErrorKind::Protocol,
            format!("its driver announces files, and what it announces {objection}"),
        ));
    }
    let mut board = inner.board();
    board.hello = Some(hello.clone());
    board.devices.clear();
    Ok(hello)
}

/// Hears `hello` and configures the camera. Where the configuration leaves the size of the images to the camera,
/// it is the largest one for which there is memory.
pub(super) async fn greet(
    inner: &Arc<Shared>,
    connection: &Arc<Connection>,
    hello: Wait,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<(Hello, Streams), CameraError> {
    let mut hello = hear(inner, connection, hello, deadline, cancel).await?;
    let config = &inner.config;
    let error = |kind, message| CameraError::new(inner.name(), kind, message);
    let format = format_for(inner, &hello)?;
    let raw = raw_for(config.raw, &hello).map_err(|why| error(ErrorKind::InvalidArgument, why.into()))?;
    let controls = inner.controls();
    let checked = controls.check_present(&hello.controls);
    checked.map_err(|refused| error(ErrorKind::InvalidArgument, refused.to_string()))?;
    // The images of a scan have one size, whatever there is memory for by now.
    let settled = config.optics.size().or(inner.board().pinned);
    let mut sizes = sizes::of_stills(settled, &hello).into_iter().peekable();
    loop {
        let Some(size) = sizes.next() else {
            return Err(error(ErrorKind::InvalidArgument, "it does not say which sizes it has".into()));
        };
        let configure = ToDriver::Configure(Configure {
            size,
            format,
            live: sizes::of_live(config.live, &hello, size),
            frame_rate: config.frame_rate,
            orientation: config.orientation,
            controls,
            raw,
            buffers: inner.buffers,
        });
        let left = deadline.saturating_duration_since(Instant::now());
        let configured = connection.exchange(configure, Want::Configured, left);
        match (unless_cancelled(inner, cancel, configured).await, sizes.peek()) {
            (Ok(Answer::Configured { frame_duration, live, controls, field_of_view, bayer }), _) => {
                let bayer = raw_images(config.raw, &hello, bayer)
                    .map_err(|message| error(ErrorKind::Protocol, message))?;
                let (driver, model, Size { width, height }) = (&hello.driver, &hello.model, size);
                let live = live.map(|live| format!("{}x{}", live.width, live.height));
                info!(
                    camera = inner.name(),
                    driver,
                    model,
                    ?frame_duration,
                    live,
                    "configured: {width}x{height}"
                );
                if let Some(controls) = controls {
                    hello.controls = controls;
                }
                let mut board = inner.board();
                board.images = Some((size, field_of_view));
                board.pinned = Some(size);
                board.hello = Some(hello.clone());
                return Ok((hello, Streams { frame_duration, size, bayer }));
            }
            (
                Ok(
                    Answer::Hello(_)
                    | Answer::Started
                    | Answer::Stopped
                    | Answer::Converged { .. }
                    | Answer::Frame(_),
                ),
                _,
            ) => {
                return Err(error(ErrorKind::Protocol, "its driver did not answer configure".into()));
            }
            (Err(refused), Some(next)) if refused.kind == ErrorKind::NoMemory => {
                warn!(camera = inner.name(), "{refused}; trying {}x{} instead", next.width, next.height);
            }
            (Err(refused), _) => return Err(refused),
        }
    }
}

/// The format to configure; none for a camera that makes files.
fn format_for(inner: &Shared, hello: &Hello) -> Result<Option<PixelFormat>, CameraError> {
    let config = &inner.config;
    let refused = |message| Err(CameraError::new(inner.name(), ErrorKind::InvalidArgument, message));
    if hello.files().is_empty() {
        if !hello.formats.contains(&config.format) {
            return refused(format!("it has no pixel format {:?}, but {:?}", config.format, hello.formats));
        }
        return Ok(Some(config.format));
    }
    if config.orientation != Orientation::Normal {
        let message = "it makes files, which are stored as they are, so they cannot be turned: leave its orientation out";
        return refused(message.to_owned());
    }
    Ok(None)
}
