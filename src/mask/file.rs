//! A mask's file: a grey PNG of the image's size, white where the object is. It says what it was made from.

use std::fs::File;
use std::io::{self, BufReader, Cursor};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Info};
use scanner_pixels::Area;
use scanner_pixels::mask::Shape;
use serde::{Deserialize, Serialize};

use crate::dataset::open;
use crate::model::Size;
use crate::scan::Stored;

/// Keyword of the text in the file that says what it was made from.
const KEYWORD: &str = "Scanner";
/// Changes whenever masks of the same images come out otherwise.
pub(super) const METHOD: u32 = 1;
/// How a whole PNG ends.
const END: [u8; 8] = *b"IEND\xAE\x42\x60\x82";
/// The longest mask, in bytes.
pub const LONGEST: u64 = 16 << 20;

/// What a mask was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// How: the number of the method.
    pub method: u32,
    /// Part of the image that the object covers.
    pub covered: f64,
    /// Checksum of the image.
    pub image_crc32c: u32,
    /// The image of the empty rig, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Source>,
    /// The silhouette, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silhouette: Option<Outline>,
}

/// A silhouette of the same scan, and what says where the panel is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Its path in the dataset.
    pub image: String,
    /// Its checksum.
    pub crc32c: u32,
    /// The silhouette of the empty rig; none if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<Source>,
    /// A checksum of all silhouettes of the ring, without one of the empty rig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_crc32c: Option<u32>,
}

/// An image of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The id of the scan that the image is of.
    pub scan: String,
    /// Its path in that dataset.
    pub image: String,
    /// CRC-32C of its file: that of another image in its place is another one.
    pub crc32c: u32,
}

/// Where the mask of the image at `image` is in the dataset: `masks/cam0/r01_a017.png` of `images/cam0/r01_a017.jpg`.
pub fn path(image: &str) -> String {
    let name = image.strip_prefix("images/").unwrap_or(image);
    format!("masks/{}.png", name.strip_suffix(".jpg").unwrap_or(name))
}

/// What the mask of `stored` in the dataset at `dir` was made from; none if there is none, or one of another image, or one
/// that is not whole.
pub fn read(dir: &Path, stored: &Stored) -> Option<Origin> {
    let bytes = open::read(dir, &path(&stored.image), LONGEST).ok()?;
    let origin = decode(&bytes).ok()??.0;
    (origin.image_crc32c == stored.crc32c).then_some(origin)
}

/// A mask that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskFile {
    /// Its path in the dataset.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// What it was made from, as it says.
    pub origin: Origin,
}

/// The mask of `stored` in the dataset at `dir`, if it is of this image, by what it says of itself: only [`read()`] looks at
/// every pixel.
pub fn find(dir: &Path, stored: &Stored) -> Option<MaskFile> {
    let path = path(&stored.image);
    let file = open::file(dir, &path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut end = [0; END.len()];
    file.read_exact_at(&mut end, bytes.checked_sub(END.len() as u64)?).ok()?;
    let reader = Decoder::new(BufReader::new(file)).read_info().ok()?;
    let origin = origin_of(reader.info())?;
    let is_its = origin.image_crc32c == stored.crc32c && end == END && bytes <= LONGEST;
    is_its.then_some(MaskFile { path, bytes, origin })
}

/// The mask in `file`, small enough that its longest side has at most `longest` pixels, as a PNG. Goes through it row by row, so
/// that a large one takes little memory.
///
/// # Errors
/// It cannot be read, or is not whole.
pub fn small(file: File, longest: u32) -> io::Result<Vec<u8>> {
    let mut reader = Decoder::new(BufReader::new(file)).read_info()?;
    let (width, height) = (reader.info().width, reader.info().height);
    let step = width.max(height).div_ceil(longest.max(1)).max(1) as usize;
    let mut pixels = Vec::new();
    let (mut rows, mut at) = (0, 0);
    while let Some(row) = reader.next_row()? {
        if at % step == step / 2 {
            pixels.extend(row.data().iter().skip(step / 2).step_by(step));
            rows += 1;
        }
        at += 1;
    }
    let columns = pixels.len().checked_div(rows).unwrap_or_default();
    let mut bytes = Vec::new();
    encoder(&mut bytes, columns as u32, rows as u32).write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}

/// A mask, made smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduced {
    /// Its size,
    pub area: Area,
    /// and before.
    pub whole: Area,
    /// So many pixels of the whole one to a pixel, across and down; fewer at the right and bottom edges.
    pub step: usize,
    /// 255 where the object is anywhere in the pixel, row by row.
    pub pixels: Vec<u8>,
}

/// The mask in `file`, so small that its longest side has at most `longest` pixels, and with nothing of the object lost. Goes
/// through it row by row, so that a large one takes little memory.
///
/// # Errors
/// It cannot be read, or is not whole.
pub fn reduced(file: File, longest: u32) -> io::Result<Reduced> {
    let mut reader = Decoder::new(BufReader::new(file)).read_info()?;
    let (width, height) = (reader.info().width, reader.info().height);
    let step = width.max(height).div_ceil(longest.max(1)).max(1) as usize;
    let whole = Area { width: width as usize, height: height as usize };
    let area = Area { width: whole.width.div_ceil(step), height: whole.height.div_ceil(step) };
    let mut pixels = vec![0; area.pixels()];
    let mut at = 0;
    while let Some(row) = reader.next_row()? {
        let to = &mut pixels[at / step * area.width..][..area.width];
        for (pixel, values) in to.iter_mut().zip(row.data().chunks(step)) {
            if values.iter().any(|value| *value >= 128) {
                *pixel = u8::MAX;
            }
        }
        at += 1;
    }
    Ok(Reduced { area, whole, step, pixels })
}

