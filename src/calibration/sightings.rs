//! What images say of where table and cameras stand: `marks.jsonl` in the dataset, a line each. Derived, as masks are: it can be
//! removed and made again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::CalibrationError;
use crate::dataset::{Contents, open};
use crate::ownership;
use crate::regular_file::QUIET;
use crate::scan::Stored;

/// Its name in the dataset.
pub const FILE: &str = "marks.jsonl";
/// The longest one, in bytes: half a million images.
const LONGEST: u64 = 256 << 20;

/// What an image says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is where it should be.
    AsCommanded,
    /// The table stands elsewhere, and the camera where it was measured.
    TableElsewhere,
    /// The camera is not where it was measured.
    CameraMoved,
    /// Too few marks are seen to say.
    Unknown,
}

impl Verdict {
    /// Whether something is not where it should be.
    pub fn is_displaced(self) -> bool {
        match self {
            Self::TableElsewhere | Self::CameraMoved => true,
            Self::AsCommanded | Self::Unknown => false,
        }
    }
}

/// What one image says of where table and camera stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Index of its shot in the plan.
    pub shot: u32,
    /// Its path in the dataset.
    pub image: String,
    /// Checksum of the image: of another one in its place it says nothing.
    pub crc32c: u32,
    /// What explains it with the least.
    pub verdict: Verdict,
    /// The same in words.
    pub says: String,
    /// Marks that count.
    pub marks: usize,
    /// How many degrees further on the table stands than it should if the camera is where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_deg: Option<f64>,
    /// Its standard deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation_deg: Option<f64>,
    /// How many degrees further on the table should stand than it was commanded to, by its backlash.
    #[serde(default)]
    pub backlash_deg: f64,
    /// How far the camera is from where it was measured if the table stands as it should: in the rig's frame, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_mm: Option<[f64; 3]>,
    /// The same about its right, down and forward, in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_deg: Option<[f64; 3]>,
}

impl Sighting {
    /// How far the camera is from where it was measured, in millimetres.
    pub fn distance_mm(&self) -> Option<f64> {
        self.moved_mm.map(|moved| moved.iter().map(|part| part * part).sum::<f64>().sqrt())
    }
}

/// What is known of the images of a dataset, by their shots.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sightings {
    by_shot: BTreeMap<u32, Sighting>,
}

impl Sightings {
    /// Those in the dataset at `dir`, from which `contents` were read, that are of images that are stored. A file that is not there
    /// or cannot be read has none: they are derived.
    pub fn read(dir: &Path, contents: &Contents) -> Self {
        let text = open::read(dir, FILE, LONGEST).unwrap_or_default();
        let all = Self::parse(&text);
        let stored = contents.tally().stored();
        let by_shot = stored.filter_map(|stored| Some((stored.shot.0, all.of(stored)?.clone()))).collect();
        Self { by_shot }
    }

    /// Of each shot the last line that is whole.
    fn parse(text: &[u8]) -> Self {
        let lines = text.split(|byte| *byte == b'\n');
        let sightings = lines.filter_map(|line| serde_json::from_slice::<Sighting>(line).ok());
        Self { by_shot: sightings.map(|sighting| (sighting.shot, sighting)).collect() }
    }

    /// What the image of `stored` says, if it was looked at.
    pub fn of(&self, stored: &Stored) -> Option<&Sighting> {
        self.by_shot.get(&stored.shot.0).filter(|sighting| sighting.crc32c == stored.crc32c)
    }

    /// All, in the order of the plan.
    pub fn iter(&self) -> impl Iterator<Item = &Sighting> {
        self.by_shot.values()
    }

    /// Adds one.
    pub fn insert(&mut self, sighting: Sighting) {
        self.by_shot.insert(sighting.shot, sighting);
    }
}

/// Adds a line to the file of the dataset at `dir`. Nothing is synced: what a power cut takes is looked at again.
pub fn append(dir: &Path, sighting: &Sighting) -> Result<(), CalibrationError> {
    let path = dir.join(FILE);
    let failed = |source| CalibrationError::Io {
        action: "write what was seen of the marks to",
        path: path.clone(),
        source,
    };
    let is_new = !path.exists();
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .custom_flags((QUIET | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed())
        .open(&path);
    let mut file = file.map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(std::io::ErrorKind::InvalidInput.into()));
    }
    if is_new {
        ownership::hand_over(&file, dir);
    }
    let mut line = serde_json::to_vec(sighting).map_err(|error| failed(error.into()))?;
    line.push(b'\n');
    if is_torn(&file).map_err(failed)? {
        line.insert(0, b'\n');
    }
    // In one go: another process may write, too.
    file.write_all(&line).map_err(failed)
}

/// Whether the last line has no end.
fn is_torn(file: &File) -> std::io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else { return Ok(false) };
    let mut end = [0];
    file.read_exact_at(&mut end, last)?;
    Ok(end != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(shot: u32, offset: f64) -> Sighting {
        Sighting {
            shot,
            image: format!("images/cam0/r01_a{shot:03}.jpg"),
            crc32c: 100 + shot,
            verdict: Verdict::TableElsewhere,
            says: "the table stands elsewhere".into(),
            marks: 7,
            offset_deg: Some(offset),
            deviation_deg: Some(0.01),
            backlash_deg: 0.0,
            moved_mm: Some([3.0, 0.0, 4.0]),
            turned_deg: Some([0.0; 3]),
        }
    }

    #[test]
    fn a_line_that_is_torn_is_ignored_and_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        append(dir.path(), &sighting(1, 0.1)).unwrap();
        append(dir.path(), &sighting(2, 0.2)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            append(dir.path(), &sighting(3, 0.3)).unwrap();
            let read = Sightings::parse(&std::fs::read(&path).unwrap());
            let shots: Vec<u32> = read.iter().map(|sighting| sighting.shot).collect();
            let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
            // Without its last byte, the line's end, a line is whole.
            let wanted: &[u32] = match cut {
                cut if cut >= whole.len() - 1 => &[1, 2, 3],
                cut if cut >= first => &[1, 3],
                _ => &[3],
            };
            assert_eq!(shots, wanted, "cut at {cut}");
        }
    }

    #[test]
    fn the_last_one_of_an_image_counts_and_none_of_another_image() {
        let dir = tempfile::tempdir().unwrap();
        for line in [sighting(1, 0.1), sighting(1, 0.4)] {
            append(dir.path(), &line).unwrap();
        }
        let read = Sightings::parse(&std::fs::read(dir.path().join(FILE)).unwrap());
        assert_eq!(read.iter().collect::<Vec<_>>(), [&sighting(1, 0.4)]);
        let facts = serde_json::json!({
            "shot": 1, "attempt": 1, "image": "images/cam0/r01_a001.jpg", "bytes": 9, "crc32c": 101,
            "facts": {
                "taken_at": "2026-11-30T08:00:00Z", "sensor_timestamp_ns": 0, "exposure": "0 s", "gain": 0.0, "sequence": 0,
                "sharpness": 1.0, "clipped_dark": 0.0, "clipped_bright": 0.0,
            },
        });
        let mut stored: Stored = serde_json::from_value(facts).unwrap();
        assert_eq!(read.of(&stored), Some(&sighting(1, 0.4)));
        stored.crc32c += 1;
        assert_eq!(read.of(&stored), None, "it was taken again");
        assert!((sighting(1, 0.0).distance_mm().unwrap() - 5.0).abs() < 1e-12);
    }
}
