//! The entries of a DNG's directories.

use exif::{Rational, SRational, Value};
use tiff::tags::Type;

use super::Strips;
use super::colours::Colours;
use crate::frame::exif::text;
use crate::model::{Bayer, Orientation, Size};

pub(super) const SUB_IFDS: u16 = 330;
pub(super) const EXIF: u16 = 34_665;

/// Of the directory of samples.
pub(super) fn of_samples(bayer: &Bayer, black: [u32; 4], strips: &Strips) -> Vec<(u16, Value)> {
    let Size { width, height } = bayer.size;
    vec![
        // NewSubFileType: the image itself.
        (254, long(0)),
        (256, long(width)),
        (257, long(height)),
        // BitsPerSample, and Compression: none.
        (258, short(16)),
        (259, short(1)),
        // PhotometricInterpretation: filters.
        (262, short(32_803)),
        (273, Value::Long(strips.offsets.clone())),
        // SamplesPerPixel.
        (277, short(1)),
        // RowsPerStrip.
        (278, long(strips.rows)),
        (279, Value::Long(strips.bytes.clone())),
        // PlanarConfiguration.
        (284, short(1)),
        // CFARepeatPatternDim and CFAPattern.
        (33_421, Value::Short(vec![2, 2])),
        (33_422, Value::Byte(bayer.order.filters().to_vec())),
        // CFAPlaneColor: red, green, blue. CFALayout: in rows and columns.
        (50_710, Value::Byte(vec![0, 1, 2])),
        (50_711, short(1)),
        // BlackLevelRepeatDim, BlackLevel and WhiteLevel.
        (50_713, Value::Short(vec![2, 2])),
        (50_714, Value::Long(black.to_vec())),
        (50_717, long(bayer.white)),
        // DefaultScale, DefaultCropOrigin and DefaultCropSize: all of it, as it is.
        (50_718, Value::Rational(vec![whole(1), whole(1)])),
        (50_719, Value::Long(vec![0, 0])),
        (50_720, Value::Long(vec![width, height])),
    ]
}

/// Of the small JPEG, which has this size, place and length.
pub(super) fn of_preview(size: Size, (offset, length): (u32, u32)) -> Vec<(u16, Value)> {
    vec![
        // NewSubFileType: a smaller one.
        (254, long(1)),
        (256, long(size.width)),
        (257, long(size.height)),
        (258, Value::Short(vec![8, 8, 8])),
        // Compression: JPEG. PhotometricInterpretation: YCbCr.
        (259, short(7)),
        (262, short(6)),
        (273, long(offset)),
        (277, short(3)),
        (278, long(size.height)),
        (279, long(length)),
        (284, short(1)),
        // YCbCrSubSampling, YCbCrPositioning and ReferenceBlackWhite, as libjpeg has them.
        (530, Value::Short(vec![2, 2])),
        (531, short(1)),
        (532, Value::Rational([0, 255, 128, 255, 128, 255].map(whole).to_vec())),
    ]
}

/// Of the whole negative.
pub(super) fn of_negative(model: &str, orientation: Orientation, colours: &Colours) -> Vec<(u16, Value)> {
    let turned = match orientation {
        Orientation::Normal => 1,
        Orientation::Mirror => 2,
        Orientation::Rotate180 => 3,
        Orientation::Flip => 4,
    };
    let signed = |value: f64| SRational { num: (value * 10_000.0).round() as i32, denom: 10_000 };
    let mut entries = vec![
        (274, short(turned)),
        // DNGVersion, and the oldest that a reader may know.
        (50_706, Value::Byte(vec![1, 4, 0, 0])),
        (50_707, Value::Byte(vec![1, 1, 0, 0])),
        // UniqueCameraModel.
        (50_708, text(model)),
        // ColorMatrix1.
        (50_721, Value::SRational(colours.from_xyz.0.iter().flatten().map(|part| signed(*part)).collect())),
        // CalibrationIlluminant1: D65, the white of sRGB.
        (50_778, short(21)),
        // PreviewColorSpace: sRGB.
        (50_970, long(2)),
    ];
    // AsShotNeutral.
    entries.extend(colours.neutral.map(|neutral| {
        let part = |part: f64| Rational { num: (part * 1e6).round() as u32, denom: 1_000_000 };
        (50_728, Value::Rational(neutral.map(part).to_vec()))
    }));
    entries
}

fn short(value: u16) -> Value {
    Value::Short(vec![value])
}

fn long(value: u32) -> Value {
    Value::Long(vec![value])
}

fn whole(num: u32) -> Rational {
    Rational { num, denom: 1 }
}

/// A value as it stands in a file, in this machine's byte order, which the file says; none of a kind that nobody writes here.
pub(super) fn encoded(value: &Value) -> Option<(Type, Vec<u8>)> {
    let pairs =
        |pairs: &[Rational]| pairs.iter().flat_map(|r| [r.num, r.denom]).flat_map(u32::to_ne_bytes).collect();
    Some(match value {
        Value::Byte(bytes) => (Type::BYTE, bytes.clone()),
        Value::Undefined(bytes, _) => (Type::UNDEFINED, bytes.clone()),
        Value::Ascii(texts) => {
            (Type::ASCII, texts.iter().flat_map(|text| text.iter().copied().chain([0])).collect())
        }
        Value::Short(values) => (Type::SHORT, values.iter().flat_map(|value| value.to_ne_bytes()).collect()),
        Value::Long(values) => (Type::LONG, values.iter().flat_map(|value| value.to_ne_bytes()).collect()),
        Value::Rational(values) => (Type::RATIONAL, pairs(values)),
        Value::SRational(values) => {
            let numbers = values.iter().flat_map(|r| [r.num, r.denom]);
            (Type::SRATIONAL, numbers.flat_map(i32::to_ne_bytes).collect())
        }
        Value::SByte(_)
        | Value::SShort(_)
        | Value::SLong(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Unknown(..) => return None,
    })
}
