//! How a frame lies in memory.

use crate::model::{PixelFormat, Size};

/// Where the planes of a frame are in its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How pixels lie in the memory.
    pub format: PixelFormat,
    /// Size of the image, in pixels.
    pub size: Size,
    /// Bytes from row to row, a plane each.
    pub strides: Vec<u32>,
    /// Offset in bytes, a plane each.
    pub offsets: Vec<u64>,
    /// Of all planes together.
    pub bytes: u64,
}

impl Layout {
    /// Rows of frames begin at multiples of this, as they do with real image processors.
    pub const ROW_ALIGNMENT: u32 = 64;

    /// Planes one after the other, with aligned rows.
    pub fn new(format: PixelFormat, size: Size) -> Self {
        let (mut strides, mut offsets, mut bytes) = (Vec::new(), Vec::new(), 0);
        for plane in 0..format.planes() {
            let (width, rows) = format.plane_size(plane, size);
            let stride = width.next_multiple_of(Self::ROW_ALIGNMENT);
            strides.push(stride);
            offsets.push(bytes);
            bytes += u64::from(stride) * u64::from(rows);
        }
        Self { format, size, strides, offsets, bytes }
    }

    /// The bytes of a row of `plane`, without padding.
    pub fn row<'a>(&self, memory: &'a mut [u8], plane: usize, row: usize) -> &'a mut [u8] {
        let (width, _) = self.format.plane_size(plane, self.size);
        let start = self.offsets[plane] as usize + row * self.strides[plane] as usize;
        &mut memory[start..start + width as usize]
    }
}
