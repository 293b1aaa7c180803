//! Reads a table key by key and collects what is wrong with it.

mod tables;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::asked::Notes;
use super::guess::did_you_mean;
use super::kind::Kind;
use super::problem::Finding;
use super::source::{Place, Sources};
use super::tree::{Node, Table, Value};
use super::value::Decode;

/// What all readers of a configuration share.
pub(super) struct Context<'c> {
    pub(super) sources: &'c Sources,
    pub(super) findings: &'c mut Vec<Finding>,
    pub(super) notes: &'c mut Notes,
}

/// One table being read. Keys that nobody has asked for by the end are mistakes.
///
/// Where a method returns an `Option`, none after a mistake means that it has been reported.
pub(super) struct Reader<'t, 'r, 'c> {
    /// As written in front of its keys: `camera.mount`; empty for the document.
    path: String,
    /// As one of many is told apart: `camera.cam0.mount`.
    trail: String,
    /// Where what is missing would have to be written.
    place: Place,
    /// None if it is not written, and so is empty.
    table: Option<&'t Table>,
    asked: Vec<&'static str>,
    context: &'r mut Context<'c>,
}

/// Reads the whole document `table` with `decode`.
pub(super) fn document<'t, T>(
    table: &'t Table,
    context: &mut Context<'_>,
    decode: impl FnOnce(&mut Reader<'t, '_, '_>) -> T,
) -> T {
    Reader::read(At::default(), table.place.clone(), Some(table), context, decode)
}

/// Where a table stands.
#[derive(Default)]
struct At {
    path: String,
    trail: String,
}

impl<'t> Reader<'t, '_, '_> {
    /// The value of `key`; a mistake if absent.
    pub(super) fn required<T: Decode>(&mut self, key: &'static str) -> Option<T> {
        if let Some(node) = self.value::<T>(key) {
            return self.decode(key, node);
        }
        let finding = Finding::new(&self.place, format!("`{}` is missing", self.name(key))).of(self.key(key));
        // Where a whole table is missing, the key alone would be added to another one.
        let header = self.table.is_none().then(|| format!("`[{}]`, and below it ", self.path));
        let hint = format!("write {}`{key} = ...`: {}", header.unwrap_or_default(), T::wanted());
        self.context.findings.push(finding.hint(hint));
        None
    }

