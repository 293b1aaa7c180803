//! What is written reads back: by hand, as TIFF 6.0 describes it, and by a reader of EXIF.

use std::collections::BTreeMap;
use std::sync::Arc;

use exif::{In, Reader};
use scanner_pixels::random::Random;

use super::*;
use crate::frame::exif::Camera;
use crate::model::{Bayer, BayerOrder, ColourMatrix, Orientation, Packing};
use crate::units::Seconds;

const PREVIEW: [u8; 7] = [0xFF, 0xD8, 1, 2, 3, 0xFF, 0xD9];

fn number(bytes: &[u8], at: usize, length: usize) -> u32 {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The entries of the directory at `at`: numbers, or bytes; and that what stands elsewhere begins at an even place.
fn directory(file: &[u8], at: u32) -> (BTreeMap<u16, Vec<u32>>, u32) {
    let at = at as usize;
    assert_eq!(at % 2, 0);
    let count = number(file, at, 2) as usize;
    let mut last = 0;
    let entries = (0..count).map(|index| {
        let entry = at + 2 + 12 * index;
        let tag = number(file, entry, 2) as u16;
        assert!(tag > last, "entries are in order: {tag}");
        last = tag;
        let (size, parts) = match number(file, entry + 2, 2) {
            1 | 2 | 7 => (1, 1),
            3 => (2, 1),
            4 => (4, 1),
            5 | 10 => (4, 2),
            other => panic!("type {other}"),
        };
        let count = number(file, entry + 4, 4) as usize * parts;
        let place = if count * size <= 4 { entry + 8 } else { number(file, entry + 8, 4) as usize };
        assert_eq!(place % 2, 0, "entry {tag}");
        (tag, (0..count).map(|index| number(file, place + index * size, size)).collect())
    });
    let entries = entries.collect();
    (entries, number(file, at + 2 + 12 * count, 4))
}

fn bayer(width: u32, height: u32) -> Bayer {
    Bayer {
        size: Size { width, height },
        order: BayerOrder::Gbrg,
        bits: 10,
        packing: Packing::Csi2,
        black: Some([64, 65, 66, 67]),
        white: 1023,
        colour_matrix: Some(ColourMatrix::IDENTITY),
        orientation: Orientation::Rotate180,
    }
}

fn exif() -> Exif {
    Exif {
        camera: Arc::new(Camera {
            make: "scanner".into(),
            model: "simulated".into(),
            lens: None,
            f_number: None,
            serial: "0123".into(),
            intrinsics: None,
        }),
        taken_at: "2026-11-21T13:30:05+02:00[+02:00]".parse().unwrap(),
        exposure: Seconds::new(0.008),
        gain: 2.0,
        focus: None,
        id: 7,
    }
}

/// A DNG of random samples, and these.
fn made(width: u32, height: u32) -> (Vec<u8>, Vec<u32>) {
    let bayer = bayer(width, height);
    let packing = bayer.packing().unwrap();
    let (width, height) = (width as usize, height as usize);
    let stride = packing.row_bytes(width) + 9;
    let mut random = Random::new(3);
    let samples: Vec<u16> = (0..width * height).map(|_| random.next() as u16 % 1024).collect();
    let mut packed = vec![0xEE; stride * height];
    for (samples, packed) in samples.chunks(width).zip(packed.chunks_mut(stride)) {
        raw::pack(packing, samples, packed);
    }
    // The last row ends with its pixels.
    let data = &packed[..stride * (height - 1) + packing.row_bytes(width)];
    let white_balance = Some(ColourGains { red: 2.0, blue: 1.25 });
    let exif = exif();
    let preview_size = Size { width: 32, height: 24 };
    let head = Head { exif: Some(&exif), white_balance, preview: &PREVIEW, preview_size };
    let mut dng = vec![1, 2, 3];
    encode(&RawView { bayer: &bayer, stride, data }, &head, &mut dng).unwrap();
    (dng, samples.into_iter().map(u32::from).collect())
}

#[test]
fn samples_and_what_they_mean_are_in_it() {
    // Of several strips, the last of which is shorter; and of one.
    for (width, height) in [(1001, 150), (6, 2)] {
        let (dng, samples) = made(width, height);
        assert_eq!(dng[..4], *b"II*\0");
        let (first, next) = directory(&dng, number(&dng, 4, 4));
        assert_eq!(next, 0, "raw images are no pages");
        let (raw, _) = directory(&dng, first[&330][0]);
        for (tag, wanted) in [
            (254, vec![0]),
            (256, vec![width]),
            (257, vec![height]),
            (258, vec![16]),
            (259, vec![1]),
            (262, vec![32_803]),
            (33_422, vec![1, 2, 0, 1]),
            (50_714, vec![64, 65, 66, 67]),
            (50_717, vec![1023]),
        ] {
            assert_eq!(raw[&tag], wanted, "{tag}");
        }
        assert_eq!(raw[&273].len(), height.div_ceil(raw[&278][0]) as usize);
        let mut read = Vec::new();
        let mut end = raw[&273][0];
        for (offset, length) in raw[&273].iter().zip(&raw[&279]) {
            // Readers take them for one.
            assert_eq!(*offset, end);
            end = offset + length;
            read.extend((0..length / 2).map(|index| number(&dng, (offset + 2 * index) as usize, 2)));
        }
        assert!(read == samples, "{width}x{height}");
    }
}

#[test]
fn the_preview_and_colours_stand_first() {
    let (dng, _) = made(64, 48);
    let (first, _) = directory(&dng, number(&dng, 4, 4));
    let (offset, length) = (first[&273][0] as usize, first[&279][0] as usize);
    assert_eq!(dng[offset..offset + length], PREVIEW);
    assert_eq!((first[&254][0], first[&256][0], first[&257][0], first[&259][0]), (1, 32, 24, 7));
    assert_eq!(first[&274], [3], "turned by half a turn");
    assert_eq!(first[&50_706], [1, 4, 0, 0]);
    assert_eq!(first[&50_728], [500_000, 1_000_000, 1_000_000, 1_000_000, 800_000, 1_000_000]);
    // Of sRGB's own primaries, with the gains undone: XYZ to red is 3.2404, halved.
    assert_eq!(first[&50_721][..2], [16_202, 10_000]);
}

#[test]
fn exif_is_that_of_the_image_beside_it() {
    let (dng, _) = made(64, 48);
    let read = Reader::new().read_raw(dng).unwrap();
    let shown = |tag| read.get_field(tag, In::PRIMARY).map(|field| field.display_value().to_string());
    for field in exif().fields() {
        let there = read.get_field(field.tag, In::PRIMARY).unwrap();
        let [there, own] = [there, &field].map(|field| field.display_value().to_string());
        assert_eq!(there, own, "{}", field.tag);
    }
    assert_eq!(shown(exif::Tag::ExposureTime).as_deref(), Some("1/125"));
    assert_eq!(shown(exif::Tag::PixelXDimension), None, "that is of JPEGs");
}

#[test]
fn what_cannot_be_a_raw_image_is_refused() {
    let head = Head {
        exif: None,
        white_balance: None,
        preview: &PREVIEW,
        preview_size: Size { width: 2, height: 2 },
    };
    let refused = |bayer: Bayer, stride: usize, data: &[u8]| {
        encode(&RawView { bayer: &bayer, stride, data }, &head, &mut Vec::new()).unwrap_err().to_string()
    };
    let whole = [0; 20];
    assert!(
        encode(&RawView { bayer: &bayer(4, 4), stride: 5, data: &whole }, &head, &mut Vec::new()).is_ok()
    );
    assert!(refused(bayer(4, 4), 5, &whole[1..]).contains("too few"));
    assert!(refused(bayer(4, 4), 4, &whole).contains("too few"));
    assert!(refused(Bayer { black: None, ..bayer(4, 4) }, 5, &whole).contains("black"));
    assert!(refused(Bayer { bits: 14, ..bayer(4, 4) }, 5, &whole).contains("14 bits"));
    let zero = Head { white_balance: Some(ColourGains { red: 0.0, blue: 1.0 }), ..head };
    let raw = RawView { bayer: &bayer(4, 4), stride: 5, data: &whole };
    assert!(encode(&raw, &zero, &mut Vec::new()).unwrap_err().to_string().contains("white balance"));
}
