//! Files that the program stored, in whose place somebody else may have put anything meanwhile.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::SystemTime;

use super::problem::{Problem, ProblemType};
use crate::dataset::open::{self, Unread};

/// A file of a folder, as it is recorded. No client has chosen its name.
#[derive(Debug, Clone)]
pub(in crate::api) struct StoredFile {
    pub(in crate::api) dir: PathBuf,
    pub(in crate::api) name: String,
    pub(in crate::api) length: Length,
}

/// How long a file has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Length {
    /// As it is recorded.
    Exactly(u64),
    /// As long as nothing records it.
    AtMost(u64),
}

/// A regular file of that length. Whatever is done to its name, it is read from here.
#[derive(Debug)]
pub(in crate::api) struct Opened {
    pub(in crate::api) file: File,
    pub(in crate::api) length: u64,
    pub(in crate::api) changed: Option<SystemTime>,
}

/// Why nothing is sent of a file.
#[derive(Debug, thiserror::Error)]
pub(in crate::api) enum Unsent {
    /// Looked for, and not there.
    #[error("there is no file {0}")]
    Missing(String),
    /// Looked at, and not what was stored.
    #[error("{name} {reason}, so nothing of it is sent: put the file back that was stored, or take it again")]
    Changed {
        /// The file, by its path in the dataset.
        name: String,
        /// What it is instead.
        reason: String,
    },
    /// Nobody knows what is there.
    #[error("{name} cannot be read: {source}")]
    Failed {
        /// The file, by its path in the dataset.
        name: String,
        /// What the system says.
        source: io::Error,
    },
}

impl StoredFile {
    /// Opens it. Blocks, but waits for nobody.
    pub(in crate::api) fn open(&self) -> Result<Opened, Unsent> {
        let name = || self.name.clone();
        let changed = |reason| Err(Unsent::Changed { name: name(), reason });
        let failed = |source| Unsent::Failed { name: name(), source };
        let file = match open::file(&self.dir, &self.name) {
            Ok(file) => file,
            Err(Unread::Missing) => return Err(Unsent::Missing(name())),
            Err(Unread::Failed(source)) => return Err(failed(source)),
            Err(wrong @ (Unread::NotAFile | Unread::TooLong { .. })) => return changed(wrong.to_string()),
        };
        let metadata = file.metadata().map_err(failed)?;
        let length = metadata.len();
        match self.length {
            Length::Exactly(recorded) if length != recorded => {
                changed(format!("has {length} bytes, where {recorded} were stored"))
            }
            Length::AtMost(limit) if length > limit => changed(format!("is longer than {limit} bytes")),
            Length::Exactly(_) | Length::AtMost(_) => {
                Ok(Opened { file, length, changed: metadata.modified().ok() })
            }
        }
    }
}

impl Opened {
    /// All of it, as long as it was when it was opened: what has grown behind that is left out.
    pub(in crate::api) fn read(self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.take(self.length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == self.length {
            Ok(bytes)
        } else {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has become shorter"))
        }
    }
}

impl From<Unsent> for Problem {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Missing(_) => Self::not_found(unsent),
            Unsent::Changed { .. } => Self::new(ProblemType::Dataset, unsent),
            Unsent::Failed { .. } => Self::failed(unsent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_as_long_as_it_was_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "12345").unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
        let open = |name: &str, length| {
            StoredFile { dir: dir.path().to_owned(), name: name.to_owned(), length }.open()
        };
        assert_eq!(open("a", Length::Exactly(5)).unwrap().length, 5);
        let opened = open("a", Length::AtMost(5)).unwrap();
        std::fs::write(dir.path().join("a"), "1234567").unwrap();
        assert_eq!(opened.read().unwrap(), b"12345");
        let opened = open("a", Length::AtMost(7)).unwrap();
        std::fs::write(dir.path().join("a"), "12345").unwrap();
        assert!(opened.read().is_err());
        for (name, length) in [
            ("a", Length::Exactly(4)),
            ("a", Length::Exactly(6)),
            ("a", Length::AtMost(4)),
            ("link", Length::AtMost(9)),
        ] {
            assert!(matches!(open(name, length), Err(Unsent::Changed { .. })), "{name} {length:?}");
        }
        assert!(matches!(open("b", Length::AtMost(9)), Err(Unsent::Missing(_))));
    }
}
