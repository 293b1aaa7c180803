//! What values are like.

/// What a value is like, as far as a form has to know.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = SettingKind)]
pub enum Kind {
    /// A text; quantities, pins and addresses are texts, too.
    Text,
    /// A whole number.
    WholeNumber,
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// One of these words.
    Word {
        /// All that can be written.
        words: Vec<&'static str>,
    },
    /// A list.
    List,
    /// A table that is written as a whole.
    Table,
}
