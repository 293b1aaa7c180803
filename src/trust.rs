//! Whom this program believes, when it asks somebody else over TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Where Debian keeps the certificates that everybody believes.
pub const SYSTEM_CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A stream, encrypted or not.
pub(crate) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// Certificates that are believed, and those that they have signed. Somebody's own is believed by being here.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    file: PathBuf,
    config: Arc<ClientConfig>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// In those of a file (PEM).
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = found.map_err(|error| failed(&error))?;
        let mut roots = RootCertStore::empty();
        if roots.add_parsable_certificates(certificates.iter().cloned()).0 == 0 {
            return Err(failed(&"there is no certificate in it (\"-----BEGIN CERTIFICATE-----\")"));
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { file: file.to_owned(), config: Arc::new(config), certificates })
    }

    /// The same for requests.
    pub(crate) fn for_requests(&self) -> ureq::tls::TlsConfig {
        let certificates =
            self.certificates.iter().map(|one| ureq::tls::Certificate::from_der(one.as_ref()).to_owned());
        ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider())
            .root_certs(ureq::tls::RootCerts::Specific(Arc::new(certificates.collect())))
            .build()
    }

    /// Encrypts a stream to `name`.
    pub(crate) fn encrypt(&self, name: &str, stream: TcpStream) -> Result<impl Stream + use<>, String> {
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
        let connection =
            ClientConnection::new(self.config.clone(), name).map_err(|error| error.to_string())?;
        Ok(StreamOwned::new(connection, stream))
    }

    /// What encrypts streams to `host`, and the name by which it is known.
    pub(crate) fn for_streams(&self, host: &str) -> Result<(Arc<ClientConfig>, ServerName<'static>), String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        Ok((self.config.clone(), name))
    }

    /// What to do about `reason`, if it is want of trust: another file of certificates is named `by` this.
    pub(crate) fn advice(&self, reason: &str, by: &str) -> String {
        if reason.contains("invalid peer certificate") {
            let file = self.file.display();
            format!("{reason}; {file} is what is believed: name another file of certificates with {by}")
        } else {
            reason.to_owned()
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
