//! What was answered so far.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::key::Key;

/// Answers by their questions, each in the spelling of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    given: BTreeMap<Key, String>,
}

/// The axes of a rig, and whether they are real: the answers to [`Key::Rig`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rig {
    /// Computed: a turntable and a lift.
    Simulated,
    /// A turntable.
    Turntable,
    /// A turntable, and a lift that carries the camera.
    Lift,
    /// A turntable, and an arm that tilts with the camera.
    Tilt,
    /// A turntable, and several cameras.
    Several,
}

impl Rig {
    /// All of them, with their words.
    pub const ALL: [(&'static str, Self); 5] = [
        ("simulated", Self::Simulated),
        ("turntable", Self::Turntable),
        ("lift", Self::Lift),
        ("tilt", Self::Tilt),
        ("cameras", Self::Several),
    ];

    /// Whether motors move it.
    pub const fn is_real(self) -> bool {
        !matches!(self, Self::Simulated)
    }

    /// Whether there is a lift.
    pub const fn has_lift(self) -> bool {
        matches!(self, Self::Simulated | Self::Lift)
    }

    /// Whether there is a tilt.
    pub const fn has_tilt(self) -> bool {
        matches!(self, Self::Tilt)
    }
}

/// What a file of answers is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswersError {
    /// No TOML.
    #[error("this is not TOML: {0}")]
    Toml(String),
    /// A key that is no question.
    #[error("there is no question `{0}`")]
    Unknown(String),
    /// A table, say.
    #[error("`{0}` has to be a text, a number, or a list of these")]
    Kind(String),
}

impl Answers {
    /// What was answered.
    pub fn get(&self, key: Key) -> Option<&str> {
        self.given.get(&key).map(String::as_str)
    }

    /// Keeps an answer.
    pub fn set(&mut self, key: Key, answer: impl Into<String>) {
        self.given.insert(key, answer.into());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// The rig that was chosen.
    pub fn rig(&self) -> Option<Rig> {
        let word = self.get(Key::Rig)?;
        Rig::ALL.iter().find(|(known, _)| *known == word).map(|(_, rig)| *rig)
    }

    /// The cameras that were chosen, as driver and id.
    pub fn cameras(&self) -> Vec<(&str, &str)> {
        let words = self.get(Key::Cameras).unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.split_once(':')).collect()
    }

    /// The items of an answer that is a list.
    pub fn list(&self, key: Key) -> Vec<&str> {
        let items = self.get(key).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).collect()
    }

    /// As a file of answers.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (key, answer) in &self.given {
            let _ = writeln!(text, "{} = {}", key.name(), quoted(answer));
        }
        text
    }

    /// From a file of answers, not yet checked.
    pub fn from_toml(text: &str) -> Result<Self, AnswersError> {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| AnswersError::Toml(error.to_string()))?;
        let mut answers = Self::default();
        for (name, value) in &table {
            let key = Key::named(name).ok_or_else(|| AnswersError::Unknown(name.clone()))?;
            let answer = words(value, key).ok_or_else(|| AnswersError::Kind(name.clone()))?;
            answers.set(key, answer);
        }
        Ok(answers)
    }
}

/// A value as somebody would have typed it.
pub(super) fn words(value: &toml::Value, key: Key) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Array(items) => {
            let items = items.iter().map(|item| words(item, key)).collect::<Option<Vec<_>>>()?;
            Some(items.join(if key == Key::Cameras { " " } else { ", " }))
        }
        toml::Value::Boolean(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

/// A text as TOML has it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
