//! What is known before anything is asked.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::units::Bytes;

/// What this machine has, and what its configuration says.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The board, by its device tree.
    pub machine: Option<String>,
    /// The cameras that drivers found.
    pub cameras: Vec<FoundCamera>,
    /// Where scans could go.
    pub disks: Vec<Disk>,
    /// The configuration's files, in their order.
    pub layers: Vec<Layer>,
}

/// A camera that a driver found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCamera {
    /// The driver, as it is configured.
    pub driver: String,
    /// Which camera, in its words.
    pub id: String,
    /// What it is, for people.
    pub model: String,
}

/// A folder for scans.
#[derive(Debug, Clone, PartialEq)]
pub struct Disk {
    /// The folder, which may not exist yet.
    pub folder: PathBuf,
    /// Room on its disk.
    pub free: Bytes,
    /// What it writes in a second, safe on the disk; none where that was not tried.
    pub writes_per_s: Option<Bytes>,
}

/// A file of the configuration.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name, for people.
    pub file: String,
    /// Whether it is the one that the setup writes.
    pub own: bool,
    /// What it says.
    pub table: Table,
}

impl Facts {
    /// Whether the setup has been here before.
    pub fn again(&self) -> bool {
        self.layers.iter().any(|layer| layer.own)
    }

    /// Whether this is a Raspberry Pi.
    pub fn is_raspberry_pi(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.contains("Raspberry Pi"))
    }

    /// What the configuration says at `path`, such as `motion.lift.travel.1`.
    pub fn present(&self, path: &str) -> Option<Value> {
        find(&self.merged(|_| true), path).cloned()
    }

    /// What the files of others say, in one table.
    pub fn others(&self) -> Table {
        self.merged(|layer| !layer.own)
    }

    /// The names of the tables at `path` in the files of others.
    pub fn names_at(&self, path: &str) -> Vec<String> {
        let others = self.others();
        let table = find(&others, path).and_then(Value::as_table);
        table
            .into_iter()
            .flatten()
            .filter(|(_, value)| value.is_table())
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn merged(&self, wanted: impl Fn(&Layer) -> bool) -> Table {
        let mut all = Table::new();
        for layer in self.layers.iter().filter(|layer| wanted(layer)) {
            merge(&mut all, &layer.table);
        }
        all
    }
}

/// As the configuration merges its files: tables key by key, a table into the item of a list that is called so, and all
/// else replaces.
fn merge(into: &mut Table, later: &Table) {
    for (key, value) in later {
        match (into.get_mut(key), value) {
            (Some(Value::Table(own)), Value::Table(later)) => merge(own, later),
            (Some(Value::Array(items)), Value::Table(later)) => {
                for item in items.iter_mut().filter_map(Value::as_table_mut) {
                    let named = item.get("name").and_then(Value::as_str).and_then(|name| later.get(name));
                    if let Some(Value::Table(later)) = named {
                        merge(item, later);
                    }
                }
            }
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What stands at a path; a number is a place in a list.
pub(super) fn find<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let mut parts = path.split('.');
    let mut value = table.get(parts.next()?)?;
    for part in parts {
        value = match value {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            Value::Table(table) => table.get(part)?,
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => return None,
        };
    }
    Some(value)
}