fn encoder(bytes: &mut Vec<u8>, width: u32, height: u32) -> Encoder<'_, &mut Vec<u8>> {
    let mut encoder = Encoder::new(bytes, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder
}

fn origin_of(info: &Info<'_>) -> Option<Origin> {
    let text = info.uncompressed_latin1_text.iter().find(|text| text.keyword == KEYWORD)?;
    serde_json::from_str(&text.text).ok()
}

/// The bytes of a mask's file: a grey PNG, a byte a pixel, which says what it was made from.
pub(super) fn encode(shape: &Shape, size: Size, origin: &Origin) -> io::Result<Vec<u8>> {
    let pixels = shape.enlarged(size.into());
    let mut bytes = Vec::new();
    let mut encoder = encoder(&mut bytes, size.width, size.height);
    encoder.add_text_chunk(KEYWORD.into(), serde_json::to_string(origin)?)?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// What a mask says of itself, and its pixels; none if it says nothing, as that of another program.
fn decode(bytes: &[u8]) -> io::Result<Option<(Origin, Vec<u8>)>> {
    let mut reader = Decoder::new(Cursor::new(bytes)).read_info()?;
    let Some(origin) = origin_of(reader.info()) else { return Ok(None) };
    let Some(length) = reader.output_buffer_size().filter(|length| *length as u64 <= open::IMAGE) else {
        return Ok(None);
    };
    let mut pixels = vec![0; length];
    reader.next_frame(&mut pixels)?;
    reader.finish()?;
    Ok(Some((origin, pixels)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        let reference =
            Source { scan: "2026-11-21-143005-owl".into(), image: "images/cam0/a.jpg".into(), crc32c: 7 };
        let (method, covered, image_crc32c) = (METHOD, 0.1 + 0.2, u32::MAX);
        Origin { method, covered, image_crc32c, reference: Some(reference), silhouette: None }
    }

    fn half() -> Shape {
        let area = Area { width: 40, height: 30 };
        Shape { area, inside: (0..1200).map(|at| at % 40 >= 20).collect() }
    }

    #[test]
    fn a_mask_is_read_as_it_was_written_and_half_of_one_is_none() {
        let bytes = encode(&half(), Size { width: 40, height: 30 }, &origin()).unwrap();
        let (read, pixels) = decode(&bytes).unwrap().unwrap();
        assert_eq!(read, origin());
        assert_eq!((pixels.len(), pixels[19], pixels[20]), (1200, 0, 255));
        for length in 0..bytes.len() {
            assert!(!matches!(decode(&bytes[..length]), Ok(Some(_))), "{length} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn an_edge_keeps_its_place_in_a_large_picture() {
        let bytes = encode(&half(), Size { width: 107, height: 80 }, &origin()).unwrap();
        let (_, pixels) = decode(&bytes).unwrap().unwrap();
        for row in pixels.chunks_exact(107) {
            assert!(row.is_sorted());
            assert_eq!(row.iter().position(|value| *value == 255), Some(53));
        }
    }

    #[test]
    fn a_small_one_shows_the_same() {
        let file = tempfile::tempfile().unwrap();
        let bytes = encode(&half(), Size { width: 400, height: 300 }, &origin()).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        for (longest, width, height) in
            [(1000, 400, 300), (400, 400, 300), (100, 100, 75), (99, 80, 60), (1, 1, 1)]
        {
            let small = small(file.try_clone().unwrap(), longest).unwrap();
            io::Seek::rewind(&mut file.try_clone().unwrap()).unwrap();
            let mut reader = Decoder::new(Cursor::new(small)).read_info().unwrap();
            assert_eq!((reader.info().width, reader.info().height), (width, height), "{longest}");
            let mut pixels = vec![0; (width * height) as usize];
            reader.next_frame(&mut pixels).unwrap();
            let white: usize = pixels.iter().map(|value| usize::from(*value == u8::MAX)).sum();
            assert!(longest == 1 || white == pixels.len() / 2, "{longest}: {white}");
        }
    }

    #[test]
    fn a_reduced_one_loses_nothing_of_the_object() {
        let file = tempfile::tempfile().unwrap();
        let bytes = encode(&half(), Size { width: 107, height: 80 }, &origin()).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let Reduced { area, whole, step, pixels } = reduced(file, 40).unwrap();
        assert_eq!((area, step), (Area { width: 36, height: 27 }, 3));
        assert_eq!(whole, Area { width: 107, height: 80 });
        for row in pixels.chunks_exact(36) {
            // The 53rd pixel is the first of the object, and the 17th of three.
            assert_eq!(row.iter().position(|value| *value == 255), Some(17));
            assert!(row.is_sorted());
        }
    }

    #[test]
    fn a_mask_has_its_images_name() {
        assert_eq!(path("images/cam0/r01_a017.jpg"), "masks/cam0/r01_a017.png");
    }
}
