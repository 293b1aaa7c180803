//! The authority of one broker, and the broker's certificate. Whoever believes the authority believes the broker, however often that gets
//! another certificate.
//!
//! No date ends them and none begins them: a Raspberry Pi has no clock that goes on while it is off, and a rig in a network of its own never
//! hears what time it is. Who has stolen a key is shut out by another one, not by a date. Nor is the authority held to certain names or
//! addresses: nobody believes it but who speaks to this broker, which may move.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use async_nats::rustls::pki_types::CertificateDer;
use async_nats::rustls::pki_types::pem::PemObject as _;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use scanner::durable::{self, Readers};

use crate::readers::{self, Group};
use crate::trust::{AUTHORITY, Fingerprint};

/// The authority's secret key, which only root reads: the broker has no use for it.
const AUTHORITY_KEY: &str = "ca.key";
/// The broker's certificate, that of its authority, and its secret key: one file, of which no half can be of before.
pub const BROKER: &str = "broker.pem";
/// What the authority is called in each certificate. That of those who were made before does not change.
const NAME: &str = "scanner fleet";

/// Something is wrong with certificates.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file.
    #[error("{} cannot be {action}: {source}", path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// One half of the authority is gone.
    #[error(
        "there is no {}, and without it nothing can be signed: bring it back from a backup, or remove {} for a new authority, which all nodes \
         and workers have to be told (`scanner fleet invite`)",
        gone.display(),
        left.display()
    )]
    Half {
        /// The one that is missing.
        gone: PathBuf,
        /// The other one.
        left: PathBuf,
    },
    /// It cannot be made, or used.
    #[error("no certificate can be made with {}: {source}", path.display())]
    Certificate {
        /// Of what.
        path: PathBuf,
        /// Why not.
        source: rcgen::Error,
    },
    /// What is there is none.
    #[error("{} is no certificate ({reason}): bring it back from a backup", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Makes a certificate for the broker that is reached by `names`, signed by the authority in `folder`, which is made if there is none. Says
/// by what the authority is known.
pub fn certify(folder: &Path, names: &[String]) -> Result<Fingerprint, AuthorityError> {
    let (path, key_path, broker) = (folder.join(AUTHORITY), folder.join(AUTHORITY_KEY), folder.join(BROKER));
    let failed = |source| AuthorityError::Certificate { path: broker.clone(), source };
    let key = match (exists(&path)?, exists(&key_path)?) {
        (true, true) => {
            let text = std::fs::read_to_string(&key_path);
            let text = text.map_err(|source| file("read", &key_path, source))?;
            KeyPair::from_pem(&text)
                .map_err(|source| AuthorityError::Certificate { path: key_path, source })?
        }
        (true, false) => return Err(AuthorityError::Half { gone: key_path, left: path }),
        (false, true) => return Err(AuthorityError::Half { gone: path, left: key_path }),
        (false, false) => begin(&path, &key_path)?,
    };
    let authority = read(&path)?;
    let own = KeyPair::generate().map_err(failed)?;
    let mut server = CertificateParams::new(names).map_err(failed)?;
    always(&mut server);
    server.distinguished_name = called("the broker of scanner fleet");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = server.signed_by(&own, &Issuer::new(authority_params(), key)).map_err(failed)?;
    let text = std::fs::read_to_string(&path).map_err(|source| file("read", &path, source))?;
    let all = format!("{}{text}{}", signed.pem(), own.serialize_pem());
    let written = durable::replace(&broker, all.as_bytes(), Readers::Owner);
    written.map_err(|source| file("written", &broker, source))?;
    readers::share(&broker, Group::Broker)
        .map_err(|source| file("given to the broker's user", &broker, source))?;
    Ok(Fingerprint::of(&authority))
}

/// The certificate of the authority in `folder`.
pub fn fingerprint(folder: &Path) -> Result<Fingerprint, AuthorityError> {
    read(&folder.join(AUTHORITY)).map(|authority| Fingerprint::of(&authority))
}

fn read(path: &Path) -> Result<CertificateDer<'static>, AuthorityError> {
    CertificateDer::from_pem_file(path)
        .map_err(|error| AuthorityError::Unreadable { path: path.into(), reason: error.to_string() })
}

/// Makes an authority.
fn begin(path: &Path, key_path: &Path) -> Result<KeyPair, AuthorityError> {
    let failed = |source| AuthorityError::Certificate { path: path.into(), source };
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = authority_params().self_signed(&key).map_err(failed)?;
    // The key first: alone, it is found, and asked for the other one.
    for (path, text, readers) in
        [(key_path, key.serialize_pem(), Readers::Owner), (path, certificate.pem(), Readers::AsUsual)]
    {
        durable::replace(path, text.as_bytes(), readers).map_err(|source| file("written", path, source))?;
    }
    readers::share(path, Group::Everybody).map_err(|source| file("given to everybody", path, source))?;
    Ok(key)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    always(&mut params);
    params.distinguished_name = called(NAME);
    // It signs brokers, and no other authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// From before any clock's first day to what stands for no end (RFC 5280, 4.1.2.5).
fn always(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
}

fn exists(path: &Path) -> Result<bool, AuthorityError> {
    std::fs::exists(path).map_err(|source| file("looked for", path, source))
}

fn file(action: &'static str, path: &Path, source: io::Error) -> AuthorityError {
    AuthorityError::File { action, path: path.into(), source }
}

/// Whether a certificate can be for `name`: an address, or a name of a machine.
pub fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.parse::<IpAddr>().is_ok() || (name.len() < 254 && name.split('.').all(part))
}

#[cfg(test)]
mod tests;
