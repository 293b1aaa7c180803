//! What a sensor saw, as a Digital Negative (Adobe, DNG 1.4): any program that develops raw images reads it.
//!
//! ```text
//! first directory   a small JPEG for looking; what the camera is, its colours, EXIF
//!   SubIFD          the samples, 16 bits each, not compressed
//!   Exif            as in the image beside it
//! ```

mod colours;
mod tags;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use exif::{Context, Value};
use scanner_pixels::raw;
use tiff::encoder::{DirectoryEncoder, TiffEncoder, TiffKindStandard};
use tiff::tags::Tag;
use tiff::{Directory, TiffError};

use crate::model::{ColourGains, Size};
use crate::rig::camera::RawView;

use super::exif::Exif;
use colours::Colours;

/// What is unpacked in one go: it stays in the processor's caches until it is written.
const STRIP_BYTES: usize = 128 * 1024;
/// More than all but the samples takes, beside the small JPEG.
const HEAD_BYTES: usize = 8 * 1024;

/// What stands in a DNG beside its samples.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// What the image beside it says of itself, if it says anything.
    pub exif: Option<&'a Exif>,
    /// The gains of white balance of the image beside it, if they are known.
    pub white_balance: Option<ColourGains>,
    /// A small JPEG for looking,
    pub preview: &'a [u8],
    /// and its size.
    pub preview_size: Size,
}

/// Why there is no DNG.
#[derive(Debug, thiserror::Error)]
pub enum DngError {
    /// Samples that nobody can unpack, or colours that are none.
    #[error("the raw image cannot be written as a DNG: {0}")]
    Meaning(String),
    /// It is too large, say.
    #[error("the raw image cannot be written as a DNG: {0}")]
    Tiff(#[from] TiffError),
}

/// Replaces the content of `dng` by the raw image. `dng` keeps its memory, so reuse it.
pub fn encode(raw: &RawView<'_>, head: &Head<'_>, dng: &mut Vec<u8>) -> Result<(), DngError> {
    let bayer = raw.bayer;
    if let Some(objection) = bayer.objection() {
        return Err(DngError::Meaning(objection));
    }
    let colours = Colours::of(bayer.colour_matrix, head.white_balance)
        .ok_or_else(|| DngError::Meaning(format!("gains of white balance {:?}", head.white_balance)))?;
    let black =
        bayer.black.ok_or_else(|| DngError::Meaning("it is not known which samples are black".into()))?;
    let Size { width, height } = bayer.size;
    dng.clear();
    dng.reserve(2 * width as usize * height as usize + head.preview.len() + HEAD_BYTES);
    let mut file = TiffEncoder::new(Cursor::new(dng))?;

    let mut samples = file.extra_directory()?;
    let strips = write_samples(&mut samples, raw)?;
    write(&mut samples, tags::of_samples(bayer, black, &strips))?;
    let samples = samples.finish_with_offsets()?.offset;

    let own = head.exif.map(Exif::fields).unwrap_or_default();
    let (of_camera, of_exif): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|field| field.tag.context() == Context::Tiff);
    let mut pointers = vec![(tags::SUB_IFDS, Value::Long(vec![samples]))];
    if !of_exif.is_empty() {
        let mut exif = file.extra_directory()?;
        write(&mut exif, of_exif.into_iter().map(|field| (field.tag.number(), field.value)))?;
        pointers.push((tags::EXIF, Value::Long(vec![exif.finish_with_offsets()?.offset])));
    }

    let mut first = file.image_directory()?;
    align(&mut first)?;
    let offset = first.write_data(head.preview)?;
    let preview = (offset as u32, head.preview.len() as u32);
    write(&mut first, tags::of_preview(head.preview_size, preview))?;
    write(&mut first, of_camera.into_iter().map(|field| (field.tag.number(), field.value)))?;
    let model = head.exif.map_or("unknown", |exif| exif.camera.model.as_str());
    write(&mut first, tags::of_negative(model, bayer.orientation, &colours))?;
    write(&mut first, pointers)?;
    first.finish()?;
    Ok(())
}

type Part<'a, 'b> = DirectoryEncoder<'a, Cursor<&'b mut Vec<u8>>, TiffKindStandard>;

/// Strips of samples as they lie in the file, one behind the other.
struct Strips {
    rows: u32,
    offsets: Vec<u32>,
    bytes: Vec<u32>,
}

fn write_samples(part: &mut Part<'_, '_>, raw: &RawView<'_>) -> Result<Strips, DngError> {
    let RawView { bayer, stride, data } = *raw;
    let packing = bayer.packing().ok_or_else(|| DngError::Meaning(format!("{:?}", bayer.packing)))?;
    let (width, height) = (bayer.size.width as usize, bayer.size.height as usize);
    let row_bytes = packing.row_bytes(width);
    let whole = data.get(..stride * (height - 1) + row_bytes).filter(|_| stride >= row_bytes);
    let Some(whole) = whole else {
        return Err(DngError::Meaning(format!("{} bytes are too few", data.len())));
    };
    let rows = (STRIP_BYTES / (2 * width)).clamp(1, height);
    let mut strips = Strips { rows: rows as u32, offsets: Vec::new(), bytes: Vec::new() };
    let mut samples = vec![0; rows * width];
    for packed in whole.chunks(stride * rows) {
        let mut done = 0;
        for (row, samples) in packed.chunks(stride).zip(samples.chunks_exact_mut(width)) {
            raw::unpack(packing, row, samples);
            done += width;
        }
        strips.offsets.push(part.write_data(&samples[..done])? as u32);
        strips.bytes.push(2 * done as u32);
    }
    Ok(strips)
}

/// Writes entries, which the library puts in order.
fn write(part: &mut Part<'_, '_>, entries: impl IntoIterator<Item = (u16, Value)>) -> Result<(), TiffError> {
    for (tag, value) in entries {
        let Some((kind, bytes)) = tags::encoded(&value) else { continue };
        if bytes.len() > 4 {
            align(part)?;
        }
        let entry = part.write_entry_bytes(kind, &bytes)?;
        let mut one = Directory::empty();
        one.extend([(Tag::from_u16_exhaustive(tag), entry)]);
        part.extend_from(&one);
    }
    Ok(())
}

/// What stands outside a directory begins at an even place (TIFF 6.0).
fn align(part: &mut Part<'_, '_>) -> Result<(), TiffError> {
    if part.write_data(&[0_u8; 0][..])? % 2 == 1 {
        part.write_data(&[0_u8][..])?;
    }
    Ok(())
}
