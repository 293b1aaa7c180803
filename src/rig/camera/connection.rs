//! The conversation with one driver process.
//!
//! One thread per process, named after the camera, reads all that the driver says and hands each answer to
//! who waits for it. So nobody who waits touches the socket: a wait is given up by taking its mailbox away,
//! which wakes the waiting thread at once and leaves the socket to the `stop` that comes next. Shutting the
//! socket down, which ends the reader, is kept for the end of the process.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tracing::{debug, warn};

use super::error::CameraError;
use super::frame::{CapturedFrame, Release};
use super::live::Audience;
use super::process::Process;
use super::sorting::{Answer, RawFrame, Verdict, Want, name, verdict};
use crate::camera_driver::link::{Link, LinkError};
use crate::camera_driver::protocol::{BEAT_INTERVAL, ErrorKind, FromDriver, ToDriver};
use crate::rig::clock::now_ns;

/// Packets that are no messages before the reader gives the driver up.
const MAX_GARBAGE: u32 = 100;
/// How long the process of a driver that hung up may take to end, before the error says that it lives.
const END_AFTER_HANGUP: Duration = Duration::from_millis(500);
/// Silence of the thread that owns the camera after which it is called stuck: of three beats.
const STUCK_AFTER_NS: u64 = 3 * BEAT_INTERVAL.as_nanos() as u64;

/// The daemon's end of one driver process.
#[derive(Debug)]
pub(super) struct Connection {
    camera: String,
    link: Arc<Link>,
    process: Arc<Process>,
    talk: Mutex<Talk>,
    last_beat_ns: AtomicU64,
    tally: Arc<Tally>,
    audience: Arc<Audience>,
}

/// Counted over all processes of a camera.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) late: AtomicU64,
    pub(super) garbage: AtomicU64,
}

#[derive(Debug, Default)]
struct Talk {
    waiting: Option<Mailbox>,
    next_ticket: u64,
    /// Why nothing will come any more.
    ended: Option<CameraError>,
}

#[derive(Debug)]
struct Mailbox {
    ticket: u64,
    want: Want,
    answer: mpsc::Sender<Result<Answer, CameraError>>,
}

/// A place to wait for an answer; dropping it gives the wait up.
#[derive(Debug)]
pub(super) struct Wait {
    connection: Arc<Connection>,
    ticket: u64,
    answer: Option<mpsc::Receiver<Result<Answer, CameraError>>>,
}

impl Drop for Wait {
    fn drop(&mut self) {
        // Without its sender the receiver, wherever it waits, returns.
        let _ = self.connection.talk().waiting.take_if(|mailbox| mailbox.ticket == self.ticket);
    }
}

impl Connection {
    /// Starts to listen to the driver `process` at the other end of `link`. Comes with the thread that reads
    /// and the wait for `hello`, which the driver sends by itself.
    pub(super) fn start(
        camera: &str,
        link: Link,
        process: Process,
        tally: Arc<Tally>,
        audience: Arc<Audience>,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<()>, Wait)> {
        let connection = Arc::new(Self {
            camera: camera.into(),
            link: Arc::new(link),
            process: Arc::new(process),
            talk: Mutex::default(),
            last_beat_ns: AtomicU64::new(now_ns()),
            tally,
            audience,
        });
        let hello = connection.wait_for(Want::Hello);
        let reader = std::thread::Builder::new().name(format!("camera {camera}")).spawn({
            let connection = Arc::clone(&connection);
            move || connection.read()
        })?;
        Ok((connection, reader, hello))
    }

    /// The driver's process.
    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Why nothing will come from this driver any more; none while it lives.
    pub(super) fn ended(&self) -> Option<CameraError> {
        self.talk().ended.clone()
    }

    /// Ends the conversation: every wait fails and the reader ends.
    pub(super) fn shut_down(&self) {
        let error = self.error(ErrorKind::Cancelled, "its driver was told to end");
        self.talk().ended.get_or_insert(error);
        self.link.shutdown();
    }

    /// Says `message` unless the driver has stopped listening; never blocks.
    pub(super) fn say(&self, message: &ToDriver) {
        match self.link.send_or_drop(message, None) {
            Ok(true) | Err(LinkError::Closed) => {}
            Ok(false) => debug!(camera = self.camera, "the driver does not read: a message was dropped"),
            Err(error) => debug!(camera = self.camera, %error, "a message was dropped"),
        }
    }

