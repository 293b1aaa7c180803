//! What drop-ins said before they were changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many are kept.
pub(super) const KEPT: usize = 20;

/// What a drop-in said until somebody changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigVersion)]
pub struct Version {
    /// By which it is taken back.
    pub number: u32,
    /// When it was changed.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Who changed it.
    pub by: String,
    /// What was changed then, for people.
    pub change: String,
    /// Which drop-in.
    pub drop_in: String,
    /// What it said; absent if it was not there.
    pub text: Option<String>,
}

/// Those that are kept, the oldest first.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Versions(Vec<Version>);

impl Versions {
    /// With what a drop-in says until now.
    pub(super) fn add(&mut self, version: Version) {
        let newest = self.0.iter().rposition(|other| other.drop_in == version.drop_in);
        if let Some(newest) = newest.filter(|newest| self.0[*newest].text == version.text) {
            // The change before this one was not made, for want of power: what it kept is kept as the newest now.
            self.0.remove(newest);
        }
        let number = self.0.last().map_or(1, |last| last.number.saturating_add(1));
        self.0.push(Version { number, ..version });
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// The one of this number.
    pub(super) fn find(&self, number: u32) -> Option<&Version> {
        self.0.iter().find(|version| version.number == number)
    }

    /// All of them, the newest first.
    pub(super) fn newest_first(self) -> Vec<Version> {
        self.0.into_iter().rev().collect()
    }
}
