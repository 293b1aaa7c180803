//! The host with a device of its own, in this process.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::*;
use crate::camera_driver::link::Link;
use crate::camera_driver::protocol::{
    Configure, ErrorKind, ExposedAt, FrameMetadata, FromDriver, Hello, Payload, Planes, Stream, Timestamps,
    ToDriver, VERSION,
};
use crate::model::{Control, Controls, Domain, Orientation, PixelFormat, Size};
use crate::units::{FramesPerSecond, Seconds};

const SIZE: Size = Size { width: 4, height: 4 };
/// Exposure of every frame.
const EXPOSURE_US: u64 = 10;

/// What a test makes a camera do next.
enum Step {
    Frame(Stream, bool, u64),
    /// A still of which only the end of its exposure is known.
    Untold(u64),
    Error(ErrorKind),
    /// Hangs for ever, and says so before.
    Hang(Sender<()>),
    Panic,
}

/// A camera that does what it is told, and notes which memory it gets back.
struct Puppet {
    steps: Receiver<Step>,
    memory: Arc<OwnedFd>,
    released: Arc<Mutex<Vec<u64>>>,
    buffer: u64,
}

impl Puppet {
    fn frame(&mut self, stream: Stream, valid: bool, ended_ns: u64, exposure_us: Option<u64>) -> RawFrame {
        self.buffer += 1;
        let metadata = FrameMetadata {
            stream,
            payload: Payload::Pixels(Planes {
                format: PixelFormat::Yuv420,
                size: SIZE,
                strides: vec![4, 2, 2],
                offsets: vec![0, 16, 20],
            }),
            exposed: ExposedAt::Sensor { sensor_timestamp_ns: ended_ns },
            exposure_us,
            readout_us: 0,
            gain: exposure_us.map(|_| 1.0),
            white_balance: None,
            focus: None,
            raw: None,
            completed_ns: 0,
            clock_uncertainty_us: None,
            sequence: self.buffer,
            buffer: self.buffer,
        };
        RawFrame { metadata, memory: Arc::clone(&self.memory), raw: None, valid, tamper: None }
    }
}

impl Device for Puppet {
    fn hello(&self) -> Hello {
        Hello {
            protocol: VERSION,
            driver: "puppet 1".into(),
            camera: "cam0".into(),
            model: "puppet".into(),
            sensor: SIZE,
            pixel_pitch_um: 1.0,
            formats: vec![PixelFormat::Yuv420],
            modes: Vec::new(),
            controls: vec![Control { name: "exposure".into(), domain: Domain::range(1e-6, 10.0) }],
            devices: Vec::new(),
            live_beside_stills: true,
            raw: false,
            bayer: None,
            longest_call_ms: 0,
            files: Vec::new(),
            timestamps: Timestamps::Sensor,
            reset: None,
        }
    }

    fn configure(&mut self, _: &Configure) -> Result<Configured, DeviceError> {
        Ok(Configured {
            frame_duration: Duration::from_millis(33),
            live: None,
            controls: None,
            field_of_view: None,
            bayer: None,
        })
    }

    fn converge(&mut self, _: &Controls) -> Result<(), DeviceError> {
        Ok(())
    }

    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        Some(Ok(Controls { gain: Some(2.0), ..Controls::default() }))
    }

    fn start(&mut self, _: u64) -> Result<(), DeviceError> {
        Ok(())
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        match controls.exposure {
            Some(_) => Ok(()),
            None => Err(DeviceError::invalid("a puppet has no other settings")),
        }
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        match self.steps.recv_timeout(timeout.min(Duration::from_millis(5))) {
            Err(_) => Ok(None),
            Ok(Step::Error(kind)) => Err(DeviceError { code: Some(5), ..DeviceError::new(kind, "as told") }),
            Ok(Step::Hang(says)) => {
                says.send(()).unwrap();
                loop {
                    std::thread::park();
                }
            }
            Ok(Step::Panic) => panic!("as told"),
            Ok(Step::Frame(stream, valid, began_ns)) => {
                let ended_ns = began_ns + EXPOSURE_US * 1000;
                Ok(Some(self.frame(stream, valid, ended_ns, Some(EXPOSURE_US))))
            }
            Ok(Step::Untold(ended_ns)) => Ok(Some(self.frame(Stream::Still, true, ended_ns, None))),
        }
    }

    fn release(&mut self, buffer: u64) {
        self.released.lock().unwrap().push(buffer);
    }
}

