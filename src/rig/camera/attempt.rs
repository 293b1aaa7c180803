//! One attempt at a shot.

use std::time::Duration;

use jiff::Timestamp;
use tracing::debug;

use super::check::{Expected, ExpectedContent};
use super::error::CameraError;
use super::frame::CapturedFrame;
use super::inner::Inner;
use super::limits::attempt_limit;
use super::session::Stream;
use super::sorting::{Answer, Want};
use super::status::State;
use crate::camera_driver::protocol::{self, ErrorKind, Timestamps, ToDriver};
use crate::clock::{as_ns, now_ns};
use crate::plan::ShotIndex;

/// An attempt on the camera's board. It changes nothing of the driver: dropping it gives it up.
pub(super) struct Attempt<'a> {
    inner: &'a Inner,
    stream: &'a Stream,
    shot: ShotIndex,
    before: State,
    ended: bool,
}

impl<'a> Attempt<'a> {
    /// Shows on the board that the camera is at work on `shot`.
    pub(super) fn begin(inner: &'a Inner, shot: ShotIndex, stream: &'a Stream) -> Self {
        inner.set_state(State::Capturing { shot, since: Timestamp::now() });
        Self { inner, stream, shot, before: stream.state(), ended: false }
    }

    /// The first valid frame whose exposure began at `not_before_ns` or later. What came of it is on the board.
    pub(super) async fn frame(mut self, not_before_ns: u64) -> Result<CapturedFrame, CameraError> {
        let result = self.capture(not_before_ns).await;
        self.ended = true;
        let (camera, shot) = (self.inner.name(), self.shot.0);
        let result = result.map_err(|error| self.inner.explain(error));
        let mut board = self.inner.board();
        match &result {
            Ok(frame) => {
                board.counters.captured += 1;
                board.state = std::mem::take(&mut self.before);
                debug!(camera, shot, sequence = frame.metadata().sequence, "captured");
            }
            Err(error) => {
                *board.counters.failed.entry(error.kind).or_default() += 1;
                board.state = State::Failed { error: error.clone() };
                let kind = error.kind.name();
                debug!(camera, shot, kind, code = error.code, "an attempt failed: {}", error.message);
            }
        }
        drop(board);
        result
    }

    async fn capture(&self, not_before_ns: u64) -> Result<CapturedFrame, CameraError> {
        let Self { inner, stream, shot, .. } = self;
        if stream.timestamps == Timestamps::Trigger {
            // It releases the shutter as soon as it is asked.
            tokio::time::sleep(Duration::from_nanos(not_before_ns.saturating_sub(now_ns()))).await;
        }
        let (epoch, request) = (stream.epoch, inner.next_request());
        let message = ToDriver::Capture { epoch, request, shot: shot.0, not_before_ns };
        let ahead = Duration::from_nanos(not_before_ns.saturating_sub(now_ns()));
        let controls = inner.controls();
        let frame_duration = stream.frame_duration(&controls);
        let limit = attempt_limit(&inner.recovery, frame_duration).saturating_add(ahead);
        let Answer::Frame(raw) =
            stream.connection.exchange(message, Want::Frame { epoch, request }, limit).await?
        else {
            let message = "its driver answered a capture with something else";
            return Err(CameraError::new(inner.name(), ErrorKind::Protocol, message));
        };
        let expected = Expected {
            stream: protocol::Stream::Still,
            content: match stream.files.as_slice() {
                [] => ExpectedContent::Pixels(inner.config.format),
                files => ExpectedContent::Files(files),
            },
            size: stream.size,
            raw: stream.bayer.as_ref(),
            timestamps: stream.timestamps,
            not_before_ns,
            after: stream.last_sequence(),
            controls,
            frame_ns: as_ns(frame_duration),
        };
        let sequence = raw.metadata.sequence;
        let frame = CapturedFrame::new(raw, &expected).map_err(|wrong| {
            CameraError::new(inner.name(), ErrorKind::BadFrame, format!("a frame was refused: {wrong}"))
        })?;
        stream.set_last_sequence(sequence);
        Ok(frame)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let mut board = self.inner.board();
            board.counters.given_up += 1;
            board.state = std::mem::take(&mut self.before);
        }
    }
}
