//! All that a configuration says and could say: each key with its value, where that is written, its default and what it is for.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::asked::Asked;
use super::kind::Kind;
use super::load::{Checked, checked};
use super::problem::Problem;
use super::reference::{Entry, generic, reference};
use super::source::Sources;
use super::tree::{Node, Table, Value, name_of};

/// Keys whose value nobody is shown: whoever knows it may be let in by that.
const SECRETS: [&str; 1] = ["notify.NAME.url"];

/// What a configuration says and could say.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Every key that could be written in it, in the order of the decoders.
    pub settings: Vec<Setting>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// All that its files say together, secrets, too.
    document: Map<String, Json>,
}

/// A key that could be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Where it stands.
    pub key: String,
    /// What its value is like.
    pub kind: Kind,
    /// What has to be written, for people.
    pub wanted: String,
    /// What is written; none if nothing is, or if it is a secret.
    pub value: Option<Json>,
    /// The file, and its line, in which that is written.
    pub from: Option<(String, u32)>,
    /// Whether what is written is not shown.
    pub secret: bool,
    /// Its default, as it would be written.
    pub default: Option<String>,
    /// What it is for.
    pub explanation: String,
    /// What is written, secret or not.
    written: Option<Json>,
}

impl Survey {
    /// Of the configuration at `path`; with `instead`, if that drop-in had another text, or were not there.
    pub fn of(path: &Path, instead: Option<(&str, Option<&str>)>) -> Self {
        let Checked { sources, merged, findings, asked, config: _ } = checked(path, instead);
        let entries = reference();
        let mut document = merged.as_ref().map(object).unwrap_or_default();
        let is_truth = |key: &str| asked.iter().any(|asked| asked.key == key && asked.kind == Kind::Truth);
        let is_whole = |key: &str| asked.iter().any(|asked| asked.key == key && asked.kind == Kind::Table);
        prune(&mut document, "", &is_truth, &is_whole);
        let settings = asked.iter().map(|asked| setting(asked, merged.as_ref(), &sources, entries)).collect();
        Self { settings, problems: super::problem::sorted(&sources, findings), document }
    }

    /// All that the files say together, but for what is taken away again. Secrets are in it.
    pub fn document(&self) -> &Map<String, Json> {
        &self.document
    }

    /// What is written at a key, secret or not: for telling configurations apart.
    pub fn written(&self, key: &str) -> Option<&Json> {
        self.settings.iter().find(|setting| setting.key == key)?.written.as_ref()
    }

    /// Whether nobody is shown what is written at this key.
    pub fn is_secret(key: &str) -> bool {
        SECRETS.contains(&generic(key).as_str())
    }
}

/// Takes out what is `false` and thereby taken away.
fn prune(
    table: &mut Map<String, Json>,
    trail: &str,
    is_truth: &dyn Fn(&str) -> bool,
    is_whole: &dyn Fn(&str) -> bool,
) {
    let of = |key: &str| if trail.is_empty() { key.to_owned() } else { format!("{trail}.{key}") };
    table.retain(|key, value| *value != Json::Bool(false) || is_truth(&of(key)));
    for (key, value) in table.iter_mut().filter(|(key, _)| !is_whole(&of(key))) {
        match value {
            Json::Object(inner) => prune(inner, &of(key), is_truth, is_whole),
            Json::Array(items) if trail.is_empty() => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Json::Object(item) = item {
                        let name = item_name(key, index, item);
                        prune(item, &format!("{key}.{name}"), is_truth, is_whole);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {}
        }
    }
}

/// What the item at `index` of the list `[[key]]` is called.
pub fn item_name(key: &str, index: usize, item: &Map<String, Json>) -> String {
    let named = item.get("name").and_then(Json::as_str).map(str::to_owned);
    // As cameras are called that are given no name.
    named.unwrap_or_else(|| if key == "camera" { format!("cam{index}") } else { index.to_string() })
}

fn setting(asked: &Asked, merged: Option<&Table>, sources: &Sources, entries: &[Entry]) -> Setting {
    let Asked { key, kind, wanted } = asked.clone();
    let open = generic(&key);
    let entry = entries.iter().find(|entry| entry.key == open);
    let node = merged.and_then(|merged| find(merged, &key)).filter(|node| {
        // What is `false` is taken away.
        kind == Kind::Truth || !node.value.is_false()
    });
    let line =
        |node: &Node| Some((sources.get(node.place.file).name.clone(), sources.line_column(&node.place)?.0));
    let secret = node.is_some() && SECRETS.contains(&open.as_str());
    Setting {
        value: node.filter(|_| !secret).map(|node| json(&node.value)),
        written: node.map(|node| json(&node.value)),
        from: node.and_then(line),
        secret,
        default: entry.and_then(|entry| entry.default.clone()),
        explanation: entry.map(|entry| entry.explanation.clone()).unwrap_or_default(),
        key,
        kind,
        wanted,
    }
}

/// What is written at `key`: items of lists are found by their names.
fn find<'t>(document: &'t Table, key: &str) -> Option<&'t Node> {
    let mut parts = key.split('.');
    let first = parts.next()?;
    let mut node = document.get(first)?;
    if let Value::Array(items) = &node.value
        && let Some(name) = parts.clone().next()
    {
        parts.next();
        let called = |(index, item): (usize, &Node)| {
            let Value::Table(table) = &item.value else { return false };
            name_of(first, index, table).unwrap_or_else(|| index.to_string()) == name
        };
        let index = items.iter().enumerate().position(called)?;
        node = items.get(index)?;
    }
    for part in parts {
        let Value::Table(table) = &node.value else { return None };
        node = table.get(part)?;
    }
    Some(node)
}

fn json(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => {
            serde_json::Number::from_f64(*number).map_or_else(|| number.to_string().into(), Json::from)
        }
        Value::Boolean(truth) => (*truth).into(),
        Value::Date => "a date or time".into(),
        Value::Array(items) => items.iter().map(|item| json(&item.value)).collect(),
        Value::Table(table) => object(table).into(),
    }
}

fn object(table: &Table) -> Map<String, Json> {
    table.entries.iter().map(|entry| (entry.key.clone(), json(&entry.node.value))).collect()
}
