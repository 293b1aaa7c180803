//! The connection to the broker, and when something is said there.

use std::path::Path;
use std::time::Duration;

use rumqttc::{AsyncClient, Broker, Event, EventLoop, LastWill, MqttOptions, Packet, QoS};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::{State, discovery};
use crate::clock::now_ns;
use crate::config::Mqtt;
use crate::daemon::{Service, facts};
use crate::event::Told;
use crate::regular_file::read_secret;
use crate::systemd::StatusLine;
use crate::trust::{SYSTEM_CERTIFICATES, Trust};

/// How often it is looked for what no event tells, such as a fault of the axes.
const LOOK: Duration = Duration::from_secs(5);
/// No more often than this is the state published.
const LEAST: Duration = Duration::from_secs(1);
/// Pauses before a broker is tried again, which double.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// In seconds; the broker counts us as gone after one and a half of these.
const KEEP_ALIVE: u16 = 30;
/// What may wait for the connection: more than is ever said at once.
const QUEUE: usize = 16;

/// Publishes how `service` stands until the task is dropped; at once done where no broker is configured.
pub async fn publish(service: Service) {
    let Some(mqtt) = service.station().config().mqtt.clone() else { return };
    let mut publisher = Publisher { service, mqtt, line: StatusLine::default() };
    let (mut pause, mut told) = (FIRST_PAUSE, String::new());
    let mut events = publisher.service.events();
    loop {
        let reached = Instant::now();
        let reason = publisher.session(&mut events).await;
        if reason != told {
            warn!("nothing is published at {}: {reason}; it is tried again and again", publisher.mqtt.broker);
            told = reason;
        }
        if reached.elapsed() > LONGEST_PAUSE {
            (pause, told) = (FIRST_PAUSE, String::new());
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

struct Publisher {
    service: Service,
    mqtt: Mqtt,
    line: StatusLine,
}

impl Publisher {
    /// One connection, until it breaks; why it did.
    async fn session(&mut self, events: &mut Receiver<Told>) -> String {
        let (client, mut connection) = match self.connect() {
            Ok(connection) => connection,
            Err(reason) => return reason,
        };
        // Whoever stops waiting for it in the middle would begin to connect anew.
        loop {
            match connection.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => break,
                Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
                Err(error) => return self.explain(&error.to_string()),
            }
        }
        info!("published at {}, below {}", self.mqtt.broker, self.mqtt.topic);
        if let Err(reason) = self.introduce(&client) {
            return reason;
        }
        // What the broker has of us may be of another time.
        let mut said: Option<State> = None;
        // When the state is looked at next: later than the last one, sooner after an event.
        let mut next = Instant::now();
        loop {
            tokio::select! {
                happened = connection.poll() => match happened {
                    // Acknowledgements, and our own packets.
                    Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
                    Err(error) => return self.explain(&error.to_string()),
                },
                told = events.recv() => match told {
                    Ok(told) => {
                        self.line.note(&told.event, Duration::from_nanos(now_ns()));
                        next = next.min(Instant::now() + LEAST);
                    }
                    // What was missed is made up for by the status.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return "the service has ended".into(),
                },
                () = sleep_until(next) => {
                    next = Instant::now() + LOOK;
                    let state = State::of(&self.service.status(), self.line.text(), self.line.left().map(|left| left.as_secs()));
                    if said.as_ref() != Some(&state) {
                        if let Err(reason) = say(&client, &self.mqtt.state_topic(), &state) {
                            return reason;
                        }
                        said = Some(state);
                    }
                }
            }
        }
    }

    /// Who we are, and that we are there.
    fn introduce(&self, client: &AsyncClient) -> Result<(), String> {
        let facts = facts(&self.service.station().config().api);
        if let Some((topic, config)) = discovery(&self.mqtt, &facts.machine, facts.page.as_deref()) {
            say(client, &topic, &config)?;
        }
        let online = client.try_publish(self.mqtt.availability_topic(), QoS::AtLeastOnce, true, "online");
        online.map_err(|error| error.to_string())
    }

    fn connect(&self) -> Result<(AsyncClient, EventLoop), String> {
        let Mqtt { broker, user, password_file, .. } = &self.mqtt;
        let mut options = MqttOptions::new(self.mqtt.id(), Broker::tcp(broker.host.clone(), broker.port));
        options.set_keep_alive(KEEP_ALIVE);
        options.set_last_will(LastWill::new(
            self.mqtt.availability_topic(),
            "offline",
            QoS::AtLeastOnce,
            true,
        ));
        match (user, password_file) {
            (Some(user), Some(file)) => {
                options.set_credentials(user.clone(), read_secret(file)?);
            }
            (Some(user), None) => {
                options.set_username(user.clone());
            }
            (None, Some(_) | None) => {}
        }
        if broker.is_encrypted {
            let trust = self.trust()?;
            let (config, name) = trust.for_streams(&broker.host)?;
            let connector = tokio_rustls::TlsConnector::from(config);
            options.set_socket_connector(move |address, network| {
                let (connector, name) = (connector.clone(), name.clone());
                async move {
                    let stream = rumqttc::default_socket_connect(address, network).await?;
                    connector.connect(name, stream).await
                }
            });
        }
        Ok(AsyncClient::new(options, QUEUE))
    }

    fn trust(&self) -> Result<Trust, String> {
        let file = self.mqtt.ca.as_deref().unwrap_or(Path::new(SYSTEM_CERTIFICATES));
        Trust::read(file).map_err(|error| format!("no certificate to know the broker by: {error}"))
    }

    /// What to do about `reason`, where that can be told.
    fn explain(&self, reason: &str) -> String {
        if reason.contains("BadUserNamePassword") || reason.contains("NotAuthorized") {
            return format!("it does not let us in ({reason}): see `user` and `password_file` under [mqtt]");
        }
        match (self.mqtt.broker.is_encrypted, self.trust()) {
            (true, Ok(trust)) => trust.advice(reason, "`ca` under [mqtt]"),
            (true, Err(_)) | (false, Ok(_) | Err(_)) => reason.to_owned(),
        }
    }
}

/// Publishes something to stay there.
fn say(client: &AsyncClient, topic: &str, what: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_vec(what).map_err(|error| error.to_string())?;
    client.try_publish(topic, QoS::AtLeastOnce, true, text).map_err(|error| error.to_string())
}
