//! HTTPS: certificate and key, which are read again without anybody being hung up on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};

use crate::config::CertificateFiles;
use crate::regular_file;

/// Why there is no HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `api.{key}` {}: {source}; the user that the service runs as has to be able to", path.display())]
    Read {
        /// Which key names it.
        key: &'static str,
        /// The file that it names.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It has something else in it.
    #[error("`api.{key}` {} is no {key} in PEM (\"-----BEGIN ...\"): {reason}", path.display())]
    Pem {
        /// Which key names it.
        key: &'static str,
        /// The file that it names.
        path: PathBuf,
        /// What reading it said.
        reason: String,
    },
    /// Each is fine by itself.
    #[error("the key {} is not that of the certificate {}", .0.key.display(), .0.certificate.display())]
    Mismatch(CertificateFiles),
    /// TLS cannot be done with them.
    #[error("HTTPS cannot be had with the certificate {}: {source}", path.display())]
    Unusable {
        /// The file of the certificate.
        path: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
}

/// The certificate that is in force.
#[derive(Clone)]
pub(in crate::api) struct Tls {
    files: CertificateFiles,
    acceptor: Arc<RwLock<Option<TlsAcceptor>>>,
}

impl Tls {
    /// None is in force before [`Self::load`].
    pub(in crate::api) fn new(files: CertificateFiles) -> Self {
        Self { files, acceptor: Arc::default() }
    }

    /// Reads the files; from now on, connections are made with what they hold. An error leaves what was in force.
    pub(in crate::api) fn load(&self) -> Result<(), TlsError> {
        let acceptor = TlsAcceptor::from(Arc::new(load(&self.files)?));
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = Some(acceptor);
        Ok(())
    }

    pub(in crate::api) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether the files can be read and belong together.
///
/// # Errors
/// They do not.
pub fn check_certificate(files: &CertificateFiles) -> Result<(), TlsError> {
    load(files).map(|_| ())
}

fn load(files: &CertificateFiles) -> Result<ServerConfig, TlsError> {
    let CertificateFiles { certificate: path, key } = files;
    let pem = read("certificate", path)?;
    let not_pem = |key, path: &Path, error: &pem::Error| TlsError::Pem {
        key,
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| not_pem("certificate", path, &error))?;
    if chain.is_empty() {
        return Err(not_pem("certificate", path, &pem::Error::NoItemsFound));
    }
    let pem = read("key", key)?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| not_pem("key", key, &error))?;
    let unusable = |source| TlsError::Unusable { path: path.clone(), source };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private);
    let mut config = config.map_err(|source| {
        if matches!(source, rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) {
            TlsError::Mismatch(files.clone())
        } else {
            unusable(source)
        }
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = regular_file::read(path, regular_file::SMALL).map_err(io::Error::from);
    read.map_err(|source| TlsError::Read { key, path: path.to_owned(), source })
}
