//! Files that a shot may have: of which kinds, and what they are called.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most characters of a suffix.
const LONGEST_SUFFIX: usize = 8;
/// What the names of other files of a dataset end in.
const TAKEN: [&str; 4] = ["jpg", "jpeg", "json", "tmp"];

/// A kind of file, whatever its name ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// The image: what is looked at, measured and exported.
    Jpeg,
    /// What the sensor saw, for programs that develop it.
    Raw,
}

impl FileType {
    /// The files of a shot of which only the image is kept.
    pub const IMAGE_ALONE: &'static [Self] = &[Self::Jpeg];
    /// Those of a shot of which a raw image is kept beside it.
    pub const IMAGE_AND_RAW: &'static [Self] = &[Self::Jpeg, Self::Raw];

    /// Why no shot has files of these kinds; none if one may.
    pub fn objection(files: &[Self]) -> Option<&'static str> {
        match files {
            [Self::Jpeg] => None,
            [Self::Jpeg, beside @ ..] if beside.iter().all(|file| *file == Self::Raw) => {
                (files.len() > MOST_FILES).then_some("has more than eight files")
            }
            [] | [Self::Jpeg | Self::Raw, ..] => Some("does not begin with its one JPEG"),
        }
    }
}

/// Most files of a shot.
const MOST_FILES: usize = 8;

/// A file of a shot: its kind, and what its name ends in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FileKind {
    /// The image, `.jpg`.
    Jpeg,
    /// What the sensor saw.
    Raw {
        /// By which programs know the format.
        suffix: Suffix,
    },
}

impl FileKind {
    /// Whatever its name ends in.
    pub const fn file_type(&self) -> FileType {
        match self {
            Self::Jpeg => FileType::Jpeg,
            Self::Raw { .. } => FileType::Raw,
        }
    }
}

/// What the name of a raw file ends in, without the dot: `cr2`, `nef`, `arw`, `dng`. One to eight lower-case letters and
/// digits, so it is never a way out of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Suffix(String);

impl Suffix {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Suffix {
    /// That of a raw image in a Digital Negative, which any program can read.
    pub fn dng() -> Self {
        Self("dng".to_owned())
    }
}

/// Why a text is no suffix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot end the name of a raw file: use one to eight lower-case letters and digits, like \"cr2\""
)]
pub struct NoSuffix(String);

impl TryFrom<String> for Suffix {
    type Error = NoSuffix;

    fn try_from(text: String) -> Result<Self, NoSuffix> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = (1..=LONGEST_SUFFIX).contains(&text.len()) && text.chars().all(allowed);
        if fits && !TAKEN.contains(&text.as_str()) { Ok(Self(text)) } else { Err(NoSuffix(text)) }
    }
}

impl From<Suffix> for String {
    fn from(suffix: Suffix) -> Self {
        suffix.0
    }
}

/// Whether `bytes` begin and end as a JPEG does. Some cameras fill up with zeros behind that.
pub fn is_whole_jpeg(bytes: &[u8]) -> bool {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    end >= 4 && bytes.starts_with(&[0xFF, 0xD8]) && bytes[..end].ends_with(&[0xFF, 0xD9])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_never_a_path_and_never_that_of_another_file() {
        let suffix = |text: &str| Suffix::try_from(text.to_owned()).map(String::from);
        for text in ["cr2", "nef", "dng", "3fr", "a2345678"] {
            assert_eq!(suffix(text).as_deref(), Ok(text));
        }
        for text in ["", "CR2", "../x", "a.b", "a/b", "jpg", "jpeg", "json", "tmp", "a23456789", "ä"] {
            assert!(suffix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_shot_has_one_image_and_it_comes_first() {
        use FileType::{Jpeg, Raw};
        for files in [&[Jpeg][..], &[Jpeg, Raw], &[Jpeg, Raw, Raw]] {
            assert_eq!(FileType::objection(files), None);
        }
        for files in
            [&[][..], &[Raw], &[Raw, Jpeg], &[Jpeg, Jpeg], &[Jpeg, Raw, Raw, Raw, Raw, Raw, Raw, Raw, Raw]]
        {
            assert!(FileType::objection(files).is_some(), "{files:?}");
        }
    }

    #[test]
    fn a_jpeg_is_whole_with_zeros_behind_it_and_not_without_its_end() {
        assert!(is_whole_jpeg(&[0xFF, 0xD8, 1, 0, 2, 0xFF, 0xD9]));
        assert!(is_whole_jpeg(&[0xFF, 0xD8, 1, 0xFF, 0xD9, 0, 0]));
        for torn in [
            &[0xFF, 0xD8, 1, 2][..],
            &[0xFF, 0xD8, 0, 0],
            &[0, 0],
            &[],
            &[1, 0xD8, 0xFF, 0xD9],
            &[0xFF, 0xD9],
        ] {
            assert!(!is_whole_jpeg(torn), "{torn:?}");
        }
    }

    #[test]
    fn kinds_are_spelled_as_in_the_protocol() {
        let raw = FileKind::Raw { suffix: Suffix("cr2".into()) };
        assert_eq!(serde_json::to_string(&raw).unwrap(), r#"{"type":"raw","suffix":"cr2"}"#);
        assert_eq!(serde_json::to_string(&FileKind::Jpeg).unwrap(), r#"{"type":"jpeg"}"#);
        assert!(serde_json::from_str::<FileKind>(r#"{"type":"raw","suffix":"../../etc"}"#).is_err());
    }
}
