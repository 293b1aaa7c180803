//! Names of nodes and sessions, and the subjects that are made of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a node calls itself at the broker, before its name.
pub const NODE: &str = "scanner node ";
/// The same of a worker.
pub const WORKER: &str = "workshop: worker ";
/// Longest name in bytes.
const MOST: usize = 40;

/// The name of a node or a worker: one part of a subject, and of the configuration of the broker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// What is no name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a node or worker: it has 1 to {MOST} letters, digits, - and _")]
pub struct NoName(String);

impl NodeName {
    /// The subject on which it is told `what`.
    pub fn down(&self, what: &str) -> String {
        format!("scanner.node.{self}.down.{what}")
    }

    /// The subject on which it tells `what`.
    pub fn up(&self, what: &str) -> String {
        format!("scanner.node.{self}.up.{what}")
    }

    /// Where a worker of this name hears answers, and nobody else does.
    pub fn inbox(&self) -> String {
        format!("_INBOX_{self}")
    }
}

impl FromStr for NodeName {
    type Err = NoName;

    fn from_str(name: &str) -> Result<Self, NoName> {
        let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=MOST).contains(&name.len()) && name.bytes().all(part) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NoName(name.to_owned()))
        }
    }
}

impl TryFrom<String> for NodeName {
    type Error = NoName;

    fn try_from(name: String) -> Result<Self, NoName> {
        name.parse()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One camera of one node: `NODE/CAMERA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCamera {
    /// The node that has it.
    pub node: NodeName,
    /// Its name there.
    pub camera: String,
}

impl FromStr for RemoteCamera {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let (node, camera) =
            id.split_once('/').filter(|(_, camera)| !camera.is_empty()).ok_or_else(|| {
                format!("id {id:?} names no camera of a node: write NODE/CAMERA, as `scanner fleet list` shows them")
            })?;
        let node = node.parse().map_err(|error: NoName| format!("id {id:?}: {error}"))?;
        Ok(Self { node, camera: camera.to_owned() })
    }
}

/// A number that no other session or life of a node has.
pub fn fresh() -> std::io::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(format!("{:016x}", u64::from_le_bytes(bytes)))
}

/// How subjects of sessions end.
pub fn of_session(session: &str) -> String {
    format!("s.{session}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_subject_and_nothing_else() {
        assert_eq!("left-2".parse::<NodeName>().unwrap().down("open"), "scanner.node.left-2.down.open");
        for bad in ["", "*", ">", "a.b", "a b", "ä", "a\"", &"x".repeat(41)] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_camera_is_named_with_its_node() {
        let camera: RemoteCamera = "left/cam0".parse().unwrap();
        assert_eq!((camera.node.to_string().as_str(), camera.camera.as_str()), ("left", "cam0"));
        for bad in ["left", "left/", "/cam0", "l.eft/cam0"] {
            assert!(bad.parse::<RemoteCamera>().is_err(), "{bad}");
        }
    }
}
