//! The driver of a session: started as the daemon starts one, and read by a thread of its own.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use scanner::camera_driver::link::{Link, LinkError};
use scanner::camera_driver::protocol::{ErrorKind, ExposedAt, Frame, FromDriver, Stream, ToDriver};
use scanner::rig::camera::{Ending, Process, Spawned, Spawner, find_driver, log_output};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::config::NodeCamera;
use crate::parts::Outgoing;

/// How long a driver may take to end, after each way of telling it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Messages of the driver that may wait to be sent.
const WAITING: usize = 8;

/// What a driver says.
pub(super) enum Said {
    /// No frame.
    Message(Box<FromDriver>),
    /// A frame, whose memory the driver has again.
    Frame(Box<Outgoing>),
}

/// A driver that runs.
pub(super) struct Driver {
    link: Arc<Link>,
    process: Arc<Process>,
    reader: JoinHandle<()>,
    output: tokio::task::JoinHandle<()>,
    said: mpsc::Receiver<Said>,
    frames: Arc<AtomicUsize>,
}

impl Driver {
    /// Starts the driver of `camera`, which is told to `reset` a port first, if that is named.
    pub(super) async fn start(
        spawner: &Spawner,
        camera: &NodeCamera,
        options: &serde_json::Map<String, serde_json::Value>,
        reset: Option<&str>,
    ) -> Result<Self, String> {
        let program = find_driver(&camera.driver)?;
        let failed = |error: io::Error| format!("starting the driver {} failed: {error}", program.display());
        let (ours, theirs) = Link::pair().map_err(|error| failed(io::Error::other(error)))?;
        let options = serde_json::to_string(options).map_err(|error| failed(error.into()))?;
        let mut arguments = ["--camera", camera.id(), "--options", &options].map(String::from).to_vec();
        if let Some(port) = reset {
            arguments.extend(["--reset".into(), port.into()]);
        }
        let Spawned { process, output } =
            spawner.spawn(&program, &arguments, theirs.into_socket()).await.map_err(failed)?;
        info!(camera = camera.name, pid = process.pid(), driver = %program.display(), "driver started");
        let (link, frames) = (Arc::new(ours), Arc::new(AtomicUsize::new(0)));
        let (says, said) = mpsc::channel(WAITING);
        let (reading, counted) = (Arc::clone(&link), Arc::clone(&frames));
        let reader = thread::Builder::new().name(format!("camera {}", camera.name));
        let reader = reader.spawn(move || read(&reading, &says, &counted)).map_err(failed)?;
        let output = tokio::spawn(log_output(camera.name.clone(), output));
        Ok(Self { link, process: Arc::new(process), reader, output, said, frames })
    }

