//! Which message answers what. Pure.

use std::time::Duration;

use super::received::ReceivedFrame;
use crate::camera_driver::protocol::{FromDriver, Hello, Stream};
use crate::model::{Bayer, Control, Controls, Region, Size};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Hello,
    Configured,
    Started { epoch: u64 },
    Stopped,
    Converged,
    Frame { epoch: u64, request: u64 },
}

/// What came for somebody who waits.
#[derive(Debug)]
pub(super) enum Answer {
    Hello(Hello),
    Configured {
        frame_duration: Duration,
        live: Option<Size>,
        controls: Option<Vec<Control>>,
        field_of_view: Option<Region>,
        bayer: Option<Bayer>,
    },
    Started,
    Stopped,
    Converged {
        controls: Controls,
    },
    Frame(ReceivedFrame),
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is waited for.
    Answer,
    /// It belongs to an earlier epoch or request, or comes after its wait was given up.
    Late,
    /// An error that belongs to nothing: people should know of it.
    Unasked,
    /// A sign of life.
    Beat,
    /// A sign of life, if the driver may say this.
    Busy,
    /// A frame for whoever looks.
    Live,
    /// Nothing that could have been asked for.
    Unexpected,
}

/// What to do with `message` while `want` is waited for.
pub(super) fn verdict(message: &FromDriver, want: Option<Want>) -> Verdict {
    let only = |wanted: bool| if wanted { Verdict::Answer } else { Verdict::Late };
    match message {
        FromDriver::Beat { .. } => Verdict::Beat,
        FromDriver::Busy { .. } => Verdict::Busy,
        FromDriver::Hello(_) if want == Some(Want::Hello) => Verdict::Answer,
        FromDriver::Hello(_) => Verdict::Unexpected,
        FromDriver::Configured { .. } => only(want == Some(Want::Configured)),
        FromDriver::Started { epoch } => only(want == Some(Want::Started { epoch: *epoch })),
        FromDriver::Stopped { .. } => only(want == Some(Want::Stopped)),
        FromDriver::Converged { .. } => only(want == Some(Want::Converged)),
        FromDriver::Frame(frame) if frame.metadata.stream == Stream::Live => Verdict::Live,
        FromDriver::Error { request: None, .. } => want.map_or(Verdict::Unasked, |_| Verdict::Answer),
        FromDriver::Error { request: Some(failed), .. } => {
            only(matches!(want, Some(Want::Frame { request, .. }) if request == *failed))
        }
        FromDriver::Frame(frame) => match want {
            Some(Want::Frame { epoch, request })
                if frame.epoch == epoch && frame.request == Some(request) =>
            {
                Verdict::Answer
            }
            Some(Want::Frame { epoch, .. }) if frame.epoch > epoch => Verdict::Unexpected,
            Some(
                Want::Frame { .. }
                | Want::Hello
                | Want::Configured
                | Want::Started { .. }
                | Want::Stopped
                | Want::Converged,
            )
            | None => Verdict::Late,
        },
    }
}

/// Kind of `message`, as in the protocol.
pub(super) fn name(message: &FromDriver) -> &'static str {
    match message {
        FromDriver::Hello(_) => "hello",
        FromDriver::Configured { .. } => "configured",
        FromDriver::Started { .. } => "started",
        FromDriver::Stopped { .. } => "stopped",
        FromDriver::Converged { .. } => "converged",
        FromDriver::Frame(_) => "frame",
        FromDriver::Error { .. } => "error",
        FromDriver::Beat { .. } => "beat",
        FromDriver::Busy { .. } => "busy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::{ErrorKind, ExposedAt, Frame, FrameMetadata, Payload, Planes};
    use crate::model::PixelFormat;

    const WANT: Want = Want::Frame { epoch: 3, request: 7 };

    fn frame(epoch: u64, request: Option<u64>) -> FromDriver {
        let metadata = FrameMetadata {
            stream: Stream::Still,
            payload: Payload::Pixels(Planes {
                format: PixelFormat::Yuv420,
                size: Size { width: 2, height: 2 },
                strides: vec![],
                offsets: vec![],
            }),
            exposed: ExposedAt::Sensor { sensor_timestamp_ns: 0 },
            exposure_us: None,
            readout_us: 0,
            gain: None,
            white_balance: None,
            focus: None,
            raw: None,
            completed_ns: 0,
            clock_uncertainty_us: None,
            sequence: 0,
            buffer: 0,
        };
        FromDriver::Frame(Frame { epoch, request, metadata })
    }

    fn error(request: Option<u64>) -> FromDriver {
        FromDriver::Error {
            kind: ErrorKind::Timeout,
            message: String::new(),
            request,
            code: None,
            devices: Vec::new(),
        }
    }

    #[test]
    fn only_the_frame_of_this_epoch_and_request_is_the_answer() {
        assert_eq!(verdict(&frame(3, Some(7)), Some(WANT)), Verdict::Answer);
        for late in [frame(2, Some(7)), frame(3, Some(6)), frame(3, None), frame(2, None)] {
            assert_eq!(verdict(&late, Some(WANT)), Verdict::Late);
        }
        assert_eq!(verdict(&frame(4, Some(7)), Some(WANT)), Verdict::Unexpected);
        assert_eq!(verdict(&frame(3, Some(7)), None), Verdict::Late);
        assert_eq!(verdict(&frame(3, Some(7)), Some(Want::Stopped)), Verdict::Late);
    }

    #[test]
    fn an_error_ends_the_wait_that_it_belongs_to() {
        assert_eq!(verdict(&error(Some(7)), Some(WANT)), Verdict::Answer);
        assert_eq!(verdict(&error(Some(6)), Some(WANT)), Verdict::Late);
        assert_eq!(verdict(&error(None), Some(WANT)), Verdict::Answer);
        assert_eq!(verdict(&error(None), Some(Want::Stopped)), Verdict::Answer);
        assert_eq!(verdict(&error(None), None), Verdict::Unasked);
    }

    #[test]
    fn answers_of_steps_that_were_given_up_are_late() {
        let started = FromDriver::Started { epoch: 3 };
        assert_eq!(verdict(&started, Some(Want::Started { epoch: 3 })), Verdict::Answer);
        assert_eq!(verdict(&started, Some(Want::Started { epoch: 4 })), Verdict::Late);
        let stopped = FromDriver::Stopped { epoch: 3 };
        assert_eq!(verdict(&stopped, Some(Want::Stopped)), Verdict::Answer);
        assert_eq!(verdict(&stopped, Some(WANT)), Verdict::Late);
        assert_eq!(verdict(&FromDriver::Beat { count: 1, condition: None, pace: None }, None), Verdict::Beat);
        let converged = FromDriver::Converged { controls: Controls::default() };
        assert_eq!(verdict(&converged, Some(Want::Converged)), Verdict::Answer);
        assert_eq!(verdict(&converged, Some(WANT)), Verdict::Late);
    }

    #[test]
    fn live_frames_answer_nothing() {
        let FromDriver::Frame(mut still) = frame(3, None) else { panic!() };
        still.metadata.stream = Stream::Live;
        let live = FromDriver::Frame(still);
        for want in [None, Some(WANT), Some(Want::Stopped)] {
            assert_eq!(verdict(&live, want), Verdict::Live);
        }
    }
}
