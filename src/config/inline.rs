//! A plan that is not in a file: its keys as JSON, checked as those of a `[plan.NAME]` are.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::problem::Finding;
use super::source::{Place, Sources};
use super::tree::{Entry, Node, Table, Value};
use super::{Motion, NamedPlan, decode};

/// Reads the plan that `keys` describe, for a rig that moves like `motion`. Those that name a file are refused.
///
/// # Errors
/// Every mistake, with what to do about it.
pub fn inline_plan(keys: &Map<String, Json>, motion: &Motion) -> Result<NamedPlan, Vec<String>> {
    let mut sources = Sources::default();
    let place = Place::whole(sources.add(Path::new("plan"), String::new()));
    if keys.contains_key("file") || keys.get("shape").is_some_and(|shape| shape == "list") {
        return Err(vec![
            "a list of points is in a file of the rig: give that plan a name in its configuration".into(),
        ]);
    }
    let mut findings = Vec::new();
    let plan = decode::plan(&table(keys, &place), motion, &sources, &mut findings);
    match plan {
        Some(plan) if findings.is_empty() => Ok(plan),
        _ => Err(findings.into_iter().map(sentence).collect()),
    }
}

fn sentence(finding: Finding) -> String {
    match finding.hint {
        Some(hint) => format!("{}: {hint}", finding.message),
        None => finding.message,
    }
}

fn table(keys: &Map<String, Json>, place: &Place) -> Table {
    let entry = |(key, value): (&String, &Json)| {
        // What is null is not written.
        let value = node(value, place)?;
        Some(Entry { key: key.clone(), key_place: place.clone(), node: Node { place: place.clone(), value } })
    };
    Table { place: place.clone(), entries: keys.iter().filter_map(entry).collect() }
}

fn node(value: &Json, place: &Place) -> Option<Value> {
    let inner = |value: &Json| node(value, place).map(|value| Node { place: place.clone(), value });
    Some(match value {
        Json::Null => return None,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Integer(Some(whole)),
            (None, _) if !number.is_f64() => Value::Integer(None),
            (None, Some(float)) => Value::Float(float),
            (None, None) => Value::Integer(None),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::Array(items.iter().filter_map(inner).collect()),
        Json::Object(keys) => Value::Table(table(keys, place)),
    })
}