    /// What it says next; none once it has hung up.
    pub(super) async fn next(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    /// Tells it `message`, without waiting for it.
    pub(super) fn tell(&self, message: &ToDriver) -> Result<(), String> {
        match self.link.send_or_drop(message, &[]) {
            // Why it has ended, its reader finds out.
            Ok(true) | Err(LinkError::Closed) => Ok(()),
            Ok(false) => Err("its driver does not read its messages".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A frame has arrived at the lead: there is room for live ones.
    pub(super) fn frame_has_gone(&self) {
        self.frames.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends it for certain, and says how that was.
    pub(super) async fn end(self) -> String {
        let Self { link, process, reader, output, said, frames: _ } = self;
        // Nobody reads any longer what it says: a reader that waits for room ends.
        drop(said);
        // It may have ended by itself.
        let _told = link.send_or_drop(&ToDriver::Quit, &[]);
        link.shutdown();
        let ended = spawn_blocking(move || {
            let ended = process.end(Ending::Gentle, PATIENCE);
            let _ = reader.join();
            ended
        });
        let ended = ended.await;
        // Its last words.
        let _ = tokio::time::timeout(Duration::from_millis(500), output).await;
        match ended {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(evidence)) => format!("it cannot be ended: {evidence}"),
            Err(error) => error.to_string(),
        }
    }
}

/// Reads until the driver, or this end, hangs up. A frame is copied, and its memory given back at once.
fn read(link: &Link, says: &mpsc::Sender<Said>, frames: &AtomicUsize) {
    let mut still = None;
    loop {
        let said = match link.recv::<FromDriver>() {
            Ok(Some((FromDriver::Frame(frame), memory))) => {
                let buffer = frame.metadata.buffer;
                let said = copy(frame, memory, frames, &mut still);
                if link.send(&ToDriver::Release { buffer }, &[]).is_err() {
                    return;
                }
                match said {
                    Some(said) => said,
                    None => continue,
                }
            }
            Ok(Some((message, _))) => Said::Message(Box::new(message)),
            Ok(None) | Err(LinkError::Closed) => return,
            Err(error @ (LinkError::Malformed { .. } | LinkError::Truncated)) => {
                Said::Message(Box::new(fault(ErrorKind::Protocol, error.to_string(), None)))
            }
            Err(error @ (LinkError::TooLong { .. } | LinkError::Io(_))) => {
                warn!("reading from a driver: {error}");
                return;
            }
        };
        if says.blocking_send(said).is_err() {
            return;
        }
    }
}

/// None of a live frame that would have to wait behind another frame; but that of the last `still` itself waits: it comes right behind it,
/// and by it the lead sees whether the rig had settled.
fn copy(
    frame: Frame,
    memory: Vec<OwnedFd>,
    frames: &AtomicUsize,
    still: &mut Option<ExposedAt>,
) -> Option<Said> {
    let (stream, exposed, request) = (frame.metadata.stream, frame.metadata.exposed, frame.request);
    let has_to_wait = frames.load(Ordering::Relaxed) > 0;
    if stream == Stream::Live && has_to_wait && *still != Some(exposed) {
        return None;
    }
    match Outgoing::read(frame, memory) {
        Ok(outgoing) => {
            if stream == Stream::Still {
                *still = Some(exposed);
            }
            frames.fetch_add(1, Ordering::Relaxed);
            Some(Said::Frame(Box::new(outgoing)))
        }
        Err(message) => Some(Said::Message(Box::new(fault(ErrorKind::BadFrame, message, request)))),
    }
}

/// An error that this end reports in the driver's place.
fn fault(kind: ErrorKind, message: String, request: Option<u64>) -> FromDriver {
    FromDriver::Error { kind, message, request, code: None, devices: Vec::new() }
}

#[cfg(test)]
mod tests {
    use scanner::camera_driver::host::sealed_memory;
    use scanner::camera_driver::protocol::{FrameMetadata, Payload, Planes};
    use scanner::model::{PixelFormat, Size};

    use super::*;
    use crate::translate::tests::said;

    fn frame(stream: Stream, at_ns: u64) -> (Frame, Vec<OwnedFd>) {
        let size = Size { width: 2, height: 2 };
        let planes =
            Planes { format: PixelFormat::Yuv420, size, strides: vec![2, 1, 1], offsets: vec![0, 4, 5] };
        let metadata = FrameMetadata { stream, payload: Payload::Pixels(planes), ..said(at_ns) };
        (Frame { epoch: 1, request: None, metadata }, vec![sealed_memory(4096).unwrap()])
    }

    #[test]
    fn of_live_frames_that_would_wait_only_that_of_the_still_itself_is_sent() {
        let (frames, mut still) = (AtomicUsize::new(0), None);
        let mut is_sent = |stream, at_ns| {
            let (frame, memory) = frame(stream, at_ns);
            matches!(copy(frame, memory, &frames, &mut still), Some(Said::Frame(_)))
        };
        assert!(is_sent(Stream::Live, 1) && !is_sent(Stream::Live, 2), "the one before is on its way");
        assert!(is_sent(Stream::Still, 3) && is_sent(Stream::Live, 3));
        assert!(!is_sent(Stream::Live, 4), "the still is on its way");
        assert!(is_sent(Stream::Still, 5) && !is_sent(Stream::Live, 3) && is_sent(Stream::Live, 5));
        frames.store(0, Ordering::Relaxed);
        assert!(is_sent(Stream::Live, 6));
    }
}
