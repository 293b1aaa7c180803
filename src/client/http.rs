//! Requests to the API of a scanner, over HTTP or HTTPS.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::trust::{Stream, Trust};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who asks a scanner.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where it is, as `host:port`.
    host: String,
    token: String,
    agent: Agent,
    /// None where nothing is encrypted.
    trust: Option<Trust>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not an address of an API.
    #[error("{0:?} is no address of a scanner: write one like \"http://scanner.local:8080\"")]
    Address(String),
    /// Nobody can be believed.
    #[error("no certificate to know the scanner by: {0}")]
    Trust(String),
    /// Nobody answers there, or not as a scanner would.
    #[error("the scanner at {host} cannot be reached: {reason}")]
    Unreachable {
        /// Where it was looked for, as `host:port`.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// It answers, and does not do what was asked.
    #[error("the scanner at {host} refuses: {detail}")]
    Refused {
        /// Where it is, as `host:port`.
        host: String,
        /// The HTTP status of its answer.
        status: u16,
        /// What its answer says, for people.
        detail: String,
    },
}

impl Client {
    /// For the API at `address`, as in `http://scanner.local:8080`, with a token. One at `https://` has to have a
    /// certificate that is in the file `ca`, or signed by one that is.
    pub fn new(address: &str, token: &str, ca: &Path) -> Result<Self, ClientError> {
        let (host, trust) = match address.strip_prefix("https://") {
            Some(host) => (host, Some(Trust::read(ca).map_err(ClientError::Trust)?)),
            None => (address.strip_prefix("http://").unwrap_or(address), None),
        };
        let host = host.trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '@']) {
            return Err(ClientError::Address(address.to_owned()));
        }
        let host = if host.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:{}", if trust.is_some() { 443 } else { 80 })
        };
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let config = match &trust {
            Some(trust) => config.tls_config(trust.for_requests()),
            None => config,
        };
        Ok(Self { host, token: token.to_owned(), agent: config.build().into(), trust })
    }

    /// What is at `path`, as JSON.
    pub fn get(&self, path: &str) -> Result<Value, ClientError> {
        let scheme = if self.trust.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}{path}", self.host);
        let asked = self.agent.get(url).header("Authorization", format!("Bearer {}", self.token)).call();
        let mut answer = asked.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let value: Value = answer.body_mut().read_json().map_err(|error| self.unreachable(&error))?;
        if status < 300 {
            return Ok(value);
        }
        let detail = value["detail"].as_str().unwrap_or("without a reason").to_owned();
        Err(ClientError::Refused { host: self.host.clone(), status, detail })
    }

    /// Whether a photograph is being taken; none if that cannot be had.
    pub fn is_capturing(&self) -> Option<bool> {
        self.get("/api/v1/capture/status").ok()?["is_capturing"].as_bool()
    }

    /// A WebSocket at `path`.
    pub(super) fn socket(&self, path: &str) -> Result<tungstenite::WebSocket<Box<dyn Stream>>, ClientError> {
        let mut addresses = self.host.to_socket_addrs().map_err(|error| self.unreachable(&error))?;
        let address = addresses.next().ok_or_else(|| ClientError::Address(self.host.clone()))?;
        let stream =
            TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| self.unreachable(&error))?;
        // The service says something at least once a second.
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| self.unreachable(&error))?;
        let stream: Box<dyn Stream> = match &self.trust {
            Some(trust) => {
                let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name);
                Box::new(trust.encrypt(name, stream).map_err(|error| self.unreachable(&error))?)
            }
            None => Box::new(stream),
        };
        // Only what is in the request goes by this address.
        let address =
            format!("ws://{}{path}", self.host).parse().map_err(|error| self.unreachable(&error))?;
        let request = tungstenite::ClientRequestBuilder::new(address)
            .with_header("Authorization", format!("Bearer {}", self.token));
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                let status = answer.status().as_u16();
                let body: Value = answer
                    .body()
                    .as_ref()
                    .and_then(|body| serde_json::from_slice(body).ok())
                    .unwrap_or_default();
                let detail = body["detail"].as_str().unwrap_or("without a reason").to_owned();
                Err(ClientError::Refused { host: self.host.clone(), status, detail })
            }
            Err(error) => Err(self.unreachable(&error)),
        }
    }

    fn unreachable(&self, error: &dyn std::fmt::Display) -> ClientError {
        let reason = error.to_string();
        let reason = self.trust.as_ref().map_or(reason.clone(), |trust| trust.advice(&reason, "--ca"));
        ClientError::Unreachable { host: self.host.clone(), reason }
    }
}
