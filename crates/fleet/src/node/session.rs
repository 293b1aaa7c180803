//! One session: a driver, for as long as the lead wants it and is heard of.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use scanner::camera_driver::protocol::{ErrorKind, ToDriver};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tracing::{info, warn};

use super::Shared;
use super::config::NodeCamera;
use super::driver::{Driver, Said};
use crate::names::of_session;
use crate::parts::Outgoing;
use crate::translate;
use crate::wire::{Down, Numbered, Open, Up, decode, encode};
use crate::{ALIVE, LEASE};

/// Most bytes of a frame in one message. The broker takes 1 MiB, unless it is configured to take less.
const PART: usize = 64 * 1024;
/// What a message has beside bytes of a frame.
const AROUND: usize = 1024;
/// So many bytes may be on their way: what else there is to say waits behind them.
const ON_THE_WAY: u64 = 512 * 1024;

/// Why a session is over.
enum Over {
    /// The lead has closed it, or opened another one.
    Closed,
    /// Something is wrong.
    Failed(ErrorKind, String),
}

/// Serves the session that `open` asks for, once the one before has let the camera go.
pub(super) async fn serve(
    shared: Arc<Shared>,
    camera: NodeCamera,
    open: Open,
    inbox: mpsc::Receiver<Bytes>,
    free: Arc<tokio::sync::Mutex<()>>,
) {
    let camera_free = free.lock().await;
    let session = open.session.clone();
    info!(camera = camera.name, session, holder = open.holder, "session opened");
    let mut voice = Voice { subject: shared.name.up(&of_session(&session)), shared: &shared, number: 0 };
    let over = match drive(&shared, &camera, &open, inbox, &mut voice).await {
        Ok(never) => match never {},
        Err(over) => over,
    };
    {
        let mut slots = shared.slots();
        if let Some(slot) = slots.get_mut(&camera.name)
            && slot.current.as_ref().is_some_and(|current| current.session == session)
        {
            slot.current = None;
        }
    }
    drop(camera_free);
    match over {
        Over::Closed => info!(camera = camera.name, session, "session closed"),
        Over::Failed(error, message) => {
            warn!(camera = camera.name, session, kind = error.name(), "session ended: {message}");
            let _said = voice.say(Up::Ended { error, message }, None).await;
        }
    }
}

