//! The books of a scan, kept beside it: what its journal said when, and whether all of it can be true.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use scanner::clock::now_ns;
use serde_json::Value;

/// An image that was stored.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) camera: usize,
    /// When its exposure ended, as the scan says.
    pub(super) exposed_ns: u64,
    /// When that was read.
    pub(super) seen_ns: u64,
    /// The place of its attempt among all of them.
    order: usize,
    unsure_ns: u64,
    attempt: u64,
    pixels: u64,
    file: String,
}

/// What was read of a journal.
pub(super) struct Ledger {
    path: PathBuf,
    cameras: usize,
    read: u64,
    /// Attempts, by shot and number, in their order.
    asked: BTreeMap<(u64, u64), usize>,
    pub(super) images: BTreeMap<u64, Image>,
    pub(super) shots_failed: usize,
    pub(super) attempts_failed: usize,
    /// What cannot be.
    pub(super) wrong: Vec<String>,
}

impl Ledger {
    /// Of the journal at `path`, of a scan with so many cameras.
    pub(super) fn new(path: PathBuf, cameras: usize) -> Self {
        Self {
            path,
            cameras,
            read: 0,
            asked: BTreeMap::new(),
            images: BTreeMap::new(),
            shots_failed: 0,
            attempts_failed: 0,
            wrong: Vec::new(),
        }
    }

    /// Reads what is new.
    pub(super) fn look(&mut self) {
        let mut text = String::new();
        if let Ok(mut journal) = File::open(&self.path) {
            let length = journal.metadata().unwrap().len();
            if length < self.read {
                self.wrong
                    .push(format!("the journal had {} bytes of whole lines, and has {length}", self.read));
                self.read = length;
            }
            journal.seek(SeekFrom::Start(self.read)).unwrap();
            journal.read_to_string(&mut text).unwrap();
        }
        // A line may just be written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        for line in text[..whole].lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            self.note(&entry["record"]);
        }
    }

    fn note(&mut self, record: &Value) {
        let number = |key: &str| record[key].as_u64().unwrap_or(u64::MAX);
        let (shot, attempt) = (number("shot"), number("attempt"));
        match record["type"].as_str().unwrap_or_default() {
            "attempted" => drop(self.asked.insert((shot, attempt), self.asked.len())),
            "attempt_failed" => self.attempts_failed += 1,
            "shot_failed" => self.shots_failed += 1,
            "stored" => {
                let facts = &record["facts"];
                let fact = |key: &str| facts[key].as_u64().unwrap_or_default();
                let image = Image {
                    camera: shot as usize % self.cameras,
                    exposed_ns: fact("sensor_timestamp_ns"),
                    seen_ns: now_ns(),
                    order: self.asked.get(&(shot, attempt)).copied().unwrap_or(usize::MAX),
                    unsure_ns: fact("clock_uncertainty_us") * 1_000,
                    attempt,
                    pixels: facts["measured"]["luma_crc32c"].as_u64().unwrap_or_default(),
                    file: record["image"].as_str().unwrap_or_default().to_owned(),
                };
                let camera = format!("/cam{}/", image.camera);
                if !image.file.contains(&camera) {
                    self.wrong.push(format!("shot {shot} is that of {camera}, and its image {}", image.file));
                }
                if let Some(before) = self.images.insert(shot, image) {
                    self.wrong.push(format!(
                        "shot {shot} was stored twice: attempts {} and {attempt}",
                        before.attempt
                    ));
                }
            }
            "lost" | "retake" | "flagged" => self.wrong.push(format!("nothing was to be wrong: {record}")),
            _other => {}
        }
    }

    /// All that is wrong with a scan that is complete, with so many shots.
    pub(super) fn audit(&self, shots: u64) -> Vec<String> {
        let mut wrong = self.wrong.clone();
        let missing: Vec<_> = (0..shots).filter(|shot| !self.images.contains_key(shot)).collect();
        if !missing.is_empty() || self.images.len() as u64 != shots {
            wrong.push(format!("{} images of {shots}; missing: {missing:?}", self.images.len()));
        }
        let mut pictures = BTreeMap::new();
        for (shot, image) in &self.images {
            let Image { exposed_ns, seen_ns, unsure_ns, pixels, .. } = *image;
            if exposed_ns > seen_ns + unsure_ns {
                wrong.push(format!("shot {shot} was stored by {seen_ns}, and exposed at {exposed_ns}"));
            }
            if let Some(other) = pictures.insert((image.camera, pixels), shot) {
                wrong.push(format!("shots {other} and {shot} have the same picture"));
            }
            let file = self.path.with_file_name(&image.file);
            if !file.is_file() {
                wrong.push(format!("shot {shot} has no image {}", file.display()));
            }
        }
        wrong.extend(self.out_of_order());
        let files = files(&self.path.with_file_name("images"));
        if files as u64 != shots {
            wrong.push(format!("{files} files of images"));
        }
        wrong
    }

    /// The axes move on when all cameras have done with a point: no image is as old as one that was asked for at the point before, or it
    /// shows that.
    fn out_of_order(&self) -> Vec<String> {
        let mut images: Vec<_> = self.images.iter().collect();
        images.sort_by_key(|(_, image)| image.order);
        let point = |shot: u64| shot / self.cameras as u64;
        let (mut wrong, mut before_ns) = (Vec::new(), 0);
        for visit in images.chunk_by(|(one, _), (other, _)| point(**one) == point(**other)) {
            for (shot, Image { exposed_ns, unsure_ns, .. }) in visit {
                if exposed_ns + unsure_ns < before_ns {
                    wrong.push(format!(
                        "shot {shot} was exposed at {exposed_ns}, before one of another point at {before_ns}"
                    ));
                }
            }
            let ends = visit.iter().map(|(_, image)| image.exposed_ns.saturating_sub(image.unsure_ns));
            before_ns = ends.max().unwrap_or_default().max(before_ns);
        }
        wrong
    }

    /// The first image of `camera` that was exposed after `ns`.
    pub(super) fn next_image(&self, camera: usize, ns: u64) -> Option<&Image> {
        let images = self.images.values().filter(|image| image.camera == camera && image.exposed_ns > ns);
        images.min_by_key(|image| image.seen_ns)
    }
}

/// How many images are below `folder`.
fn files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: std::fs::DirEntry| match entry.path() {
        path if path.is_dir() => files(&path),
        path => usize::from(path.extension().is_some_and(|extension| extension == "jpg")),
    };
    entries.map(|entry| count(entry.unwrap())).sum()
}
