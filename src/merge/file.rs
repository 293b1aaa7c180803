//! A merged image's file: a JPEG that says in a comment what it was made from.

use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Program;
use super::images::ImageStack;
use super::jpeg::{self, COMMENT};
use crate::dataset::open;

/// What its comment begins with.
const WORD: &str = "Scanner ";
/// Changes whenever the same images are merged otherwise.
const METHOD: u32 = 1;
/// In front of the picture lies at most so much: EXIF with its thumbnail, and the comment.
const HEAD: usize = 256 << 10;
/// How a whole JPEG ends.
const END: [u8; 2] = [0xFF, 0xD9];

/// What an image was merged from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    method: u32,
    /// By which program.
    pub(super) program: Program,
    /// The images, in the order of the stack.
    images: Vec<Source>,
}

/// An image of the same scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Source {
    /// Its path in the dataset.
    image: String,
    /// CRC-32C of its file.
    crc32c: u32,
}

/// A merged image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Its path in the dataset.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// By which program it was made.
    pub program: Program,
}

impl Origin {
    /// Of the images of `stack`.
    pub(super) fn of(stack: &ImageStack<'_>, program: Program) -> Self {
        let source =
            |stored: &&crate::scan::Stored| Source { image: stored.image.clone(), crc32c: stored.crc32c };
        Self { method: METHOD, program, images: stack.images.iter().map(source).collect() }
    }

    /// As the bytes of a comment in a JPEG.
    pub(super) fn comment(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok([WORD.as_bytes(), &serde_json::to_vec(self)?].concat())
    }
}

/// Where the merged image of `stack` is in the dataset: `merged/cam0/r01_a017.jpg`.
pub(super) fn path(stack: &ImageStack<'_>) -> String {
    format!("merged/{}/{}.jpg", stack.camera, stack.label)
}

/// The merged image of `stack` in the dataset at `dir`, if it is of the images that are stored now, and whole.
pub fn find(dir: &Path, stack: &ImageStack<'_>) -> Option<Merged> {
    let path = path(stack);
    let file = open::file(dir, &path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut end = [0; END.len()];
    file.read_exact_at(&mut end, bytes.checked_sub(END.len() as u64)?).ok()?;
    let mut head = Vec::with_capacity(HEAD.min(bytes as usize));
    file.take(HEAD as u64).read_to_end(&mut head).ok()?;
    let origin = jpeg::segments(&head).filter(|segment| segment.kind == COMMENT).find_map(|segment| {
        serde_json::from_slice::<Origin>(segment.content.strip_prefix(WORD.as_bytes())?).ok()
    })?;
    let program = origin.program;
    let is_its = end == END && bytes <= open::IMAGE && origin == Origin::of(stack, program);
    is_its.then_some(Merged { path, bytes, program })
}
