//! What is asked of the program.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::list::{LIST, UNDER_WAY};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What of it.
    pub work: Work,
    /// The scan's id, which names its folder there.
    pub scan: String,
    /// Its folder here.
    pub source: PathBuf,
    /// By whom, for people who find it there.
    pub by: String,
    /// Its files, in the order in which they are sent. The first one never changes: it tells this scan from another one of its name.
    pub files: Vec<File>,
    /// Bytes a second at most; as fast as it goes, if absent.
    #[serde(default)]
    pub pace: Option<u64>,
    /// Where to.
    pub target: Target,
}

/// What of a scan is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It is brought there.
    Copy,
    /// What lies there is read, and compared with what was brought.
    Check,
    /// It is only looked whether anything could be brought there now. What the job says of a scan does not count.
    Reach,
}

/// A file of the scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its path in the scan's folder: `images/cam0/r01_a017.jpg`.
    pub path: String,
    /// What the scan's journal says of it; absent for what it has no record of, which is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// What is known of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// How many there are.
    pub bytes: u64,
    /// Their CRC-32C.
    pub crc32c: u32,
}

/// Where scans go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A folder, of a disk or of another machine.
    Folder(Folder),
    /// Storage that speaks S3.
    S3(S3),
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// It has to exist.
    pub path: PathBuf,
    /// Where something has to be mounted for it.
    #[serde(default)]
    pub mount_point: Option<PathBuf>,
}

/// Storage that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// `https://host:port`; that of AWS for the region, if absent.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The bucket, which has to exist.
    pub bucket: String,
    /// What keys begin with; empty for nothing.
    #[serde(default)]
    pub prefix: String,
    /// The region by which requests are signed.
    pub region: String,
    /// The id of the key.
    pub access_key: String,
    /// The file with its secret.
    pub secret_file: PathBuf,
    /// Certificates by which the storage is known; those of the system, if absent.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Whether each file is read back. Otherwise the storage's word is taken for what it has.
    pub read_back: bool,
}

/// Whether it leads to a file within the folder that it begins in.
pub(crate) fn is_path(path: &str) -> bool {
    path.split('/').all(is_name)
}

fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\'])
}

impl Job {
    /// That nothing of it leads out of the folders that it names.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !is_name(&self.scan) || self.scan.contains('/') {
            return Err(Failure::Job(format!("{:?} is no scan", self.scan)));
        }
        let is_ours = |path: &str| [LIST, UNDER_WAY].contains(&path);
        match self.files.iter().find(|file| !is_path(&file.path) || is_ours(&file.path)) {
            Some(file) => Err(Failure::Job(format!("{:?} is no file of a scan", file.path))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_folders() {
        let job = |scan: &str, path: &str| Job {
            work: Work::Copy,
            scan: scan.into(),
            source: "/".into(),
            by: String::new(),
            files: vec![File { path: path.into(), recorded: None }],
            pace: None,
            target: Target::Folder(Folder { path: "/".into(), mount_point: None }),
        };
        job("2026-11-30-owl", "images/cam0/a..b.jpg").check().unwrap();
        job("2026-11-30-owl", "images/delivered.json").check().unwrap();
        for (scan, path) in [
            ("..", "a"),
            ("a/b", "a"),
            ("", "a"),
            ("a", "../a"),
            ("a", "/a"),
            ("a", "a//b"),
            ("a", "a/./b"),
            ("a", ""),
            ("a", "delivered.json"),
            ("a", "delivering.json"),
        ] {
            assert!(job(scan, path).check().is_err(), "{scan:?} {path:?}");
        }
    }
}
