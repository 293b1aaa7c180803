//! What the drop-in and the files of others say twice.

use toml::{Table, Value};

use super::facts::{Layer, find};
use super::write::DROP_IN;

/// A file of others that says something else of the same keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The file, for people.
    pub file: String,
    /// The keys.
    pub keys: Vec<String>,
    /// Whether that file is read later, so that what it says counts.
    pub theirs: bool,
}

/// Every file of others that says of a key something else than `text`, the drop-in.
pub fn overlaps(text: &str, layers: &[Layer]) -> Vec<Overlap> {
    let Ok(own) = text.parse::<Table>() else { return Vec::new() };
    let mut keys = Vec::new();
    leaves("", &own, &mut keys);
    let mut found = Vec::new();
    // The first one is the main file, whatever it is called.
    for (index, layer) in layers.iter().enumerate().filter(|(_, layer)| !layer.own) {
        let differs = |key: &&String| {
            find(&layer.table, key).is_some_and(|theirs| find(&own, key).is_some_and(|ours| ours != theirs))
        };
        let keys: Vec<String> = keys.iter().filter(differs).cloned().collect();
        if !keys.is_empty() {
            let name = layer.file.rsplit('/').next().unwrap_or_default();
            found.push(Overlap { file: layer.file.clone(), keys, theirs: index > 0 && name > DROP_IN });
        }
    }
    found
}

/// The keys with values that merging replaces as a whole.
fn leaves(path: &str, table: &Table, keys: &mut Vec<String>) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(table) => leaves(&path, table, keys),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => keys.push(path),
        }
    }
}
