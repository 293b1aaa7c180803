//! What `scanner-remote` is told (`[camera.options]`).

use std::path::PathBuf;

use scanner::units::Seconds;
use serde::Deserialize;

/// Where `scanner fleet init` puts the lead's key.
pub const DEFAULT_KEY: &str = "/etc/scanner/fleet/lead.nk";

/// Options of a camera of another machine. Each has a default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The broker's address, if not that of `scanner fleet init`.
    pub broker: Option<String>,
    /// The lead's key, beside which the broker's authority lies, if it is encrypted.
    pub key: PathBuf,
    /// How unsure the node's clock may be, for an image to be taken.
    pub clock_limit: Seconds,
    /// How long a frame may be on its way from the node.
    pub transfer_limit: Seconds,
    /// What a simulated camera of this machine has to know of the simulated rig: the daemon fills it in.
    pub simulated: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            broker: None,
            key: DEFAULT_KEY.into(),
            clock_limit: Seconds::new(0.001),
            transfer_limit: Seconds::new(10.0),
            simulated: None,
        }
    }
}

impl Options {
    /// [`clock_limit`](Self::clock_limit) in nanoseconds.
    pub fn clock_limit_ns(&self) -> u64 {
        (self.clock_limit.get() * 1e9) as u64
    }

    /// [`transfer_limit`](Self::transfer_limit) in milliseconds.
    pub fn transfer_limit_ms(&self) -> u64 {
        (self.transfer_limit.get() * 1e3) as u64
    }

    /// What is told to a simulated camera, in its own options.
    pub fn for_simulated(&self) -> serde_json::Map<String, serde_json::Value> {
        let Some(simulated) = &self.simulated else { return serde_json::Map::new() };
        let mut told = simulated.get("rig").and_then(|rig| rig.as_object()).cloned().unwrap_or_default();
        if let Some(state) = simulated.get("state") {
            told.insert("fault_state".into(), state.clone());
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_spelled_as_everywhere() {
        let options =
            json!({ "clock_limit": "5 ms", "simulated": { "state": "/f", "rig": { "world": "/w" } } });
        let options: Options = serde_json::from_value(options).unwrap();
        assert_eq!((options.clock_limit_ns(), options.transfer_limit_ms()), (5_000_000, 10_000));
        assert_eq!(
            serde_json::Value::from(options.for_simulated()),
            json!({ "world": "/w", "fault_state": "/f" })
        );
        assert!(serde_json::from_value::<Options>(json!({ "clock": "5 ms" })).is_err());
    }
}
