//! What one driver says, sorted: answers to who waits for them, live frames to who looks, and complaints into the log.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{debug, warn};

use super::Connection;
use crate::camera_driver::link::LinkError;
use crate::camera_driver::protocol::{Condition, ErrorKind, FromDriver, Pace};
use crate::clock::now_ns;
use crate::rig::camera::audience::Audience;
use crate::rig::camera::error::CameraError;
use crate::rig::camera::frame::CapturedFrame;
use crate::rig::camera::mailbox::Ticket;
use crate::rig::camera::received::{ReceivedFrame, Release};
use crate::rig::camera::seldom::Seldom;
use crate::rig::camera::sorting::{Answer, Verdict, Want, name, verdict};

/// Packets that are no messages before the reader gives the driver up.
const MAX_GARBAGE: u32 = 100;
/// How long the process of a driver that hung up may take to end, before the error says that it lives.
const END_AFTER_HANGUP: Duration = Duration::from_millis(500);

/// Counted over all processes of a camera, and what they said last of how it is.
#[derive(Debug, Default)]
pub(in crate::rig::camera) struct Tally {
    pub(in crate::rig::camera) late: AtomicU64,
    pub(in crate::rig::camera) garbage: AtomicU64,
    condition: Mutex<Option<Condition>>,
}

impl Tally {
    /// How the camera is, as its driver said last.
    pub(in crate::rig::camera) fn condition(&self) -> Option<Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, condition: Option<Condition>) {
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner) = condition;
    }
}

/// Reads all that the driver at the other end of a connection says, on a thread of its own.
#[derive(Debug)]
pub(super) struct Reader {
    connection: Arc<Connection>,
    tally: Arc<Tally>,
    audience: Arc<Audience>,
    bad_live: Seldom,
    bad_packets: Seldom,
    bad_messages: Seldom,
    unasked: Seldom,
}

impl Reader {
    pub(super) fn new(connection: Arc<Connection>, tally: Arc<Tally>, audience: Arc<Audience>) -> Self {
        Self {
            connection,
            tally,
            audience,
            bad_live: Seldom::default(),
            bad_packets: Seldom::default(),
            bad_messages: Seldom::default(),
            unasked: Seldom::default(),
        }
    }

    /// Reads until the driver, or this end, ends the conversation.
    pub(super) fn read(&self) {
        let mut garbage = 0;
        let end = loop {
            match self.connection.link.recv::<FromDriver>() {
                Ok(Some((message, memory))) => self.sort(message, memory),
                Ok(None) | Err(LinkError::Closed) => break self.epitaph(),
                Err(error @ (LinkError::Malformed { .. } | LinkError::Truncated))
                    if garbage < MAX_GARBAGE =>
                {
                    garbage += 1;
                    self.tally.garbage.fetch_add(1, Ordering::Relaxed);
                    if let Some(more) = self.bad_packets.admit(now_ns()) {
                        warn!(camera = self.camera(), more, %error, "the driver sent something that is no message");
                    }
                    let ticket = self.connection.mailbox.wanted().map(|(ticket, _)| ticket);
                    self.deliver(ticket, Err(self.connection.error(ErrorKind::Protocol, error.to_string())));
                }
                Err(LinkError::Io(error)) => break CameraError::unread(self.camera(), &error),
                Err(error) => break self.connection.error(ErrorKind::Protocol, error.to_string()),
            }
        };
        self.connection.mailbox.end(end);
    }

    /// What became of a driver that hung up.
    fn epitaph(&self) -> CameraError {
        if let Some(error) = self.connection.ended() {
            return error;
        }
        let message = match self.connection.process.wait(END_AFTER_HANGUP) {
            Some(status) => format!("its driver ended by itself: {status}"),
            None => "its driver hung up, but has not ended".into(),
        };
        let error = self.connection.error(ErrorKind::Crashed, message);
        debug!(
            camera = self.camera(),
            kind = error.kind.name(),
            pid = self.connection.process.pid(),
            "{}",
            error.message
        );
        error
    }

