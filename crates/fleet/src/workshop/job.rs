//! What a job is: a scan, and the list of its files.

use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest id: that of a scan, and what tells its files.
const MOST: usize = 64 + 1 + 16;
/// Longest list of files that is taken, in bytes: a hundred thousand of them.
pub const LONGEST_LIST: u64 = 32 << 20;

/// The id of a job: `2026-11-21-143005-owl-0f3c21d97a1b2c3d`, the scan and two checksums, of its plan and of what is recorded of its
/// images. So the same scan is the same job, whoever offers it and however often, and one with a shot taken again is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

/// What is no id of a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no job: `scanner fleet jobs` shows those that there are")]
pub struct NoJob(String);

impl JobId {
    /// Of `scan`, by the checksums of its plan and of its list.
    pub fn new(scan: &str, plan: u32, recorded: u32) -> Result<Self, NoJob> {
        format!("{scan}-{plan:08x}{recorded:08x}").parse()
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = NoJob;

    fn from_str(text: &str) -> Result<Self, NoJob> {
        let part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        // One part of a subject, and the name of a folder.
        let fits = (1..=MOST).contains(&text.len()) && text.bytes().all(part) && !text.starts_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(NoJob(text.to_owned())) }
    }
}

impl TryFrom<String> for JobId {
    type Error = NoJob;

    fn try_from(text: String) -> Result<Self, NoJob> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Length and checksum of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many bytes.
    pub bytes: u64,
    /// Their CRC-32C.
    pub crc32c: u32,
}

impl Sum {
    /// Of no bytes.
    pub const NONE: Self = Self { bytes: 0, crc32c: 0 };

    /// With `more` behind.
    #[must_use]
    pub fn and(self, more: &[u8]) -> Self {
        Self { bytes: self.bytes + more.len() as u64, crc32c: crc32c::crc32c_append(self.crc32c, more) }
    }
}

/// A file of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its path in the scan's folder.
    pub path: String,
    /// What its bytes have to be.
    #[serde(flatten)]
    pub sum: Sum,
}

/// All files of a job, in the order in which they are numbered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The scan, which names its folder.
    pub scan: String,
    /// Its files.
    pub files: Vec<Item>,
}

impl List {
    /// All bytes together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.sum.bytes).sum()
    }

    /// That nothing of it leads out of the scan's folder: it came from elsewhere.
    pub fn check(&self) -> Result<(), String> {
        if self.scan.is_empty()
            || self.scan.contains('.')
            || !is_inside(&self.scan)
            || self.scan.contains('/')
        {
            return Err(format!("{:?} is no scan", self.scan));
        }
        match self.files.iter().find(|file| !is_inside(&file.path)) {
            Some(file) => Err(format!("{:?} is no file of a scan", file.path)),
            None => Ok(()),
        }
    }
}

/// Whether `path` names a file below a folder, in one way alone.
pub fn is_inside(path: &str) -> bool {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let odd =
        path.is_empty() || path.contains(['\0', '\\', '\n']) || path.contains("//") || path.ends_with('/');
    !odd && !path.split('/').any(|part| part == ".") && Path::new(path).components().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_part_of_a_subject_and_a_folder() {
        let id = JobId::new("2026-11-21-143005-owl", 1, 0xffff_ffff).unwrap();
        assert_eq!(id.as_str(), "2026-11-21-143005-owl-00000001ffffffff");
        for bad in ["", "a.b", "a b", "*", ">", "../a", "-a", "a/b", "A", &"x".repeat(90)] {
            assert!(bad.parse::<JobId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for good in ["plan.json", "images/cam0/a..b.jpg", ".hidden"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a/./b", "a\\b", "a\nb", "."] {
            assert!(!is_inside(bad), "{bad}");
        }
        let list = |scan: &str| List { scan: scan.into(), files: vec![] };
        list("owl-2").check().unwrap();
        for bad in ["", "..", "a/b", "."] {
            assert!(list(bad).check().is_err(), "{bad}");
        }
    }
}
