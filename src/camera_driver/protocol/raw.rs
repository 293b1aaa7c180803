//! A raw image beside a still.

use serde::{Deserialize, Serialize};

use crate::model::{Bayer, ColourMatrix};

/// The raw image beside a still, as it lies in its memory, and what is so of this one alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawPlane {
    /// Bytes from row to row.
    pub stride: u32,
    /// Where it begins in its memory, in bytes.
    pub offset: u64,
    /// Its [`Bayer::black`], if that is not the same for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub black: Option<[u32; 4]>,
    /// Its [`Bayer::colour_matrix`], if that depends on the light.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour_matrix: Option<ColourMatrix>,
}

impl RawPlane {
    /// What its samples mean, which are as `configured` but for what it says itself.
    pub fn meaning(&self, configured: &Bayer) -> Bayer {
        Bayer {
            black: self.black.or(configured.black),
            colour_matrix: self.colour_matrix.or(configured.colour_matrix),
            ..configured.clone()
        }
    }
}
