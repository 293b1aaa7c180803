//! What is encoded reads back: pixels, formats, EXIF.

use super::*;
use crate::camera_driver::protocol::Size;
use crate::units::{Millimetres, Seconds};

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

fn encode(picture: &Picture, format: PixelFormat, exif: Option<&Exif>) -> Vec<u8> {
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
    encoder.encode(&view, exif, &mut jpeg).unwrap();
    let first = jpeg.clone();
    encoder.encode(&view, exif, &mut jpeg).unwrap();
    assert_eq!(jpeg, first, "the second picture of an encoder is as the first");
    jpeg
}

fn exif() -> Exif {
    Exif {
        make: "Sony".into(),
        model: "IMX477".into(),
        taken_at: "2026-11-21T13:30:05Z".parse().unwrap(),
        exposure: Seconds::new(0.008),
        gain: 2.0,
        focal_length: Some(Millimetres::new(6.0)),
        focal_length_35mm: Some(Millimetres::new(34.4)),
    }
}

#[test]
fn what_is_decoded_is_what_was_encoded() {
    let picture = picture();
    let jpeg = encode(&picture, PixelFormat::Yuv420, None);
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
    assert_eq!(encode(&picture, PixelFormat::Yuv420, None), encode(&picture, PixelFormat::Nv12, None));
}

#[test]
fn exif_stands_before_an_unchanged_jpeg() {
    let picture = picture();
    let plain = encode(&picture, PixelFormat::Nv12, None);
    let with = encode(&picture, PixelFormat::Nv12, Some(&exif()));
    let segment = exif().segment();
    assert_eq!(with, [&plain[..2], &segment, &plain[2..]].concat());
    assert_eq!(usize::from(u16::from_be_bytes([segment[2], segment[3]])), segment.len() - 2);
    assert!(turbojpeg::read_header(&with).is_ok());
}

/// Reads the tags of a directory and those it points to, as a reader of EXIF does.
fn tags(tiff: &[u8], at: usize, found: &mut Vec<(u16, String)>) {
    let u16_at = |at: usize| u16::from_le_bytes([tiff[at], tiff[at + 1]]);
    let u32_at = |at: usize| u32::from_le_bytes([tiff[at], tiff[at + 1], tiff[at + 2], tiff[at + 3]]);
    for entry in 0..usize::from(u16_at(at)) {
        let at = at + 2 + 12 * entry;
        let (tag, kind, count, value) =
            (u16_at(at), u16_at(at + 2), u32_at(at + 4) as usize, u32_at(at + 8) as usize);
        let text = match kind {
            2 => {
                let bytes = if count <= 4 { &tiff[at + 8..][..count] } else { &tiff[value..][..count] };
                String::from_utf8(bytes.to_vec()).unwrap().trim_end_matches('\0').to_owned()
            }
            3 => u16_at(at + 8).to_string(),
            4 => value.to_string(),
            5 => format!("{}/{}", u32_at(value), u32_at(value + 4)),
            other => panic!("type {other}"),
        };
        if tag == 0x8769 {
            tags(tiff, value, found);
        } else {
            found.push((tag, text));
        }
    }
}

#[test]
fn exif_reads_back() {
    let segment = exif().segment();
    assert_eq!(&segment[4..10], b"Exif\0\0");
    let mut found = Vec::new();
    tags(&segment[10..], 8, &mut found);
    let wanted = [
        (0x010F, "Sony"),
        (0x0110, "IMX477"),
        (0x829A, "8000/1000000"),
        (0x8827, "200"),
        (0x9003, "2026:11:21 13:30:05"),
        (0x9011, "+00:00"),
        (0x920A, "6000/1000"),
        (0xA405, "34"),
    ];
    assert_eq!(found, wanted.map(|(tag, text)| (tag, text.to_owned())));
}
