//! Reads `[api]`: where and for whom the service listens.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::reader::Reader;
use crate::config::{Api, CertificateFiles, Storage};

/// Most names that the rig can be reached by.
const MAX_HOSTS: usize = 32;

/// The file of the tokens' hashes, in whichever folder.
const TOKENS: &str = "tokens.json";

/// Reads `[api]`; tokens are kept in the state directory unless it says otherwise.
pub(super) fn api(api: &mut Reader<'_, '_, '_>, storage: Option<&Storage>) -> Api {
    let (tokens, former_tokens) = tokens(api.path("tokens"), storage);
    let hosts = api.each("hosts", |host| {
        let hint = "write a name or an address alone, as in \"scanner.example.org\": no port, no https://";
        if is_host(host) {
            Ok(host.to_ascii_lowercase())
        } else {
            Err((format!("has {host:?}, which is no host"), hint))
        }
    });
    if hosts.len() > MAX_HOSTS {
        api.reject("hosts", &format!("has {} names", hosts.len()), "write at most 32");
    }
    Api { listen: listen(api), hosts, tokens, former_tokens, tls: tls(api), pairing: api.or("pairing", true) }
}

/// Where tokens are, and where they were when they were kept beside the scans.
fn tokens(written: Option<PathBuf>, storage: Option<&Storage>) -> (PathBuf, Option<PathBuf>) {
    if let Some(written) = written {
        return (written, None);
    }
    let state = storage.map_or(Path::new("/var/lib/scanner"), |storage| &storage.state_directory);
    let now = state.join(TOKENS);
    let former = storage.and_then(|storage| storage.directory.parent()).map(|beside| beside.join(TOKENS));
    let former = former.filter(|former| *former != now);
    (now, former)
}

fn tls(api: &mut Reader<'_, '_, '_>) -> Option<CertificateFiles> {
    match (api.path("certificate"), api.path("key")) {
        (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            api.reject(
                "certificate",
                "has no key",
                "write the file of its private key: key = \"scanner.key\"",
            );
            None
        }
        (None, Some(_)) => {
            api.reject("key", "has no certificate", "write its file: certificate = \"scanner.crt\"");
            None
        }
    }
}

fn listen(api: &mut Reader<'_, '_, '_>) -> Option<SocketAddr> {
    let text: String = api.optional("listen")?;
    let address = text.parse().ok();
    if address.is_none() {
        let hint = "write an address and a port: \"127.0.0.1:8080\" for this machine alone, \"[::]:8080\" for the network";
        api.reject("listen", &format!("cannot be {text:?}"), hint);
    }
    address
}

fn is_host(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let name = text.len() <= 253 && text.chars().all(fits) && !text.starts_with(['-', '.']);
    name || text.parse::<std::net::IpAddr>().is_ok()
}
