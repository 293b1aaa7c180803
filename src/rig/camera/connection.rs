//! The conversation with one driver process.
//!
//! One thread per process, named after the camera, reads all that the driver says and hands each answer to
//! who waits for it. So nobody who waits touches the socket: a wait is given up by taking its mailbox away,
//! which wakes the waiting thread at once and leaves the socket to the `stop` that comes next. Shutting the
//! socket down, which ends the reader, is kept for the end of the process.

mod reader;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tracing::debug;

use super::audience::Audience;
use super::error::CameraError;
use super::limits::longer;
use super::mailbox::{Mailbox, Ticket, Wait};
use super::process::Process;
use super::signs::Signs;
use super::sorting::{Answer, Want};
use crate::camera_driver::link::{Link, LinkError};
use crate::camera_driver::protocol::{BEAT_INTERVAL, ErrorKind, Pace, ToDriver};
use crate::clock::{as_ns, now_ns};
use reader::Reader;
pub(super) use reader::Tally;

/// The daemon's end of one driver process.
#[derive(Debug)]
pub(super) struct Connection {
    camera: String,
    link: Arc<Link>,
    process: Arc<Process>,
    mailbox: Arc<Mailbox>,
    signs: Mutex<Signs>,
    /// How long a frame takes, as far as it is known.
    frame_ns: AtomicU64,
    /// Frames whose time a stream is silent for when it is given up; 0 if it never is.
    stalled_after: u32,
}

impl Connection {
    /// Starts to listen to the driver `process` at the other end of `link`; a stream has stalled that is silent for so many
    /// frames as `stalled_after` says. Comes with the thread that reads and the wait for `hello`, which the driver sends by itself.
    pub(super) fn start(
        camera: &str,
        link: Link,
        process: Process,
        tally: Arc<Tally>,
        audience: Arc<Audience>,
        stalled_after: u32,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<()>, Wait)> {
        let connection = Arc::new(Self {
            camera: camera.into(),
            link: Arc::new(link),
            process: Arc::new(process),
            mailbox: Arc::default(),
            signs: Mutex::new(Signs::new(now_ns())),
            frame_ns: AtomicU64::new(0),
            stalled_after,
        });
        let hello = connection.mailbox.wait_for(Want::Hello);
        let reader = Reader::new(Arc::clone(&connection), tally, audience);
        let name = format!("camera {camera}");
        let reading = std::thread::Builder::new().name(name).spawn(move || reader.read())?;
        Ok((connection, reading, hello))
    }

    /// The process of the driver at the other end.
    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Why nothing will come from this driver any more; none while it lives.
    pub(super) fn ended(&self) -> Option<CameraError> {
        self.mailbox.ended()
    }

    /// Ends the conversation: every wait fails and the reader ends.
    pub(super) fn shut_down(&self) {
        let error = self.error(ErrorKind::Cancelled, "its driver was told to end");
        self.mailbox.note_end(error);
        self.link.shutdown();
    }

    /// Live frames take so long from now on.
    pub(super) fn set_frame_duration(&self, frame: Duration) {
        self.frame_ns.store(as_ns(frame), Ordering::Relaxed);
    }

    /// The driver may be busy with one thing for so long.
    pub(super) fn allow_busy(&self, longest_call: Duration) {
        self.signs().allow(longest_call);
    }

    /// Says `message` unless the driver has stopped listening; never blocks.
    pub(super) fn say(&self, message: &ToDriver) {
        match self.link.send_or_drop(message, &[]) {
            Ok(true) | Err(LinkError::Closed) => {}
            Ok(false) => debug!(camera = self.camera, "the driver does not read: a message was dropped"),
            Err(error) => debug!(camera = self.camera, %error, "a message was dropped"),
        }
    }

