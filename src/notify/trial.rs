//! A message to everybody who is configured, once, to see whether it arrives.

use std::thread;
use std::time::Instant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Notify;

use super::message::{Facts, Message};
use super::notifier::new_id;
use super::outcome::Outcome;
use super::way::deliver;

/// What became of the message to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What it is called in the configuration.
    pub name: String,
    /// In which way it is told.
    pub through: String,
    /// Why it has not got it; none if it has.
    pub error: Option<String>,
}

/// Tells everybody at the same time, whatever they want to hear of, and waits for all: as long as the longest `timeout`, and a
/// little. Blocks.
pub fn trial(notify: &[Notify], facts: &Facts) -> Vec<Tried> {
    let message = Message::test(Timestamp::now(), facts, new_id());
    thread::scope(|scope| {
        let tries: Vec<_> = notify
            .iter()
            .map(|notify| {
                let message = &message;
                thread::Builder::new().spawn_scoped(scope, move || {
                    let end = Instant::now() + notify.timeout;
                    deliver(notify, message, &move || end)
                })
            })
            .collect();
        let each = notify.iter().zip(tries);
        let each = each.map(|(notify, tried)| {
            let outcome = match tried.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Outcome::Failed("it broke down, which is a defect: see the log".into()),
                Err(error) => Outcome::Failed(format!("there is no thread for it: {error}")),
            };
            let error = match outcome {
                Outcome::Delivered => None,
                Outcome::Failed(reason) | Outcome::Refused(reason) => Some(reason),
            };
            Tried { name: notify.name.clone(), through: notify.way.name().into(), error }
        });
        each.collect()
    })
}