/// A host with a puppet, and the daemon's end of its link.
struct Stage {
    link: Link,
    steps: Sender<Step>,
    released: Arc<Mutex<Vec<u64>>>,
    host: JoinHandle<Ended>,
}

impl Stage {
    /// Streaming as epoch 1.
    fn new() -> Self {
        let (link, theirs) = Link::pair().unwrap();
        let (steps, received) = mpsc::channel();
        let released = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::new(OwnedFd::from(tempfile::tempfile().unwrap()));
        let puppet_released = Arc::clone(&released);
        let host = std::thread::spawn(move || {
            serve(theirs, move || {
                Ok(Puppet { steps: received, memory, released: puppet_released, buffer: 0 })
            })
        });
        let stage = Self { link, steps, released, host };
        assert!(matches!(stage.next(), FromDriver::Hello(_)));
        stage.tell(&ToDriver::Configure(Configure {
            size: SIZE,
            format: Some(PixelFormat::Yuv420),
            live: Some(SIZE),
            orientation: Orientation::Normal,
            frame_rate: None,
            controls: Controls::default(),
            raw: false,
            buffers: 2,
        }));
        assert_eq!(
            stage.next(),
            FromDriver::Configured {
                frame_duration_us: 33_000,
                live: None,
                controls: None,
                field_of_view: None,
                bayer: None,
            }
        );
        stage.tell(&ToDriver::Start { epoch: 1 });
        assert_eq!(stage.next(), FromDriver::Started { epoch: 1 });
        stage
    }

    fn tell(&self, message: &ToDriver) {
        self.link.send(message, &[]).unwrap();
    }

    fn capture(&self, request: u64, not_before_ns: u64) {
        self.tell(&ToDriver::Capture { epoch: 1, request, shot: 0, not_before_ns });
        self.settle();
    }

    /// Waits until the host has obeyed what it was told before.
    fn settle(&self) {
        self.tell(&ToDriver::Set { controls: Controls::default() });
        assert!(matches!(self.next(), FromDriver::Error { request: None, .. }));
    }

    fn wait_for_release(&self, buffer: u64) {
        while !self.released.lock().unwrap().contains(&buffer) {
            std::thread::yield_now();
        }
    }

    fn frame(&self, stream: Stream, valid: bool, began_ns: u64) {
        self.steps.send(Step::Frame(stream, valid, began_ns)).unwrap();
    }

    /// The next message that is no beat.
    fn next(&self) -> FromDriver {
        loop {
            match self.link.recv::<FromDriver>().unwrap().unwrap() {
                (FromDriver::Beat { .. }, _) => {}
                (message, _) => return message,
            }
        }
    }

    /// Sequence and request of the next message, a frame.
    fn next_frame(&self) -> (u64, Option<u64>) {
        match self.next() {
            FromDriver::Frame(frame) => (frame.metadata.sequence, frame.request),
            other @ (FromDriver::Hello(_)
            | FromDriver::Configured { .. }
            | FromDriver::Started { .. }
            | FromDriver::Stopped { .. }
            | FromDriver::Converged { .. }
            | FromDriver::Error { .. }
            | FromDriver::Busy { .. }
            | FromDriver::Beat { .. }) => panic!("{other:?} instead of a frame"),
        }
    }

    fn end(self) -> (Ended, Vec<u64>) {
        self.tell(&ToDriver::Quit);
        let ended = self.host.join().unwrap();
        (ended, self.released.lock().unwrap().clone())
    }
}

#[test]
fn a_capture_gets_the_first_good_still_that_began_in_time() {
    let stage = Stage::new();
    stage.frame(Stream::Still, true, 5_000);
    stage.wait_for_release(1);
    stage.capture(7, 1_000);
    stage.capture(8, 3_000);
    for (valid, began_ns) in
        [(true, 999), (false, 1_000), (true, 1_000), (true, 2_999), (true, 3_000), (true, 4_000)]
    {
        stage.frame(Stream::Still, valid, began_ns);
    }
    assert_eq!(stage.next_frame(), (4, Some(7)));
    assert_eq!(stage.next_frame(), (6, Some(8)));
    for buffer in [4, 4, 99] {
        stage.tell(&ToDriver::Release { buffer });
    }
    stage.settle();
    stage.wait_for_release(7);
    let (ended, mut released) = stage.end();
    released.sort_unstable();
    // All but the one that the daemon still has; none twice, and none that was not out.
    assert_eq!((ended, released), (Ended::Stopped, vec![1, 2, 3, 4, 5, 7]));
}