async fn drive(
    shared: &Shared,
    camera: &NodeCamera,
    open: &Open,
    inbox: mpsc::Receiver<Bytes>,
    voice: &mut Voice<'_>,
) -> Result<Infallible, Over> {
    voice.say(Up::Opened { instance: shared.instance.clone() }, None).await?;
    let mut options = camera.options.clone();
    if camera.is_simulated() {
        for (key, value) in &open.simulated {
            options.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    let mut driver = Driver::start(&shared.spawner, camera, &options, open.reset.as_deref())
        .await
        .map_err(|message| Over::Failed(ErrorKind::InvalidArgument, message))?;
    let mut traffic = Traffic { inbox, expected: 1, queue: VecDeque::new(), unsent: 0, on_the_way: 0 };
    let over = relay(shared, &mut driver, &mut traffic, voice).await;
    let status = driver.end().await;
    info!(camera = camera.name, "driver ended: {status}");
    Err(match over {
        Some(over) => over,
        None => Over::Failed(ErrorKind::Crashed, format!("its driver at the node ended by itself: {status}")),
    })
}

/// What is on its way.
struct Traffic {
    inbox: mpsc::Receiver<Bytes>,
    /// The number of the lead's next message.
    expected: u64,
    /// Frames that are not at the lead yet, the first of which is being sent.
    queue: VecDeque<Box<Outgoing>>,
    /// Of the frames in the queue, those that have not been begun are at its end: so many.
    unsent: usize,
    /// Bytes that were sent and not taken.
    on_the_way: u64,
}

/// Relays until the session is over; none if the driver has hung up.
async fn relay(
    shared: &Shared,
    driver: &mut Driver,
    traffic: &mut Traffic,
    voice: &mut Voice<'_>,
) -> Option<Over> {
    let mut alive = interval(ALIVE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let most = shared.client.server_info().max_payload.saturating_sub(AROUND).min(PART);
    loop {
        let may_send = !traffic.queue.is_empty() && traffic.on_the_way < ON_THE_WAY;
        let done = tokio::select! {
            biased;
            message = traffic.inbox.recv() => {
                heard = Instant::now();
                match message {
                    None => Err(Over::Closed),
                    Some(message) => obey(shared, driver, traffic, &message),
                }
            }
            _ = alive.tick() => voice.say(Up::Alive, None).await,
            () = sleep_until(heard + LEASE) => {
                let message = format!("nothing was heard of the lead for {LEASE:?}");
                Err(Over::Failed(ErrorKind::Gone, message))
            }
            said = driver.next() => match said {
                None => return None,
                Some(Said::Message(message)) => {
                    let message = translate::from_driver(*message, |real| shared.clock.shown(real));
                    voice.say(Up::Said { message }, None).await
                }
                Some(Said::Frame(frame)) => {
                    traffic.queue.push_back(frame);
                    traffic.unsent += 1;
                    Ok(())
                }
            },
            () = std::future::ready(()), if may_send => send(shared, driver, traffic, voice, most).await,
        };
        if let Err(over) = done {
            return Some(over);
        }
    }
}

/// Does what the lead says.
fn obey(shared: &Shared, driver: &Driver, traffic: &mut Traffic, message: &Bytes) -> Result<(), Over> {
    let protocol = |message: String| Over::Failed(ErrorKind::Protocol, message);
    let (Numbered { number, said }, _) =
        decode::<Numbered<Down>>(message).map_err(|error| protocol(error.to_string()))?;
    if number != traffic.expected {
        let expected = traffic.expected;
        return Err(protocol(format!(
            "messages of the lead were lost on the way: {number} came instead of {expected}"
        )));
    }
    traffic.expected += 1;
    match said {
        Down::Tell { message: ToDriver::Quit } | Down::Close => Err(Over::Closed),
        Down::Tell { message } => {
            let message = translate::to_driver(message, |shown| shared.clock.real(shown));
            driver.tell(&message).map_err(|message| Over::Failed(ErrorKind::Timeout, message))
        }
        Down::Taken { bytes } => {
            traffic.on_the_way = traffic.on_the_way.saturating_sub(bytes);
            Ok(())
        }
        Down::Alive => Ok(()),
    }
}

/// Sends the next part of the frame that is being sent.
async fn send(
    shared: &Shared,
    driver: &Driver,
    traffic: &mut Traffic,
    voice: &mut Voice<'_>,
    most: usize,
) -> Result<(), Over> {
    let is_new = traffic.unsent == traffic.queue.len();
    let Some(frame) = traffic.queue.front_mut() else { return Ok(()) };
    if is_new {
        traffic.unsent -= 1;
        let mut begins = frame.begins.clone();
        begins.frame.metadata = translate::metadata(begins.frame.metadata, |real| shared.clock.shown(real));
        voice.say(Up::Frame(begins), None).await?;
    }
    if let Some((offset, bytes)) = frame.next(most) {
        let buffer = frame.begins.frame.metadata.buffer;
        traffic.on_the_way += bytes.len() as u64;
        return voice.say(Up::Part { buffer, offset }, Some(&bytes)).await;
    }
    traffic.queue.pop_front();
    driver.frame_has_gone();
    Ok(())
}

/// What a session says.
struct Voice<'a> {
    shared: &'a Shared,
    subject: String,
    number: u64,
}

impl Voice<'_> {
    async fn say(&mut self, said: Up, bytes: Option<&[u8]>) -> Result<(), Over> {
        self.number += 1;
        let message = encode(&Numbered { number: self.number, said }, bytes)
            .map_err(|error| Over::Failed(ErrorKind::Protocol, error.to_string()))?;
        // Messages wait for a broker that is gone, and no longer than the session has left.
        match timeout(LEASE, self.shared.client.publish(self.subject.clone(), message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                Err(Over::Failed(ErrorKind::Gone, format!("the broker takes no message: {error}")))
            }
            Err(_) => Err(Over::Failed(ErrorKind::Gone, "the broker takes no message".into())),
        }
    }
}
