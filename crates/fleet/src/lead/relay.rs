//! The relay, from the first message to the last.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt as _;
use scanner::camera_driver::host::DriverArgs;
use scanner::camera_driver::link::Link;
use scanner::camera_driver::protocol::{ErrorKind, FromDriver, Hello, Stream, ToDriver};
use scanner::clock::now_ns;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tracing::{info, warn};

use super::frames::{Frames, Ready, descriptors, fault, unsure};
use super::opening::{self, Opened};
use super::pinger::{self, Known};
use super::{Options, Over};
use crate::broker::is_lost;
use crate::names::of_session;
use crate::translate::{self, Promise};
use crate::wire::{Down, Numbered, Up, decode, encode};
use crate::{ALIVE, LEASE};

/// How often what waits for a surer clock is looked at.
const ROUND: Duration = Duration::from_millis(100);
/// A capture waits for so long for the clock to be sure enough.
const CLOCK_PATIENCE: Duration = Duration::from_secs(1);
/// How long the last words may take: less than a driver has to end.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// The first version of the protocol with `busy`.
const WITH_BUSY: u32 = 2;

/// Opens a session, and relays until it is over.
pub(super) async fn relay(link: &Arc<Link>, args: &DriverArgs, mut told: mpsc::Receiver<ToDriver>) -> Over {
    let opened = tokio::select! {
        opened = opening::open(args) => opened,
        // The daemon says nothing before `hello`, unless it has had enough.
        _ = told.recv() => return Over::Quit,
    };
    let Opened { camera, session, options, broker: _, client, times, mut said, mut events } = match opened {
        Ok(opened) => opened,
        Err(over) => return over,
    };
    info!("session {session} with node {}", camera.node);
    let known = Known::default();
    let (answered, mut answers) = mpsc::channel(1);
    let asking = pinger::ask(times, camera.node.clone(), session.clone(), known.clone(), answered);
    let mut asking = tokio::spawn(asking);
    let mut relay = Relay {
        link: Arc::clone(link),
        camera: args.camera.clone(),
        subject: camera.node.down(&of_session(&session)),
        client,
        frames: Frames::new(known.clone(), options.clock_limit_ns()),
        known,
        options,
        number: 0,
        expected: 2,
        waiting: Vec::new(),
        may_be_busy: false,
    };
    let (mut alive, mut rounds) = (interval(ALIVE), interval(ROUND));
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut heard, mut pinged) = (Instant::now(), Instant::now());
    let over = loop {
        let done = tokio::select! {
            biased;
            message = told.recv() => relay.down(message.unwrap_or(ToDriver::Quit)).await,
            message = said.next() => {
                heard = Instant::now();
                match message {
                    Some(message) => relay.up(&message.payload).await,
                    None => Err(Over::gone("the connection to the broker has ended")),
                }
            }
            Some(()) = answers.recv() => {
                pinged = Instant::now();
                Ok(())
            }
            why = &mut asking => Err(Over::gone(why.unwrap_or_else(|error| error.to_string()))),
            Some(event) = events.recv() => if is_lost(&event) {
                Err(Over::gone(format!("the connection to the broker is lost: {event}")))
            } else {
                info!("broker: {event}");
                Ok(())
            },
            _ = alive.tick() => relay.send(Down::Alive).await,
            _ = rounds.tick(), if !relay.waiting.is_empty() => relay.try_again().await,
            () = sleep_until(heard.min(pinged) + LEASE) => {
                Err(Over::gone(format!("nothing was heard of node {} for {LEASE:?}", camera.node)))
            }
        };
        if let Err(over) = done {
            break over;
        }
    };
    asking.abort();
    let last_words = async {
        let _closed = relay.send(Down::Close).await;
        let _flushed = relay.client.flush().await;
    };
    let _in_time = timeout(LAST_WORDS, last_words).await;
    over
}

struct Relay {
    link: Arc<Link>,
    camera: String,
    options: Options,
    client: Client,
    subject: String,
    known: Known,
    frames: Frames,
    /// That of the last message to the node.
    number: u64,
    /// That of the node's next message.
    expected: u64,
    /// Captures that wait for the clock to be surer.
    waiting: Vec<Waiting>,
    /// Whether the daemon takes `busy`.
    may_be_busy: bool,
}

struct Waiting {
    until: Instant,
    epoch: u64,
    request: u64,
    shot: u32,
    not_before_ns: u64,
}

impl Relay {
    /// What the daemon says.
    async fn down(&mut self, message: ToDriver) -> Result<(), Over> {
        match message {
            ToDriver::Quit => Err(Over::Quit),
            // The node has done so already.
            ToDriver::Release { .. } => Ok(()),
            ToDriver::Capture { epoch, request, shot, not_before_ns } => {
                let until = Instant::now() + CLOCK_PATIENCE;
                self.waiting.push(Waiting { until, epoch, request, shot, not_before_ns });
                self.try_again().await
            }
            message @ (ToDriver::Stop | ToDriver::Start { .. }) => {
                // Nobody waits for these any longer.
                self.waiting.clear();
                self.send(Down::Tell { message }).await
            }
            message @ (ToDriver::Configure(_)
            | ToDriver::Set { .. }
            | ToDriver::Converge { .. }
            | ToDriver::Live { .. }) => self.send(Down::Tell { message }).await,
        }
    }

