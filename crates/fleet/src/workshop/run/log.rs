//! What the command has said.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// This much of a log is kept, from its end,
const KEPT: u64 = 4 << 20;
/// and so much of it is looked through for the last line.
const LAST: u64 = 2000;

/// The end of the log `path`.
pub(super) fn tail(path: &Path) -> io::Result<Vec<u8>> {
    end(path, KEPT)
}

fn end(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut text = Vec::new();
    file.take(most).read_to_end(&mut text)?;
    Ok(text)
}

/// The last line of a log, as far as it is short.
pub(super) fn last_line(path: &Path) -> String {
    let text = end(path, LAST).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|letter| !letter.is_control()).take(200).collect()
}
