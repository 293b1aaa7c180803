//! Times in messages, from one clock to the other. Pure.

use scanner::camera_driver::protocol::{Frame, FrameMetadata, FromDriver, ToDriver};

use crate::clock::Offset;

/// What the driver was promised to be asked for: a still that begins so, and how sure that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// [`ToDriver::Capture::not_before_ns`], by this machine's clock.
    pub not_before_ns: u64,
    /// How sure the node's clock was when it was asked.
    pub uncertainty_ns: u64,
}

/// `message` with its times as `map` has them.
pub fn to_driver(message: ToDriver, map: impl Fn(u64) -> u64) -> ToDriver {
    match message {
        ToDriver::Capture { epoch, request, shot, not_before_ns } => {
            ToDriver::Capture { epoch, request, shot, not_before_ns: map(not_before_ns) }
        }
        ToDriver::Configure(_)
        | ToDriver::Start { .. }
        | ToDriver::Stop
        | ToDriver::Set { .. }
        | ToDriver::Converge { .. }
        | ToDriver::Live { .. }
        | ToDriver::Release { .. }
        | ToDriver::Quit => message,
    }
}

/// `message` with its times as `map` has them.
pub fn from_driver(message: FromDriver, map: impl Fn(u64) -> u64) -> FromDriver {
    match message {
        FromDriver::Frame(frame) => {
            FromDriver::Frame(Frame { metadata: metadata(frame.metadata, map), ..frame })
        }
        FromDriver::Busy { until_ns } => FromDriver::Busy { until_ns: map(until_ns) },
        FromDriver::Hello(_)
        | FromDriver::Configured { .. }
        | FromDriver::Converged { .. }
        | FromDriver::Started { .. }
        | FromDriver::Stopped { .. }
        | FromDriver::Error { .. }
        | FromDriver::Beat { .. } => message,
    }
}

/// The same of what is said of a picture. An unknown time stays unknown.
pub fn metadata(metadata: FrameMetadata, map: impl Fn(u64) -> u64) -> FrameMetadata {
    let completed_ns = if metadata.completed_ns == 0 { 0 } else { map(metadata.completed_ns) };
    FrameMetadata { exposed: metadata.exposed.with(map(metadata.exposed.at_ns())), completed_ns, ..metadata }
}

/// From when on a still is wanted, by the node's clock, so that it is certainly from `not_before_ns` on by this one.
pub fn not_before(not_before_ns: u64, offset: Offset) -> u64 {
    // Twice: once for what is not known now, once for what will not be known of the frame, about.
    offset.to_node(not_before_ns).saturating_add(offset.uncertainty_ns.saturating_mul(2))
}

/// What is said of a picture that the node's driver made, by this machine's clock, at `now_ns` of it. What is known otherwise
/// of its times counts more than a guess within the uncertainty: it is not of the future, and a driver that was promised
/// something has kept that.
pub fn arrived(said: FrameMetadata, offset: Offset, promise: Option<Promise>, now_ns: u64) -> FrameMetadata {
    let node_ns = said.exposed.at_ns();
    let mut at_ns = offset.to_here(node_ns);
    if at_ns > now_ns && at_ns - now_ns <= offset.uncertainty_ns {
        at_ns = now_ns;
    }
    if let (Some(Promise { not_before_ns, uncertainty_ns }), Some(exposure_ns)) =
        (promise, exposure_ns(&said))
    {
        let earliest = not_before_ns.saturating_add(exposure_ns);
        let unsure = offset.uncertainty_ns.saturating_add(uncertainty_ns);
        if at_ns < earliest && earliest - at_ns <= unsure {
            at_ns = earliest;
        }
    }
    let completed_ns = match said.completed_ns {
        0 => 0,
        node_ns => offset.to_here(node_ns).min(now_ns),
    };
    FrameMetadata {
        exposed: said.exposed.with(at_ns),
        completed_ns,
        clock_uncertainty_us: Some(offset.uncertainty_ns.div_ceil(1000)),
        ..said
    }
}

/// From the begin of its exposure to the time that is said; none if that is not known.
fn exposure_ns(said: &FrameMetadata) -> Option<u64> {
    // As `exposed_from_ns` counts, of which a frame without length is that of a camera that does not say.
    match said.exposed.by() {
        scanner::camera_driver::protocol::Timestamps::Trigger => Some(0),
        scanner::camera_driver::protocol::Timestamps::Sensor => Some(said.exposure_us?.saturating_mul(1000)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use scanner::camera_driver::protocol::{ExposedAt, Payload, Planes, Stream};
    use scanner::model::{PixelFormat, Size};

    use super::*;

    const MS: u64 = 1_000_000;
    const S: u64 = 1_000 * MS;

    pub(crate) fn said(sensor_timestamp_ns: u64) -> FrameMetadata {
        FrameMetadata {
            stream: Stream::Still,
            payload: Payload::Pixels(Planes {
                format: PixelFormat::Yuv420,
                size: Size { width: 2, height: 2 },
                strides: Vec::new(),
                offsets: Vec::new(),
            }),
            exposed: ExposedAt::Sensor { sensor_timestamp_ns },
            exposure_us: Some(4_000),
            readout_us: 0,
            gain: None,
            white_balance: None,
            focus: None,
            raw: None,
            completed_ns: sensor_timestamp_ns + MS,
            clock_uncertainty_us: None,
            sequence: 1,
            buffer: 1,
        }
    }

    #[test]
    fn a_driver_that_keeps_its_promise_never_seems_to_have_broken_it() {
        // By how much each guess is wrong, at most by what it says.
        let ms = i128::from(MS);
        for (first, second) in [(ms, -ms), (-ms, ms), (ms, ms), (0, 0)] {
            let true_ns = i128::from(100 * S);
            let offset = |wrong| Offset { ns: true_ns + wrong, uncertainty_ns: MS };
            let begin = not_before(10 * S, offset(first));
            assert!(i128::from(begin) - true_ns >= i128::from(10 * S), "exposed before it may be");
            let promise = Promise { not_before_ns: 10 * S, uncertainty_ns: MS };
            let frame = arrived(said(begin + 4 * MS), offset(second), Some(promise), 11 * S);
            assert!(frame.exposed_from_ns(0) >= 10 * S, "{first} {second}");
            assert_eq!(frame.clock_uncertainty_us, Some(1_000));
        }
    }

    #[test]
    fn a_frame_that_is_truly_early_stays_so() {
        let offset = Offset { ns: i128::from(100 * S), uncertainty_ns: MS };
        let promise = Promise { not_before_ns: 10 * S, uncertainty_ns: MS };
        let frame = arrived(said(110 * S), offset, Some(promise), 11 * S);
        assert_eq!(frame.exposed_from_ns(0), 10 * S - 4 * MS);
    }

    #[test]
    fn what_has_come_is_not_of_the_future_unless_the_clocks_are_wrong() {
        let offset = Offset { ns: 0, uncertainty_ns: MS };
        assert_eq!(arrived(said(10 * S + MS), offset, None, 10 * S).exposed.at_ns(), 10 * S);
        assert_eq!(arrived(said(10 * S + 2 * MS), offset, None, 10 * S).exposed.at_ns(), 10 * S + 2 * MS);
    }
}
