//! The photographs that it makes copies of.

use std::fs;
use std::path::{Path, PathBuf};

/// The JPEG of a release and what is beside it, in the order of their names.
pub(super) fn files_of(card: &Path, release: u64) -> Vec<PathBuf> {
    let jpegs = jpegs(card);
    let Some(jpeg) = jpegs.get(release as usize % jpegs.len().max(1)) else { return Vec::new() };
    let beside = list(card).into_iter().filter(|path| path.file_stem() == jpeg.file_stem());
    beside.collect()
}

pub(super) fn jpegs(card: &Path) -> Vec<PathBuf> {
    let is_jpeg = |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jpg"));
    list(card).into_iter().filter(is_jpeg).collect()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found
}

/// Of the first JPEG, by its frame header: `6000x4000`.
pub(super) fn size_of_images(card: &Path) -> String {
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