    /// Asks the driver for what waits, if the clock is sure enough; refuses what has waited for long.
    async fn try_again(&mut self) -> Result<(), Over> {
        let limit = self.options.clock_limit_ns();
        for waiting in std::mem::take(&mut self.waiting) {
            let Waiting { until, epoch, request, shot, not_before_ns } = waiting;
            let offset = self.known.at(now_ns());
            match offset {
                Some(offset) if offset.uncertainty_ns <= limit => {
                    let uncertainty_ns = offset.uncertainty_ns;
                    self.frames.promise(request, Promise { not_before_ns, uncertainty_ns });
                    let not_before_ns = translate::not_before(not_before_ns, offset);
                    let message = ToDriver::Capture { epoch, request, shot, not_before_ns };
                    self.send(Down::Tell { message }).await?;
                }
                Some(_) | None if Instant::now() < until => self.waiting.push(waiting),
                offset => {
                    let message = unsure(offset.map(|offset| offset.uncertainty_ns), limit);
                    self.say(&fault(ErrorKind::Cancelled, message, Some(request)))?;
                }
            }
        }
        Ok(())
    }

    /// What the node says.
    async fn up(&mut self, message: &Bytes) -> Result<(), Over> {
        let decoded = decode::<Numbered<Up>>(message);
        let (Numbered { number, said }, bytes) =
            decoded.map_err(|error| Over::Failed(ErrorKind::Protocol, error.to_string()))?;
        if let Up::Ended { error, message } = said {
            return Err(Over::Failed(error, message));
        }
        if number != self.expected {
            let expected = self.expected;
            return Err(Over::gone(format!(
                "messages of the node were lost on the way: {number} came instead of {expected}"
            )));
        }
        self.expected += 1;
        match said {
            Up::Said { message } => self.said(message),
            Up::Frame(begins) => {
                let is_still = begins.frame.metadata.stream == Stream::Still;
                let ready = self.frames.begins(begins);
                if is_still {
                    self.be_busy()?;
                }
                self.hand_over(ready)
            }
            Up::Part { buffer, offset } => {
                self.send(Down::Taken { bytes: bytes.len() as u64 }).await?;
                let ready = self.frames.part(buffer, offset, &bytes);
                self.hand_over(ready)
            }
            Up::Alive => Ok(()),
            Up::Opened { .. } | Up::Ended { .. } => {
                Err(Over::Failed(ErrorKind::Protocol, "the node opened a session twice".into()))
            }
        }
    }

    /// What the driver says.
    fn said(&mut self, message: FromDriver) -> Result<(), Over> {
        match message {
            FromDriver::Hello(hello) => {
                self.may_be_busy = hello.protocol >= WITH_BUSY;
                let longest_call_ms = if self.may_be_busy {
                    hello.longest_call_ms.max(self.options.transfer_limit_ms())
                } else {
                    hello.longest_call_ms
                };
                // Device nodes of another machine are none of this one.
                let (camera, devices) = (self.camera.clone(), Vec::new());
                self.say(&FromDriver::Hello(Hello { camera, devices, longest_call_ms, ..hello }))
            }
            FromDriver::Error { kind, message, request, code, devices: _ } => {
                self.say(&FromDriver::Error { kind, message, request, code, devices: Vec::new() })
            }
            FromDriver::Busy { until_ns } => {
                let offset = self.known.at(now_ns());
                let until_ns = offset.map_or_else(now_ns, |offset| offset.to_here(until_ns));
                self.say(&FromDriver::Busy { until_ns })
            }
            beat @ FromDriver::Beat { .. } => {
                self.say(&beat)?;
                if self.frames.still_is_coming() { self.be_busy() } else { Ok(()) }
            }
            FromDriver::Frame(_) => {
                Err(Over::Failed(ErrorKind::Protocol, "the node sent a frame without its bytes".into()))
            }
            message @ (FromDriver::Configured { .. }
            | FromDriver::Converged { .. }
            | FromDriver::Started { .. }
            | FromDriver::Stopped { .. }) => self.say(&message),
        }
    }

    /// The time in which a still is on its way does not count against the camera.
    fn be_busy(&self) -> Result<(), Over> {
        if !self.may_be_busy {
            return Ok(());
        }
        let limit_ns = self.options.transfer_limit_ms().saturating_mul(1_000_000);
        self.say(&FromDriver::Busy { until_ns: now_ns().saturating_add(limit_ns) })
    }

    fn hand_over(&self, ready: Ready) -> Result<(), Over> {
        match ready {
            Ready::Nothing => Ok(()),
            Ready::Error(error) => self.say(&error),
            Ready::Frame(frame, memory) if frame.metadata.stream == Stream::Live => {
                // A daemon that does not keep up does without.
                self.link.send_or_drop(&FromDriver::Frame(frame), &descriptors(&memory))?;
                Ok(())
            }
            Ready::Frame(frame, memory) => {
                Ok(self.link.send(&FromDriver::Frame(frame), &descriptors(&memory))?)
            }
        }
    }

    fn say(&self, message: &FromDriver) -> Result<(), Over> {
        Ok(self.link.send(message, &[])?)
    }

    /// Sends the next message to the node.
    async fn send(&mut self, said: Down) -> Result<(), Over> {
        self.number += 1;
        let message = encode(&Numbered { number: self.number, said }, None)
            .map_err(|error| Over::Failed(ErrorKind::Protocol, error.to_string()))?;
        match timeout(LEASE, self.client.publish(self.subject.clone(), message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Over::gone(format!("the broker takes no message: {error}"))),
            Err(_) => {
                warn!("the broker has taken nothing for {LEASE:?}");
                Err(Over::gone("the broker takes no message"))
            }
        }
    }
}
