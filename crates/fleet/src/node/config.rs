//! The node's configuration: a small file of its own, as it has no axes and no scans.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::broker::{self, Broker};
use crate::names::NodeName;
use crate::toml_file;
use crate::trust::Fingerprint;

/// What a node is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Its name, which no other node of the broker has.
    pub name: NodeName,
    /// The broker's address.
    #[serde(default = "broker::default_address")]
    pub broker: String,
    /// What the broker's authority is known by, if it is spoken to encrypted.
    pub ca: Option<Fingerprint>,
    /// Its key, which is made if it is not there.
    #[serde(default = "default_key")]
    pub key: PathBuf,
    /// Where what lasts as long as it runs is kept.
    #[serde(default = "default_runtime")]
    pub runtime_directory: PathBuf,
    /// The cameras that it has.
    #[serde(rename = "camera", default)]
    pub cameras: Vec<NodeCamera>,
}

/// A camera of a node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCamera {
    /// Its name, which the lead knows it by.
    pub name: String,
    /// Its driver, as in the scanner's configuration.
    pub driver: PathBuf,
    /// The driver's name of it; as `name` if absent.
    pub id: Option<String>,
    /// Its driver's options.
    #[serde(default)]
    pub options: serde_json::Map<String, serde_json::Value>,
}

impl NodeCamera {
    /// Its driver's name of it.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.name)
    }

    /// Whether it is a simulated one, which may be told of a simulated rig.
    pub fn is_simulated(&self) -> bool {
        self.driver.file_name().is_some_and(|name| name == "sim" || name == "scanner-sim")
    }
}

impl NodeConfig {
    /// Reads `path`; an error says where it is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        toml_file::read(path, Self::check)
    }

    /// The broker.
    pub fn broker(&self) -> Broker {
        Broker::told(&self.broker, self.ca)
    }

    fn check(&self) -> Result<(), String> {
        broker::check(&self.broker, self.ca)?;
        if self.cameras.is_empty() {
            return Err("no [[camera]]: a node without cameras is of no use".into());
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            if camera.name.is_empty() || self.cameras[..index].iter().any(|other| other.name == camera.name) {
                return Err(format!("camera {:?}: each needs a name of its own", camera.name));
            }
            if camera.driver.file_name().is_some_and(|name| name == "remote" || name == "scanner-remote") {
                return Err(format!("camera {:?}: a node has no cameras of other nodes", camera.name));
            }
        }
        Ok(())
    }
}

fn default_key() -> PathBuf {
    "/var/lib/scanner/node.nk".into()
}

fn default_runtime() -> PathBuf {
    "/run/scanner-node".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NodeConfig, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        NodeConfig::read(file.path())
    }

    const CA: &str = "SHA256:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

    #[test]
    fn a_broker_is_known_by_its_authority() {
        let told = format!(
            "name = 'left'\nbroker = 'tls://a:1'\nca = '{CA}'\n[[camera]]\nname = 'a'\ndriver = 'sim'"
        );
        let told = read(&told).unwrap();
        let ca = told.ca.unwrap().to_string();
        assert_eq!(ca, format!("sha256:{}", "00112233445566778899aabbccddeeff".repeat(2)));
        assert!(told.broker().is_encrypted());
    }

    #[test]
    fn little_has_to_be_said() {
        let config =
            read("name = 'left'\n[[camera]]\nname = 'a'\ndriver = 'sim'\n[camera.options]\nseed = 3")
                .unwrap();
        assert_eq!((config.broker.as_str(), config.cameras[0].id()), ("nats://127.0.0.1:4222", "a"));
        assert_eq!(config.cameras[0].options["seed"], 3);
        assert!(config.cameras[0].is_simulated());
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let camera = "[[camera]]\nname = 'a'\ndriver = 'sim'\n";
        for (text, says) in [
            (String::new(), "name"),
            ("name = 'a.b'".into(), "a.b"),
            ("name = 'a'".into(), "no [[camera]]"),
            (format!("name = 'a'\nspeed = 3\n{camera}"), "speed"),
            (format!("name = 'a'\n{camera}{camera}"), "of its own"),
            ("name = 'a'\n[[camera]]\nname = 'a'\ndriver = 'remote'".into(), "other nodes"),
            (
                format!("name = 'a'\nbroker = 'tls://a:1'\nca = 'sha256:12'\n{camera}"),
                "64 hexadecimal digits",
            ),
            (format!("name = 'a'\nbroker = 'nats://a:1'\nca = '{CA}'\n{camera}"), "tls://"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
