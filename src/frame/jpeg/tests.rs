//! What is encoded reads back: pixels, formats, what stands before them.

use super::*;
use crate::model::Size;

const SIZE: Size = Size { width: 70, height: 54 };

/// A smooth picture, in memory with wide strides full of noise.
struct Picture {
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
    uv: Vec<u8>,
}

const LUMA_STRIDE: usize = 96;
const CHROMA_STRIDE: usize = 48;

fn luma(x: usize, y: usize) -> u8 {
    (40 + 2 * x + y) as u8
}

fn chroma(x: usize, y: usize) -> [u8; 2] {
    [(90 + x) as u8, (160 - y) as u8]
}

fn picture() -> Picture {
    let mut picture = Picture {
        y: vec![255; LUMA_STRIDE * 54],
        u: vec![255; CHROMA_STRIDE * 27],
        v: vec![0; CHROMA_STRIDE * 27],
        uv: vec![0; LUMA_STRIDE * 27],
    };
    for y in 0..54 {
        for x in 0..70 {
            picture.y[y * LUMA_STRIDE + x] = luma(x, y);
        }
    }
    for y in 0..27 {
        for x in 0..35 {
            let [u, v] = chroma(x, y);
            picture.u[y * CHROMA_STRIDE + x] = u;
            picture.v[y * CHROMA_STRIDE + x] = v;
            picture.uv[y * LUMA_STRIDE + 2 * x] = u;
            picture.uv[y * LUMA_STRIDE + 2 * x + 1] = v;
        }
    }
    picture
}

fn encode(picture: &Picture, format: PixelFormat, head: &[u8]) -> Vec<u8> {
    let luma = Plane { data: &picture.y, stride: LUMA_STRIDE };
    let planes = match format {
        PixelFormat::Yuv420 => {
            let chroma = [&picture.u, &picture.v].map(|data| Plane { data, stride: CHROMA_STRIDE });
            vec![luma, chroma[0], chroma[1]]
        }
        PixelFormat::Nv12 => vec![luma, Plane { data: &picture.uv, stride: LUMA_STRIDE }],
    };
    let view = PixelView::new(format, SIZE, &planes).unwrap();
    let mut encoder = Encoder::new(95).unwrap();
    let mut jpeg = Vec::new();
    encoder.encode(&view, head, &mut jpeg).unwrap();
    let first = jpeg.clone();
    encoder.encode(&view, head, &mut jpeg).unwrap();
    assert_eq!(jpeg, first, "the second picture of an encoder is as the first");
    jpeg
}

#[test]
fn what_is_decoded_is_what_was_encoded() {
    let picture = picture();
    let jpeg = encode(&picture, PixelFormat::Yuv420, &[]);
    let decoded = turbojpeg::decompress_to_yuv(&jpeg).unwrap();
    assert_eq!((decoded.width, decoded.height), (70, 54));
    let width = decoded.y_width();
    for y in 0..54 {
        for x in 0..70 {
            let (found, wanted) = (decoded.pixels[y * width + x], luma(x, y));
            assert!(found.abs_diff(wanted) <= 3, "luma at {x},{y}: {found} instead of {wanted}");
        }
    }
    let planes = &decoded.pixels[width * decoded.y_height()..];
    let (width, height) = (decoded.uv_width(), decoded.uv_height());
    for y in 0..27 {
        for x in 0..35 {
            let found = [planes[y * width + x], planes[width * height + y * width + x]];
            let wanted = chroma(x, y);
            let error = found[0].abs_diff(wanted[0]).max(found[1].abs_diff(wanted[1]));
            assert!(error <= 3, "chroma at {x},{y}: {found:?} instead of {wanted:?}");
        }
    }
}

#[test]
fn both_formats_give_the_same_jpeg() {
    let picture = picture();
    assert_eq!(encode(&picture, PixelFormat::Yuv420, &[]), encode(&picture, PixelFormat::Nv12, &[]));
}

#[test]
fn the_head_stands_before_an_unchanged_jpeg() {
    let picture = picture();
    let plain = encode(&picture, PixelFormat::Nv12, &[]);
    let head = [0xFF, 0xE1, 0, 4, 1, 2];
    let with = encode(&picture, PixelFormat::Nv12, &head);
    assert_eq!(with, [&plain[..2], &head, &plain[2..]].concat());
    assert!(turbojpeg::read_header(&with).is_ok());
}
