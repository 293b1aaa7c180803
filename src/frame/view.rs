//! Pixels where they are.

use crate::model::{PixelFormat, Size};

/// Longest side of a JPEG that libjpeg-turbo writes.
const MAX_SIDE: u32 = 65_500;

/// One plane of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// From the first row's first byte on.
    pub data: &'a [u8],
    /// Bytes from row to row.
    pub stride: usize,
}

/// A picture in somebody else's memory, checked: every byte that its format and size speak of is there.
#[derive(Debug, Clone, Copy)]
pub struct PixelView<'a> {
    format: PixelFormat,
    size: Size,
    /// Of which the format uses the first two or three.
    planes: [Plane<'a>; 3],
}

/// Why planes are not a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// A side that cannot be encoded with chroma at half size.
    #[error("a picture of {}x{}: sides must be even, and from 2 to {MAX_SIDE}", .0.width, .0.height)]
    Size(Size),
    /// Too few or too many planes.
    #[error("{found} planes, but the format has {wanted}")]
    Planes {
        /// Planes of the format.
        wanted: usize,
        /// Planes that were given.
        found: usize,
    },
    /// The rows of a plane overlap.
    #[error("plane {plane}: a stride of {stride} bytes for rows of {row} bytes")]
    Stride {
        /// The plane, counted from 0.
        plane: usize,
        /// Bytes from row to row.
        stride: usize,
        /// Bytes in a row.
        row: usize,
    },
    /// Memory that ends too early.
    #[error("plane {plane}: {found} bytes where {wanted} are needed")]
    Length {
        /// The plane, counted from 0.
        plane: usize,
        /// Bytes from the first to the last.
        wanted: usize,
        /// Bytes that were given.
        found: usize,
    },
}

impl<'a> PixelView<'a> {
    /// Checks that `planes` hold a picture of this format and size.
    pub fn new(format: PixelFormat, size: Size, planes: &[Plane<'a>]) -> Result<Self, ViewError> {
        let side_is_ok = |side: u32| (2..=MAX_SIDE).contains(&side) && side.is_multiple_of(2);
        if !side_is_ok(size.width) || !side_is_ok(size.height) {
            return Err(ViewError::Size(size));
        }
        if planes.len() != format.planes() {
            return Err(ViewError::Planes { wanted: format.planes(), found: planes.len() });
        }
        for (plane, Plane { data, stride }) in planes.iter().copied().enumerate() {
            let (row, rows) = format.plane_size(plane, size);
            let (row, rows) = (row as usize, rows as usize);
            if stride < row || i32::try_from(stride).is_err() {
                return Err(ViewError::Stride { plane, stride, row });
            }
            let wanted = stride.saturating_mul(rows - 1).saturating_add(row);
            if data.len() < wanted {
                return Err(ViewError::Length { plane, wanted, found: data.len() });
            }
        }
        let mut own = [Plane { data: &[], stride: 1 }; 3];
        own[..planes.len()].copy_from_slice(planes);
        Ok(Self { format, size, planes: own })
    }

    /// How its pixels lie in the memory.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    /// As many planes as the format has.
    pub fn planes(&self) -> &[Plane<'a>] {
        &self.planes[..self.format.planes()]
    }

    /// The rows of luma, without their padding.
    pub fn luma(&self) -> Vec<&'a [u8]> {
        self.rows(0).collect()
    }

    /// The rows of a plane, without their padding.
    pub fn rows(&self, plane: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (row, rows) = self.format.plane_size(plane, self.size);
        let Plane { data, stride } = self.planes[plane];
        data.chunks(stride).take(rows as usize).map(move |chunk| &chunk[..row as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(
        format: PixelFormat,
        width: u32,
        height: u32,
        planes: &[(usize, usize)],
    ) -> Result<(), ViewError> {
        let memory = vec![0; 10_000];
        let planes: Vec<_> =
            planes.iter().map(|&(length, stride)| Plane { data: &memory[..length], stride }).collect();
        PixelView::new(format, Size { width, height }, &planes).map(|view| {
            // Rows may all be walked without leaving the memory.
            for plane in 0..format.planes() {
                let (row, rows) = format.plane_size(plane, view.size());
                assert_eq!(view.rows(plane).count(), rows as usize);
                assert!(view.rows(plane).all(|bytes| bytes.len() == row as usize));
            }
        })
    }

    #[test]
    fn memory_that_is_one_byte_short_is_refused() {
        use PixelFormat::{Nv12, Yuv420};
        let luma = 31 * 64 + 60;
        assert_eq!(view(Yuv420, 60, 32, &[(luma, 64), (510, 32), (510, 32)]), Ok(()));
        assert_eq!(view(Nv12, 60, 32, &[(luma, 64), (1020, 64)]), Ok(()));
        let short = ViewError::Length { plane: 1, wanted: 1020, found: 1019 };
        assert_eq!(view(Nv12, 60, 32, &[(luma, 64), (1019, 64)]), Err(short));
        let stride = ViewError::Stride { plane: 0, stride: 59, row: 60 };
        assert_eq!(view(Nv12, 60, 32, &[(luma, 59), (1020, 64)]), Err(stride));
        assert!(matches!(view(Yuv420, 60, 32, &[(luma, 64)]), Err(ViewError::Planes { .. })));
        for (width, height) in [(0, 32), (61, 32), (60, 33), (70_000, 2), (u32::MAX, u32::MAX)] {
            assert!(matches!(view(Yuv420, width, height, &[(9, 9); 3]), Err(ViewError::Size(_))));
        }
        let huge = [(10_000, usize::MAX), (1, 1), (1, 1)];
        assert!(matches!(view(Yuv420, 60, 32, &huge), Err(ViewError::Stride { .. })));
    }
}
