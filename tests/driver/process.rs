//! A driver process, and the daemon's part of the conversation with it.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use scanner::camera_driver::link::{Link, LinkError};
use scanner::camera_driver::protocol::{Configure, ErrorKind, Frame, FromDriver, Hello, SOCKET_FD, ToDriver};
use scanner::clock::now_ns;
use scanner::model::{Controls, Orientation, PixelFormat, Size};
use serde_json::Value;

/// Long enough for anything that is not hung, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to believe that nothing comes, at the time scale of these tests.
const SILENCE: Duration = Duration::from_millis(400);
pub(crate) const SIM: &str = env!("CARGO_BIN_EXE_scanner-sim");
pub(crate) const REPLAY: &str = env!("CARGO_BIN_EXE_scanner-replay");
pub(crate) const SIZE: Size = Size { width: 160, height: 120 };

pub(crate) struct Driver {
    child: Option<Child>,
    pub(crate) link: Link,
    requests: u64,
}

/// What a capture came to.
#[derive(Debug)]
pub(crate) enum Answer {
    Frame(Box<Frame>, OwnedFd),
    Error(ErrorKind, String, Option<u64>),
    /// The driver's end of the socket is closed.
    End,
    Malformed,
}

impl Driver {
    pub(crate) fn spawn(program: &str, options: &Value) -> Self {
        let (ours, theirs) = Link::pair().unwrap();
        let mut command = Command::new(program);
        command.args(["--camera", "cam0", "--options", &options.to_string()]).stderr(Stdio::piped());
        command
            .fd_mappings(vec![FdMapping { parent_fd: theirs.into_socket(), child_fd: SOCKET_FD }])
            .unwrap();
        Self { child: Some(command.spawn().unwrap()), link: ours, requests: 0 }
    }

    /// A driver that streams as epoch 1.
    pub(crate) fn streaming(program: &str, options: &Value) -> Self {
        let mut driver = Self::spawn(program, options);
        driver.hello();
        driver.configure(PixelFormat::Yuv420, None);
        driver.start(1);
        driver
    }

    pub(crate) fn hello(&mut self) -> Hello {
        match self.next() {
            Some((FromDriver::Hello(hello), _)) => hello,
            other => panic!("{other:?} instead of hello"),
        }
    }

    pub(crate) fn configure(&mut self, format: PixelFormat, live: Option<Size>) -> u64 {
        self.send(&ToDriver::Configure(Configure {
            size: SIZE,
            format: Some(format),
            live,
            frame_rate: None,
            orientation: Orientation::Normal,
            controls: Controls::default(),
            raw: false,
            buffers: 2,
        }));
        match self.next() {
            Some((FromDriver::Configured { frame_duration_us, .. }, _)) => frame_duration_us,
            other => panic!("{other:?} instead of configured"),
        }
    }

    pub(crate) fn start(&mut self, epoch: u64) {
        self.send(&ToDriver::Start { epoch });
        let answer = self.next().map(|(message, _)| message);
        assert_eq!(answer, Some(FromDriver::Started { epoch }));
    }

    /// Asks for `shot` from now on; returns the request.
    pub(crate) fn request(&mut self, epoch: u64, shot: u32) -> u64 {
        self.requests += 1;
        let request = self.requests;
        self.send(&ToDriver::Capture { epoch, request, shot, not_before_ns: now_ns() });
        request
    }

    pub(crate) fn capture(&mut self, epoch: u64, shot: u32) -> Answer {
        self.request(epoch, shot);
        self.answer()
    }

    /// A good capture, its memory released.
    pub(crate) fn good(&mut self, epoch: u64, shot: u32) -> Frame {
        let asked_ns = now_ns();
        let request = self.request(epoch, shot);
        match self.answer() {
            Answer::Frame(frame, _) => {
                assert_eq!((frame.epoch, frame.request), (epoch, Some(request)));
                assert!(began_ns(&frame) >= asked_ns, "exposed before it was asked for");
                self.send(&ToDriver::Release { buffer: frame.metadata.buffer });
                *frame
            }
            other => panic!("{other:?} instead of a frame"),
        }
    }

    pub(crate) fn answer(&mut self) -> Answer {
        loop {
            assert!(self.link.readable_before(Instant::now() + PATIENCE).unwrap(), "no answer");
            return match self.link.recv::<FromDriver>() {
                Ok(None) => Answer::End,
                Ok(Some((FromDriver::Beat { .. }, _))) => continue,
                Ok(Some((FromDriver::Frame(frame), mut memory))) if memory.len() == 1 => {
                    Answer::Frame(Box::new(frame), memory.remove(0))
                }
                Ok(Some((FromDriver::Error { kind, message, request, .. }, _))) => {
                    Answer::Error(kind, message, request)
                }
                Err(LinkError::Malformed { .. }) => Answer::Malformed,
                other => panic!("{other:?} as an answer"),
            };
        }
    }

    /// How many beats come in some time in which nothing else does.
    pub(crate) fn beats_in_silence(&mut self) -> usize {
        let deadline = Instant::now() + SILENCE.max(Duration::from_millis(1800));
        let mut beats = 0;
        while self.link.readable_before(deadline).unwrap() {
            match self.link.recv::<FromDriver>().unwrap() {
                Some((FromDriver::Beat { .. }, _)) => beats += 1,
                other => panic!("{other:?} instead of silence"),
            }
        }
        beats
    }

    /// The next message that is no beat; none at the end.
    pub(crate) fn next(&mut self) -> Option<(FromDriver, Vec<OwnedFd>)> {
        loop {
            assert!(self.link.readable_before(Instant::now() + PATIENCE).unwrap(), "no message");
            match self.link.recv::<FromDriver>().unwrap() {
                Some((FromDriver::Beat { .. }, _)) => {}
                other => return other,
            }
        }
    }

    pub(crate) fn send(&self, message: &ToDriver) {
        self.link.send(message, &[]).unwrap();
    }

    /// Stops streaming and starts again as `epoch`, as recovery does; what comes between is dropped.
    pub(crate) fn restart(&mut self, epoch: u64) {
        self.send(&ToDriver::Stop);
        while !matches!(self.next(), Some((FromDriver::Stopped { .. }, _))) {}
        self.start(epoch);
    }

    /// Ends the conversation and waits for the process to end.
    pub(crate) fn end(mut self) -> Output {
        self.link.shutdown();
        self.child.take().unwrap().wait_with_output().unwrap()
    }

    /// Waits for the process, which ends by itself.
    pub(crate) fn wait(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A test has failed; its driver must not outlive it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn began_ns(frame: &Frame) -> u64 {
    frame.metadata.exposed.at_ns() - frame.metadata.exposure_us.unwrap() * 1000
}

/// The bytes behind `memory`.
pub(crate) fn pixels(memory: &OwnedFd) -> Vec<u8> {
    let length = usize::try_from(rustix::fs::fstat(memory).unwrap().st_size).unwrap();
    let mut bytes = vec![0; length];
    let mut read = 0;
    while read < length {
        read += rustix::io::pread(memory, &mut bytes[read..], read as u64).unwrap();
    }
    bytes
}
