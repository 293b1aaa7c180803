//! What a person calls a scan, and how that is changed. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

/// Most characters of a name.
pub const LONGEST_NAME: usize = 100;
/// Most characters of a note.
pub const LONGEST_NOTE: usize = 2000;
/// Most characters of a tag.
pub const LONGEST_TAG: usize = 40;
/// Most tags of a scan.
pub const MOST_TAGS: usize = 20;

/// What a person calls a scan, and says of it. Its id and its files do not depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Description {
    /// What it is called, if anybody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What else is to be known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Words by which it is found, each once, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What is to be different of a description, as JSON merge patches (RFC 7396) say it: what is absent stays, `null` takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DescriptionChanges {
    /// One line of at most 100 characters.
    #[serde(deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub name: Option<Option<String>>,
    /// At most 2000 characters, in as many lines as you like.
    #[serde(deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub note: Option<Option<String>>,
    /// At most 20, of at most 40 characters each; these and no others.
    #[serde(deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    pub tags: Option<Option<Vec<String>>>,
}

/// Keeps `null` apart from what is absent.
#[expect(clippy::option_option, reason = "absent, null and a value are three wishes")]
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Why something cannot be said of a scan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A name, note or tag of more characters than it may have.
    #[error("{what} has {length} characters, and may have {most}: say it in fewer")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// How many it has.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// A character that is not seen, or lets others be seen in another order.
    #[error("{what} has the character U+{code:04X}, which is not seen as it is: leave it out")]
    Invisible {
        /// What it is.
        what: &'static str,
        /// The number of the character in Unicode.
        code: u32,
    },
    /// So many tags, more than [`MOST_TAGS`].
    #[error("{0} tags, where a scan may have {MOST_TAGS}")]
    TooManyTags(usize),
}

impl Description {
    /// Whether nobody has said anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the scan `id` with this description is one that is looked for: each word of `wanted` is in its id, name, note
    /// or tags, in capitals or not.
    pub fn is_found(&self, id: &str, wanted: &str) -> bool {
        let texts = [Some(id), self.name.as_deref(), self.note.as_deref()].into_iter().flatten();
        let texts: Vec<String> =
            texts.chain(self.tags.iter().map(String::as_str)).map(str::to_lowercase).collect();
        let is_in = |word: &str| texts.iter().any(|text| text.contains(word));
        wanted.to_lowercase().split_whitespace().all(is_in)
    }
}

