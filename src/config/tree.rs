//! TOML as a tree in which every value knows where it was written, so that files can be merged first and
//! mistakes still be shown in the file that makes them.

use toml::de::{DeTable, DeValue};

use super::guess::did_you_mean;
use super::problem::Finding;
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

    /// Lets the document `later` override this one: tables merge key by key, a table `[camera.NAME]` changes the
    /// `[[camera]]` of that name, and all else is replaced.
    pub(super) fn merge_document(&mut self, later: Self, findings: &mut Vec<Finding>) {
        self.merge_with(later, |key, items, later| {
            let is_list = !items.is_empty() && items.iter().all(|item| matches!(item.value, Value::Table(_)));
            if !is_list {
                return Err(later);
            }
            change_items(key, items, later, findings);
            Ok(())
        });
    }

    /// Lets `later` override: tables merge key by key, all else is replaced.
    fn merge(&mut self, later: Self) {
        self.merge_with(later, |_, _, later| Err(later));
    }

    /// As [`Self::merge`]; what `change` does not give back has changed the items of a list.
    fn merge_with(
        &mut self,
        later: Self,
        mut change: impl FnMut(&str, &mut Vec<Node>, Self) -> Result<(), Self>,
    ) {
        for Entry { key, key_place, node: Node { place, value } } in later.entries {
            let Some(at) = self.entries.iter().position(|own| own.key == key) else {
                self.entries.push(Entry { key, key_place, node: Node { place, value } });
                continue;
            };
            if value.is_false() && !matches!(self.entries[at].node.value, Value::Boolean(_)) {
                // Taken away, whether it still has a meaning there or not.
                self.entries.remove(at);
                continue;
            }
            let own = &mut self.entries[at];
            let value = match (&mut own.node.value, value) {
                (Value::Table(own), Value::Table(later)) => {
                    own.merge(later);
                    continue;
                }
                (Value::Array(items), Value::Table(later)) => match change(&key, items, later) {
                    Ok(()) => continue,
                    Err(later) => Value::Table(later),
                },
                (_, value) => value,
            };
            own.key_place = key_place;
            own.node = Node { place, value };
        }
    }
}

/// What the item at `index` of the list `[[key]]` is called.
pub(super) fn name_of(key: &str, index: usize, item: &Table) -> Option<String> {
    match item.get("name").map(|node| &node.value) {
        Some(Value::Text(name)) => Some(name.clone()),
        // As cameras are called that are given no name.
        None if key == "camera" => Some(format!("cam{index}")),
        None
        | Some(
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Date
            | Value::Array(_)
            | Value::Table(_),
        ) => None,
    }
}

/// Lets the tables of `later` change the items of the list `[[key]]` that are called as they are.
fn change_items(key: &str, items: &mut Vec<Node>, later: Table, findings: &mut Vec<Finding>) {
    let named = |(index, node): (usize, &Node)| match &node.value {
        Value::Table(item) => name_of(key, index, item),
        Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Date
        | Value::Array(_) => None,
    };
    let names: Vec<Option<String>> = items.iter().enumerate().map(named).collect();
    let mut taken_away = vec![false; items.len()];
    for entry in later.entries {
        let Some(index) = names.iter().position(|name| name.as_ref() == Some(&entry.key)) else {
            let known: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
            let hint = did_you_mean(&entry.key, known.iter().copied()).unwrap_or_else(|| {
                format!(
                    "there are: {}; write `[[{key}]]`, and all of them, for a further one",
                    known.join(", ")
                )
            });
            let message = format!("`{key}.{}` changes a `[[{key}]]` that is not there", entry.key);
            findings.push(Finding::new(&entry.key_place, message).hint(hint));
            continue;
        };
        match (&mut items[index].value, entry.node.value) {
            (Value::Table(_), Value::Boolean(false)) => taken_away[index] = true,
            (Value::Table(_), Value::Table(later)) if later.get("name").is_some() => {
                let message = format!("`{key}.{}` cannot be given another name here", entry.key);
                let hint = format!("change it in the `[[{key}]]` itself");
                findings.push(Finding::new(&entry.node.place, message).hint(hint));
            }
            (Value::Table(own), Value::Table(later)) => own.merge(later),
            (_, value) => {
                let message = format!("`{key}.{}` cannot be {}", entry.key, value.kind());
                let hint = format!("write a table: `[{key}.{}]`, or `false` to take it away", entry.key);
                findings.push(Finding::new(&entry.node.place, message).hint(hint));
            }
        }
    }
    let mut stays = taken_away.into_iter().map(|taken_away| !taken_away);
    items.retain(|_| stays.next().unwrap_or(true));
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

    /// Whether it takes away what another file has.
    pub(super) const fn is_false(&self) -> bool {
        matches!(self, Self::Boolean(false))
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
