//! What each key is for, and its default: read out of the shipped files, which explain them to people.
//!
//! In those files a comment explains the keys below it, up to the next comment or blank line; one above a table's header, the
//! table. `#key = value` is a key with its default. Within a comment, `# key = value   text` is a key of the table that is open
//! there, or of one that a line `# [table]` of that comment opens. A value shown so is the default, unless the explanation says
//! "no default".

use std::sync::LazyLock;

use super::asked::Asked;
use super::kind::Kind;
use super::load;
use crate::model::Axis;

/// The files in which keys are explained: what the first one says of a key counts.
const EXPLAINED: [&str; 2] =
    [include_str!("../../config/scanner.toml"), include_str!("../../config/examples/gpio.toml")];

/// What has keys that those files do not have: each of these is read only to hear which ones are asked for.
const ASKING: &str = include_str!("reference/asking.toml");

/// Where a part of [`ASKING`] begins.
const PART: &str = "### ";

/// A key of the configuration, or a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which one. Where there are several alike, their names stand for any: `camera.NAME.controls.gain`, `motion.AXIS.speed`.
    pub key: String,
    /// What it is for.
    pub explanation: String,
    /// Its default, as it would be written; none if it has none.
    pub default: Option<String>,
    /// What its value is like; none of a table.
    pub kind: Option<Kind>,
    /// What has to be written, for people; empty of a table.
    pub wanted: String,
}

/// Every key that the decoders know, and every table that is explained, in the order of the shipped file.
pub fn reference() -> &'static [Entry] {
    static REFERENCE: LazyLock<Vec<Entry>> = LazyLock::new(put_together);
    &REFERENCE
}

fn put_together() -> Vec<Entry> {
    let mut entries = explained();
    for asked in asked() {
        let key = generic(&asked.key);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key && entry.kind.is_none()) {
            entry.kind = Some(asked.kind);
            entry.wanted = asked.wanted;
        }
    }
    entries
}

/// The key with the names of cameras, lights, plans, receivers and axes left open.
pub fn generic(key: &str) -> String {
    let mut parts: Vec<&str> = key.split('.').collect();
    let is_axis = |part: &str| Axis::ALL.iter().any(|axis| axis.name() == part);
    match parts.as_mut_slice() {
        ["camera" | "light" | "plan" | "notify" | "deliver", name, ..] => *name = "NAME",
        ["motion", axis, ..] | ["gpio", "simulation", axis] if is_axis(axis) => *axis = "AXIS",
        _ => {}
    }
    parts.join(".")
}

/// Every key that is asked for, in whichever configuration.
pub(super) fn asked() -> Vec<Asked> {
    let parts = ASKING.split(PART).skip(1).map(|part| format!("# {part}"));
    EXPLAINED.into_iter().map(str::to_owned).chain(parts).flat_map(|text| load::asked_of(&text)).collect()
}

/// What the shipped files explain.
pub(super) fn explained() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    // What a driver is told is the driver's business.
    let is_ours = |entry: &Entry| !entry.key.starts_with("camera.NAME.options.");
    for text in EXPLAINED {
        for found in Scan::of(text).into_iter().filter(is_ours) {
            match entries.iter_mut().find(|entry| entry.key == found.key) {
                Some(known) if known.explanation.is_empty() => {
                    let default = known.default.take().or(found.default);
                    *known = Entry { default, ..found };
                }
                Some(known) => known.default = known.default.take().or(found.default),
                None => {
                    // Beside those of its table.
                    let top = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
                    let last = entries.iter().rposition(|entry| top(&entry.key) == top(&found.key));
                    let at = last.map_or(entries.len(), |last| last + 1);
                    entries.insert(at, found);
                }
            }
        }
    }
    entries
}

/// Goes through a file line by line.
#[derive(Default)]
struct Scan {
    table: String,
    /// The table that is open within the comment.
    inner: Option<String>,
    comment: Vec<String>,
    /// What the key above is explained by, if this one stands right below it.
    above: String,
    entries: Vec<Entry>,
    /// Whether the last entry is one of the comment, whose text may go on.
    goes_on: bool,
}

impl Scan {
    fn of(text: &str) -> Vec<Entry> {
        let mut scan = Self::default();
        for line in text.lines() {
            scan.line(line);
        }
        scan.entries
    }

    fn line(&mut self, line: &str) {
        let goes_on = std::mem::take(&mut self.goes_on);
        if let Some(table) = header(line.strip_prefix('#').unwrap_or(line)) {
            self.table = table;
            self.inner = None;
            let comment = self.take_comment();
            self.add(&self.table.clone(), comment, None);
            self.above.clear();
        } else if let Some(rest) = line.strip_prefix("# ") {
            self.comment_line(rest, goes_on);
        } else if let Some((key, value)) = key_value(line.strip_prefix('#').unwrap_or(line)) {
            self.inner = None;
            if !self.comment.is_empty() {
                self.above = self.take_comment();
            }
            let (value, behind) = parted(value, " # ");
            let told = behind.strip_prefix("default: ");
            let explanation = match (told, behind) {
                (None, behind) if !behind.is_empty() => format!("{} ({behind})", self.above),
                _ => self.above.clone(),
            };
            let default = told.map(str::to_owned).or_else(|| line.starts_with('#').then(|| value.to_owned()));
            self.add(&joined(&self.table, key), explanation, default);
        } else if line.is_empty() {
            self.inner = None;
            self.comment.clear();
            self.above.clear();
        }
    }

