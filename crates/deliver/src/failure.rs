//! What keeps a scan from being delivered, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::said::Said;

/// What keeps a scan from being delivered.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was asked is not understood.
    #[error("this is no job for scanner-deliver ({0}): install it and scanner from one package")]
    Job(String),
    /// The folder does not exist.
    #[error("the folder {} does not exist: create it, or connect the disk that it is on", .0.display())]
    NoFolder(PathBuf),
    /// Nothing is mounted where something should be.
    #[error(
        "nothing is mounted at {}: connect the disk, or mount what the other machine shares (mount {}); nothing was written there",
        .0.display(), .0.display()
    )]
    NotMounted(PathBuf),
    /// What was mounted has gone meanwhile.
    #[error(
        "{} is not what it was when this began: the disk, or what the other machine shares, has gone; connect or mount it again",
        .0.display()
    )]
    Away(PathBuf),
    /// What would be written is what is read.
    #[error(
        "{} is the scan itself, and no copy of it: have scans go to another folder, on another disk or machine (`path`)",
        .0.display()
    )]
    Itself(PathBuf),
    /// There is no room.
    #[error("there is no room left for {place}: free some space there")]
    Full {
        /// What was to be written.
        place: String,
    },
    /// It may not be written.
    #[error(
        "{place} cannot be written: {reason}; look at who owns the folder, and whether it is mounted for reading alone"
    )]
    NotAllowed {
        /// What was to be written.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// The file system there fails.
    #[error("cannot {action} {place}: {source}; look at the disk or at the other machine")]
    There {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// With what.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody answers.
    #[error(
        "{endpoint} cannot be reached: {reason}; look at the network, and whether the storage is running"
    )]
    Unreachable {
        /// The storage.
        endpoint: String,
        /// What was tried last.
        reason: String,
    },
    /// It is not known whether it is the right one that answers.
    #[error("{endpoint} is not trusted: {reason}; name the certificates by which it is known with `ca`")]
    Untrusted {
        /// The storage.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is refused.
    #[error(
        "{endpoint} refuses the key {access_key}: {reason}; see `access_key`, its secret, and what the key may do in the bucket"
    )]
    Refused {
        /// The storage.
        endpoint: String,
        /// The id of the key.
        access_key: String,
        /// What the storage says.
        reason: String,
    },
    /// Requests are signed with another time than it is there.
    #[error(
        "{endpoint} refuses what is signed by this machine's clock: {reason}; set the clock right (timedatectl)"
    )]
    Clock {
        /// The storage.
        endpoint: String,
        /// What the storage says.
        reason: String,
    },
    /// The bucket does not exist.
    #[error("there is no bucket {bucket} at {endpoint}: create it, or see `bucket` and `region`")]
    NoBucket {
        /// The storage.
        endpoint: String,
        /// Its name.
        bucket: String,
    },
    /// Something else that the storage says.
    #[error("{endpoint} does not take or give {place}: {reason}; look at the storage")]
    Answer {
        /// The storage.
        endpoint: String,
        /// What was sent or asked for.
        place: String,
        /// What it says.
        reason: String,
    },
    /// The secret cannot be read.
    #[error("{} cannot be used: {reason}; write the secret, or the certificates, into it, for the service's user to read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What was written is not what is read.
    #[error(
        "{place} was written, and {what} when it is read back: the disk or the connection there damages what it is given"
    )]
    DamagedThere {
        /// The file.
        place: String,
        /// In which way.
        what: String,
    },
    /// Another scan is there.
    #[error(
        "there is {place} of another scan of the same name, or it is damaged: look, and put that folder away, or have scans of this rig \
         go elsewhere"
    )]
    Other {
        /// The file by which it is known.
        place: String,
    },
    /// A file of the scan is not what the journal says.
    #[error(
        "{} is damaged here, and is not delivered: see what is left with `scanner dataset verify`, and take the shot again with `scanner \
         retake`",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file of which the journal has no record is another one each time.
    #[error("{} changes again and again while it is brought there: it is tried again later", path.display())]
    Changing {
        /// The file.
        path: PathBuf,
    },
    /// A file of the scan is gone.
    #[error("{} is gone: see what is left with `scanner dataset verify`", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// A file of the scan cannot be read.
    #[error("{} cannot be read: {source}; look at the disk here: the kernel's log (dmesg) may say more", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody reads what is said.
    #[error("nobody reads what scanner-deliver says: {0}")]
    Unheard(io::Error),
}

impl Failure {
    /// Of the file system there.
    pub(crate) fn there(action: &'static str, place: &Path, source: io::Error) -> Self {
        let errno = source.raw_os_error().map(Errno::from_raw_os_error);
        let place = place.display().to_string();
        match errno {
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Self::Full { place },
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
                Self::NotAllowed { place, reason: source.to_string() }
            }
            Some(_) | None => Self::There { action, place, source },
        }
    }

    /// Its kind, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::NoFolder(_) => "no_folder",
            Self::NotMounted(_) | Self::Away(_) => "not_mounted",
            Self::Itself(_) => "itself",
            Self::Full { .. } => "full",
            Self::NotAllowed { .. } => "not_allowed",
            Self::There { .. } => "io",
            Self::Unreachable { .. } => "unreachable",
            Self::Untrusted { .. } => "untrusted",
            Self::Refused { .. } => "refused",
            Self::Clock { .. } => "clock",
            Self::NoBucket { .. } => "no_bucket",
            Self::Answer { .. } => "answer",
            Self::File { .. } => "file",
            Self::DamagedThere { .. } => "damaged_there",
            Self::Other { .. } => "other_scan",
            Self::Damaged { .. } => "damaged_here",
            Self::Changing { .. } => "changing",
            Self::Gone { .. } => "gone_here",
            Self::Unread { .. } => "unread_here",
            Self::Unheard(_) => "unheard",
        }
    }

    /// Whether it lies in the scan, and not in the target.
    const fn is_of_scan(&self) -> bool {
        matches!(
            self,
            Self::Other { .. }
                | Self::Damaged { .. }
                | Self::Changing { .. }
                | Self::Gone { .. }
                | Self::Unread { .. }
        )
    }

    /// As it is said.
    pub fn said(&self) -> Said {
        Said::Failed { kind: self.kind().to_owned(), message: self.to_string(), of_scan: self.is_of_scan() }
    }
}