/// A frame takes 33 ms, as the puppet is configured.
#[test]
fn a_still_of_unknown_exposure_is_taken_to_have_been_exposed_for_a_whole_frame() {
    const MS: u64 = 1_000_000;
    let stage = Stage::new();
    let begin = 1_000 * MS;
    stage.capture(7, begin);
    // Exposed while the axes moved, for all that anybody knows.
    for ended_ns in [begin, begin + 32 * MS, begin + 33 * MS - 1, begin + 33 * MS] {
        stage.steps.send(Step::Untold(ended_ns)).unwrap();
    }
    assert_eq!(stage.next_frame(), (4, Some(7)));
    // A capture waits already when a longer exposure is set, which makes longer frames.
    stage.capture(8, begin);
    let controls = Controls { exposure: Some(Seconds::new(0.5)), ..Controls::default() };
    stage.tell(&ToDriver::Set { controls });
    stage.settle();
    for ended_ns in [begin + 33 * MS, begin + 499 * MS, begin + 500 * MS] {
        stage.steps.send(Step::Untold(ended_ns)).unwrap();
    }
    assert_eq!(stage.next_frame(), (7, Some(8)));
    assert_eq!(stage.end(), (Ended::Stopped, vec![1, 2, 3, 5, 6]));
}

#[test]
fn live_frames_are_sent_only_when_wanted_and_answer_no_capture() {
    let stage = Stage::new();
    stage.capture(7, 0);
    stage.frame(Stream::Live, true, 1_000_000_000);
    stage.wait_for_release(1);
    stage.tell(&ToDriver::Live { rate: Some(FramesPerSecond::new(10.0)) });
    stage.settle();
    for began_ns in [2_000_000_000, 2_050_000_000, 2_110_000_000] {
        stage.frame(Stream::Live, true, began_ns);
    }
    stage.frame(Stream::Still, true, 2_120_000_000);
    let frames: Vec<_> = (0..3).map(|_| stage.next_frame()).collect();
    assert_eq!(frames, [(2, None), (4, None), (5, Some(7))]);
    assert_eq!(stage.end(), (Ended::Stopped, vec![1, 3]));
}

#[test]
fn an_error_answers_the_capture_in_turn_and_without_one_is_told_once() {
    let stage = Stage::new();
    stage.capture(7, 0);
    stage.capture(8, 0);
    stage.steps.send(Step::Error(ErrorKind::QueueBuffer)).unwrap();
    let expected = |kind, request| FromDriver::Error {
        kind,
        message: "as told".into(),
        request,
        code: Some(5),
        devices: Vec::new(),
    };
    assert_eq!(stage.next(), expected(ErrorKind::QueueBuffer, Some(7)));
    stage.frame(Stream::Still, true, 0);
    assert_eq!(stage.next_frame(), (1, Some(8)));
    for _ in 0..3 {
        stage.steps.send(Step::Error(ErrorKind::Gone)).unwrap();
    }
    stage.frame(Stream::Still, true, 0);
    assert_eq!(stage.next(), expected(ErrorKind::Gone, None));
    stage.settle();
    assert_eq!(stage.end().0, Ended::Stopped);
}

#[test]
fn the_host_ends_whatever_the_camera_does() {
    let stage = Stage::new();
    let (says, hung) = mpsc::channel();
    stage.steps.send(Step::Hang(says)).unwrap();
    hung.recv().unwrap();
    assert_eq!(stage.end().0, Ended::Stuck);

    let stage = Stage::new();
    stage.steps.send(Step::Panic).unwrap();
    assert!(stage.link.recv::<FromDriver>().unwrap().is_none());
    assert_eq!(stage.host.join().unwrap(), Ended::Failed);

    let (link, theirs) = Link::pair().unwrap();
    let failed = || Err::<Puppet, _>(DeviceError::new(ErrorKind::Gone, "no such camera"));
    assert_eq!(serve(theirs, failed), Ended::Failed);
    let (message, _) = link.recv::<FromDriver>().unwrap().unwrap();
    assert!(matches!(message, FromDriver::Error { kind: ErrorKind::Gone, .. }), "{message:?}");
    assert!(link.recv::<FromDriver>().unwrap().is_none());
}