    fn comment_line(&mut self, rest: &str, goes_on: bool) {
        if let Some(table) = header(rest) {
            let comment = self.take_comment();
            self.add(&table, comment, None);
            self.inner = Some(table);
        } else if let Some((key, value)) = key_value(rest) {
            let (value, text) = parted(value, "  ");
            let table = self.inner.as_ref().unwrap_or(&self.table);
            self.add(&joined(table, key), text.to_owned(), Some(value.to_owned()));
            self.goes_on = true;
        } else if goes_on && rest.starts_with("  ") {
            if let Some(last) = self.entries.last_mut() {
                last.explanation = format!("{} {}", last.explanation, rest.trim());
            }
            self.goes_on = true;
        } else {
            self.comment.push(rest.trim().to_owned());
        }
    }

    fn take_comment(&mut self) -> String {
        std::mem::take(&mut self.comment).join(" ")
    }

    fn add(&mut self, key: &str, explanation: String, default: Option<String>) {
        let key = generic(key);
        let default = default.filter(|_| !explanation.to_lowercase().contains("no default"));
        self.entries.push(Entry { key, explanation, default, kind: None, wanted: String::new() });
    }
}

/// The table whose header this line is; of a list, that of any of its items.
fn header(line: &str) -> Option<String> {
    let inner = |open, close| line.trim_end().strip_prefix(open)?.strip_suffix(close);
    let is_path =
        |path: &&str| !path.is_empty() && path.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c));
    let list = inner("[[", "]]").filter(is_path).map(|list| format!("{list}.NAME"));
    let table = || {
        let table = inner("[", "]").filter(is_path)?;
        // A table below a list belongs to its last item.
        Some(match table.split_once('.') {
            Some((list @ ("camera" | "light" | "notify" | "deliver"), rest)) => format!("{list}.NAME.{rest}"),
            _ => table.to_owned(),
        })
    };
    list.or_else(table)
}

fn key_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(" = ")?;
    let is_key = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_key.then_some((key, value))
}

/// A value, and what stands behind it.
fn parted<'v>(value: &'v str, by: &str) -> (&'v str, &'v str) {
    let (value, behind) = value.split_once(by).unwrap_or((value, ""));
    (value.trim(), behind.trim())
}

fn joined(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_that_is_asked_for_is_explained_and_every_one_explained_is_asked_for() {
        let asked: BTreeSet<String> = asked().iter().map(|asked| generic(&asked.key)).collect();
        let reference = reference();
        let keys: BTreeSet<String> =
            reference.iter().filter(|entry| entry.kind.is_some()).map(|entry| entry.key.clone()).collect();
        assert_eq!(asked.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new(), "not explained");
        assert!(keys.len() > 120, "{}", keys.len());
        // What is left over is a table above others.
        for entry in reference.iter().filter(|entry| entry.kind.is_none()) {
            let below = format!("{}.", entry.key);
            assert!(keys.iter().any(|key| key.starts_with(&below)), "{}: nobody asks for it", entry.key);
        }
        for entry in reference.iter().filter(|entry| entry.kind.is_some()) {
            let told = entry.explanation.len() > 4;
            assert!(told, "{} is not explained: {:?}", entry.key, entry.explanation);
        }
    }

    #[test]
    fn explanations_and_defaults_are_those_of_the_shipped_file() {
        let reference = reference();
        let of = |key: &str| reference.iter().find(|entry| entry.key == key).unwrap();
        assert_eq!(of("storage.jpeg_quality").explanation, "JPEG quality of the images, 1 to 100.");
        assert_eq!(of("storage.jpeg_quality").default.as_deref(), Some("92"));
        assert_eq!(of("storage.jpeg_quality").wanted, "a whole number, from 1 to 100");
        assert_eq!(of("storage.keep_scans").default, None);
        assert_eq!(of("light.NAME.warm_up").default.as_deref(), Some("\"0 s\""));
        assert_eq!(of("panel.backend").default.as_deref(), Some("\"none\""));
        assert_eq!(of("notify.NAME.timeout").default.as_deref(), Some("\"10 s\""));
        assert_eq!(of("motion.AXIS.stepper.uart.current").default, None);
        assert!(of("gate").explanation.starts_with("Each image of a scan is compared"));
        assert!(of("camera.NAME.controls").explanation.starts_with("Fixed settings"));
        assert_eq!(
            of("plan.NAME.shape").kind.as_ref().map(|kind| matches!(kind, Kind::Word { .. })),
            Some(true)
        );
    }
}
