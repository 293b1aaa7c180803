//! The broker to which the scanner publishes how it stands, checked: `[mqtt]`.

use std::fmt;
use std::path::PathBuf;

/// What is published where: `[mqtt]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mqtt {
    /// Where to.
    pub broker: Broker,
    /// As whom; nobody in particular if absent.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// Certificates by which the broker is known; those of the system if absent.
    pub ca: Option<PathBuf>,
    /// What all topics begin with, and what tells this rig from others.
    pub topic: String,
    /// The prefix at which Home Assistant looks for devices; none if it is not told.
    pub discovery: Option<String>,
}

impl Mqtt {
    /// Where the state is published, as JSON, retained.
    pub fn state_topic(&self) -> String {
        format!("{}/state", self.topic)
    }

    /// Where `online` or `offline` is published, retained.
    pub fn availability_topic(&self) -> String {
        format!("{}/availability", self.topic)
    }

    /// The rig as one word: what may be part of an id anywhere.
    pub fn id(&self) -> String {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.topic.chars().map(word).collect()
    }
}

/// Where an MQTT broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is spoken to over TLS.
    pub is_encrypted: bool,
}

impl Broker {
    /// Reads `mqtt://HOST`, `mqtts://HOST`, or one with a port.
    ///
    /// # Errors
    /// It is none; why not.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: http::Uri = text.parse().map_err(|_| "is no address")?;
        let is_encrypted = match uri.scheme_str() {
            Some("mqtt") => false,
            Some("mqtts") => true,
            Some(_) | None => return Err("is no address of mqtt:// or mqtts://"),
        };
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if authority.contains('@') {
            return Err("has a name or a password in it");
        }
        if uri.path_and_query().is_some_and(|rest| !matches!(rest.as_str(), "" | "/")) {
            return Err("has more than a host and a port");
        }
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else { return Err("names no host") };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let usual = if is_encrypted { 8883 } else { 1883 };
        Ok(Self { host, port: uri.port_u16().unwrap_or(usual), is_encrypted })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "mqtts" } else { "mqtt" };
        if self.host.contains(':') {
            return write!(f, "{scheme}://[{}]:{}", self.host, self.port);
        }
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_a_host_and_perhaps_a_port() {
        let shown = |text| Broker::parse(text).map(|broker| broker.to_string());
        assert_eq!(shown("mqtt://homeassistant.local"), Ok("mqtt://homeassistant.local:1883".into()));
        assert_eq!(shown("mqtts://10.0.0.2/"), Ok("mqtts://10.0.0.2:8883".into()));
        assert_eq!(shown("mqtt://[fd00::2]:1884"), Ok("mqtt://[fd00::2]:1884".into()));
        for wrong in
            ["homeassistant.local", "http://a", "mqtt://me:secret@a", "mqtt://a/topic", "mqtt://", ""]
        {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
