//! How a session begins: the broker is found, and the node answers.

use std::time::Duration;

use async_nats::{Client, Event, Subscriber};
use futures_util::StreamExt as _;
use scanner::camera_driver::host::{DriverArgs, parse_options};
use scanner::camera_driver::protocol::ErrorKind;
use scanner::procfs::Identity;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Options, Over};
use crate::broker::{self, Broker, Persistence};
use crate::keys;
use crate::names::{RemoteCamera, fresh, of_session};
use crate::wire::{self, Numbered, Open, Up, decode, encode};

/// For so long, broker and node are waited for: less than the daemon waits for a driver. The session of another daemon, which
/// may just have died, is over by then.
const PATIENCE: Duration = Duration::from_secs(8);
/// From try to try.
const PAUSE: Duration = Duration::from_millis(300);

/// A session that has begun.
pub(super) struct Opened {
    pub(super) camera: RemoteCamera,
    pub(super) session: String,
    pub(super) options: Options,
    pub(super) broker: Broker,
    pub(super) client: Client,
    /// A connection of its own for questions that must not wait.
    pub(super) times: Client,
    pub(super) said: Subscriber,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
}

/// Opens a session with the node of the camera that `args` name.
pub(super) async fn open(args: &DriverArgs) -> Result<Opened, Over> {
    let invalid = |message: String| Over::Failed(ErrorKind::InvalidArgument, message);
    let camera: RemoteCamera = args.camera.parse().map_err(invalid)?;
    let options: Options = parse_options(&args.options).map_err(|error| invalid(error.message))?;
    let key =
        keys::load(&options.key).map_err(|error| invalid(format!("{error} (see `scanner fleet init`)")))?;
    let broker = Broker::beside(&options.key, options.broker.as_deref());
    let broker = broker.map_err(|error| invalid(error.to_string()))?;
    let session = fresh().map_err(|error| Over::Failed(ErrorKind::NoMemory, error.to_string()))?;
    let deadline = Instant::now() + PATIENCE;
    let (told, events) = mpsc::unbounded_channel();
    let name = format!("scanner-remote {}", args.camera);
    let client = loop {
        let connected = broker::connect(&broker, &key.seed, &name, Persistence::Once, told.clone()).await;
        match connected {
            Ok(client) => break client,
            Err(error) if Instant::now() + PAUSE > deadline => return Err(Over::gone(error.to_string())),
            Err(_) => sleep(PAUSE).await,
        }
    };
    let times = broker::connect(&broker, &key.seed, &name, Persistence::Once, told).await;
    let times = times.map_err(|error| Over::gone(error.to_string()))?;
    let deaf = |error: &dyn std::fmt::Display| Over::gone(format!("cannot listen at the broker: {error}"));
    let said = client.subscribe(camera.node.up(&of_session(&session))).await.map_err(|error| deaf(&error))?;
    let mut opened = Opened { camera, session, options, broker, client, times, said, events };
    opened.ask(args, deadline).await?;
    Ok(opened)
}

impl Opened {
    /// Asks the node until it answers.
    async fn ask(&mut self, args: &DriverArgs, deadline: Instant) -> Result<(), Over> {
        let open = Open {
            version: wire::VERSION,
            session: self.session.clone(),
            camera: self.camera.camera.clone(),
            holder: holder(),
            reset: args.reset.clone(),
            simulated: self.options.for_simulated(),
        };
        let open = encode(&open, None).map_err(|error| Over::gone(error.to_string()))?;
        let node = self.camera.node.clone();
        let mut silence = (
            ErrorKind::Gone,
            format!(
                "node {node} does not answer at {}: `scanner fleet list` shows which do",
                self.broker.address()
            ),
        );
        loop {
            let sent = timeout_at(deadline, self.client.publish(node.down("open"), open.clone())).await;
            if !matches!(sent, Ok(Ok(()))) || Instant::now() >= deadline {
                return Err(Over::Failed(silence.0, silence.1));
            }
            let Ok(answer) = timeout(PAUSE, self.said.next()).await else { continue };
            let Some(answer) = answer else {
                return Err(Over::gone("the connection to the broker has ended"));
            };
            let answer = decode::<Numbered<Up>>(&answer.payload);
            let (answer, _) = answer.map_err(|error| Over::Failed(ErrorKind::Protocol, error.to_string()))?;
            match answer.said {
                Up::Opened { .. } => return Ok(()),
                Up::Ended { error: ErrorKind::Busy, message } => {
                    silence = (ErrorKind::Busy, message);
                    sleep(PAUSE).await;
                }
                Up::Ended { error, message } => return Err(Over::Failed(error, message)),
                Up::Said { .. } | Up::Frame(_) | Up::Part { .. } | Up::Alive => {
                    return Err(Over::Failed(ErrorKind::Protocol, "the node began in the middle".into()));
                }
            }
        }
    }
}

/// The daemon that wants the camera: it may replace its own sessions.
fn holder() -> String {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let daemon = std::os::unix::process::parent_id();
    // With its beginning: numbers of processes come again.
    let since = i32::try_from(daemon).ok().and_then(|pid| Identity::of(pid).ok().flatten());
    let since = since.map_or(0, |identity| identity.start_ticks);
    format!("{machine}, process {daemon} of tick {since}")
}
