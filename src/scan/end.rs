//! How a scan stands, how it ended, and how one run of it did.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every planned shot is stored.
    Complete,
    /// Every planned shot was tried; some failed.
    Incomplete,
    /// A person ended it.
    Cancelled,
    /// A failed shot ended it, as the configuration says.
    Aborted,
}

impl Outcome {
    /// Every one, in the order in which documents list them.
    const ALL: [Self; 4] = [Self::Complete, Self::Incomplete, Self::Cancelled, Self::Aborted];

    /// As in the log, the journal and the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
        }
    }
}

/// How a scan stands, as its journal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// It goes on, or was interrupted: a process that dies writes nothing.
    Running,
    /// It stopped for a while.
    Paused,
    /// It has ended; it can be resumed all the same, unless it is complete.
    #[serde(untagged)]
    Finished(Outcome),
}

impl ScanState {
    /// As in the manifest: of a scan that has ended, how it did.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished(outcome) => outcome.name(),
        }
    }

    /// Whether the scan has ended.
    pub const fn is_finished(self) -> bool {
        match self {
            Self::Running | Self::Paused => false,
            Self::Finished(_) => true,
        }
    }

    /// Whether every planned shot is stored.
    pub fn is_complete(self) -> bool {
        self == Self::Finished(Outcome::Complete)
    }
}

impl fmt::Display for ScanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What has to come before a paused scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// A person: one wanted the pause, or has to look at what is wrong.
    #[default]
    Person,
    /// The next hours of `[schedule]`.
    Hours,
    /// A service that has started anew, as after a power cut: part of the one that it ran in broke down.
    Service,
}

impl WaitsFor {
    /// Whether it does not go on by itself.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn is_person(&self) -> bool {
        *self == Self::Person
    }
}

/// How a run of a scan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Stopped before its time; can be resumed.
    Paused {
        /// What stopped it, for people: it is in the journal.
        reason: String,
        /// What has to come before it is.
        waits_for: WaitsFor,
        /// Whether it was told to stop; else something is wrong.
        wanted: bool,
    },
    /// The run went to its end, or was told to go no further.
    Finished(Outcome),
}

impl End {
    /// As programs read it: how the scan ended, or `paused`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Paused { .. } => ScanState::Paused.name(),
            Self::Finished(outcome) => outcome.name(),
        }
    }

    /// Why it was paused; none of a scan that has ended.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Paused { reason, .. } => Some(reason),
            Self::Finished(_) => None,
        }
    }

    /// Stopped by something that is wrong, until a person goes on with it.
    pub fn paused(reason: impl Into<String>) -> Self {
        Self::Paused { reason: reason.into(), waits_for: WaitsFor::Person, wanted: false }
    }
}

/// Its name and the reason. What it waits for is in the journal.
impl Serialize for End {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("End", 2)?;
        fields.serialize_field("end", self.name())?;
        fields.serialize_field("reason", &self.reason())?;
        fields.end()
    }
}

// The names of an outcome stand beside others in one list of words, which utoipa cannot derive.

/// A string that is one of `words` or an outcome's name.
fn one_of(description: &str, before: &[ScanState], behind: &[ScanState]) -> RefOr<Schema> {
    let outcomes = Outcome::ALL.map(ScanState::Finished);
    let words = [before, &outcomes, behind].concat().into_iter().map(ScanState::name);
    let words = words.collect::<Vec<_>>();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .into()
}

impl PartialSchema for ScanState {
    fn schema() -> RefOr<Schema> {
        one_of("How a scan stands, as its journal says.", &[Self::Running, Self::Paused], &[])
    }
}

impl ToSchema for ScanState {
    fn name() -> Cow<'static, str> {
        "ScanState".into()
    }
}

impl PartialSchema for End {
    fn schema() -> RefOr<Schema> {
        let reason = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Why, if it did not end complete."));
        let mut end = Ref::from_schema_name("EndName");
        end.description = "How.".into();
        ObjectBuilder::new().property("end", end).required("end").property("reason", reason).into()
    }
}

impl ToSchema for End {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let description = "How a run ended, as programs read it.";
        schemas.push(("EndName".into(), one_of(description, &[], &[ScanState::Paused])));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn a_state_is_one_word_whichever_type_it_comes_from() {
        let states = [ScanState::Running, ScanState::Paused].into_iter();
        for state in states.chain(Outcome::ALL.map(ScanState::Finished)) {
            assert_eq!(to_value(state).unwrap(), json!(state.name()));
            assert_eq!(from_value::<ScanState>(json!(state.name())).unwrap(), state);
        }
        from_value::<ScanState>(json!("finished")).unwrap_err();
        from_value::<Outcome>(json!("paused")).unwrap_err();
    }

    #[test]
    fn an_end_is_its_word_and_the_reason() {
        let paused = to_value(End::paused("the disk is full")).unwrap();
        assert_eq!(paused, json!({ "end": "paused", "reason": "the disk is full" }));
        let finished = to_value(End::Finished(Outcome::Aborted)).unwrap();
        assert_eq!(finished, json!({ "end": "aborted", "reason": null }));
    }
}
