//! How a picture comes to lie in a frame.

use scanner_pixels::picture::{Picture, Response};

use crate::camera_driver::host::Layout;
use crate::model::PixelFormat;

impl Layout {
    /// Writes `picture`, which has this layout's size, into `memory` as a sensor with `response` sees it.
    pub fn write(&self, picture: &Picture, response: &Response, memory: &mut Vec<u8>) {
        memory.resize(self.bytes as usize, 0);
        let chroma_width = picture.area.chroma().width;
        for (row, source) in picture.y.chunks_exact(self.size.width as usize).enumerate() {
            response.luma(source, self.row(memory, 0, row), row);
        }
        let chroma = picture.u.chunks_exact(chroma_width).zip(picture.v.chunks_exact(chroma_width));
        for (row, (u, v)) in chroma.enumerate() {
            match self.format {
                PixelFormat::Yuv420 => {
                    response.chroma(u, self.row(memory, 1, row));
                    response.chroma(v, self.row(memory, 2, row));
                }
                PixelFormat::Nv12 => response.chroma_pairs(u, v, self.row(memory, 1, row)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    const SIZE: Size = Size { width: 5, height: 3 };

    fn picture() -> Picture {
        Picture { area: SIZE.into(), y: (0..15).collect(), u: (100..106).collect(), v: (200..206).collect() }
    }

    #[test]
    fn rows_are_aligned_and_planes_follow_each_other() {
        let mut memory = Vec::new();
        let layout = Layout::new(PixelFormat::Yuv420, SIZE);
        assert_eq!(
            (layout.strides.as_slice(), layout.offsets.as_slice()),
            (&[64, 64, 64][..], &[0, 192, 320][..])
        );
        layout.write(&picture(), &Response::default(), &mut memory);
        assert_eq!(memory.len(), 448);
        assert_eq!(
            (&memory[64..69], &memory[192 + 64..][..3], &memory[320..323]),
            (&[5, 6, 7, 8, 9][..], &[103, 104, 105][..], &[200, 201, 202][..])
        );
    }

    #[test]
    fn nv12_interleaves_the_chroma() {
        let mut memory = Vec::new();
        let layout = Layout::new(PixelFormat::Nv12, SIZE);
        layout.write(&picture(), &Response::default(), &mut memory);
        assert_eq!(&memory[192..198], &[100, 200, 101, 201, 102, 202]);
    }
}
