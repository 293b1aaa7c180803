//! TOML as a tree in which every value knows where it was written, so that files can be merged first and
//! mistakes still be shown in the file that makes them.

use toml::de::{DeTable, DeValue};

use super::source::{FileId, Place};

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What TOML can say.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// Beyond 64 bits if none.
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    Date,
    Array(Vec<Node>),
    Table(Table),
}

/// Keys and values, in the order in which they are first written.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Its header or brackets.
    pub(super) place: Place,
    pub(super) entries: Vec<Entry>,
}

/// One `key = value`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) node: Node,
}

impl Table {
    /// The document `table` of `file`.
    pub(super) fn from_toml(table: &DeTable<'_>, file: FileId, place: Place) -> Self {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| {
                let place = Place::new(file, value.span());
                Entry {
                    key: key.get_ref().to_string(),
                    key_place: Place::new(file, key.span()),
                    node: Node { value: Value::from_toml(value.get_ref(), file, &place), place },
                }
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_place.span.as_ref().map(|span| span.start));
        Self { place, entries }
    }

    /// What is written at `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Lets `later` override: tables merge key by key, all else is replaced.
    pub(super) fn merge(&mut self, later: Self) {
        for entry in later.entries {
            match self.entries.iter_mut().find(|own| own.key == entry.key) {
                None => self.entries.push(entry),
                Some(own) => match (&mut own.node.value, entry.node.value) {
                    (Value::Table(own), Value::Table(later)) => own.merge(later),
                    (_, value) => {
                        own.key_place = entry.key_place;
                        own.node = Node { place: entry.node.place, value };
                    }
                },
            }
        }
    }
}

impl Value {
    fn from_toml(value: &DeValue<'_>, file: FileId, place: &Place) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => {
                Self::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            // The parser has checked its spelling: what is left is "inf" and "nan", which Rust spells so too.
            DeValue::Float(number) => Self::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(truth) => Self::Boolean(*truth),
            DeValue::Datetime(_) => Self::Date,
            DeValue::Array(items) => Self::Array(
                items
                    .iter()
                    .map(|item| {
                        let place = Place::new(file, item.span());
                        Node { value: Self::from_toml(item.get_ref(), file, &place), place }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(Table::from_toml(table, file, place.clone())),
        }
    }

    /// What it is, for error messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "a truth value",
            Self::Date => "a date or time",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}
