//! By what a broker is known that is spoken to over TLS: the authority that has signed its certificate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use async_nats::rustls::client::WebPkiServerVerifier;
use async_nats::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use async_nats::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use async_nats::rustls::pki_types::pem::{Error as PemError, PemObject as _};
use async_nats::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use async_nats::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The authority's certificate, beside the keys of the lead and of the workshop.
pub const AUTHORITY: &str = "ca.pem";
/// How a [`Fingerprint`] begins.
const KIND: &str = "sha256:";

/// What an authority is known by: SHA-256 of its certificate.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "{text:?} is no fingerprint of an authority: it is sha256: and 64 hexadecimal digits, as `scanner fleet invite` prints \
                 it at the lead"
            )
        };
        // As openssl writes it, too.
        let lower = text.trim().to_ascii_lowercase();
        let digits: String = lower.trim_start_matches(KIND).chars().filter(|letter| *letter != ':').collect();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * index..][..2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KIND)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Whom a broker's certificate has to be signed by.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Whomever this machine believes in everything.
    System,
    /// The authority of this fingerprint, whose certificate the broker shows along with its own.
    Fingerprint(Fingerprint),
    /// The authority of a file.
    File {
        /// The file.
        path: PathBuf,
        /// What is in it.
        certificates: Vec<CertificateDer<'static>>,
    },
}

impl Trust {
    /// As those have it who have a key in the folder of `scanner fleet init`: the authority lies beside it, if there is one.
    ///
    /// # Errors
    /// There is one, and it cannot be read.
    pub fn beside(key: &Path) -> Result<Self, String> {
        let path = key.with_file_name(AUTHORITY);
        let failed = |error: &dyn fmt::Display, what_to_do: &str| {
            format!("the broker's authority, {}, cannot be read: {error}: {what_to_do}", path.display())
        };
        let found = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match found {
            Ok(certificates) if certificates.is_empty() => Err(failed(
                &"there is no certificate in it",
                "bring it back from a backup, or remove it with ca.key, and call `scanner fleet init`",
            )),
            Ok(certificates) => Ok(Self::File { path, certificates }),
            Err(PemError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Self::System),
            Err(PemError::Io(error)) => {
                Err(failed(&error, "it is no secret, everybody may read it (chmod 644)"))
            }
            Err(error) => Err(failed(&error, "bring it back from a backup")),
        }
    }

    /// How TLS is spoken; none as usual.
    pub(crate) fn config(&self) -> Result<Option<ClientConfig>, Error> {
        let provider = provider();
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        match self {
            Self::System => Ok(None),
            Self::Fingerprint(fingerprint) => {
                let verifier = Arc::new(Pinned { fingerprint: *fingerprint, provider });
                let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
                Ok(Some(builder.with_no_client_auth()))
            }
            Self::File { certificates, .. } => {
                let mut roots = RootCertStore::empty();
                certificates.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
                Ok(Some(builder.with_root_certificates(roots).with_no_client_auth()))
            }
        }
    }

    /// What `error` means, and what to do about it; `host` is the broker's. None if it is no matter of trust.
    pub(crate) fn explain(&self, error: &Error, host: &str) -> Option<String> {
        let dates = "compare `date` here and at the lead; `scanner fleet init` there makes another one, then restart the broker";
        if matches!(error, Error::InvalidMessage(_)) {
            let encrypt =
                "if it is yours, encrypt it (`scanner fleet init --encrypted`, then restart the broker)";
            return Some(format!(
                "it does not speak TLS: {encrypt}, or write nats:// in place of tls:// where everybody may see what goes over the network"
            ));
        }
        let Error::InvalidCertificate(why) = error else { return None };
        if matches!(why, CertificateError::UnknownIssuer | CertificateError::BadSignature) {
            return Some(self.stranger());
        }
        if matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
            return Some(format!("its certificate has expired, or this machine's date is wrong: {dates}"));
        }
        if matches!(why, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) {
            return Some(format!(
                "its certificate is not valid yet, or this machine's date is wrong: {dates}"
            ));
        }
        let CertificateError::NotValidForNameContext { presented, .. } = why else { return None };
        let name = format!("`scanner fleet init --name {host}` at the lead, then restart the broker");
        let presented = presented.join(", ");
        Some(format!(
            "its certificate is not for {host:?} but for {presented}: name it so, or let it have this name, too ({name})"
        ))
    }

    fn stranger(&self) -> String {
        match self {
            Self::System => "its certificate is of nobody whom this machine believes: write `broker` and `ca` as `scanner fleet invite` \
                             prints them at the lead"
                .into(),
            Self::Fingerprint(fingerprint) => format!(
                "somebody else answers there, or the lead has another authority by now: its certificate is not of the one that `ca` \
                 names, {fingerprint}; compare with `scanner fleet invite` at the lead"
            ),
            Self::File { path, .. } => format!(
                "somebody else answers there, or the broker was not started anew since `scanner fleet init`: its certificate is not of \
                 the authority in {}",
                path.display()
            ),
        }
    }
}

/// The cryptography of TLS, with what this processor does fastest first: a Raspberry Pi 3 or 4 has no instructions for AES.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    #[cfg(target_arch = "aarch64")]
    let has_aes = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(target_arch = "aarch64"))]
    let has_aes = true;
    if !has_aes {
        let is_chacha = |name: Option<&str>| name.is_some_and(|name| name.contains("CHACHA20"));
        provider.cipher_suites.sort_by_key(|suite| !is_chacha(suite.suite().as_str()));
    }
    Arc::new(provider)
}

/// Believes who was signed by the authority of a fingerprint. That one shows its certificate along with the broker's; all else is checked
/// as always, with it as the only authority.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = intermediates.iter().find(|shown| Fingerprint::of(shown) == self.fingerprint);
        let authority = authority.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build();
        let verifier = verifier.map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
