//! Changing a drop-in key by key; comments, and all else that is written there, stay.

use serde_json::Value as Json;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// One change of a drop-in.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = ConfigEdit)]
pub enum Edit {
    /// A key gets a value.
    Set {
        /// Which key: `motion.settle`, `camera.cam0.controls.gain`.
        key: String,
        /// Its value: a text, a number, true or false, a list, or a table.
        value: Json,
    },
    /// What the drop-in says of a key is taken out of it: then it is as the other files have it, or as it is by default.
    Unset {
        /// Which key, or table.
        key: String,
    },
    /// A key that another file sets is taken away: then it is as it is by default.
    TakeAway {
        /// Which key, or table.
        key: String,
    },
}

/// Why a text cannot be changed so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// What is there is no TOML.
    #[error("the drop-in is no TOML, and is changed as a text only: {0}")]
    Text(String),
    /// It names no key.
    #[error("{0:?} is no key: write one like \"motion.settle\" or \"camera.cam0.controls.gain\"")]
    Key(String),
    /// There is something else.
    #[error("`{key}` cannot be changed by its key: `{above}` is no table there; change the text")]
    NoTable {
        /// What was to be changed.
        key: String,
        /// What is in the way.
        above: String,
    },
    /// TOML has no such value.
    #[error(
        "`{0}` cannot have that value: write a text, a number, true or false, a list, or a table of such"
    )]
    Value(String),
}

impl Edit {
    /// The key that it is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Set { key, .. } | Self::Unset { key } | Self::TakeAway { key } => key,
        }
    }
}

/// The text of a drop-in after these changes, one after the other.
///
/// # Errors
/// The first that cannot be made.
pub fn edit(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| EditError::Text(error.to_string()))?;
    // What stands above nothing stays above what comes.
    let above = if document.is_empty() { text } else { "" };
    if !above.is_empty() {
        document = DocumentMut::new();
    }
    for edit in edits {
        let parts: Vec<&str> = edit.key().split('.').collect();
        if parts.iter().any(|part| part.is_empty() || part.contains(|c: char| !is_bare(c))) {
            return Err(EditError::Key(edit.key().to_owned()));
        }
        match edit {
            Edit::Set { key, value } => {
                let value = to_toml(value).ok_or_else(|| EditError::Value(key.clone()))?;
                set(document.as_table_mut(), &parts, value, key)?;
            }
            Edit::TakeAway { key } => set(document.as_table_mut(), &parts, Value::from(false), key)?,
            Edit::Unset { .. } => unset(document.as_table_mut(), &parts),
        }
    }
    Ok(format!("{above}{document}"))
}

const fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn set(table: &mut dyn TableLike, parts: &[&str], value: Value, key: &str) -> Result<(), EditError> {
    let [first, rest @ ..] = parts else { return Ok(()) };
    if rest.is_empty() {
        // What stands behind the old value on its line stays there.
        let decor = table.get(first).and_then(Item::as_value).map(|old| old.decor().clone());
        let mut value = value;
        if let Some(decor) = decor {
            *value.decor_mut() = decor;
        }
        table.insert(first, Item::Value(value));
        return Ok(());
    }
    let no_table = || {
        let above = key.strip_suffix(&format!(".{}", rest.join("."))).unwrap_or(key).to_owned();
        EditError::NoTable { key: key.to_owned(), above }
    };
    let above = table.entry(first).or_insert_with(implicit);
    if let Some(list) = above.as_array_of_tables_mut() {
        let [name, rest @ ..] = rest else { return Err(no_table()) };
        let item = named(list, first, name).ok_or_else(no_table)?;
        return if rest.is_empty() { Err(no_table()) } else { set(item, rest, value, key) };
    }
    if above.as_value().is_some_and(|value| value.as_bool() == Some(false)) {
        // It was taken away, and is there again.
        *above = implicit();
    }
    set(above.as_table_like_mut().ok_or_else(no_table)?, rest, value, key)
}

/// A table that has no header of its own unless it has keys.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn unset(table: &mut dyn TableLike, parts: &[&str]) {
    let [first, rest @ ..] = parts else { return };
    if rest.is_empty() {
        table.remove(first);
        return;
    }
    let Some(above) = table.get_mut(first) else { return };
    if let Some(list) = above.as_array_of_tables_mut() {
        if let [name, rest @ ..] = rest
            && let Some(item) = named(list, first, name)
        {
            unset(item, rest);
        }
        return;
    }
    let Some(inner) = above.as_table_like_mut() else { return };
    unset(inner, rest);
    if inner.is_empty() && !has_comment(above) {
        table.remove(first);
    }
}

fn has_comment(item: &Item) -> bool {
    let Item::Table(table) = item else { return false };
    table.decor().prefix().and_then(toml_edit::RawString::as_str).is_some_and(|prefix| prefix.contains('#'))
}

/// The item of the list `[[key]]` that is called `name`.
fn named<'l>(list: &'l mut ArrayOfTables, key: &str, name: &str) -> Option<&'l mut Table> {
    let called = |(index, table): (usize, &Table)| match table.get("name") {
        Some(written) => written.as_str() == Some(name),
        // As the configuration calls cameras that are given no name.
        None => key == "camera" && format!("cam{index}") == name,
    };
    let index = list.iter().enumerate().position(called)?;
    list.get_mut(index)
}

/// JSON as TOML; none if it has a null.
pub(super) fn to_toml(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64()?),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().map(to_toml).collect::<Option<Array>>()?),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| Some((key.as_str(), to_toml(value)?)));
            Value::InlineTable(entries.collect::<Option<Vec<_>>>()?.into_iter().collect::<InlineTable>())
        }
    })
}
