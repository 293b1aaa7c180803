//! Asks the node for its time, all the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use futures_util::StreamExt as _;
use scanner::clock::now_ns;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::clock::{Exchange, Jump, NodeClock, Offset};
use crate::names::NodeName;
use crate::wire::{Ping, Pong, decode, encode};

/// From question to question.
const PAUSE: Duration = Duration::from_millis(100);
/// The same at first, while nothing is known.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// So many are asked at first.
const FIRST: u32 = 10;

/// What is known of the node's clock, by whoever wants to know it.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<NodeClock>>);

impl Known {
    /// How the clocks stand at `here_ns`, of this one.
    pub(super) fn at(&self, here_ns: u64) -> Option<Offset> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at(here_ns)
    }

    /// Takes note of an answer.
    pub(super) fn note(&self, exchange: Exchange) -> Result<(), Jump> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).note(exchange)
    }
}

/// Asks for as long as it can; then, or if the clock is another one, says why no more is known. `heard` is told of each answer.
pub(super) async fn ask(
    client: Client,
    node: NodeName,
    session: String,
    known: Known,
    heard: mpsc::Sender<()>,
) -> String {
    let reply = format!("pong.{session}");
    let mut answers = match client.subscribe(node.up(&reply)).await {
        Ok(answers) => answers,
        Err(error) => return format!("cannot listen at the broker: {error}"),
    };
    let (mut asked, mut next, mut instance) = (0, Instant::now(), None);
    loop {
        tokio::select! {
            biased;
            answer = answers.next() => {
                let back_ns = now_ns();
                let Some(answer) = answer else { return "the connection to the broker has ended".into() };
                let Ok((pong, _)) = decode::<Pong>(&answer.payload) else { continue };
                let Pong { sent_ns, came_ns, left_ns, instance: whose } = pong;
                if instance.get_or_insert_with(|| whose.clone()) != &whose {
                    return format!("node {node} was started anew");
                }
                let exchange = Exchange { sent_ns, came_ns, left_ns, back_ns };
                if let Err(jump) = known.note(exchange) {
                    return format!("node {node}: {jump}");
                }
                // Whoever listens may have been told enough.
                let _told = heard.try_send(());
            }
            () = sleep_until(next) => {
                asked += 1;
                next = Instant::now() + if asked < FIRST { FIRST_PAUSE } else { PAUSE };
                let ping = Ping { reply: reply.clone(), sent_ns: now_ns() };
                let Ok(ping) = encode(&ping, None) else { continue };
                if client.publish(node.down("ping"), ping).await.is_err() {
                    return "the broker takes no message".into();
                }
            }
        }
    }
}
