//! By which it is known whether the files of a configuration are still those that somebody has seen.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::regular_file;

/// Longest file that is looked at; longer ones do not load.
const LONGEST: u64 = 4 << 20;

/// The names and the bytes of all files of a configuration, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of the configuration at `path`, as it is now.
    ///
    /// # Errors
    /// The folder of its drop-ins cannot be listed.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut hash = Sha256::new();
        for file in Config::files(path)? {
            let name = file.as_os_str().as_encoded_bytes();
            // What cannot be read has a print of its own, too.
            let (bytes, unread) = match regular_file::read(&file, LONGEST) {
                Ok(bytes) => (bytes, 0_u8),
                Err(unread) => (unread.to_string().into_bytes(), 1),
            };
            hash.update([unread]);
            for part in [name, &bytes] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        // Half of it tells files apart as well.
        let digest = hash.finalize();
        let print = digest.iter().take(16).fold(String::new(), |mut text, byte| {
            // Writing to memory does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Self(print))
    }
}

impl From<String> for Fingerprint {
    fn from(text: String) -> Self {
        Self(text)
    }
}
