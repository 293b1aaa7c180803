//! Which keys a configuration could have: those that were asked for while it was read, and what could be written there.

use super::kind::Kind;
use super::value::Decode;

/// A key that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Where it stands: `motion.settle`, `camera.cam0.controls.gain`, `plan.ring.angles`.
    pub key: String,
    /// What its value is like.
    pub kind: Kind,
    /// What has to be written, for people.
    pub wanted: String,
}

/// Notes what is asked for.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Asked>);

impl Notes {
    /// That a value of the type `T` was asked for at `key`.
    pub(super) fn value<T: Decode>(&mut self, key: String) {
        self.note(key, T::kind(), T::wanted());
    }

    /// That the table at `key` is one value.
    pub(super) fn table(&mut self, key: String, wanted: &str) {
        self.note(key, Kind::Table, wanted.to_owned());
    }

    /// Between which limits the value at `key` is.
    pub(super) fn limits(&mut self, key: &str, low: &dyn std::fmt::Display, high: &dyn std::fmt::Display) {
        if let Some(asked) = self.0.iter_mut().find(|asked| asked.key == key) {
            asked.wanted = format!("{}, from {low} to {high}", asked.wanted);
        }
    }

    fn note(&mut self, key: String, kind: Kind, wanted: String) {
        if !self.0.iter().any(|asked| asked.key == key) {
            self.0.push(Asked { key, kind, wanted });
        }
    }

    /// All of them, but for what is inside a value.
    pub(super) fn into_asked(self) -> Vec<Asked> {
        let tables: Vec<String> = self
            .0
            .iter()
            .filter(|asked| asked.kind == Kind::Table)
            .map(|asked| format!("{}.", asked.key))
            .collect();
        let inside = |asked: &Asked| tables.iter().any(|table| asked.key.starts_with(table));
        self.0.into_iter().filter(|asked| !inside(asked)).collect()
    }
}
