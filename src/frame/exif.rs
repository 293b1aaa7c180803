//! The few EXIF tags that photogrammetry programs read.
//!
//! Written here rather than by a library: the segment has a dozen entries of three types.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::units::{Millimetres, Seconds};

/// What an image says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Exif {
    /// Who made the camera.
    pub make: String,
    /// Which camera.
    pub model: String,
    /// When it was taken; written as UTC.
    pub taken_at: Timestamp,
    /// Exposure time.
    pub exposure: Seconds,
    /// Analogue gain; written as ISO speed, 1 = ISO 100.
    pub gain: f64,
    /// Focal length of the lens.
    pub focal_length: Option<Millimetres>,
    /// Focal length of a lens that sees as much on film of 36 mm width: `fx / width * 36`.
    pub focal_length_35mm: Option<Millimetres>,
}

/// A value of an entry, in the types that EXIF has for it.
enum Value {
    Ascii(String),
    Short(u16),
    Rational(u32, u32),
    Long(u32),
}

/// Bytes of the TIFF header, where offsets begin to count.
const TIFF_HEADER: [u8; 8] = [b'I', b'I', 42, 0, 8, 0, 0, 0];

impl Exif {
    /// The APP1 segment, from its marker on; what does not fit a segment is left out.
    pub(super) fn segment(&self) -> Vec<u8> {
        let time = self.taken_at.to_zoned(TimeZone::UTC).strftime("%Y:%m:%d %H:%M:%S").to_string();
        let mut details = vec![
            (0x829A, rational(self.exposure.get(), 1_000_000)),
            (0x8827, Value::Short((self.gain * 100.0).round().clamp(0.0, 65_535.0) as u16)),
            (0x9003, Value::Ascii(time)),
            (0x9011, Value::Ascii("+00:00".into())),
        ];
        if let Some(length) = self.focal_length {
            details.push((0x920A, rational(length.get(), 1000)));
        }
        if let Some(length) = self.focal_length_35mm {
            details.push((0xA405, Value::Short(length.get().round().clamp(0.0, 65_535.0) as u16)));
        }
        let printable = |c: &char| matches!(c, ' '..='~');
        let text = |text: &str| Value::Ascii(text.chars().filter(printable).take(200).collect());
        let main = |details_at| {
            [(0x010F, text(&self.make)), (0x0110, text(&self.model)), (0x8769, Value::Long(details_at))]
        };
        // The second directory stands behind the first, whose size does not depend on where that is.
        let start = TIFF_HEADER.len() as u32;
        let details_at = start + directory(&main(0), start).len() as u32;
        let mut tiff = TIFF_HEADER.to_vec();
        tiff.extend(directory(&main(details_at), start));
        tiff.extend(directory(&details, details_at));

        let mut segment = vec![0xFF, 0xE1];
        segment.extend((tiff.len() as u16 + 8).to_be_bytes());
        segment.extend(b"Exif\0\0");
        segment.extend(tiff);
        segment
    }
}

fn rational(value: f64, denominator: u32) -> Value {
    let numerator = (value * f64::from(denominator)).round().clamp(0.0, f64::from(u32::MAX));
    Value::Rational(numerator as u32, denominator)
}

/// A directory that begins at `offset`, with the values that do not fit their entries behind it.
fn directory(entries: &[(u16, Value)], offset: u32) -> Vec<u8> {
    let mut table = (entries.len() as u16).to_le_bytes().to_vec();
    let values_at = offset + 2 + 12 * entries.len() as u32 + 4;
    let mut values = Vec::new();
    for (tag, value) in entries {
        let (kind, count, bytes) = match value {
            Value::Ascii(text) => (2_u16, text.len() as u32 + 1, [text.as_bytes(), &[0]].concat()),
            Value::Short(number) => (3, 1, number.to_le_bytes().to_vec()),
            Value::Long(number) => (4, 1, number.to_le_bytes().to_vec()),
            Value::Rational(over, under) => (5, 1, [over.to_le_bytes(), under.to_le_bytes()].concat()),
        };
        table.extend(tag.to_le_bytes());
        table.extend(kind.to_le_bytes());
        table.extend(count.to_le_bytes());
        if bytes.len() <= 4 {
            table.extend(bytes.iter().copied().chain(std::iter::repeat(0)).take(4));
        } else {
            table.extend((values_at + values.len() as u32).to_le_bytes());
            values.extend(bytes);
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    table.extend([0; 4]);
    table.extend(values);
    table
}