    /// Hands `message` to who waits for it, or drops it.
    fn sort(&self, message: FromDriver, memory: Vec<OwnedFd>) {
        let received_ns = now_ns();
        let (ticket, want) = self.connection.mailbox.wanted().unzip();
        let verdict = verdict(&message, want);
        let said = name(&message);
        // Whatever becomes of a frame from here on, its memory is given back.
        let answer = match message {
            FromDriver::Beat { condition, pace, count: _ } => {
                if condition.is_some() {
                    self.tally.note(condition);
                }
                self.connection.signs().beat(received_ns);
                return self.look(pace, ticket, want);
            }
            FromDriver::Busy { until_ns } => {
                if !self.connection.signs().note_busy(received_ns, until_ns) {
                    self.misbehaved(said, received_ns, ticket);
                }
                return;
            }
            FromDriver::Hello(hello) => {
                // A battery may have been changed since the process before.
                self.tally.note(None);
                Ok(Answer::Hello(hello))
            }
            FromDriver::Configured { frame_duration_us, live, controls, field_of_view, bayer } => {
                let frame_duration = Duration::from_micros(frame_duration_us);
                Ok(Answer::Configured { frame_duration, live, controls, field_of_view, bayer })
            }
            FromDriver::Converged { controls } => Ok(Answer::Converged { controls }),
            FromDriver::Started { .. } => Ok(Answer::Started),
            FromDriver::Stopped { .. } => Ok(Answer::Stopped),
            FromDriver::Frame(frame) => {
                let metadata = frame.metadata;
                let release = Release::new(&self.connection.link, metadata.buffer);
                let raw = ReceivedFrame { metadata, memory, received_ns, release };
                if verdict == Verdict::Live {
                    return self.show(raw);
                }
                Ok(Answer::Frame(raw))
            }
            FromDriver::Error { kind, message, code, devices, request: _ } => {
                Err(CameraError { camera: self.camera().to_owned(), kind, message, code, devices })
            }
        };
        match verdict {
            Verdict::Answer => self.deliver(ticket, answer),
            Verdict::Late => self.drop_late(&answer),
            Verdict::Unasked => {
                if let Some(more) = self.unasked.admit(received_ns) {
                    warn!(camera = self.camera(), more, ?answer, "the driver reports an error by itself");
                }
            }
            Verdict::Beat | Verdict::Busy | Verdict::Live => {}
            Verdict::Unexpected => self.misbehaved(said, received_ns, ticket),
        }
    }

    /// Ends the wait for a frame of a stream that has fallen silent, as its `pace` says: what is waited for will not come.
    fn look(&self, pace: Option<Pace>, ticket: Option<Ticket>, want: Option<Want>) {
        if let (Some(Want::Frame { .. }), Some(pace)) = (want, pace)
            && let Some(stalled) = self.connection.stalled(&pace)
        {
            self.deliver(ticket, Err(stalled));
        }
    }

    /// The driver `said` what it may not: an answer to whoever waits.
    fn misbehaved(&self, said: &str, received_ns: u64, ticket: Option<Ticket>) {
        let error = self
            .connection
            .error(ErrorKind::Protocol, format!("its driver said {said}, which it may not now"));
        if let Some(more) = self.bad_messages.admit(received_ns) {
            warn!(camera = self.camera(), more, kind = error.kind.name(), "{}", error.message);
        }
        self.deliver(ticket, Err(error));
    }

    /// Ends the wait with this ticket, if there is one, with `answer`.
    fn deliver(&self, ticket: Option<Ticket>, answer: Result<Answer, CameraError>) {
        // The wait was given up between the look and the delivery.
        if let Some(answer) = self.connection.mailbox.deliver(ticket, answer) {
            self.drop_late(&answer);
        }
    }

    /// Hands a live frame to whoever looks.
    fn show(&self, raw: ReceivedFrame) {
        match CapturedFrame::live(raw, self.connection.frame_ns.load(Ordering::Relaxed)) {
            Ok(frame) => self.audience.show(frame),
            Err(wrong) => {
                if let Some(more) = self.bad_live.admit(now_ns()) {
                    warn!(camera = self.camera(), more, "a live frame was refused: {wrong}");
                }
            }
        }
    }

    /// Drops what nobody waits for any more, and counts frames.
    fn drop_late(&self, answer: &Result<Answer, CameraError>) {
        if matches!(answer, Ok(Answer::Frame(_))) {
            self.tally.late.fetch_add(1, Ordering::Relaxed);
        }
        debug!(camera = self.camera(), ?answer, "dropped: nobody waits for it any more");
    }

    fn camera(&self) -> &str {
        &self.connection.camera
    }
}
