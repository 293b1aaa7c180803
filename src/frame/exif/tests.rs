//! What is written reads back, and says what programs take it for.

use exif::{In, Reader, Tag};

use super::*;
use crate::units::Millimetres;

const SIZE: Size = Size { width: 2304, height: 1296 };

fn exif() -> Exif {
    let intrinsics = Intrinsics {
        width: SIZE.width,
        height: SIZE.height,
        fx: 4.74 / 0.0028,
        fy: 4.74 / 0.0028,
        cx: 1152.0,
        cy: 648.0,
        pixel_pitch: Some(Millimetres::new(0.0028)),
        distortion: None,
    };
    Exif {
        camera: Arc::new(Camera {
            make: "RaspberryPi".into(),
            model: "RP_imx708".into(),
            lens: Some("Raspberry Pi Camera Module 3".into()),
            f_number: Some(1.8),
            serial: "0123456789abcdef".into(),
            intrinsics: Some(intrinsics),
        }),
        taken_at: "2026-11-21T13:30:05.120567+02:00[+02:00]".parse().unwrap(),
        exposure: Seconds::new(0.008),
        gain: 2.0,
        focus: Some(Dioptres::new(4.0)),
        id: u128::from_be_bytes([0xAB; 16]),
    }
}

/// The segment as a reader of EXIF shows it.
fn read(segment: &[u8]) -> exif::Exif {
    assert_eq!(usize::from(u16::from_be_bytes([segment[2], segment[3]])), segment.len() - 2);
    Reader::new().read_raw(segment[10..].to_vec()).unwrap()
}

fn shown(segment: &[u8], tag: Tag) -> Option<String> {
    let read = read(segment);
    read.get_field(tag, In::PRIMARY).map(|field| field.display_value().with_unit(&read).to_string())
}

#[test]
fn what_is_known_is_said() {
    let segment = exif().segment(SIZE, &[]);
    for (tag, wanted) in [
        (Tag::Make, "\"RaspberryPi\""),
        (Tag::Model, "\"RP_imx708\""),
        (Tag::LensModel, "\"Raspberry Pi Camera Module 3\""),
        (Tag::BodySerialNumber, "\"0123456789abcdef\""),
        (Tag::ImageUniqueID, "\"abababababababababababababababab\""),
        (Tag::ExposureTime, "1/125 s"),
        (Tag::FNumber, "f/1.8"),
        (Tag::PhotographicSensitivity, "200"),
        (Tag::DateTimeOriginal, "2026-11-21 13:30:05"),
        (Tag::OffsetTimeOriginal, "\"+02:00\""),
        (Tag::SubSecTimeOriginal, "\"120\""),
        (Tag::SubjectDistance, "0.25 m"),
        (Tag::FocalLength, "4.74 mm"),
        (Tag::FocalPlaneResolutionUnit, "cm"),
        (Tag::PixelXDimension, "2304 pixels"),
        (Tag::PixelYDimension, "1296 pixels"),
        (Tag::Orientation, "row 0 at top and column 0 at left"),
    ] {
        assert_eq!(shown(&segment, tag).as_deref(), Some(wanted), "{tag}");
    }
}

/// As COLMAP reads it (`Bitmap::ExifFocalLength`): by the diagonal of film.
#[test]
fn the_focal_length_on_film_is_the_one_that_readers_take() {
    let read = read(&exif().segment(SIZE, &[]));
    let number = |tag| {
        let field = read.get_field(tag, In::PRIMARY).unwrap();
        if let Value::Rational(values) = &field.value {
            return values[0].to_f64();
        }
        f64::from(field.value.get_uint(0).unwrap())
    };
    let pixels = number(Tag::FocalLengthIn35mmFilm) / 43.27 * 2304_f64.hypot(1296.0);
    // It is a whole number of millimetres, so half of one is lost.
    let half = 0.5 / 43.27 * 2304_f64.hypot(1296.0);
    assert!((pixels - 4.74 / 0.0028).abs() <= half + 1.0, "{pixels}");
    // By the focal plane nothing is.
    let pixels = number(Tag::FocalLength) * number(Tag::FocalPlaneXResolution) / 10.0;
    assert!((pixels - 4.74 / 0.0028).abs() < 0.01, "{pixels}");
}

#[test]
fn what_is_not_known_is_not_said() {
    let mut exif = exif();
    let camera = Camera { lens: None, f_number: None, intrinsics: None, ..(*exif.camera).clone() };
    exif.camera = Arc::new(camera);
    exif.focus = None;
    let segment = exif.segment(SIZE, &[]);
    for tag in [
        Tag::LensModel,
        Tag::FNumber,
        Tag::FocalLength,
        Tag::FocalLengthIn35mmFilm,
        Tag::FocalPlaneXResolution,
        Tag::SubjectDistance,
    ] {
        assert_eq!(shown(&segment, tag), None, "{tag}");
    }
}

#[test]
fn a_lens_at_infinity_says_so() {
    let segment = Exif { focus: Some(Dioptres::new(0.0)), ..exif() }.segment(SIZE, &[]);
    assert_eq!(shown(&segment, Tag::SubjectDistance).as_deref(), Some("infinity m"));
}

#[test]
fn the_thumbnail_is_in_it_if_there_is_room() {
    let thumbnail = |bytes: &[u8]| {
        let read = read(&exif().segment(SIZE, bytes));
        let at = |tag| read.get_field(tag, In::THUMBNAIL).and_then(|field| field.value.get_uint(0));
        let (from, length) = (at(Tag::JPEGInterchangeFormat)?, at(Tag::JPEGInterchangeFormatLength)?);
        Some(read.buf()[from as usize..][..length as usize].to_vec())
    };
    let small = [0xFF, 0xD8, 7, 7, 7, 0xFF, 0xD9];
    assert_eq!(thumbnail(&small).as_deref(), Some(&small[..]));
    let fits = vec![9; 64_000];
    assert_eq!(thumbnail(&fits).as_deref(), Some(&fits[..]));
    assert_eq!(thumbnail(&vec![9; 65_500]), None);
    assert_eq!(thumbnail(&[]), None);
}

#[test]
fn text_that_ascii_lacks_is_left_out() {
    let mut exif = exif();
    exif.camera = Arc::new(Camera { model: "Kamera\0 \u{fc}\n2".into(), ..(*exif.camera).clone() });
    assert_eq!(shown(&exif.segment(SIZE, &[]), Tag::Model).as_deref(), Some("\"Kamera 2\""));
}