    /// Says `message`, which must not be lost; never blocks.
    pub(super) fn tell(&self, message: &ToDriver) -> Result<(), CameraError> {
        match self.link.send_or_drop(message, &[]) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.error(ErrorKind::Timeout, "its driver does not read its messages")),
            Err(LinkError::Closed) => {
                let ended = self.ended();
                Err(ended.unwrap_or_else(|| self.error(ErrorKind::Crashed, "its driver has hung up")))
            }
            Err(error) => Err(self.error(ErrorKind::Protocol, error.to_string())),
        }
    }

    /// Sends `message` and waits at most `limit` for `want`, without the time in which the driver is busy.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        message: ToDriver,
        want: Want,
        limit: Duration,
    ) -> Result<Answer, CameraError> {
        let wait = self.mailbox.wait_for(want);
        self.attempt(Some(message), wait, limit).await
    }

    /// Sends `message` and waits at most `limit`, on a thread for blocking calls. That thread has returned, or
    /// is about to, when this returns or is dropped. The time in which the driver is busy does not count, as far as it may be.
    pub(super) async fn attempt(
        self: &Arc<Self>,
        message: Option<ToDriver>,
        mut wait: Wait,
        limit: Duration,
    ) -> Result<Answer, CameraError> {
        let Some(answer) = wait.take_receiver() else {
            return Err(self.error(ErrorKind::Protocol, "an answer was waited for twice"));
        };
        let (connection, ticket) = (Arc::clone(self), wait.ticket());
        let mut call = spawn_blocking(move || connection.call(message.as_ref(), ticket, &answer));
        let (begun, busy_before) = (Instant::now(), self.signs().busy(now_ns()));
        let mut more = limit;
        let result = loop {
            if let Ok(result) = tokio::time::timeout(more, &mut call).await {
                break result;
            }
            let Some(longer) = self.longer(limit, begun, busy_before) else {
                drop(wait);
                // Wakes up now; an answer that came at the last moment still counts.
                break call.await;
            };
            // It may be done with its call before it said it would.
            more = longer.min(BEAT_INTERVAL);
        };
        match result {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                let busy = self.signs().busy(now_ns()).saturating_sub(busy_before);
                Err(self.error(ErrorKind::Timeout, self.silence(begun.elapsed(), busy)))
            }
            Err(error) => Err(self.error(ErrorKind::Cancelled, format!("the wait was ended: {error}"))),
        }
    }

    /// How much longer a wait goes on that has `begun` when the driver had been busy for `busy_before`.
    fn longer(&self, limit: Duration, begun: Instant, busy_before: Duration) -> Option<Duration> {
        let signs = self.signs();
        let busy = signs.busy(now_ns()).saturating_sub(busy_before);
        longer(limit, signs.longest_call(), begun.elapsed(), busy)
    }

    /// Sends `message` and blocks until an answer comes or the wait is given up (none). Of one that is given up before
    /// this thread came to it, nothing is sent.
    fn call(
        &self,
        message: Option<&ToDriver>,
        ticket: Ticket,
        answer: &mpsc::Receiver<Result<Answer, CameraError>>,
    ) -> Option<Result<Answer, CameraError>> {
        let send = |message| self.mailbox.while_waited_for(ticket, || self.link.send_or_drop(message, &[]));
        match message.and_then(send) {
            // A closed link: the reader knows why.
            None | Some(Ok(true) | Err(LinkError::Closed)) => answer.recv().ok(),
            Some(Ok(false)) => {
                Some(Err(self.error(ErrorKind::Timeout, "its driver does not read its messages")))
            }
            Some(Err(error)) => Some(Err(self.error(ErrorKind::Protocol, error.to_string()))),
        }
    }

    /// For how long the thread that owns the camera has been stuck; none if it still beats, or is busy. The driver cannot
    /// obey then: all that helps is its end.
    pub(super) fn stuck(&self) -> Option<Duration> {
        self.signs().stuck(now_ns())
    }

    /// Why no frame will come of a stream that goes at this `pace`; none while one may.
    fn stalled(&self, pace: &Pace) -> Option<CameraError> {
        pace.fell_silent(self.stalled_after).then(|| self.error(ErrorKind::Timeout, pace.to_string()))
    }

    /// Why nothing came in `time`, for so much of which the driver was `busy`.
    fn silence(&self, time: Duration, busy: Duration) -> String {
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let (text, longest) = (format!("no answer in {}", seconds(time)), self.signs().longest_call());
        if !busy.is_zero() && busy >= longest {
            self.signs().overdraw();
            return format!("{text}, though its driver announced calls of {} at most", seconds(longest));
        }
        match self.stuck() {
            None => text,
            Some(stuck) => {
                format!("{text}, and the driver's camera thread has been stuck for {}", seconds(stuck))
            }
        }
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> CameraError {
        CameraError::new(&self.camera, kind, message)
    }
}

#[cfg(test)]
mod tests;
