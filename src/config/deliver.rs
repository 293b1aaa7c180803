//! Where finished scans are brought, checked: `[[deliver]]`.

use std::path::PathBuf;

use serde::Serialize;
use utoipa::ToSchema;

use crate::units::Bytes;

/// A place that finished scans are brought to: a `[[deliver]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Deliver {
    /// Unique; letters, digits, `-` and `_`: it is in the log, and names a file.
    pub name: String,
    /// Where they go.
    pub to: Destination,
    /// So much a second at most; as fast as it goes, if absent.
    pub pace: Option<Bytes>,
    /// Whether it goes on while the rig scans.
    pub during_scans: bool,
    /// Whether scans go there, too, that have ended with shots missing.
    pub incomplete: bool,
    /// How long a scan stays here.
    pub keep: Keep,
}

/// Whether scans are removed by `[storage]` before they are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None is.
    UntilDelivered,
    /// They are, as if there were no such place.
    AsStorageSays,
}

/// What a place is that scans go to, as `to` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DestinationKind {
    /// A folder.
    Folder,
    /// Storage that speaks S3.
    S3,
    /// The workshop, in whose queue they are.
    Workshop,
}

/// Where scans go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A folder, of a disk or of another machine.
    Folder {
        /// It has to exist.
        path: PathBuf,
        /// Where something has to be mounted for it.
        mount_point: Option<PathBuf>,
    },
    /// Storage that speaks S3.
    S3(S3),
    /// The workshop: scans are offered to whoever reconstructs them. That is no copy that is kept.
    Workshop {
        /// The address of its broker; that of `scanner fleet init`, which lies beside the key, if absent.
        broker: Option<String>,
        /// The file with the rig's key.
        key: PathBuf,
    },
}

/// Storage that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// Where it is; AWS, if absent.
    pub endpoint: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// What keys begin with; may be empty.
    pub prefix: String,
    /// The region by which requests are signed.
    pub region: String,
    /// The id of the key.
    pub access_key: String,
    /// The file with its secret.
    pub secret_file: PathBuf,
    /// Certificates by which the storage is known; those of the system if absent.
    pub ca: Option<PathBuf>,
    /// Whether what was sent is read back.
    pub read_back: bool,
}

impl Destination {
    /// What it is.
    pub const fn kind(&self) -> DestinationKind {
        match self {
            Self::Folder { .. } => DestinationKind::Folder,
            Self::S3(_) => DestinationKind::S3,
            Self::Workshop { .. } => DestinationKind::Workshop,
        }
    }

    /// Where it is, for people; and by which it is noticed that it is elsewhere.
    pub fn address(&self) -> String {
        match self {
            Self::Folder { path, .. } => path.display().to_string(),
            Self::S3(S3 { endpoint, bucket, prefix, region, .. }) => {
                let at = endpoint.as_deref().unwrap_or(region);
                format!("s3://{bucket}/{prefix} ({at})")
            }
            Self::Workshop { broker: Some(broker), .. } => format!("the workshop at {broker}"),
            Self::Workshop { broker: None, .. } => "the workshop".to_owned(),
        }
    }
}
