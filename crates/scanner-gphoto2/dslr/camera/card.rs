//! The photographs that it makes: copies of those on its card, or what it sees of the simulated rig.

use std::fs;
use std::path::{Path, PathBuf};

use scanner::model::{FileKind, FileType, Size};
use scanner::sim::object::Photographer;
use scanner::units::Seconds;

use crate::settings::CameraSettings;

/// A file by what its name ends in.
pub(super) type Made = (String, Vec<u8>);

/// Where its photographs are from.
#[derive(Debug)]
pub(super) enum Subject {
    Card(PathBuf),
    Rig { photographer: Box<Photographer>, size: Size, files: Vec<FileType> },
}

impl Subject {
    pub(super) fn of(settings: &CameraSettings) -> Self {
        let Some(rig) = settings.rig.clone() else { return Self::Card(settings.card.clone()) };
        let size = Size { width: rig.intrinsics.width, height: rig.intrinsics.height };
        Self::Rig { photographer: Box::new(Photographer::new(rig)), size, files: settings.files.clone() }
    }

    /// The JPEG of a release, with this exposure time and gain if it is set, and what is beside it.
    pub(super) fn release(&mut self, release: u64, set: Option<(Seconds, f64)>) -> Vec<Made> {
        match self {
            Self::Card(card) => {
                let jpegs = jpegs(card);
                let Some(jpeg) = jpegs.get(release as usize % jpegs.len().max(1)) else { return Vec::new() };
                let beside = list(card).into_iter().filter(|path| path.file_stem() == jpeg.file_stem());
                beside.map(|path| (ending(&path), fs::read(&path).unwrap_or_default())).collect()
            }
            Self::Rig { photographer, size, files } => {
                let made = photographer.take(*size, set, files, release).unwrap_or_default();
                let named = |kind| match kind {
                    FileKind::Jpeg => "JPG".to_owned(),
                    FileKind::Raw { suffix } => suffix.as_str().to_uppercase(),
                };
                made.into_iter().map(|(kind, bytes)| (named(kind), bytes)).collect()
            }
        }
    }

    /// What its screen shows.
    pub(super) fn shown(&mut self, number: u64) -> Option<Vec<u8>> {
        match self {
            Self::Card(card) => {
                let photos = jpegs(card);
                photos.get(number as usize % photos.len().max(1)).and_then(|path| fs::read(path).ok())
            }
            Self::Rig { photographer, size, .. } => {
                let part = Size { width: 640, height: (640 * size.height / size.width.max(1)).max(2) };
                let made = photographer.take(part, None, FileType::IMAGE_ALONE, number).ok()?;
                made.into_iter().next().map(|(_, jpeg)| jpeg)
            }
        }
    }

    /// How large its images are: `6000x4000`.
    pub(super) fn size(&self) -> String {
        match self {
            Self::Card(card) => size_on(card),
            Self::Rig { size, .. } => format!("{}x{}", size.width, size.height),
        }
    }
}

fn jpegs(card: &Path) -> Vec<PathBuf> {
    list(card).into_iter().filter(|path| ending(path) == "JPG").collect()
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_uppercase()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found
}

/// Of the first JPEG, by its frame header.
fn size_on(card: &Path) -> String {
    let bytes = jpegs(card).first().and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let mut at = 2;
    while let Some([0xFF, marker, high, low, rest @ ..]) = bytes.get(at..) {
        // SOF0 to SOF2.
        if let (0xC0..=0xC2, [_, h1, h0, w1, w0, ..]) = (*marker, rest) {
            let side = |high: u8, low: u8| u16::from_be_bytes([high, low]);
            return format!("{}x{}", side(*w1, *w0), side(*h1, *h0));
        }
        at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    String::new()
}
