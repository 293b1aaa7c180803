//! One try, in whichever way.

use std::time::{Duration, Instant};

use crate::config::{Notify, Way};

use super::message::Message;
use super::outcome::{Limit, Outcome};
use super::{command, http, mail};

/// Tries to deliver `message`, until `limit` at most. Blocks.
pub(super) fn deliver(notify: &Notify, message: &Message, limit: &dyn Limit) -> Outcome {
    match &notify.way {
        Way::Command(line) => match serde_json::to_vec(message) {
            Ok(json) => command::run(&line.program, &line.arguments, &json, limit),
            Err(error) => Outcome::Failed(error.to_string()),
        },
        Way::Webhook { url, secret_file, ca } => {
            http::webhook(url, secret_file.as_deref(), ca.as_deref(), message, left(limit))
        }
        Way::Ntfy { server, topic, token_file, ca } => {
            http::ntfy(server, topic, token_file.as_deref(), ca.as_deref(), message, left(limit))
        }
        Way::Mail { to, from, sendmail } => match mail::compose(message, to, from.as_deref()) {
            Ok(text) => {
                let program = sendmail.to_string_lossy();
                command::run(&program, &mail::ARGUMENTS.map(str::to_owned), &text, limit)
            }
            Err(error) => Outcome::Failed(error.to_string()),
        },
    }
}

fn left(limit: &dyn Limit) -> Duration {
    limit().saturating_duration_since(Instant::now())
}
