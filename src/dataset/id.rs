//! The name of a scan.

use std::fmt;
use std::str::FromStr;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

/// Longest id, in bytes.
const MAX_LENGTH: usize = 64;

/// One of them ends every generated id: two scans are easier to tell apart by animal than by second.
const WORDS: [&str; 64] = [
    "ant", "ape", "bat", "bear", "bee", "boar", "bug", "bull", "cat", "clam", "cod", "colt", "cow", "crab",
    "crow", "cub", "deer", "doe", "dog", "dove", "duck", "eel", "elk", "emu", "ewe", "fawn", "finch", "fish",
    "flea", "fly", "fox", "frog", "gnat", "gnu", "goat", "goose", "gull", "hare", "hawk", "hen", "ibex",
    "jay", "kiwi", "koi", "lamb", "lark", "lion", "lynx", "mink", "mole", "moth", "mule", "newt", "owl",
    "pug", "ram", "seal", "stag", "swan", "toad", "vole", "wasp", "wolf", "yak",
];

/// The name of a scan and of its folder: `2026-11-21-143005-owl`.
///
/// Lower-case letters, digits and `-`, at most 64 of them, the first no `-`: an id is always one component of
/// a path, never a way out of the folder of the scans.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScanId(String);

impl ScanId {
    /// An id for a scan that starts at `time`: its date and time of day, and a word chosen by its nanoseconds.
    pub fn at(time: &Zoned) -> Self {
        Self::nth(time, 0)
    }

    /// The `n`-th id for a scan that starts at `time`, if those before are taken: with another word, then with a number.
    pub(super) fn nth(time: &Zoned, n: usize) -> Self {
        let word = WORDS[(time.subsec_nanosecond() as usize / 1000 + n) % WORDS.len()];
        let round = n / WORDS.len();
        let number = if round == 0 { String::new() } else { format!("-{}", round + 1) };
        Self(format!("{}-{word}{number}", time.strftime("%Y-%m-%d-%H%M%S")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not the id of a scan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseScanIdError {
    /// There is no text at all.
    #[error("the id of a scan is missing: write one like \"2026-11-21-143005-owl\"")]
    Empty,
    /// Longer than 64 bytes.
    #[error("{0:?} is too long for the id of a scan: at most {MAX_LENGTH} characters")]
    TooLong(String),
    /// A character that an id never has.
    #[error(
        "{text:?} is not the id of a scan: {found:?} is not allowed here; an id has lower-case letters, \
         digits and '-', like \"2026-11-21-143005-owl\""
    )]
    Character {
        /// The text that is no id.
        text: String,
        /// The first character that does not belong.
        found: char,
    },
}

impl FromStr for ScanId {
    type Err = ParseScanIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ScanId {
    type Error = ParseScanIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() {
            return Err(ParseScanIdError::Empty);
        }
        if let Some(found) = text.chars().find(|&c| !allowed(c)).or(text.starts_with('-').then_some('-')) {
            return Err(ParseScanIdError::Character { text, found });
        }
        if text.len() > MAX_LENGTH {
            return Err(ParseScanIdError::TooLong(text));
        }
        Ok(Self(text))
    }
}

impl From<ScanId> for String {
    fn from(id: ScanId) -> Self {
        id.0
    }
}

impl fmt::Display for ScanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_generated_id_has_the_time_and_a_word() {
        let time: Zoned = "2026-11-21T14:30:05.000053+01:00[Europe/Berlin]".parse().unwrap();
        let id = ScanId::at(&time);
        assert_eq!(id.as_str(), "2026-11-21-143005-owl");
        assert_eq!(id.as_str().parse::<ScanId>().unwrap(), id);
    }

    #[test]
    fn a_thousand_ids_of_one_moment_are_all_different() {
        let time: Zoned = "2026-11-21T14:30:05.000053+01:00[Europe/Berlin]".parse().unwrap();
        let ids: std::collections::HashSet<ScanId> = (0..1000).map(|n| ScanId::nth(&time, n)).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.contains(&ScanId::at(&time)));
        assert!(ids.iter().all(|id| id.as_str().parse::<ScanId>().as_ref() == Ok(id)));
    }

    #[test]
    fn what_could_leave_the_folder_is_an_error_that_names_the_character() {
        for (text, found) in
            [("../x", '.'), ("a/b", '/'), ("a\\b", '\\'), ("Owl", 'O'), ("-x", '-'), ("a b", ' ')]
        {
            match text.parse::<ScanId>() {
                Err(ParseScanIdError::Character { found: actual, .. }) => assert_eq!(actual, found, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!("".parse::<ScanId>(), Err(ParseScanIdError::Empty));
        assert!(matches!("a".repeat(65).parse::<ScanId>(), Err(ParseScanIdError::TooLong(_))));
        assert!("a".repeat(64).parse::<ScanId>().is_ok());
        assert!(serde_json::from_str::<ScanId>("\"../x\"").is_err());
    }

    proptest! {
        #[test]
        fn an_accepted_id_is_one_normal_path_component(text in "\\PC{0,70}|[a-z0-9./-]{0,8}") {
            if let Ok(id) = text.parse::<ScanId>() {
                let path = std::path::Path::new(id.as_str());
                prop_assert_eq!(path.components().count(), 1);
                prop_assert!(matches!(path.components().next(), Some(std::path::Component::Normal(_))));
            }
        }
    }
}
