//! What goes over the broker: a line of JSON, and behind it, of some messages, bytes of a frame.

use bytes::Bytes;
use scanner::camera_driver::protocol::{ErrorKind, Frame, FromDriver, ToDriver};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of what is said between `scanner-remote` and a node.
pub const VERSION: u32 = 1;

/// A session is to begin. Said again until the node answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Open {
    /// [`VERSION`].
    pub version: u32,
    /// Chosen by who opens it.
    pub session: String,
    /// The node's name of the camera.
    pub camera: String,
    /// Who opens it, for who wants the camera, too: one daemon may replace its own session, but not that of another one.
    pub holder: String,
    /// The port that the driver is to reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// What a simulated camera has to know of the simulated rig. No other driver is told it.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub simulated: serde_json::Map<String, serde_json::Value>,
}

/// A message of a session, with its place among those of its direction: 1 for the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Numbered<T> {
    /// Its place.
    pub number: u64,
    /// What it says.
    pub said: T,
}

/// From the lead to a session's driver.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Down {
    /// For the driver.
    Tell {
        /// What it is told; times are the node's.
        message: ToDriver,
    },
    /// So many bytes of frames were taken: as many more may be sent.
    Taken {
        /// How many.
        bytes: u64,
    },
    /// The lead is there.
    Alive,
    /// The session is over.
    Close,
}

/// From a session's driver to the lead.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Up {
    /// The session has begun.
    Opened {
        /// The life of the node: another one has another clock, for all that is known.
        instance: String,
    },
    /// The driver says this, which is no frame; times are the node's.
    Said {
        /// What it says.
        message: FromDriver,
    },
    /// The driver has made this, and its bytes follow.
    Frame(FrameBegins),
    /// Bytes of it, in order: behind the line of this message.
    Part {
        /// Which frame.
        buffer: u64,
        /// Where they begin.
        offset: u64,
    },
    /// The node is there.
    Alive,
    /// There is no session, or no longer.
    Ended {
        /// What recovery goes by.
        error: ErrorKind,
        /// Why, for people.
        message: String,
    },
}

/// A frame, of which the bytes are to follow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrameBegins {
    /// What the driver says of it; times are the node's.
    pub frame: Frame,
    /// Length of its memory in bytes, and of that of its raw image, if it has one.
    pub lengths: Vec<u64>,
    /// CRC-32C of all of it.
    pub crc32c: u32,
}

/// What time is it?
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ping {
    /// Where the answer is to go: a last part of subjects.
    pub reply: String,
    /// When it was sent, by the clock of who asks.
    pub sent_ns: u64,
}

/// The answer to a [`Ping`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pong {
    /// [`Ping::sent_ns`].
    pub sent_ns: u64,
    /// When the question came, by the node's clock.
    pub came_ns: u64,
    /// When this was sent, by the node's clock.
    pub left_ns: u64,
    /// The life of the node.
    pub instance: String,
}

/// What a node says of itself, unasked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Announcement {
    /// Its name.
    pub node: String,
    /// The version of the program.
    pub program: String,
    /// [`VERSION`].
    pub version: u32,
    /// Its life.
    pub instance: String,
    /// For how long it has run, in seconds.
    pub up_s: u64,
    /// The cameras that it has.
    pub cameras: Vec<Offered>,
    /// What is amiss with its voltage and heat, for people.
    #[serde(default)]
    pub amiss: Vec<String>,
}

/// Everything that helps to find a fault of a node is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskReport {
    /// Where the answer is to go: a last part of subjects.
    pub reply: String,
}

/// The answer to an [`AskReport`]: as much as one message of the broker holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// What it says of itself at any time.
    pub announcement: Announcement,
    /// What was found of its machine, as `scanner doctor` has it.
    pub findings: serde_json::Value,
    /// Its configuration, as it was understood.
    pub configuration: String,
    /// The newest lines of its log, the oldest first.
    pub log: Vec<String>,
}

/// A camera of a node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Offered {
    /// Its name there.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Who uses it; nobody if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a message that cannot be read ({0}): both ends must be of one version")]
pub struct Unreadable(#[from] serde_json::Error);

/// A message as it is sent, with `bytes` behind it.
pub fn encode(message: &impl Serialize, bytes: Option<&[u8]>) -> Result<Bytes, Unreadable> {
    let mut encoded = serde_json::to_vec(message)?;
    if let Some(bytes) = bytes {
        encoded.reserve_exact(bytes.len() + 1);
        encoded.push(b'\n');
        encoded.extend_from_slice(bytes);
    }
    Ok(encoded.into())
}

/// What was encoded, and the bytes behind it. JSON as it is written here has no line ends.
pub fn decode<T: DeserializeOwned>(message: &Bytes) -> Result<(T, Bytes), Unreadable> {
    let end = message.iter().position(|byte| *byte == b'\n');
    let said = serde_json::from_slice(&message[..end.unwrap_or(message.len())])?;
    Ok((said, end.map(|end| message.slice(end + 1..)).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_kind_come_back_as_they_were() {
        let bytes = b"\n{\xff\n\0";
        let message = Numbered { number: u64::MAX, said: Up::Part { buffer: 3, offset: 4 } };
        let (back, behind): (Numbered<Up>, _) = decode(&encode(&message, Some(bytes)).unwrap()).unwrap();
        assert_eq!(back.number, u64::MAX);
        assert!(matches!(back.said, Up::Part { buffer: 3, offset: 4 }));
        assert_eq!(&behind[..], bytes);
        let tell = Numbered { number: 1, said: Down::Tell { message: ToDriver::Stop } };
        let (back, behind): (Numbered<Down>, _) = decode(&encode(&tell, None).unwrap()).unwrap();
        assert!(matches!(back.said, Down::Tell { message: ToDriver::Stop }) && behind.is_empty());
        assert!(decode::<Numbered<Down>>(&Bytes::from_static(b"{}")).is_err());
    }
}
