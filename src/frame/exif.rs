//! What an image says of itself, as EXIF 2.32 (CIPA DC-008).

use std::io::Cursor;
use std::sync::Arc;

use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value};
use jiff::Zoned;

use crate::model::{Intrinsics, Size};
use crate::units::{Dioptres, Seconds};

/// What an image says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Exif {
    /// The camera that took it.
    pub camera: Arc<Camera>,
    /// When it was taken, with the offset of that place and day.
    pub taken_at: Zoned,
    /// How long the shutter was open; not written if it is 0.
    pub exposure: Seconds,
    /// Analogue gain; written as ISO speed, 1 = ISO 100.
    pub gain: f64,
    /// Lens position; written as the distance of what is sharp.
    pub focus: Option<Dioptres>,
    /// Different for every image; `ImageUniqueID`.
    pub id: u128,
}

/// What is the same in all images of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// The maker of the camera.
    pub make: String,
    /// Which camera, as the databases of sensors spell it.
    pub model: String,
    /// Its lens, if that is known.
    pub lens: Option<String>,
    /// Focal length over the diameter of the aperture, if known.
    pub f_number: Option<f64>,
    /// Different for every camera: programs group images by it that have the same intrinsics.
    pub serial: String,
    /// Its inner geometry, if known.
    pub intrinsics: Option<Intrinsics>,
}

/// The diagonal of a frame of 35 mm film in millimetres, which CIPA DCG-001 compares focal lengths by.
const FILM_DIAGONAL: f64 = 43.266_615_305_567_87;
/// A JPEG segment has at most this length, which counts itself but not its marker.
const MAX_SEGMENT: usize = 65_535;
const HEAD: &[u8] = b"Exif\0\0";
const SOFTWARE: &str = concat!("scanner ", env!("CARGO_PKG_VERSION"));

impl Exif {
    /// The APP1 segment of an image of `size`, from its marker on, with its `thumbnail`, a JPEG, unless that is empty or
    /// too long for a segment.
    pub(super) fn segment(&self, size: Size, thumbnail: &[u8]) -> Vec<u8> {
        let small = self.tiff(size, thumbnail);
        let tiff = if small.len() + HEAD.len() + 2 > MAX_SEGMENT { self.tiff(size, &[]) } else { small };
        let mut segment = vec![0xFF, 0xE1];
        segment.extend(((tiff.len() + HEAD.len() + 2) as u16).to_be_bytes());
        segment.extend(HEAD);
        segment.extend(tiff);
        segment
    }

    fn tiff(&self, size: Size, thumbnail: &[u8]) -> Vec<u8> {
        let mut fields = self.fields();
        fields.extend(of_pixels(size));
        let of_thumbnail = thumbnail_fields();
        let mut writer = Writer::new();
        for field in &fields {
            writer.push_field(field);
        }
        if !thumbnail.is_empty() {
            for field in &of_thumbnail {
                writer.push_field(field);
            }
            writer.set_jpeg(thumbnail, In::THUMBNAIL);
        }
        let mut tiff = Cursor::new(Vec::new());
        // Writing to memory fails for what is longer than 4 GB.
        if let Err(error) = writer.write(&mut tiff, true) {
            tracing::debug!(%error, "no EXIF");
        }
        tiff.into_inner()
    }

    /// What is so of all files of a shot.
    pub(super) fn fields(&self) -> Vec<Field> {
        let Self { camera, taken_at, exposure, gain, focus, id } = self;
        let time = taken_at.strftime("%Y:%m:%d %H:%M:%S").to_string();
        let offset = taken_at.strftime("%:z").to_string();
        let hundredths = format!("{:03}", taken_at.subsec_nanosecond() / 1_000_000);
        let id = format!("{id:032x}");
        let mut fields = vec![
            field(Tag::Make, text(&camera.make)),
            field(Tag::Model, text(&camera.model)),
            field(Tag::XResolution, rational(72.0, 1)),
            field(Tag::YResolution, rational(72.0, 1)),
            field(Tag::ResolutionUnit, short(INCH)),
            field(Tag::Software, text(SOFTWARE)),
            field(Tag::DateTime, text(&time)),
            field(Tag::ExifVersion, Value::Undefined(b"0232".to_vec(), 0)),
            field(Tag::DateTimeOriginal, text(&time)),
            field(Tag::DateTimeDigitized, text(&time)),
            field(Tag::OffsetTime, text(&offset)),
            field(Tag::OffsetTimeOriginal, text(&offset)),
            field(Tag::OffsetTimeDigitized, text(&offset)),
            field(Tag::SubSecTime, text(&hundredths)),
            field(Tag::SubSecTimeOriginal, text(&hundredths)),
            field(Tag::SubSecTimeDigitized, text(&hundredths)),
            field(Tag::ImageUniqueID, text(&id)),
            field(Tag::BodySerialNumber, text(&camera.serial)),
        ];
        // A driver that does not know them says 0.
        let known = |value: f64| Some(value).filter(|value| *value > 0.0);
        fields.extend(known(exposure.get()).map(|time| field(Tag::ExposureTime, rational(time, 1_000_000))));
        fields.extend(known(*gain).map(|gain| field(Tag::PhotographicSensitivity, short_of(gain * 100.0))));
        fields.extend(camera.f_number.map(|number| field(Tag::FNumber, rational(number, 100))));
        fields.extend(camera.lens.as_deref().map(|name| field(Tag::LensModel, text(name))));
        fields.extend(focus.map(|focus| field(Tag::SubjectDistance, distance(focus))));
        fields.extend(camera.intrinsics.iter().flat_map(of_lens));
        fields
    }
}

