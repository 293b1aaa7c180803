//! A live view that goes on through what can go wrong with a connection.

use serde_json::Value;
use tungstenite::Message;

use super::http::{Client, ClientError};
use super::policy::{Reconnect, Step};

/// What a viewer sees and hears.
#[derive(Debug)]
pub enum LiveEvent {
    /// A frame: header and JPEG, as the document of the API says.
    Frame(Vec<u8>),
    /// What the service says of the live view.
    Said(Value),
    /// It broke off; this is done about it.
    Lost {
        /// What ended it, for people.
        reason: String,
        /// What is done now: look, join again, or give up.
        step: Step,
    },
}

/// Looks through `camera` until `see` says that it is enough, or it cannot be had any more.
///
/// # Errors
/// Why it cannot be had: the service refuses, or five attempts in a row failed.
pub fn watch(
    client: &Client,
    camera: &str,
    mut see: impl FnMut(LiveEvent) -> std::ops::ControlFlow<()>,
) -> Result<(), ClientError> {
    let mut policy = Reconnect::default();
    let path = format!("/api/v1/live/{camera}");
    loop {
        let lost = match client.socket(&path) {
            // Asking again will not change its mind.
            Err(error @ ClientError::Refused { status: 400..=428 | 430..=499, .. }) => return Err(error),
            Err(error) => error,
            Ok(mut socket) => loop {
                let event = match socket.read() {
                    Ok(Message::Binary(frame)) => {
                        policy.succeeded();
                        LiveEvent::Frame(frame.to_vec())
                    }
                    Ok(Message::Text(text)) => {
                        LiveEvent::Said(serde_json::from_str(&text).unwrap_or_default())
                    }
                    Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {
                        continue;
                    }
                    Err(error) => {
                        let reason = error.to_string();
                        break ClientError::Unreachable { host: camera.to_owned(), reason };
                    }
                };
                if see(event).is_break() {
                    return Ok(());
                }
            },
        };
        let mut step = policy.lost();
        loop {
            if see(LiveEvent::Lost { reason: lost.to_string(), step }).is_break() {
                return Ok(());
            }
            match step {
                Step::Ask(wait) => {
                    std::thread::sleep(wait);
                    step = policy.status(client.is_capturing());
                }
                Step::Connect(wait) => {
                    std::thread::sleep(wait);
                    break;
                }
                Step::GiveUp => return Err(lost),
            }
        }
    }
}
