//! What an export consists of.

use std::path::Path;

/// Where an export will be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At<'a> {
    /// In the folder at this absolute path.
    Folder(&'a Path),
    /// Wherever somebody unpacks it.
    Anywhere,
}

/// Files of an export, beside its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// For each view the path of its image in the export.
    pub images: Vec<String>,
    /// For each view the path of its mask in the export, if it has one there.
    pub masks: Vec<Option<String>>,
    /// Path and content of each other file.
    pub texts: Vec<(String, String)>,
}

/// Where the mask of the image `name` is, in a folder beside that of the images: `masks/cam0_r01_a017.png`.
pub(super) fn mask_name(name: &str) -> String {
    format!("masks/{}.png", name.strip_suffix(".jpg").unwrap_or(name))
}
