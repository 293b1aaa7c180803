//! What can be read of it, and what can be set.

use std::io::Cursor;

use exif::experimental::Writer as Exif;
use exif::{Field, In, Rational, Tag, Value};
use scanner::units::Seconds;

use crate::ptp::Writer;
use crate::settings::CameraSettings;

/// Types of values.
const U8: u16 = 2;
const U16: u16 = 4;
const U32: u16 = 6;
const TEXT: u16 = 0xFFFF;
const BATTERY: u16 = 0x5001;
const SIZE: u16 = 0x5003;
/// In ten thousandths of a second.
const EXPOSURE: u16 = 0x500D;
const ISO: u16 = 0x500F;
/// In hundredths.
const APERTURE: u16 = 0x5007;

/// Its properties.
#[derive(Debug, Default)]
pub(super) struct Properties {
    size: String,
    battery: u8,
    drain: u8,
    settable: Vec<Settable>,
    /// Takes values and stays as it is.
    deaf: bool,
    /// Says what was set and exposes for twice as long.
    liar: bool,
}

/// A number that is one of several.
#[derive(Debug)]
struct Settable {
    code: u16,
    kind: u16,
    choices: &'static [u32],
    value: u32,
}

impl Properties {
    pub(super) fn of(settings: &CameraSettings, size: String, deaf: bool, liar: bool) -> Self {
        let one = |code, kind, choices: &'static [u32], value| Settable { code, kind, choices, value };
        let mut settable = Vec::new();
        if settings.controls {
            settable.push(one(
                EXPOSURE,
                U32,
                &[10, 20, 40, 80, 100, 166, 333, 666, 1250, 2500, 5000, 10_000],
                166,
            ));
            settable.push(one(ISO, U16, &[100, 200, 400, 800, 1600], 400));
            settable.push(one(APERTURE, U16, &[280, 400, 560, 800, 1100], 560));
            // White balance: automatic, daylight, fluorescent, tungsten. Focus: manual, automatic.
            settable.push(one(0x5005, U16, &[2, 4, 5, 6], 2));
            settable.push(one(0x500A, U16, &[1, 2], 2));
        }
        let (battery, drain) = (settings.battery, settings.drain);
        Self { size, battery, drain, settable, deaf, liar }
    }

    /// The shutter was released.
    pub(super) fn released(&mut self) {
        self.battery = self.battery.saturating_sub(self.drain);
    }

    /// Somebody turns the dial of the aperture to its first place.
    pub(super) fn turn(&mut self) {
        if let Some(one) = self.settable.iter_mut().find(|one| one.code == APERTURE) {
            one.value = one.choices.first().copied().unwrap_or_default();
        }
    }

    /// Exposure time and gain, if they can be set.
    pub(super) fn exposed(&self) -> Option<(Seconds, f64)> {
        let times = if self.liar { 2.0 } else { 1.0 };
        let time = Seconds::new(times * f64::from(self.value(EXPOSURE)?) / 10_000.0);
        Some((time, f64::from(self.value(ISO)?) / 100.0))
    }

    fn value(&self, code: u16) -> Option<u32> {
        self.settable.iter().find(|one| one.code == code).map(|one| one.value)
    }

    pub(super) fn codes(&self) -> Vec<u16> {
        [BATTERY, SIZE].into_iter().chain(self.settable.iter().map(|one| one.code)).collect()
    }

    /// A property, described or its value alone.
    pub(super) fn get(&self, code: u16, described: bool) -> Option<Vec<u8>> {
        let settable = self.settable.iter().find(|one| one.code == code);
        let (kind, value) = match (code, settable) {
            (_, Some(one)) => (one.kind, bytes(one.kind, one.value)),
            (BATTERY, None) => (U8, bytes(U8, u32::from(self.battery))),
            (SIZE, None) => (TEXT, Writer::default().text(&self.size).0),
            (_, None) => return None,
        };
        if !described {
            return Some(value);
        }
        // Read-only or not; the factory's value, the one that is, and a list of all.
        let choices = settable.map(|one| one.choices.iter().map(|choice| bytes(one.kind, *choice)).collect());
        let choices: Vec<_> = choices.unwrap_or_else(|| vec![value.clone()]);
        let mut all = Writer::default().u16(code).u16(kind).u8(u8::from(settable.is_some())).0;
        all.extend_from_slice(&value);
        all.extend_from_slice(&value);
        all.push(2);
        all.extend((choices.len() as u16).to_le_bytes());
        all.extend(choices.into_iter().flatten());
        Some(all)
    }

    /// False if there is no such property, or no such value of it.
    pub(super) fn set(&mut self, code: u16, value: &[u8]) -> bool {
        let deaf = self.deaf;
        let Some(one) = self.settable.iter_mut().find(|one| one.code == code) else { return false };
        let value = value.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte));
        if !one.choices.contains(&value) {
            return false;
        }
        if !deaf {
            one.value = value;
        }
        true
    }

    /// A JPEG that says with what it was taken; what is none, as it is.
    pub(super) fn noted_in(&self, jpeg: Vec<u8>) -> Vec<u8> {
        let values = (self.value(EXPOSURE), self.value(ISO), self.value(APERTURE));
        let ((Some(time), Some(iso), Some(aperture)), true) = (values, jpeg.starts_with(&[0xFF, 0xD8]))
        else {
            return jpeg;
        };
        let time = Rational { num: if self.liar { 2 * time } else { time }, denom: 10_000 };
        let field = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
        let fields = [
            field(Tag::ExposureTime, Value::Rational(vec![time])),
            field(Tag::FNumber, Value::Rational(vec![Rational { num: aperture, denom: 100 }])),
            field(Tag::PhotographicSensitivity, Value::Short(vec![iso as u16])),
        ];
        let mut exif = Exif::new();
        for field in &fields {
            exif.push_field(field);
        }
        let mut tiff = Cursor::new(Vec::new());
        if exif.write(&mut tiff, true).is_err() {
            return jpeg;
        }
        let segment = [b"Exif\0\0".to_vec(), tiff.into_inner()].concat();
        let length = (segment.len() as u16 + 2).to_be_bytes();
        [&[0xFF, 0xD8, 0xFF, 0xE1][..], &length, &segment, &jpeg[2..]].concat()
    }
}

/// As a property of this type has it.
fn bytes(kind: u16, value: u32) -> Vec<u8> {
    match kind {
        U8 => Writer::default().u8(value as u8).0,
        U16 => Writer::default().u16(value as u16).0,
        _ => Writer::default().u32(value).0,
    }
}