    /// Says `message`, which must not be lost; never blocks.
    pub(super) fn tell(&self, message: &ToDriver) -> Result<(), CameraError> {
        match self.link.send_or_drop(message, None) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.error(ErrorKind::Timeout, "its driver does not read its messages")),
            Err(LinkError::Closed) => {
                let ended = self.ended();
                Err(ended.unwrap_or_else(|| self.error(ErrorKind::Crashed, "its driver has hung up")))
            }
            Err(error) => Err(self.error(ErrorKind::Protocol, error.to_string())),
        }
    }

    /// Sends `message` and waits at most `limit` for `want`.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        message: ToDriver,
        want: Want,
        limit: Duration,
    ) -> Result<Answer, CameraError> {
        let wait = self.wait_for(want);
        self.attempt(Some(message), wait, limit).await
    }

    /// Sends `message` and waits at most `limit`, on a thread for blocking calls. That thread has returned, or
    /// is about to, when this returns or is dropped.
    pub(super) async fn attempt(
        self: &Arc<Self>,
        message: Option<ToDriver>,
        mut wait: Wait,
        limit: Duration,
    ) -> Result<Answer, CameraError> {
        let Some(answer) = wait.answer.take() else {
            return Err(self.error(ErrorKind::Protocol, "an answer was waited for twice"));
        };
        let connection = Arc::clone(self);
        let mut call = spawn_blocking(move || connection.call(message.as_ref(), &answer));
        let result = if let Ok(result) = tokio::time::timeout(limit, &mut call).await {
            result
        } else {
            drop(wait);
            // Wakes up now; an answer that came at the last moment still counts.
            call.await
        };
        match result {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(self.error(ErrorKind::Timeout, self.silence(limit))),
            Err(error) => Err(self.error(ErrorKind::Cancelled, format!("the wait was ended: {error}"))),
        }
    }

    /// Blocks until an answer comes or the wait is given up (none).
    fn call(
        &self,
        message: Option<&ToDriver>,
        answer: &mpsc::Receiver<Result<Answer, CameraError>>,
    ) -> Option<Result<Answer, CameraError>> {
        match message.map_or(Ok(true), |message| self.link.send_or_drop(message, None)) {
            // A closed link: the reader knows why.
            Ok(true) | Err(LinkError::Closed) => answer.recv().ok(),
            Ok(false) => Some(Err(self.error(ErrorKind::Timeout, "its driver does not read its messages"))),
            Err(error) => Some(Err(self.error(ErrorKind::Protocol, error.to_string()))),
        }
    }

    /// Makes `want` what is waited for, in place of any other.
    fn wait_for(self: &Arc<Self>, want: Want) -> Wait {
        let (sender, receiver) = mpsc::channel();
        let mut talk = self.talk();
        talk.next_ticket += 1;
        let ticket = talk.next_ticket;
        match talk.ended.clone() {
            // The receiver finds it waiting.
            Some(error) => drop(sender.send(Err(error))),
            None => talk.waiting = Some(Mailbox { ticket, want, answer: sender }),
        }
        Wait { connection: Arc::clone(self), ticket, answer: Some(receiver) }
    }

    /// Reads until the driver, or this end, ends the conversation.
    fn read(&self) {
        let mut garbage = 0;
        let end = loop {
            match self.link.recv::<FromDriver>() {
                Ok(Some((message, memory))) => self.sort(message, memory),
                Ok(None) | Err(LinkError::Closed) => break self.epitaph(),
                Err(error @ (LinkError::Malformed { .. } | LinkError::Truncated))
                    if garbage < MAX_GARBAGE =>
                {
                    garbage += 1;
                    self.tally.garbage.fetch_add(1, Ordering::Relaxed);
                    warn!(camera = self.camera, %error, "the driver sent something that is no message");
                    let ticket = self.talk().waiting.as_ref().map(|mailbox| mailbox.ticket);
                    self.deliver(ticket, Err(self.error(ErrorKind::Protocol, error.to_string())));
                }
                Err(error) => break self.error(ErrorKind::Protocol, error.to_string()),
            }
        };
        let mut talk = self.talk();
        let end = talk.ended.get_or_insert(end).clone();
        if let Some(mailbox) = talk.waiting.take() {
            // Fails if the wait was given up, which ends it too.
            let _ = mailbox.answer.send(Err(end));
        }
    }

    /// What became of a driver that hung up.
    fn epitaph(&self) -> CameraError {
        if let Some(error) = self.ended() {
            return error;
        }
        let message = match self.process.wait(END_AFTER_HANGUP) {
            Some(status) => format!("its driver ended by itself: {status}"),
            None => "its driver hung up, but has not ended".into(),
        };
        let error = self.error(ErrorKind::Crashed, message);
        debug!(camera = self.camera, kind = error.kind.name(), pid = self.process.pid(), "{}", error.message);
        error
    }

    /// Hands `message` to who waits for it, or drops it.
    fn sort(&self, message: FromDriver, memory: Option<OwnedFd>) {
        let received_ns = now_ns();
        let waiting = self.talk().waiting.as_ref().map(|mailbox| (mailbox.ticket, mailbox.want));
        let (ticket, want) = waiting.unzip();
        let verdict = verdict(&message, want);
        let said = name(&message);
        // Whatever becomes of a frame from here on, its memory is given back.
        let answer = match message {
            FromDriver::Beat { .. } => return self.last_beat_ns.store(received_ns, Ordering::Relaxed),
            FromDriver::Hello(hello) => Ok(Answer::Hello(hello)),
            FromDriver::Configured { frame_duration_us, live, controls, field_of_view } => {
                let frame_duration = Duration::from_micros(frame_duration_us);
                Ok(Answer::Configured { frame_duration, live, controls, field_of_view })
            }
            FromDriver::Converged { controls } => Ok(Answer::Converged { controls }),
            FromDriver::Started { .. } => Ok(Answer::Started),
            FromDriver::Stopped { .. } => Ok(Answer::Stopped),
            FromDriver::Frame(frame) => {
                let release = Release::new(&self.link, frame.buffer);
                let raw = RawFrame { frame, memory, received_ns, release };
                if verdict == Verdict::Live {
                    return self.show(raw);
                }
                Ok(Answer::Frame(raw))
            }
            FromDriver::Error { kind, message, code, .. } => {
                Err(CameraError { camera: self.camera.clone(), kind, message, code })
            }
        };
        match verdict {
            Verdict::Answer => self.deliver(ticket, answer),
            Verdict::Late => self.drop_late(&answer),
            Verdict::Unasked => warn!(camera = self.camera, ?answer, "the driver reports an error by itself"),
            Verdict::Beat | Verdict::Live => {}
            Verdict::Unexpected => {
                let error =
                    self.error(ErrorKind::Protocol, format!("its driver said {said}, which it may not now"));
                warn!(camera = self.camera, kind = error.kind.name(), "{}", error.message);
                self.deliver(ticket, Err(error));
            }
        }
    }

    /// Ends the wait with this ticket, if there is one, with `answer`.
    fn deliver(&self, ticket: Option<u64>, answer: Result<Answer, CameraError>) {
        let mailbox = self.talk().waiting.take_if(|mailbox| Some(mailbox.ticket) == ticket);
        let undelivered = match mailbox {
            Some(mailbox) => mailbox.answer.send(answer).err().map(|mpsc::SendError(answer)| answer),
            None => Some(answer),
        };
        // The wait was given up between the look and the delivery.
        if let Some(answer) = undelivered {
            self.drop_late(&answer);
        }
    }

    /// Hands a live frame to whoever looks.
    fn show(&self, raw: RawFrame) {
        match CapturedFrame::live(raw) {
            Ok(frame) => self.audience.show(frame),
            Err(wrong) => warn!(camera = self.camera, "a live frame was refused: {wrong}"),
        }
    }

    /// Drops what nobody waits for any more, and counts frames.
    fn drop_late(&self, answer: &Result<Answer, CameraError>) {
        if matches!(answer, Ok(Answer::Frame(_))) {
            self.tally.late.fetch_add(1, Ordering::Relaxed);
        }
        debug!(camera = self.camera, ?answer, "dropped: nobody waits for it any more");
    }

    /// For how long the thread that owns the camera has been stuck; none if it still beats. The driver cannot
    /// obey then: all that helps is its end.
    pub(super) fn stuck(&self) -> Option<Duration> {
        let silent_ns = now_ns().saturating_sub(self.last_beat_ns.load(Ordering::Relaxed));
        (silent_ns >= STUCK_AFTER_NS).then(|| Duration::from_nanos(silent_ns))
    }

    /// Why nothing came in `limit`.
    fn silence(&self, limit: Duration) -> String {
        let time = format!("no answer in {:.1} s", limit.as_secs_f64());
        match self.stuck() {
            None => time,
            Some(stuck) => {
                format!(
                    "{time}, and the driver's camera thread has been stuck for {:.1} s",
                    stuck.as_secs_f64()
                )
            }
        }
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> CameraError {
        CameraError::new(&self.camera, kind, message)
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
