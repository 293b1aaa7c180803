//! Whom the scanner tells how a scan stands, checked: `[[notify]]`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Somebody who is told: a `[[notify]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Unique; letters, digits, `-` and `_`: it is in the log, and names a folder.
    pub name: String,
    /// Of what; each once, at least one.
    pub on: Vec<Occasion>,
    /// How long one try may take.
    pub timeout: Duration,
    /// In which way.
    pub way: Way,
}

/// What may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A scan is complete.
    Finished,
    /// A scan was told to stop, or goes on by itself.
    Paused,
    /// A scan ended with shots missing, or what was to be made of it was not.
    Failed,
    /// Something is wrong, and the scan waits for somebody who sees to it.
    NeedsPerson,
}

impl Occasion {
    /// Every one, in the order in which documents list them.
    pub const ALL: [Self; 4] = [Self::Finished, Self::Paused, Self::Failed, Self::NeedsPerson];

    /// What a person is told of who did not choose: whatever that person has not done.
    pub const USUAL: [Self; 3] = [Self::Finished, Self::Failed, Self::NeedsPerson];

    /// As in the configuration and in what is sent.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::NeedsPerson => "needs_person",
        }
    }
}

/// How somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A program is started.
    Command(CommandLine),
    /// JSON is sent, signed if there is a secret.
    Webhook {
        /// Where to.
        url: Address,
        /// The file with the secret by which it is signed.
        secret_file: Option<PathBuf>,
        /// Certificates by which the receiver is known; those of the system if absent.
        ca: Option<PathBuf>,
    },
    /// To a topic of a server of ntfy.
    Ntfy {
        /// The server's address.
        server: Address,
        /// What subscribers listen to.
        topic: Topic,
        /// The file with the access token, where the server wants one.
        token_file: Option<PathBuf>,
        /// Certificates by which the server is known; those of the system if absent.
        ca: Option<PathBuf>,
    },
    /// E-mail, which this machine's mail program sends.
    Mail {
        /// To whom, at least one.
        to: Vec<String>,
        /// From whom; this machine's `scanner` if absent.
        from: Option<String>,
        /// The mail program, an absolute path: one that is called as `sendmail` is.
        sendmail: PathBuf,
    },
}

impl Way {
    /// As in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
            Self::Mail { .. } => "mail",
        }
    }
}

/// A program and what it is started with. Who prints it sees the program alone: a secret may be among the arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// An absolute path, or a name that is looked up in `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {} arguments", self.program, self.arguments.len())
    }
}

/// An address of HTTP or HTTPS. Who prints it sees the host alone: whoever knows the rest may be let in by that.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(http::Uri);

impl Address {
    /// Reads one.
    ///
    /// # Errors
    /// It is none that can be used; why not.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: http::Uri = text.parse().map_err(|_| "is no address")?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("is no address of http:// or https://");
        }
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if uri.host().is_none_or(str::is_empty) {
            return Err("names no host");
        }
        if authority.contains('@') {
            return Err("has a name or a password in it");
        }
        Ok(Self(uri))
    }

    /// All of it: for the request alone.
    pub fn secret(&self) -> &http::Uri {
        &self.0
    }

    /// Whether it is to be encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// The server, and the last part of the path, where there is one.
    pub(super) fn split_last(&self) -> Option<(Self, Topic)> {
        let (before, last) = self.0.path().rsplit_once('/')?;
        let topic = last.to_owned();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if topic.is_empty() || topic.len() > 64 || !topic.chars().all(fits) || self.0.query().is_some() {
            return None;
        }
        let scheme = self.0.scheme_str().unwrap_or_default();
        let server = format!("{scheme}://{}{before}/", self.0.authority()?);
        Some((Self(server.parse().ok()?), Topic(topic)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme_str().unwrap_or_default(), self.0.host().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}/...")
    }
}

/// A topic of ntfy, which whoever knows it can read: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// The topic itself: for the request alone.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_printed() {
        let address = Address::parse("https://hooks.example.org:8443/T0/sEcReT?key=sEcReT").unwrap();
        let (server, topic) = Address::parse("https://ntfy.sh/sEcReT").unwrap().split_last().unwrap();
        let command = CommandLine { program: "/bin/tell".into(), arguments: vec!["sEcReT".into()] };
        let ways = [
            Way::Command(command),
            Way::Webhook { url: address.clone(), secret_file: None, ca: None },
            Way::Ntfy { server, topic, token_file: None, ca: None },
        ];
        for way in ways {
            let text = format!("{way:?} {address}");
            assert!(!text.contains("sEcReT"), "{text}");
            assert!(text.contains("hooks.example.org"), "{text}");
        }
    }

    #[test]
    fn an_address_is_one_of_http_without_a_password() {
        for wrong in ["", "ntfy.sh/topic", "ftp://a/b", "https://", "https://me:pass@a/b", "http://a b/"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
        let split = |text: &str| Address::parse(text).unwrap().split_last();
        let (server, topic) = split("http://rig.local:8090/sub/my-rig_7").unwrap();
        assert_eq!(
            (server.secret().to_string().as_str(), topic.secret()),
            ("http://rig.local:8090/sub/", "my-rig_7")
        );
        for none in ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a?x=1", "https://ntfy.sh/a.b"] {
            assert!(split(none).is_none(), "{none}");
        }
    }
}
