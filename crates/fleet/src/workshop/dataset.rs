//! A dataset as what it is offered, and looked at once it has come.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use scanner::dataset::{self, Contents, DiskError, OpenError};

use super::job::{Item, JobId, LONGEST_LIST, List, Sum};
use super::records::About;

/// What is not part of a job: what was made of the scan before, what was set aside, and the note of who writes to it.
const LEFT_OUT: [&str; 6] = ["exports", "workshop", "quarantine", "retaken", "owner.json", "report.html"];

/// A dataset that can be offered.
#[derive(Debug)]
pub struct Offer {
    /// As which job.
    pub job: JobId,
    /// Its files.
    pub list: List,
    /// The list as it is sent.
    pub json: Vec<u8>,
    /// What is said of it.
    pub about: About,
}

/// The plan's name in the folder.
fn plan() -> &'static str {
    let [_, (plan, _), _] = dataset::DESCRIPTIONS;
    plan
}

/// The checksum of the plan of the scan in `dir`.
pub fn plan_of(dir: &Path) -> Result<u32, String> {
    Ok(measure(dir, plan())?.crc32c)
}

/// What the scan in `dir` is to the workshop. All of it that the journal has no checksum of is read.
pub fn look(dir: &Path) -> Result<Offer, String> {
    let contents = dataset::read_contents(dir).map_err(|error| error.to_string())?;
    let state = contents.tally().state();
    if !state.is_finished() {
        return Err(format!("{} has not ended: a scan is offered once it has", dir.display()));
    }
    let recorded = recorded(&contents);
    let paths = dataset::carried(dir, &LEFT_OUT);
    let mut paths = paths.map_err(|error| format!("cannot look through {}: {error}", dir.display()))?;
    paths.extend(recorded.keys().cloned());
    paths.sort();
    paths.dedup();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let sum = match recorded.get(&path) {
            Some(sum) => *sum,
            None => measure(dir, &path)?,
        };
        files.push(Item { path, sum });
    }
    let scan = contents.manifest.id.as_str().to_owned();
    let list = List { scan: scan.clone(), files };
    list.check()?;
    let json = serde_json::to_vec(&list).map_err(|error| error.to_string())?;
    if json.len() as u64 > LONGEST_LIST {
        return Err(format!("{} has too many files for the workshop: {}", dir.display(), list.files.len()));
    }
    let plan = plan_of(dir)?;
    let of_images = list.files.iter().filter(|file| recorded.contains_key(&file.path));
    let images = of_images.fold(Sum::NONE, |all, Item { path, sum }| {
        all.and(format!("{path} {} {:08x}\n", sum.bytes, sum.crc32c).as_bytes())
    });
    let about = About {
        scan: scan.clone(),
        rig: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        offered_s: super::now_s(),
        files: list.files.len() as u64,
        bytes: list.bytes(),
        list: Sum::NONE.and(&json),
        plan,
    };
    let job = JobId::new(&scan, plan, images.crc32c).map_err(|error| error.to_string())?;
    Ok(Offer { job, list, json, about })
}

/// Why a dataset that has come is not worked on.
#[derive(Debug, thiserror::Error)]
pub enum Unlike {
    /// It cannot be read here, which says nothing of it.
    #[error(transparent)]
    Unread(DiskError),
    /// It is not what it should be.
    #[error("{0}")]
    Damaged(String),
}

impl From<OpenError> for Unlike {
    fn from(error: OpenError) -> Self {
        let OpenError::Disk(error) = error else { return Self::Damaged(error.to_string()) };
        // What is not there, or no file, was not sent so.
        if matches!(error.source.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) {
            return Self::Damaged(error.to_string());
        }
        Self::Unread(error)
    }
}

/// That the dataset in `dir`, which has come with `list`, is what its own journal says.
pub fn agrees(dir: &Path, list: &List) -> Result<(), Unlike> {
    let contents = dataset::read_contents(dir)?;
    if contents.manifest.id.as_str() != list.scan {
        let reason = format!("the dataset is {}, and not {}", contents.manifest.id, list.scan);
        return Err(Unlike::Damaged(reason));
    }
    let listed: HashMap<&str, Sum> = list.files.iter().map(|file| (file.path.as_str(), file.sum)).collect();
    let wrong = recorded(&contents).into_iter().find(|(path, sum)| listed.get(path.as_str()) != Some(sum));
    match wrong {
        Some((path, _)) => {
            Err(Unlike::Damaged(format!("{path} is not what the dataset's journal says of it")))
        }
        None => Ok(()),
    }
}

/// What the journal says of the files of shots.
fn recorded(contents: &Contents) -> HashMap<String, Sum> {
    let files = contents.tally().stored().flat_map(|stored| stored.files().collect::<Vec<_>>());
    files.map(|file| (file.path, Sum { bytes: file.bytes, crc32c: file.crc32c })).collect()
}

/// Length and checksum of the file `path` of the scan in `dir`.
pub fn measure(dir: &Path, path: &str) -> Result<Sum, String> {
    let failed =
        |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", dir.join(path).display());
    sum(dataset::open::file(dir, path).map_err(|error| failed(&error))?).map_err(|error| failed(&error))
}

/// Length and checksum of what `file` has.
pub(super) fn sum(mut file: File) -> std::io::Result<Sum> {
    let mut room = vec![0; 256 << 10];
    let mut sum = Sum::NONE;
    loop {
        match file.read(&mut room)? {
            0 => return Ok(sum),
            count => sum = sum.and(&room[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_a_worker_cannot_read_is_not_said_to_be_damaged() {
        let is_unread = |source: io::Error| {
            let error = DiskError { action: "read", path: "journal.jsonl".into(), source };
            matches!(Unlike::from(OpenError::Disk(error)), Unlike::Unread(_))
        };
        let (lacking, broken) = (24, 5);
        for errno in [lacking, broken] {
            assert!(is_unread(io::Error::from_raw_os_error(errno)), "{errno}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::InvalidData] {
            assert!(!is_unread(kind.into()), "{kind}");
        }
        let no_opening = OpenError::NoOpening { path: "journal.jsonl".into() };
        assert!(matches!(Unlike::from(no_opening), Unlike::Damaged(_)));
    }
}
