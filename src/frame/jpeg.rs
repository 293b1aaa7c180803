//! JPEG from planes, by libjpeg-turbo, without a detour over RGB.

use scanner_pixels::planes::split_pairs;

use crate::model::PixelFormat;

use super::{PixelView, Plane};

mod turbo;

/// Turns pictures into JPEGs. Keeps what it allocates: one for each thread, for as long as it encodes.
#[derive(Debug)]
pub struct Encoder {
    turbo: turbo::Compressor,
    /// U and V of pictures that have them interleaved.
    chroma: [Vec<u8>; 2],
}

/// Why a picture was not encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the picture cannot be encoded: {reason}")]
pub struct JpegError {
    /// libjpeg-turbo's words, in English.
    pub reason: String,
}

impl Encoder {
    /// For JPEGs of `quality` 1 to 100 (what is outside is brought inside), 4:2:0.
    pub fn new(quality: u8) -> Result<Self, JpegError> {
        let turbo = turbo::Compressor::new(quality.clamp(1, 100))?;
        Ok(Self { turbo, chroma: [Vec::new(), Vec::new()] })
    }

    /// Replaces the content of `jpeg` by the picture, with the segment `head` before all others unless it is empty. `jpeg`
    /// keeps its memory, so reuse it.
    pub fn encode(&mut self, view: &PixelView<'_>, head: &[u8], jpeg: &mut Vec<u8>) -> Result<(), JpegError> {
        let planes = view.planes();
        match view.format() {
            PixelFormat::Yuv420 => {
                let planes = [planes[0], planes[1], planes[2]];
                self.turbo.compress(view.size(), planes, head, jpeg)
            }
            PixelFormat::Nv12 => {
                self.split_chroma(view);
                let stride = view.size().width as usize / 2;
                let [u, v] = &self.chroma;
                let planes = [planes[0], Plane { data: u, stride }, Plane { data: v, stride }];
                self.turbo.compress(view.size(), planes, head, jpeg)
            }
        }
    }

    fn split_chroma(&mut self, view: &PixelView<'_>) {
        let size = view.size();
        let width = size.width as usize / 2;
        let bytes = width * (size.height as usize / 2);
        let [u, v] = &mut self.chroma;
        u.resize(bytes, 0);
        v.resize(bytes, 0);
        for ((row, u), v) in view.rows(1).zip(u.chunks_exact_mut(width)).zip(v.chunks_exact_mut(width)) {
            split_pairs(row, u, v);
        }
    }
}

#[cfg(test)]
mod tests;
