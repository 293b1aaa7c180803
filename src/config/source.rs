//! The files that were read, and places in them.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// Index of a file in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(usize);

/// A file, and the bytes in it that are meant; the file as a whole without, which then could not be read, or is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: FileId,
    pub(super) span: Option<Range<usize>>,
}

impl Place {
    /// The bytes `span` of `file`.
    pub(super) fn new(file: FileId, span: Range<usize>) -> Self {
        Self { file, span: Some(span) }
    }

    /// The whole of `file`, where no closer place is known.
    pub(super) fn whole(file: FileId) -> Self {
        Self { file, span: None }
    }
}

/// A file as it was written.
#[derive(Debug)]
pub(super) struct Source {
    /// As people know it.
    pub(super) name: String,
    /// Its text; empty if it could not be read.
    pub(super) text: String,
}

/// Every file of a configuration, the main one first.
#[derive(Debug, Default)]
pub(super) struct Sources {
    files: Vec<Source>,
    directory: PathBuf,
}

impl Sources {
    /// Takes in the file at `path`.
    pub(super) fn add(&mut self, path: &Path, text: String) -> FileId {
        if self.files.is_empty() {
            let directory = path.parent().unwrap_or(Path::new(""));
            // An absolute form cannot be had without a current directory; then a relative one has to do.
            self.directory = if directory.as_os_str().is_empty() {
                std::env::current_dir().unwrap_or_default()
            } else {
                std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned())
            };
        }
        self.files.push(Source { name: path.display().to_string(), text });
        FileId(self.files.len() - 1)
    }

    /// What relative paths start from, in drop-ins too: the folder of the main file.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file `id`, which must be of this set.
    pub(super) fn get(&self, id: FileId) -> &Source {
        &self.files[id.0]
    }

    /// The bytes meant by `place`, never beyond the text, and never a part of a character.
    pub(super) fn span(&self, place: &Place) -> Option<Range<usize>> {
        let text = &self.get(place.file).text;
        let span = place.span.clone()?;
        let start = floor_boundary(text, span.start);
        Some(start..floor_boundary(text, span.end).max(start))
    }

    /// Line and column (in characters) of the start of `place`, both from 1.
    pub(super) fn line_column(&self, place: &Place) -> Option<(u32, u32)> {
        let before = &self.get(place.file).text[..self.span(place)?.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((line as u32, column as u32))
    }
}

fn floor_boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}
