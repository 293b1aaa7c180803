//! Keys by which the broker knows who is who: nkeys, which are Ed25519. The secret part stays where it was made.

use std::io;
use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use scanner::durable::{self, Readers};

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written.
    #[error("the key {} cannot be {action}: {source}", path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is none.
    #[error("there is no key {}: `sudo scanner fleet init` makes it, at the machine of the broker (docs/fleet.md)", .0.display())]
    Missing(PathBuf),
    /// It is no key.
    #[error("{} is no key of NATS for a user ({why}): remove it, and a new one is made, which the lead has to accept", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// None can be made.
    #[error("no key can be made: {0}")]
    Make(String),
}

/// A key of this machine.
pub struct Key {
    /// The secret part, as the client of the broker takes it.
    pub seed: String,
    /// What others may know of it.
    pub public: String,
}

/// The key in `path`.
pub fn load(path: &Path) -> Result<Key, KeyError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            return KeyError::Missing(path.into());
        }
        KeyError::File { action: "read", path: path.into(), source }
    })?;
    let pair = KeyPair::from_seed(text.trim()).map_err(|error| bad(path, &error.to_string()))?;
    if pair.key_pair_type() != KeyPairType::User {
        return Err(bad(path, "it is not of a user"));
    }
    of(&pair)
}

/// The key in `path`, which is made if there is none: for the owner of the folder, and nobody else.
pub fn load_or_make(path: &Path) -> Result<Key, KeyError> {
    match std::fs::exists(path) {
        Ok(true) => return load(path),
        Ok(false) => {}
        Err(source) => return Err(KeyError::File { action: "looked for", path: path.into(), source }),
    }
    let failed = |source| KeyError::File { action: "written", path: path.into(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        scanner::ownership::create_folders(folder).map_err(failed)?;
    }
    let key = of(&KeyPair::new_user())?;
    match durable::create(path, format!("{}\n", key.seed).as_bytes(), Readers::Owner) {
        Ok(()) => Ok(key),
        // Somebody else was quicker: there is one key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(failed(error)),
    }
}

/// Whether this is the public part of a user's key.
pub fn is_public(text: &str) -> bool {
    KeyPair::from_public_key(text).is_ok_and(|pair| pair.key_pair_type() == KeyPairType::User)
}

fn of(pair: &KeyPair) -> Result<Key, KeyError> {
    let seed = pair.seed().map_err(|error| KeyError::Make(error.to_string()))?;
    Ok(Key { seed, public: pair.public_key() })
}

fn bad(path: &Path, why: &str) -> KeyError {
    KeyError::Bad { path: path.into(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/node.nk");
        assert!(load(&path).err().unwrap().to_string().contains("scanner fleet init"));
        let key = load_or_make(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_make(&path).unwrap().public, key.public);
        assert!(is_public(&key.public) && !is_public(&key.seed) && !is_public("U\"}"));
    }

    #[test]
    fn what_is_no_key_is_not_replaced() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(load_or_make(file.path()), Err(KeyError::Bad { .. })));
        assert_eq!(std::fs::read(file.path()).unwrap(), b"");
    }
}