/// What is so of a JPEG.
fn of_pixels(size: Size) -> [Field; 7] {
    [
        // The pixels are turned already.
        field(Tag::Orientation, short(1)),
        // libjpeg's chroma lies between the pixels.
        field(Tag::YCbCrPositioning, short(1)),
        // Y, Cb, Cr.
        field(Tag::ComponentsConfiguration, Value::Undefined(vec![1, 2, 3, 0], 0)),
        field(Tag::FlashpixVersion, Value::Undefined(b"0100".to_vec(), 0)),
        // sRGB.
        field(Tag::ColorSpace, short(1)),
        field(Tag::PixelXDimension, Value::Long(vec![size.width])),
        field(Tag::PixelYDimension, Value::Long(vec![size.height])),
    ]
}

/// Focal length, in millimetres where that is known, and as on film.
fn of_lens(intrinsics: &Intrinsics) -> Vec<Field> {
    let Intrinsics { width, height, fx, fy, cx: _, cy: _, pixel_pitch, distortion: _ } = *intrinsics;
    let on_film = FILM_DIAGONAL * fx / f64::from(width).hypot(f64::from(height));
    let mut fields = vec![field(Tag::FocalLengthIn35mmFilm, short_of(on_film))];
    if let Some(pitch) = pixel_pitch.filter(|pitch| pitch.get() > 0.0) {
        // One focal length for both: where `fx` and `fy` differ, pixels do.
        let per_centimetre = 10.0 / pitch.get();
        fields.extend([
            field(Tag::FocalLength, rational(fx * pitch.get(), 10_000)),
            field(Tag::FocalPlaneXResolution, rational(per_centimetre, 10_000)),
            field(Tag::FocalPlaneYResolution, rational(per_centimetre * fy / fx, 10_000)),
            field(Tag::FocalPlaneResolutionUnit, short(CENTIMETRE)),
        ]);
    }
    fields
}

fn thumbnail_fields() -> Vec<Field> {
    let of = |tag, value| Field { tag, ifd_num: In::THUMBNAIL, value };
    vec![
        // JPEG.
        of(Tag::Compression, short(6)),
        of(Tag::XResolution, rational(72.0, 1)),
        of(Tag::YResolution, rational(72.0, 1)),
        of(Tag::ResolutionUnit, short(INCH)),
    ]
}

/// Inches, as `ResolutionUnit` says them.
const INCH: u16 = 2;
const CENTIMETRE: u16 = 3;

fn field(tag: Tag, value: Value) -> Field {
    Field { tag, ifd_num: In::PRIMARY, value }
}

/// A text of an entry, in ASCII.
pub(super) fn text(text: &str) -> Value {
    let printable = |c: &char| matches!(c, ' '..='~');
    Value::Ascii(vec![text.chars().filter(printable).take(200).collect::<String>().into_bytes()])
}

fn short(value: u16) -> Value {
    Value::Short(vec![value])
}

fn short_of(value: f64) -> Value {
    short(value.round().clamp(0.0, f64::from(u16::MAX)) as u16)
}

fn rational(value: f64, denominator: u32) -> Value {
    let numerator = (value * f64::from(denominator)).round().clamp(0.0, f64::from(u32::MAX));
    Value::Rational(vec![Rational { num: numerator as u32, denom: denominator }])
}

/// Of what is sharp, in metres; infinity is written as the largest numerator.
fn distance(focus: Dioptres) -> Value {
    if focus.get() > 1e-5 {
        rational(focus.get().recip(), 10_000)
    } else {
        Value::Rational(vec![Rational { num: u32::MAX, denom: 1 }])
    }
}

#[cfg(test)]
mod tests;