    /// As [`Self::required`], within `range`.
    pub(super) fn required_in<T: Decode + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<T>,
    ) -> Option<T> {
        let value = self.required(key);
        self.within(key, value, range)
    }

    /// The value of `key`, if it is written.
    pub(super) fn optional<T: Decode>(&mut self, key: &'static str) -> Option<T> {
        let node = self.value::<T>(key)?;
        self.decode(key, node)
    }

    /// As [`Self::optional`], within `range`.
    pub(super) fn optional_in<T: Decode + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<T>,
    ) -> Option<T> {
        let value = self.optional(key);
        self.within(key, value, range)
    }

    /// The value of `key`, or `default` if absent or wrong.
    pub(super) fn or<T: Decode>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// As [`Self::or`], within `range`.
    pub(super) fn or_in<T: Decode + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<T>,
        default: T,
    ) -> T {
        self.optional_in(key, range).unwrap_or(default)
    }

    /// The path at `key`, made absolute from the folder of the main file.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text: String = self.optional(key)?;
        if text.starts_with('~') {
            self.reject(key, "starts with `~`, which is not expanded", "write the whole path");
            return None;
        }
        Some(self.context.sources.directory().join(Path::new(&text)))
    }

    /// The texts listed at `key`, each read with `parse`, whose error is a message that continues "`the.key` " and a hint;
    /// every one that is wrong is reported where it stands.
    pub(super) fn each<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, (String, &'static str)>,
    ) -> Vec<T> {
        let Some(node) = self.value::<Vec<String>>(key) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            // No list: that is reported.
            let _ = self.decode::<Vec<String>>(key, node);
            return Vec::new();
        };
        let mut values = Vec::new();
        for item in items {
            let Some(text) = self.decode::<String>(key, item) else { continue };
            match parse(&text) {
                Ok(value) => values.push(value),
                Err((message, hint)) => {
                    let finding = Finding::new(&item.place, format!("`{}` {message}", self.name(key)));
                    self.context.findings.push(finding.hint(hint).of(self.key(key)));
                }
            }
        }
        values
    }

    /// What is written at `key`, as it is.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'t Node> {
        self.find(key)
    }

    /// The table at `key` is one value, for which `wanted` has to be written.
    pub(super) fn is_one_value(&mut self, key: &str, wanted: &str) {
        let key = self.key(key);
        self.context.notes.table(key, wanted);
    }

    /// Whether `key` is written.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Reports that the value of `key` (or its absence) is wrong. `message` continues "`the.key` ".
    pub(super) fn reject(&mut self, key: &str, message: &str, hint: &str) {
        let place = self.table.and_then(|table| table.get(key)).map_or(&self.place, |node| &node.place);
        let finding = Finding::new(place, format!("`{}` {message}", self.name(key)));
        self.context.findings.push(finding.hint(hint).of(self.key(key)));
    }

    /// Reports `finding` as it is.
    pub(super) fn report(&mut self, finding: Finding) {
        self.context.findings.push(finding);
    }

    /// Reports that something about the table as a whole is wrong.
    pub(super) fn reject_table(&mut self, message: &str, hint: &str) {
        let finding = Finding::new(&self.place, message).hint(hint);
        self.context.findings.push(if self.trail.is_empty() { finding } else { finding.of(&self.trail) });
    }

    /// Lets keys pass that nobody has asked for: which ones belong here cannot be told.
    pub(super) fn pass_unknown(&mut self) {
        self.table = None;
    }

    fn read<T>(
        At { path, trail }: At,
        place: Place,
        table: Option<&'t Table>,
        context: &mut Context<'_>,
        decode: impl FnOnce(&mut Reader<'t, '_, '_>) -> T,
    ) -> T {
        let mut reader = Reader { path, trail, place, table, asked: Vec::new(), context };
        let value = decode(&mut reader);
        reader.report_unknown();
        value
    }

    fn report_unknown(&mut self) {
        let Some(table) = self.table else { return };
        for entry in table.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let place = match self.path.as_str() {
                "" => "at the top level".to_owned(),
                path => format!("in `{path}`"),
            };
            let finding = Finding::new(&entry.key_place, format!("there is no key `{}` {place}", entry.key));
            let hint = did_you_mean(&entry.key, self.asked.iter().copied());
            let hint = hint.unwrap_or_else(|| format!("known here: {}", self.asked.join(", ")));
            self.context.findings.push(finding.hint(hint).of(self.key(&entry.key)));
        }
    }

    /// What is written at `key`; `false` takes away what another file has there.
    fn find(&mut self, key: &'static str) -> Option<&'t Node> {
        self.written(key).filter(|node| !node.value.is_false())
    }

    /// As [`Self::find`], of a key at which a `T` can be.
    fn value<T: Decode>(&mut self, key: &'static str) -> Option<&'t Node> {
        let name = self.key(key);
        self.context.notes.value::<T>(name);
        if T::kind() == Kind::Truth { self.written(key) } else { self.find(key) }
    }

    fn written(&mut self, key: &'static str) -> Option<&'t Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table?.get(key)
    }

    fn decode<T: Decode>(&mut self, key: &str, node: &Node) -> Option<T> {
        T::decode(node)
            .map_err(|finding| {
                let message = format!("`{}` {}", self.name(key), finding.message);
                let finding = Finding { message, ..finding }.of(self.key(key));
                self.context.findings.push(finding);
            })
            .ok()
    }

    fn within<T: PartialOrd + Display>(
        &mut self,
        key: &str,
        value: Option<T>,
        range: &RangeInclusive<T>,
    ) -> Option<T> {
        let name = self.key(key);
        self.context.notes.limits(&name, range.start(), range.end());
        let value = value?;
        if range.contains(&value) {
            return Some(value);
        }
        let limits = format!("write a value from {} to {}", range.start(), range.end());
        self.reject(key, &format!("cannot be {value}"), &limits);
        None
    }

    /// Where `key` stands, told apart from those of others alike.
    fn key(&self, key: &str) -> String {
        if self.trail.is_empty() { key.to_owned() } else { format!("{}.{key}", self.trail) }
    }

    fn name(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}
