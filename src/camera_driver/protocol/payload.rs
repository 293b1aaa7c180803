//! What lies in the memory of a frame.

use serde::{Deserialize, Serialize};

use crate::model::{FileKind, PixelFormat, Size};

/// What lies in the memory of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a frame needs size, and either format, strides and offsets, or files")]
pub enum Payload {
    /// Pixels.
    Pixels(Planes),
    /// Files that the camera made.
    Files(FilesInMemory),
}

/// Pixels, as they lie in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planes {
    /// Pixel format.
    pub format: PixelFormat,
    /// Size in pixels.
    pub size: Size,
    /// Bytes from row to row, a plane each.
    pub strides: Vec<u32>,
    /// Offset in the memory in bytes, a plane each.
    pub offsets: Vec<u64>,
}

/// Files, as they lie in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesInMemory {
    /// Size of the image in pixels.
    pub size: Size,
    /// The image, and what was made beside it, in the order of [`Hello::files`](super::Hello::files).
    pub files: Vec<FileInMemory>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInMemory {
    /// What it is.
    #[serde(flatten)]
    pub kind: FileKind,
    /// Where it begins in the memory, in bytes.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}

impl Payload {
    /// How its pixels lie; none of files.
    pub const fn planes(&self) -> Option<&Planes> {
        match self {
            Self::Pixels(planes) => Some(planes),
            Self::Files(_) => None,
        }
    }

    /// The files; none of pixels.
    pub fn files(&self) -> &[FileInMemory] {
        match self {
            Self::Pixels(_) => &[],
            Self::Files(memory) => &memory.files,
        }
    }

    /// Size in pixels.
    pub const fn size(&self) -> Size {
        match self {
            Self::Pixels(Planes { size, .. }) | Self::Files(FilesInMemory { size, .. }) => *size,
        }
    }
}
