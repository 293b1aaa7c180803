//! Frames that come from the node, as the daemon gets them.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use scanner::camera_driver::protocol::{ErrorKind, ExposedAt, Frame, FromDriver, Stream};
use scanner::clock::now_ns;

use super::pinger::Known;
use crate::parts::{Came, Incoming};
use crate::translate::{self, Promise};
use crate::wire::FrameBegins;

/// Captures that may be open: a scan has one.
const PROMISES: usize = 64;

/// Frames on their way, and what they are to answer.
pub(super) struct Frames {
    known: Known,
    limit_ns: u64,
    coming: Coming,
    promises: BTreeMap<u64, Promise>,
    /// When the last still was exposed, by the node's clock and by this one.
    still: Option<(ExposedAt, ExposedAt)>,
    last_buffer: u64,
}

/// The one frame that is coming.
enum Coming {
    Nothing,
    Frame(Box<Incoming>),
    /// What is left of one is of no use.
    Rest,
}

/// What is to be said to the daemon.
pub(super) enum Ready {
    /// A frame in its memory.
    Frame(Frame, Vec<OwnedFd>),
    /// An error.
    Error(FromDriver),
    /// Nothing.
    Nothing,
}

impl Frames {
    /// None is coming.
    pub(super) fn new(known: Known, limit_ns: u64) -> Self {
        let (coming, promises) = (Coming::Nothing, BTreeMap::new());
        Self { known, limit_ns, coming, promises, still: None, last_buffer: 0 }
    }

    /// The driver is asked for the frame of this capture.
    pub(super) fn promise(&mut self, request: u64, promise: Promise) {
        self.promises.insert(request, promise);
        while self.promises.len() > PROMISES {
            self.promises.pop_first();
        }
    }

    /// Whether a still is coming, which takes its time.
    pub(super) fn still_is_coming(&self) -> bool {
        match &self.coming {
            Coming::Frame(incoming) => incoming.frame().metadata.stream == Stream::Still,
            Coming::Nothing | Coming::Rest => false,
        }
    }

    /// A frame begins.
    pub(super) fn begins(&mut self, begins: FrameBegins) -> Ready {
        let (stream, request) = (begins.frame.metadata.stream, begins.frame.request);
        match Incoming::new(begins) {
            Ok(incoming) => {
                self.coming = Coming::Frame(Box::new(incoming));
                Ready::Nothing
            }
            Err(message) => {
                self.coming = Coming::Rest;
                failed(stream, request, ErrorKind::NoMemory, message)
            }
        }
    }

    /// A part of it comes.
    pub(super) fn part(&mut self, buffer: u64, offset: u64, bytes: &[u8]) -> Ready {
        match std::mem::replace(&mut self.coming, Coming::Rest) {
            Coming::Nothing | Coming::Rest => Ready::Nothing,
            Coming::Frame(incoming) => {
                let (stream, request) = (incoming.frame().metadata.stream, incoming.frame().request);
                match incoming.take(buffer, offset, bytes) {
                    Ok(Came::More(more)) => {
                        self.coming = Coming::Frame(Box::new(more));
                        Ready::Nothing
                    }
                    Ok(Came::Whole(frame, memory)) => {
                        self.coming = Coming::Nothing;
                        self.whole(frame, memory)
                    }
                    Err(message) => {
                        let message = format!("a frame did not arrive as it was sent: {message}");
                        failed(stream, request, ErrorKind::BadFrame, message)
                    }
                }
            }
        }
    }

    /// A whole frame, by this machine's clock.
    fn whole(&mut self, mut frame: Frame, memory: Vec<OwnedFd>) -> Ready {
        let promise = frame.request.and_then(|request| self.promises.remove(&request));
        let (stream, now) = (frame.metadata.stream, now_ns());
        // As the clocks stood when it was taken.
        let offset = self
            .known
            .at(now)
            .and_then(|offset| self.known.at(offset.to_here(frame.metadata.exposed.at_ns())));
        match offset {
            Some(offset) if stream == Stream::Live || offset.uncertainty_ns <= self.limit_ns => {
                self.last_buffer += 1;
                let said = frame.metadata.exposed;
                frame.metadata = translate::arrived(frame.metadata, offset, promise, now);
                match (stream, self.still) {
                    (Stream::Still, _) => self.still = Some((said, frame.metadata.exposed)),
                    // By its time it is known whose live frame it is, whatever was learned of the clock in between.
                    (Stream::Live, Some((of_still, here))) if of_still == said => {
                        frame.metadata.exposed = here;
                    }
                    (Stream::Live, _) => {}
                }
                frame.metadata.buffer = self.last_buffer;
                Ready::Frame(frame, memory)
            }
            offset => failed(
                stream,
                frame.request,
                ErrorKind::BadFrame,
                unsure(offset.map(|offset| offset.uncertainty_ns), self.limit_ns),
            ),
        }
    }
}

/// Why nothing is taken with a clock that is so unsure.
pub(super) fn unsure(uncertainty_ns: Option<u64>, limit_ns: u64) -> String {
    let ms = |ns: u64| ns as f64 / 1e6;
    let limit = ms(limit_ns);
    match uncertainty_ns {
        Some(uncertainty) => format!(
            "the node's clock is known to {:.2} ms only, and clock_limit is {limit:.2} ms: use a cable, or allow more in the \
             camera's options",
            ms(uncertainty)
        ),
        None => format!("nothing is known of the node's clock, and clock_limit is {limit:.2} ms"),
    }
}

/// What is said of a frame that is none: of a live one, nothing.
fn failed(stream: Stream, request: Option<u64>, kind: ErrorKind, message: String) -> Ready {
    match stream {
        Stream::Live => Ready::Nothing,
        Stream::Still => Ready::Error(fault(kind, message, request)),
    }
}

/// An error that is reported in the driver's place.
pub(super) fn fault(kind: ErrorKind, message: String, request: Option<u64>) -> FromDriver {
    FromDriver::Error { kind, message, request, code: None, devices: Vec::new() }
}

/// The descriptors of `memory`.
pub(super) fn descriptors(memory: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    memory.iter().map(AsFd::as_fd).collect()
}

#[cfg(test)]
mod tests {
    use scanner::camera_driver::protocol::FrameMetadata;

    use super::*;
    use crate::clock::Exchange;
    use crate::translate::tests::said;

    const MS: u64 = 1_000_000;

    /// A still is moved within what is not known of the clock, and more is known of it by the time of its live frame.
    #[test]
    fn a_still_and_its_live_frame_are_of_one_time() {
        let (known, now) = (Known::default(), now_ns());
        let exchange = |way: u64| Exchange { sent_ns: now - way, came_ns: now, left_ns: now, back_ns: now };
        known.note(exchange(20 * MS)).unwrap();
        let mut frames = Frames::new(known.clone(), 100 * MS);
        let at_ns = now - 100 * MS;
        // It is exposed for 4 ms.
        frames.promise(1, Promise { not_before_ns: at_ns, uncertainty_ns: 10 * MS });
        let mut arrived = |stream, request| {
            let metadata = FrameMetadata { stream, ..said(at_ns) };
            match frames.whole(Frame { epoch: 1, request, metadata }, Vec::new()) {
                Ready::Frame(frame, _) => frame.metadata.exposed.at_ns(),
                Ready::Error(_) | Ready::Nothing => panic!("it is not there"),
            }
        };
        let still = arrived(Stream::Still, Some(1));
        assert_eq!(still, at_ns + 4 * MS, "it is not early");
        known.note(exchange(2 * MS)).unwrap();
        assert_eq!(arrived(Stream::Live, None), still);
    }
}
