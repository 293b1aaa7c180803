//! JPEGs as whole pictures, and what stands in front of the picture in them.

use std::borrow::Cow;

use scanner_pixels::Area;
use scanner_pixels::picture::Picture;
use scanner_pixels::planes::fit;
use turbojpeg::{Colorspace, Compressor, Decompressor, Subsamp, YuvImage, YuvPlanesImage, yuv_pixels_len};

/// The marker of a comment,
pub(super) const COMMENT: u8 = 0xFE;
/// and of a segment with EXIF.
const EXIF: u8 = 0xE1;
/// How such a segment begins.
const EXIF_WORD: &[u8] = b"Exif\0\0";
const BEGIN: [u8; 2] = [0xFF, 0xD8];
/// Behind this marker there is nothing but the picture.
const SCAN: u8 = 0xDA;
/// Of merged images.
pub(super) const QUALITY: u8 = 95;

/// A segment of a JPEG, in front of its picture.
pub(super) struct Segment<'a> {
    /// Its marker's second byte.
    pub(super) kind: u8,
    /// What it has, without marker and length.
    pub(super) content: &'a [u8],
    /// All of it.
    whole: &'a [u8],
}

/// The segments of `jpeg`, as far as it is one.
pub(super) fn segments(jpeg: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = jpeg.strip_prefix(&BEGIN).unwrap_or_default();
    std::iter::from_fn(move || {
        let &[0xFF, kind, high, low, ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind == SCAN || length < 2 {
            return None;
        }
        let (whole, behind) = rest.split_at_checked(2 + length)?;
        rest = behind;
        Some(Segment { kind, content: &whole[4..], whole })
    })
}

/// `jpeg` with the EXIF of `like` and this comment, in place of its own.
pub(super) fn labelled(jpeg: &[u8], like: &[u8], comment: &[u8]) -> Result<Vec<u8>, String> {
    let length =
        u16::try_from(comment.len() + 2).map_err(|_| "it is made from too many images".to_owned())?;
    let mut labelled = Vec::with_capacity(jpeg.len() + comment.len() + (64 << 10));
    labelled.extend(BEGIN);
    for exif in
        segments(like).filter(|segment| segment.kind == EXIF && segment.content.starts_with(EXIF_WORD))
    {
        labelled.extend(exif.whole);
    }
    labelled.extend([0xFF, COMMENT]);
    labelled.extend(length.to_be_bytes());
    labelled.extend(comment);
    let mut end = BEGIN.len();
    for segment in segments(jpeg) {
        if segment.kind != EXIF && segment.kind != COMMENT {
            labelled.extend(segment.whole);
        }
        end += segment.whole.len();
    }
    labelled.extend(&jpeg[end..]);
    Ok(labelled)
}

/// The size of the picture in `jpeg`.
pub(super) fn size(jpeg: &[u8]) -> Result<Area, String> {
    let header = turbojpeg::read_header(jpeg).map_err(|error| error.to_string())?;
    Ok(Area { width: header.width, height: header.height })
}

/// All of the picture in `jpeg`; one that is torn is refused.
pub(super) fn decode(jpeg: &[u8]) -> Result<Picture, String> {
    let failed = |error: turbojpeg::Error| error.to_string();
    let mut decompressor = Decompressor::new().map_err(failed)?;
    let header = decompressor.read_header(jpeg).map_err(failed)?;
    match header.colorspace {
        Colorspace::YCbCr | Colorspace::Gray => {}
        other @ (Colorspace::RGB | Colorspace::CMYK | Colorspace::YCCK) => {
            return Err(format!("it is in {other:?}, and not in YCbCr"));
        }
    }
    let (width, height, subsamp) = (header.width, header.height, header.subsamp);
    let mut image = YuvImage { pixels: Vec::new(), width, align: 1, height, subsamp };
    image.pixels.resize(yuv_pixels_len(width, 1, height, subsamp).map_err(failed)?, 0);
    decompressor.decompress_to_yuv(jpeg, image.as_deref_mut()).map_err(failed)?;

    let area = Area { width, height };
    let (stride, rows, (chroma_width, chroma_height)) = (image.y_width(), image.y_height(), image.uv_size());
    let chroma = image.pixels.split_off(stride * rows);
    let (blue, red) = chroma.split_at(chroma.len() / 2);
    let halved = |plane: &[u8]| {
        if plane.is_empty() {
            return Ok(vec![128; area.chroma().pixels()]);
        }
        fit(plane, Area { width: chroma_width, height: chroma_height }, area.chroma())
    };
    let (u, v) = (halved(blue)?, halved(red)?);
    let mut y = image.pixels;
    if stride != width {
        for row in 0..height {
            y.copy_within(row * stride..row * stride + width, row * width);
        }
    }
    y.truncate(area.pixels());
    Ok(Picture { area, y, u, v })
}

/// `picture` as a JPEG.
pub(super) fn encode(picture: &Picture) -> Result<Vec<u8>, String> {
    let failed = |error: turbojpeg::Error| error.to_string();
    let mut compressor = Compressor::new().map_err(failed)?;
    compressor.set_quality(QUALITY.into()).map_err(failed)?;
    let Picture { area: Area { width, height }, y, u, v } = picture;
    let half = picture.area.chroma().width;
    let padded = padded(y, picture.area);
    let planes = YuvPlanesImage {
        y_plane: &*padded,
        u_plane: u.as_slice(),
        v_plane: v.as_slice(),
        width: *width,
        height: *height,
        y_stride: 2 * half,
        u_stride: half,
        v_stride: half,
        subsamp: Subsamp::Sub2x2,
    };
    compressor.compress_yuv_planes_to_vec(&planes).map_err(failed)
}

/// `luma` with sides that are even, as libjpeg-turbo wants it beside chroma of half the size.
fn padded(luma: &[u8], area: Area) -> Cow<'_, [u8]> {
    let Area { width, height } = area;
    if width.is_multiple_of(2) && height.is_multiple_of(2) {
        return Cow::Borrowed(luma);
    }
    let mut padded = Vec::with_capacity(4 * area.chroma().pixels());
    for row in 0..height.next_multiple_of(2) {
        let row = &luma[row.min(height - 1) * width..][..width];
        padded.extend_from_slice(row);
        padded.extend(row.last().filter(|_| !width.is_multiple_of(2)));
    }
    Cow::Owned(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize) -> Picture {
        let area = Area { width, height };
        let mut picture = Picture::plain(area, 0, 100, 180);
        for (place, value) in picture.y.iter_mut().enumerate() {
            *value = (60 + place % width * 100 / width + place / width) as u8;
        }
        picture
    }

    #[test]
    fn a_picture_of_odd_size_is_decoded_as_it_was_encoded() {
        for (width, height) in [(64, 48), (65, 47), (33, 16), (1, 1)] {
            let picture = picture(width, height);
            let decoded = decode(&encode(&picture).unwrap()).unwrap();
            assert_eq!(decoded.area, picture.area);
            let near =
                |a: &[u8], b: &[u8]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 3);
            assert!(
                near(&decoded.y, &picture.y) && near(&decoded.u, &picture.u) && near(&decoded.v, &picture.v)
            );
        }
    }

    #[test]
    fn a_merged_image_has_the_exif_of_another_and_a_comment_and_shows_the_same() {
        let plain = encode(&picture(40, 30)).unwrap();
        let exif = [&[0xFF, EXIF, 0, 12][..], EXIF_WORD, b"abcd"].concat();
        let like = [&BEGIN[..], &exif, &plain[2..]].concat();
        let once = labelled(&plain, &like, b"one").unwrap();
        assert_eq!(once[2..16], exif);
        let twice = labelled(&once, &once, b"Scanner two").unwrap();
        let comments: Vec<_> = segments(&twice).filter(|segment| segment.kind == COMMENT).collect();
        assert_eq!(comments.iter().map(|segment| segment.content).collect::<Vec<_>>(), [b"Scanner two"]);
        assert_eq!(decode(&twice).unwrap(), decode(&plain).unwrap());
        assert!(labelled(&plain, &like, &vec![0; 70_000]).is_err());
        for end in 0..200 {
            // What is cut off has fewer segments, and is no reason to panic.
            assert!(segments(&twice[..end]).count() <= segments(&twice).count());
        }
    }
}
