//! The node: has cameras, and drives them for who has the key of the lead.

mod config;
mod driver;
mod report;
mod session;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt as _;
use scanner::camera_driver::protocol::ErrorKind;
use scanner::rig::camera::Spawner;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::broker::{self, NoBroker, Persistence};
use crate::keys::{self, KeyError};
use crate::names::{NODE, fresh, of_session};
use crate::simulated::Clock;
use crate::wire::{self, Announcement, Numbered, Offered, Open, Ping, Pong, Up, decode, encode};
use crate::{ANNOUNCED, names::NodeName};
pub use config::{NodeCamera, NodeConfig};

/// Messages of the lead that may wait for a session: two seconds of the busiest link.
const INBOX: usize = 256;

/// The node cannot run.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its configuration.
    #[error("{0}")]
    Config(String),
    /// Its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its broker.
    #[error(transparent)]
    Broker(#[from] NoBroker),
    /// The system.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was to be done.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// What all of a node's tasks share.
struct Shared {
    name: NodeName,
    instance: String,
    begun: Instant,
    clock: Clock,
    client: Client,
    spawner: Spawner,
    cameras: Vec<NodeCamera>,
    slots: Mutex<HashMap<String, Slot>>,
    /// For people.
    configuration: String,
    amiss: Mutex<Vec<String>>,
}

/// The use of one camera.
#[derive(Default)]
struct Slot {
    current: Option<Current>,
    /// Held by the session whose driver has the camera, until that has ended.
    camera: Arc<tokio::sync::Mutex<()>>,
}

struct Current {
    session: String,
    holder: String,
    /// Dropped, it ends the session.
    inbox: mpsc::Sender<Bytes>,
}

impl Shared {
    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn amiss(&self) -> MutexGuard<'_, Vec<String>> {
        self.amiss.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announcement(&self) -> Announcement {
        let slots = self.slots();
        let holder = |name: &str| Some(slots.get(name)?.current.as_ref()?.holder.clone());
        let cameras = self.cameras.iter().map(|camera| Offered {
            name: camera.name.clone(),
            driver: camera.driver.display().to_string(),
            holder: holder(&camera.name),
        });
        Announcement {
            node: self.name.to_string(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            version: wire::VERSION,
            instance: self.instance.clone(),
            up_s: self.begun.elapsed().as_secs(),
            cameras: cameras.collect(),
            amiss: self.amiss().clone(),
        }
    }

    async fn publish(&self, what: &str, message: &impl serde::Serialize) {
        match encode(message, None) {
            Ok(encoded) => drop(self.client.publish(self.name.up(what), encoded).await),
            Err(error) => warn!(%error, what, "a message cannot be written"),
        }
    }

    /// Says that there is no session, or none for this one.
    async fn refuse(&self, session: &str, error: ErrorKind, message: String) {
        let said = Up::Ended { error, message };
        self.publish(&of_session(session), &Numbered { number: 0, said }).await;
    }
}

/// Runs until it is told to end.
///
/// # Errors
/// It cannot begin. A broker that is not there is waited for.
pub async fn run(config: NodeConfig) -> Result<(), NodeError> {
    let system = |doing| move |source| NodeError::System { doing, source };
    let key = keys::load_or_make(&config.key)?;
    let broker = config.broker();
    info!(
        node = %config.name, key = key.public, broker = config.broker, encrypted = broker.is_encrypted(),
        "the lead accepts this node by `scanner fleet accept`"
    );
    let mut terminate = signal(SignalKind::terminate()).map_err(system("listen for signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("listen for signals"))?;
    let spawner = Spawner::new(&config.runtime_directory).map_err(system("make the runtime directory"))?;
    let (events, happened) = mpsc::unbounded_channel();
    let name = format!("{}{}", NODE, config.name);
    tokio::spawn(broker::tell(broker.clone(), key.seed.clone(), name.clone(), happened));
    let connect = || broker::connect(&broker, &key.seed, &name, Persistence::Reconnect, events.clone());
    // Questions for the time do not wait behind frames.
    let (client, times) = (connect().await?, connect().await?);
    let shared = Arc::new(Shared {
        configuration: format!("{config:#?}"),
        amiss: Mutex::default(),
        name: config.name,
        instance: fresh().map_err(system("choose a number"))?,
        begun: Instant::now(),
        clock: Clock::from_environment().map_err(NodeError::Config)?,
        client,
        spawner,
        cameras: config.cameras,
        slots: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(tell_time(Arc::clone(&shared), times));
    tasks.spawn(announce(Arc::clone(&shared)));
    tasks.spawn({
        let shared = Arc::clone(&shared);
        async move { tokio::join!(report::look_after(&shared), report::answer(&shared)).1 }
    });
    let mut sessions = JoinSet::new();
    tokio::select! {
        served = serve(&shared, &mut sessions) => served?,
        _ = terminate.recv() => info!("ending: SIGTERM"),
        _ = interrupt.recv() => info!("ending: SIGINT"),
    }
    shared.slots().values_mut().for_each(|slot| drop(slot.current.take()));
    while sessions.join_next().await.is_some() {}
    Ok(())
}

/// Takes what the lead says.
async fn serve(shared: &Arc<Shared>, sessions: &mut JoinSet<()>) -> Result<(), NodeError> {
    let gone =
        |error: &dyn std::fmt::Display| NodeError::Config(format!("cannot listen at the broker: {error}"));
    let mut opens = shared.client.subscribe(shared.name.down("open")).await.map_err(|error| gone(&error))?;
    let mut told = shared.client.subscribe(shared.name.down("s.*")).await.map_err(|error| gone(&error))?;
    loop {
        tokio::select! {
            biased;
            message = told.next() => {
                let Some(message) = message else { return Err(gone(&"the connection has ended")) };
                let session = message.subject.rsplit('.').next().unwrap_or_default().to_owned();
                pass(shared, &session, message.payload).await;
            }
            message = opens.next() => {
                let Some(message) = message else { return Err(gone(&"the connection has ended")) };
                match decode::<Open>(&message.payload) {
                    Ok((open, _)) => begin(shared, open, sessions).await,
                    Err(error) => warn!(%error, "a session cannot be opened"),
                }
            }
            Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
        }
    }
}

/// Passes a message on to its session.
async fn pass(shared: &Arc<Shared>, session: &str, payload: Bytes) {
    let known = {
        let mut slots = shared.slots();
        let slot = slots
            .values_mut()
            .find(|slot| slot.current.as_ref().is_some_and(|current| current.session == session));
        let known = slot.is_some();
        if let Some(slot) = slot
            && slot.current.as_ref().is_some_and(|current| current.inbox.try_send(payload).is_err())
        {
            // It has ended, or does not keep up: what it has not got is lost, which ends it.
            slot.current = None;
        }
        known
    };
    if !known {
        shared.refuse(session, ErrorKind::Gone, "the node knows no such session (any more)".into()).await;
    }
}

/// Begins a session, in the place of that of the same holder.
async fn begin(shared: &Arc<Shared>, open: Open, sessions: &mut JoinSet<()>) {
    if open.version != wire::VERSION {
        let (own, theirs) = (wire::VERSION, open.version);
        let message =
            format!("the node speaks version {own}, and this machine {theirs}: install the same on both");
        return shared.refuse(&open.session, ErrorKind::InvalidArgument, message).await;
    }
    let Some(camera) = shared.cameras.iter().find(|camera| camera.name == open.camera).cloned() else {
        let names: Vec<_> = shared.cameras.iter().map(|camera| camera.name.as_str()).collect();
        let message =
            format!("node {} has no camera {:?}: it has {}", shared.name, open.camera, names.join(", "));
        return shared.refuse(&open.session, ErrorKind::InvalidArgument, message).await;
    };
    let begun = {
        let mut slots = shared.slots();
        let slot = slots.entry(camera.name.clone()).or_default();
        match &slot.current {
            Some(current) if current.session == open.session => return,
            Some(current) if current.holder != open.holder => {
                Err(format!("camera {} of node {} is used by {}", camera.name, shared.name, current.holder))
            }
            Some(_) | None => {
                let (inbox, told) = mpsc::channel(INBOX);
                let (session, holder) = (open.session.clone(), open.holder.clone());
                slot.current = Some(Current { session, holder, inbox });
                Ok((told, Arc::clone(&slot.camera)))
            }
        }
    };
    match begun {
        Ok((told, free)) => {
            sessions.spawn(session::serve(Arc::clone(shared), camera, open, told, free));
        }
        Err(message) => shared.refuse(&open.session, ErrorKind::Busy, message).await,
    }
}

/// Answers whoever asks for the time.
async fn tell_time(shared: Arc<Shared>, client: Client) {
    let Ok(mut pings) = client.subscribe(shared.name.down("ping")).await else { return };
    while let Some(message) = pings.next().await {
        let came_ns = shared.clock.now_ns();
        let Ok((Ping { reply, sent_ns }, _)) = decode(&message.payload) else { continue };
        let instance = shared.instance.clone();
        let pong = Pong { sent_ns, came_ns, left_ns: shared.clock.now_ns(), instance };
        if let Ok(encoded) = encode(&pong, None) {
            drop(client.publish(shared.name.up(&reply), encoded).await);
        }
    }
}

/// Says what there is, all the time.
async fn announce(shared: Arc<Shared>) {
    let mut times = tokio::time::interval(ANNOUNCED);
    loop {
        times.tick().await;
        shared.publish("announce", &shared.announcement()).await;
    }
}
