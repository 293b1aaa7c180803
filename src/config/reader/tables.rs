//! Tables in a table, and the names by which they are told apart.

use super::{At, Reader};
use crate::config::problem::Finding;
use crate::config::tree::{Node, Table, Value, name_of};

impl<'t> Reader<'t, '_, '_> {
    /// The table at `key`, read with `decode`; an absent one counts as empty. None if it is no table.
    pub(in crate::config) fn section<T>(
        &mut self,
        key: &'static str,
        decode: impl FnOnce(&mut Reader<'t, '_, '_>) -> T,
    ) -> Option<T> {
        let at = At { path: self.name(key), trail: self.key(key) };
        let Some(node) = self.find(key) else {
            return Some(Reader::read(at, self.place.clone(), None, self.context, decode));
        };
        let table = self.table_of(node, &at)?;
        Some(Reader::read(at, table.place.clone(), Some(table), self.context, decode))
    }

    /// Whether `key` is `false`, with which a drop-in takes away the table that another file has there.
    pub(in crate::config) fn is_off(&mut self, key: &'static str) -> bool {
        self.written(key).is_some_and(|node| node.value.is_false())
    }

    /// Every table in the table at `key` with its name, read with `decode`, in the order of writing. One that is `false` was
    /// taken away.
    pub(in crate::config) fn named_sections<T>(
        &mut self,
        key: &'static str,
        mut decode: impl FnMut(&str, &mut Reader<'t, '_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let above = At { path: self.name(key), trail: self.key(key) };
        let Some(parent) = self.find(key).and_then(|node| self.table_of(node, &above)) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for entry in &parent.entries {
            let (path, trail) =
                (format!("{}.{}", above.path, entry.key), format!("{}.{}", above.trail, entry.key));
            let at = At { path, trail };
            if let Err(message) = check_name(&entry.key) {
                let finding = Finding::new(&entry.key_place, format!("`{}` {message}", at.path));
                self.context.findings.push(finding.of(&at.trail));
            }
            if entry.node.value.is_false() {
                continue;
            }
            if let Some(table) = self.table_of(&entry.node, &at) {
                let place = table.place.clone();
                let decode = |reader: &mut Reader<'t, '_, '_>| decode(&entry.key, reader);
                values.extend(Reader::read(at, place, Some(table), self.context, decode));
            }
        }
        values
    }

    /// Every `[[key]]`, read with `decode`.
    pub(in crate::config) fn list<T>(
        &mut self,
        key: &'static str,
        mut decode: impl FnMut(&mut Reader<'t, '_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let path = self.name(key);
        let Some(node) = self.find(key) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            let finding = Finding::new(&node.place, format!("`{path}` cannot be {}", node.value.kind()));
            let hint = format!("write `[[{path}]]`, with two brackets, for each one");
            self.context.findings.push(finding.hint(hint).of(self.key(key)));
            return Vec::new();
        };
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let above = At { path: path.clone(), trail: self.key(key) };
            if let Some(table) = self.table_of(item, &above) {
                let place = table.place.clone();
                let name = name_of(key, index, table).unwrap_or_else(|| index.to_string());
                let at = At { trail: format!("{}.{name}", above.trail), ..above };
                values.extend(Reader::read(at, place, Some(table), self.context, &mut decode));
            }
        }
        values
    }

    /// The name at `key`: letters, digits, `-` and `_`, and not yet in `taken`, to which it is added.
    pub(in crate::config) fn name_in(
        &mut self,
        key: &'static str,
        taken: &mut Vec<String>,
    ) -> Option<String> {
        let name: String = self.required(key)?;
        if let Err(message) = check_name(&name) {
            self.reject(key, message, "it becomes a part of file names");
            return None;
        }
        if taken.contains(&name) {
            self.reject(key, &format!("is {name:?} for the second time"), "give each its own name");
            return None;
        }
        taken.push(name.clone());
        Some(name)
    }

    fn table_of(&mut self, node: &'t Node, At { path, trail }: &At) -> Option<&'t Table> {
        if let Value::Table(table) = &node.value {
            return Some(table);
        }
        let finding = Finding::new(&node.place, format!("`{path}` cannot be {}", node.value.kind()));
        let hint = format!("write a table: `[{path}]`, and its keys below");
        self.context.findings.push(finding.hint(hint).of(trail));
        None
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match name {
        "" => Err("is empty"),
        name if name.len() > 64 => Err("is longer than 64 characters"),
        name if !name.chars().all(fits) => Err("may have only letters (a to z), digits, `-` and `_`"),
        _ => Ok(()),
    }
}
