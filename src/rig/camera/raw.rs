//! Raw images beside stills: whether they can be had, and whether one is what was asked for. Pure.

use crate::camera_driver::protocol::{Hello, RawPlane};
use crate::config::Raw;
use crate::model::Bayer;

/// Whether a camera that says `hello` is to deliver raw images; why it cannot, if they are wanted.
pub(super) fn raw_for(wanted: Raw, hello: &Hello) -> Result<bool, &'static str> {
    match (wanted, hello.bayer()) {
        (Raw::Off, _) => Ok(false),
        (Raw::Beside, Some(_)) => Ok(true),
        (Raw::Beside, None) if hello.files().is_empty() => {
            Err("it delivers no raw images beside its pixels: leave its raw out")
        }
        (Raw::Beside, None) => {
            Err("it makes its files itself, raw files among them if its options say so: leave its raw out")
        }
    }
}

/// What the raw images of a camera are that says `hello`, and was configured so; none if they are not wanted.
pub(super) fn raw_images(
    wanted: Raw,
    hello: &Hello,
    configured: Option<Bayer>,
) -> Result<Option<Bayer>, String> {
    let Raw::Beside = wanted else { return Ok(None) };
    let bayer = configured.or_else(|| hello.bayer().cloned());
    match bayer.as_ref().and_then(Bayer::objection) {
        Some(objection) => Err(format!("its driver announces raw images that cannot be: {objection}")),
        None => Ok(bayer),
    }
}

/// Checks what the driver says of the raw image beside a frame, in memory of `length` bytes; none if there is no raw image
/// and none was configured.
pub(super) fn check_raw(
    said: Option<&RawPlane>,
    expected: Option<&Bayer>,
    length: Option<u64>,
) -> Result<Option<RawImage>, String> {
    let (raw, configured, length) = match (said, expected, length) {
        (None, None, None) => return Ok(None),
        (None, None, Some(_)) => {
            return Err("it came with the memory of a raw image, and says of none".into());
        }
        (Some(_), None, _) => return Err("it has a raw image, which was not configured".into()),
        (None, Some(_), _) => return Err("it has no raw image, which was configured".into()),
        (Some(_), Some(_), None) => return Err("its raw image came without its memory".into()),
        (Some(raw), Some(configured), Some(length)) => (raw, configured, length),
    };
    let bayer = raw.meaning(configured);
    if let Some(objection) = bayer.objection() {
        return Err(format!("its raw image says {objection}"));
    }
    if bayer.black.is_none() {
        return Err("its raw image does not say which samples are black, nor did its driver before".into());
    }
    let Some(row) = bayer.packing().map(|packing| packing.row_bytes(bayer.size.width as usize) as u64) else {
        return Err("its raw image is packed as nothing is".into());
    };
    let stride = u64::from(raw.stride);
    if stride < row {
        return Err(format!("its raw image has rows of {row} bytes, only {stride} apart"));
    }
    let bytes = stride * u64::from(bayer.size.height - 1) + row;
    match raw.offset.checked_add(bytes).filter(|end| *end <= length) {
        Some(end) => {
            Ok(Some(RawImage { range: raw.offset as usize..end as usize, bayer, stride: stride as usize }))
        }
        None => Err(format!("its raw image does not lie within its memory of {length} bytes")),
    }
}

/// A raw image as it lies in its memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawImage {
    pub(super) bayer: Bayer,
    /// Bytes from row to row.
    pub(super) stride: usize,
    /// Where it is.
    pub(super) range: std::ops::Range<usize>,
}
