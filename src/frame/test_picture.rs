//! Pictures for the tests of what measures them.

use super::{PixelView, Plane};
use crate::model::{PixelFormat, Size};

/// What `look` makes of a picture with this luma, grey, with rows that are padded with white.
pub(super) fn with_luma<T>(
    width: u32,
    height: u32,
    luma: impl Fn(u32, u32) -> u8,
    look: impl FnOnce(&PixelView<'_>) -> T,
) -> T {
    let stride = width as usize + 16;
    let mut data = vec![255; stride * height as usize];
    for y in 0..height {
        for x in 0..width {
            data[y as usize * stride + x as usize] = luma(x, y);
        }
    }
    let chroma = vec![128; (width * height / 2) as usize];
    let planes = [Plane { data: &data, stride }, Plane { data: &chroma, stride: width as usize }];
    look(&PixelView::new(PixelFormat::Nv12, Size { width, height }, &planes).unwrap())
}