impl DescriptionChanges {
    /// What becomes of `description`.
    ///
    /// # Errors
    /// Something that cannot be said of a scan.
    pub fn applied(self, description: &Description) -> Result<Description, Unfit> {
        let text = |said: Option<Option<String>>, before: &Option<String>, what, most, lines| match said {
            None => Ok(before.clone()),
            Some(said) => said.map_or(Ok(None), |said| checked(&said, what, most, lines)),
        };
        let tags = match self.tags {
            None => description.tags.clone(),
            Some(tags) => {
                let tags = tags.unwrap_or_default();
                let tags = tags.iter().map(|tag| checked(tag, "a tag", LONGEST_TAG, false));
                let tags: BTreeSet<String> =
                    tags.collect::<Result<Vec<_>, Unfit>>()?.into_iter().flatten().collect();
                tags.into_iter().collect()
            }
        };
        if tags.len() > MOST_TAGS {
            return Err(Unfit::TooManyTags(tags.len()));
        }
        Ok(Description {
            name: text(self.name, &description.name, "the name", LONGEST_NAME, false)?,
            note: text(self.note, &description.note, "the note", LONGEST_NOTE, true)?,
            tags,
        })
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `text` without blanks around it, if anything is left and can be shown as it is; `lines` may be several.
fn checked(text: &str, what: &'static str, most: usize, lines: bool) -> Result<Option<String>, Unfit> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let length = text.chars().count();
    if length > most {
        return Err(Unfit::TooLong { what, length, most });
    }
    let is_invisible = |c: &char| {
        // Beside control characters, those that turn what follows them around.
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
            || (c.is_control() && !(lines && *c == '\n'))
    };
    match text.chars().find(is_invisible) {
        Some(character) => Err(Unfit::Invisible { what, code: u32::from(character) }),
        None => Ok((!text.is_empty()).then(|| text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn changes(json: &str) -> DescriptionChanges {
        serde_json::from_str(json).unwrap()
    }

    fn of(json: &str) -> Result<Description, Unfit> {
        changes(json).applied(&Description::default())
    }

    #[test]
    fn what_is_absent_stays_and_null_takes_away() {
        let owl =
            of(r#"{"name": " Owl ", "note": "of wood\r\nand stone", "tags": ["b", "a", "b", " "]}"#).unwrap();
        assert_eq!(owl.name.as_deref(), Some("Owl"));
        assert_eq!(owl.note.as_deref(), Some("of wood\nand stone"));
        assert_eq!(owl.tags, ["a", "b"]);
        let renamed = changes(r#"{"name": "Eule"}"#).applied(&owl).unwrap();
        assert_eq!(renamed, Description { name: Some("Eule".into()), ..owl.clone() });
        let bare = changes(r#"{"name": null, "tags": null}"#).applied(&owl).unwrap();
        assert_eq!(bare, Description { name: None, tags: vec![], ..owl.clone() });
        assert_eq!(changes(r#"{"name": ""}"#).applied(&owl).unwrap().name, None);
        assert_eq!(changes("{}").applied(&owl).unwrap(), owl);
    }

    #[test]
    fn what_is_too_long_or_cannot_be_seen_is_refused() {
        let long = "ä".repeat(LONGEST_NAME);
        assert_eq!(of(&format!(r#"{{"name": "{long}"}}"#)).unwrap().name, Some(long.clone()));
        for (json, says) in [
            (format!(r#"{{"name": "{long}x"}}"#), "the name has 101 characters"),
            (format!(r#"{{"note": "{}"}}"#, "x".repeat(LONGEST_NOTE + 1)), "the note has 2001"),
            (r#"{"name": "a\nb"}"#.into(), "U+000A"),
            (r#"{"note": "a\u001b[31m"}"#.into(), "U+001B"),
            (r#"{"tags": ["a\u0000"]}"#.into(), "a tag has the character U+0000"),
            (r#"{"name": "a\u202eb"}"#.into(), "U+202E"),
            (format!(r#"{{"tags": ["{}"]}}"#, "x".repeat(LONGEST_TAG + 1)), "a tag has 41"),
            (
                format!(r#"{{"tags": {:?}}}"#, (0..=MOST_TAGS).map(|n| n.to_string()).collect::<Vec<_>>()),
                "21 tags",
            ),
        ] {
            let refused = of(&json).unwrap_err().to_string();
            assert!(refused.contains(says), "{json}: {refused}");
        }
        assert!(serde_json::from_str::<DescriptionChanges>(r#"{"title": "Owl"}"#).is_err());
    }

    #[test]
    fn a_scan_is_found_by_words_of_all_that_is_said_of_it() {
        let owl = of(r#"{"name": "Große Eule", "note": "Leihgabe", "tags": ["Museum"]}"#).unwrap();
        for wanted in ["eule", "große EULE", "leih museum", "wasp", " ", "2026-11 eule"] {
            assert!(owl.is_found("2026-11-21-121531-wasp", wanted), "{wanted}");
        }
        for wanted in ["uhu", "eule uhu"] {
            assert!(!owl.is_found("2026-11-21-121531-wasp", wanted), "{wanted}");
        }
    }

    proptest! {
        #[test]
        fn what_was_said_is_read_again_and_can_be_said_again(name in ".{0,120}", note in "(.|\n){0,60}", tags in prop::collection::vec(".{0,8}", 0..6)) {
            let said = DescriptionChanges {
                name: Some(Some(name)), note: Some(Some(note)), tags: Some(Some(tags)),
            };
            let json = serde_json::to_string(&said).unwrap();
            prop_assert_eq!(&changes(&json), &said);
            if let Ok(description) = said.applied(&Description::default()) {
                let json = serde_json::to_string(&description).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Description>(&json).unwrap(), &description);
                let Description { name, note, tags } = description.clone();
                let again = DescriptionChanges { name: Some(name), note: Some(note), tags: Some(Some(tags)) };
                prop_assert_eq!(again.applied(&Description::default()).unwrap(), description);
            }
        }
    }
}
