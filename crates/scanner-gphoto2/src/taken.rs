//! What a release gave: its files, and what the image says of itself.

use std::io::Cursor;

use exif::{In, Reader, Tag, Value};
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;
use scanner::model::{FileKind, FileType, Suffix};

use super::camera::Place;

/// The files in the order in which they are announced, once all are there; none while some are missing.
///
/// # Errors
/// They cannot come to be what was announced.
pub(crate) fn sorted(
    found: &[Place],
    announced: &[FileType],
) -> Result<Option<Vec<(FileKind, Place)>>, DeviceError> {
    let kinds = found.iter().map(|place| Ok((kind(place)?, place.clone())));
    let mut files = kinds.collect::<Result<Vec<_>, DeviceError>>()?;
    files.sort_by_key(|(kind, _)| kind.file_type() == FileType::Raw);
    let count = |file: FileType| files.iter().filter(|(kind, _)| kind.file_type() == file).count();
    let wanted = |file: FileType| announced.iter().filter(|one| **one == file).count();
    for file in [FileType::Jpeg, FileType::Raw] {
        if count(file) > wanted(file) {
            let names: Vec<_> = found.iter().map(|place| place.name.as_str()).collect();
            let message = format!(
                "it made {}, where {announced:?} was announced: set its image format and `files` to the same",
                names.join(", ")
            );
            return Err(DeviceError::new(ErrorKind::BadFrame, message));
        }
    }
    Ok((files.len() == announced.len()).then_some(files))
}

fn kind(place: &Place) -> Result<FileKind, DeviceError> {
    let suffix = place.name.rsplit_once('.').map(|(_, suffix)| suffix.to_lowercase()).unwrap_or_default();
    if matches!(suffix.as_str(), "jpg" | "jpeg") {
        return Ok(FileKind::Jpeg);
    }
    let refused = |error: &dyn std::fmt::Display| {
        DeviceError::new(ErrorKind::BadFrame, format!("it made {}: {error}", place.name))
    };
    Ok(FileKind::Raw { suffix: Suffix::try_from(suffix).map_err(|error| refused(&error))? })
}

/// With what an image was taken, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Said {
    pub(crate) exposure_us: Option<u64>,
    /// ISO 100 is a gain of 1.
    pub(crate) gain: Option<f64>,
    /// F-number; unknown where the lens has no contacts.
    pub(crate) aperture: Option<f64>,
}

/// What the EXIF of a JPEG says.
pub(crate) fn said(jpeg_begin: &[u8]) -> Said {
    let Ok(exif) = Reader::new().read_from_container(&mut Cursor::new(jpeg_begin)) else {
        return Said::default();
    };
    let number = |tag| {
        let field = exif.get_field(tag, In::PRIMARY)?;
        let value = if let Value::Rational(values) = &field.value {
            values.first()?.to_f64()
        } else {
            f64::from(field.value.get_uint(0)?)
        };
        (value > 0.0 && value.is_finite()).then_some(value)
    };
    Said {
        exposure_us: number(Tag::ExposureTime).map(|time| (time * 1e6).round().max(1.0) as u64),
        gain: number(Tag::PhotographicSensitivity).map(|iso| iso / 100.0),
        aperture: number(Tag::FNumber),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Place {
        Place { folder: "/".into(), name: name.into() }
    }

    #[test]
    fn files_come_in_any_order_and_are_told_apart_by_their_names() {
        let both = [FileType::Jpeg, FileType::Raw];
        assert_eq!(sorted(&[place("IMG_1.CR2")], &both).unwrap(), None);
        let files = sorted(&[place("IMG_1.CR2"), place("IMG_1.JPG")], &both).unwrap().unwrap();
        let names: Vec<_> = files.iter().map(|(_, place)| place.name.as_str()).collect();
        assert_eq!(names, ["IMG_1.JPG", "IMG_1.CR2"]);
        assert_eq!(files[1].0, FileKind::Raw { suffix: "cr2".to_owned().try_into().unwrap() });
        for (made, announced) in [
            (&["a.jpg", "b.jpg"][..], &both[..]),
            (&["a.cr2"], &both[..1]),
            (&["a.tmp"], &both),
            (&["none"], &both),
        ] {
            let made: Vec<_> = made.iter().map(|name| place(name)).collect();
            assert_eq!(sorted(&made, announced).unwrap_err().kind, ErrorKind::BadFrame, "{made:?}");
        }
    }

    #[test]
    fn of_an_image_without_exif_nothing_is_known() {
        assert_eq!(said(b"no JPEG"), Said::default());
    }
}
