//! The whole configuration in one file, without secrets; and back from it.
//!
//! The file is a configuration of its own: what all files say together. What is put in place to have it back is again one
//! drop-in, which says all that the other files do not say so.

use std::path::Path;

use serde_json::{Map, Value as Json};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use super::edit::to_toml;
use super::{PAGE, StoreError};
use crate::config::{Config, Survey, generic, item_name, reference};

/// Lists whose items have names.
const LISTS: [&str; 4] = ["camera", "light", "notify", "deliver"];

/// What is put in place to have a backup back.
#[derive(Debug)]
pub struct Restored {
    /// The text of the drop-in of the page.
    pub text: String,
    /// What cannot be had back, since it is nothing without a secret that neither the backup nor this rig has.
    pub left_out: Vec<String>,
}

/// The configuration at `path` in one file, with `title` as its first line.
///
/// # Errors
/// It does not load as it is.
pub fn backup(path: &Path, title: &str) -> Result<String, StoreError> {
    Config::load(path)?;
    let mut document = Survey::of(path, None).document().clone();
    let mut secrets = Vec::new();
    hide_secrets(&mut document, &mut secrets);
    let mut text = format!("# {title}\n# To have it back: scanner config restore FILE\n");
    if !secrets.is_empty() {
        text = format!("{text}# Secrets are not in it: {}\n", secrets.join(", "));
    }
    Ok(format!("{text}\n{}", written(&document)))
}

/// What the drop-in of the page has to say so that the configuration at `path` is that of `backup`.
///
/// # Errors
/// The backup is none, or no drop-in can bring it back.
pub fn restore(path: &Path, backup: &str) -> Result<Restored, StoreError> {
    let unfit = |message: String| StoreError::Unfit(message);
    let parsed: toml::Table =
        backup.parse().map_err(|error: toml::de::Error| unfit(format!("the backup is no TOML: {error}")))?;
    let mut wanted = match serde_json::to_value(parsed) {
        Ok(Json::Object(wanted)) => wanted,
        Ok(_) => Map::new(),
        Err(error) => return Err(unfit(format!("the backup cannot be read: {error}"))),
    };
    let present = Survey::of(path, None);
    let left_out = show_secrets(&mut wanted, present.document());
    let others = Survey::of(path, Some((PAGE, None)));
    let mut changes = Map::new();
    difference(others.document(), &wanted, "", &mut changes).map_err(|key| {
        unfit(format!("no drop-in can take `{key}` away again: take it out of the file that has it"))
    })?;
    let text = format!("# From a backup.\n{}", written(&changes));
    let restored = Survey::of(path, Some((PAGE, Some(&text))));
    // Before anything else is said: what is wrong with it.
    Config::load_as_if(path, PAGE, Some(&text))?;
    if *restored.document() != wanted {
        let differs = |key: &&String| restored.document().get(*key) != wanted.get(*key);
        let keys = restored.document().keys().chain(wanted.keys()).find(differs).cloned().unwrap_or_default();
        return Err(unfit(format!(
            "no drop-in can bring `{keys}` of the backup back beside the files that are there"
        )));
    }
    Ok(Restored { text, left_out })
}

/// The items of a list with their keys.
fn items<'d>(
    document: &'d mut Map<String, Json>,
    list: &str,
) -> impl Iterator<Item = (String, &'d mut Map<String, Json>)> {
    let items = document.get_mut(list).and_then(Json::as_array_mut).into_iter().flatten();
    let list = list.to_owned();
    items.enumerate().filter_map(move |(index, item)| {
        let item = item.as_object_mut()?;
        Some((format!("{list}.{}", item_name(&list, index, item)), item))
    })
}

/// Takes secrets out, and names what they were.
fn hide_secrets(document: &mut Map<String, Json>, hidden: &mut Vec<String>) {
    for list in LISTS {
        for (name, item) in items(document, list) {
            item.retain(|key, _| {
                let key = format!("{name}.{key}");
                let secret = Survey::is_secret(&key);
                if secret {
                    hidden.push(key);
                }
                !secret
            });
        }
    }
}

/// Puts secrets in again that `present` has, and takes out what has none.
fn show_secrets(wanted: &mut Map<String, Json>, present: &Map<String, Json>) -> Vec<String> {
    let mut present = present.clone();
    let mut left_out = Vec::new();
    for (name, item) in items(wanted, "notify") {
        let through = item.get("through").and_then(Json::as_str).unwrap_or_default();
        if !matches!(through, "ntfy" | "webhook") || item.contains_key("url") {
            continue;
        }
        let known = items(&mut present, "notify").find(|(other, _)| *other == name);
        match known.and_then(|(_, item)| item.get("url").cloned()) {
            Some(url) => {
                item.insert("url".to_owned(), url);
            }
            None => left_out.push(name),
        }
    }
    if let Some(Json::Array(all)) = wanted.get_mut("notify") {
        let mut index = 0;
        all.retain(|item| {
            let name = item.as_object().map(|item| format!("notify.{}", item_name("notify", index, item)));
            index += 1;
            name.is_none_or(|name| !left_out.contains(&name))
        });
    }
    left_out
}

/// Adds to `changes` what makes `wanted` of `there`.
///
/// # Errors
/// The key of what cannot be taken away.
fn difference(
    there: &Map<String, Json>,
    wanted: &Map<String, Json>,
    trail: &str,
    changes: &mut Map<String, Json>,
) -> Result<(), String> {
    let of = |key: &str| if trail.is_empty() { key.to_owned() } else { format!("{trail}.{key}") };
    for (key, value) in wanted {
        match (there.get(key), value) {
            (Some(there), value) if there == value => {}
            (Some(Json::Object(there)), Json::Object(wanted)) => {
                let mut below = Map::new();
                difference(there, wanted, &of(key), &mut below)?;
                changes.insert(key.clone(), below.into());
            }
            (Some(Json::Array(there)), Json::Array(wanted))
                if trail.is_empty() && LISTS.contains(&key.as_str()) =>
            {
                let by_name = of_each(key, there, wanted);
                changes.insert(key.clone(), by_name.unwrap_or_else(|| value.clone()));
            }
            (_, value) => {
                changes.insert(key.clone(), value.clone());
            }
        }
    }
    for (key, value) in there.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
        let instead = match value {
            // Where true or false can be written, `false` does not take away.
            Json::Bool(_) => default_of(&of(key)).ok_or_else(|| of(key))?,
            Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => false,
        };
        changes.insert(key.clone(), instead.into());
    }
    Ok(())
}

/// What changes the items of a list one by one; none if they are not the same, or cannot be changed so.
fn of_each(list: &str, there: &[Json], wanted: &[Json]) -> Option<Json> {
    if there.len() != wanted.len() {
        return None;
    }
    let mut all = Map::new();
    for (index, (there, wanted)) in there.iter().zip(wanted).enumerate() {
        let (there, wanted) = (there.as_object()?, wanted.as_object()?);
        let name = item_name(list, index, there);
        // What a driver is told cannot be taken away by `false`.
        let options = |item: &Map<String, Json>| item.get("options").cloned();
        let same = item_name(list, index, wanted) == name
            && there.contains_key("name") == wanted.contains_key("name");
        if !same || options(there) != options(wanted) {
            return None;
        }
        let mut changes = Map::new();
        difference(there, wanted, &format!("{list}.{name}"), &mut changes).ok()?;
        if !changes.is_empty() {
            all.insert(name, changes.into());
        }
    }
    Some(all.into())
}

fn default_of(key: &str) -> Option<bool> {
    let open = generic(key);
    reference().iter().find(|entry| entry.key == open)?.default.as_ref()?.parse().ok()
}

/// As TOML: tables as tables, lists of tables as such.
fn written(document: &Map<String, Json>) -> String {
    let mut text = DocumentMut::new();
    fill(text.as_table_mut(), document, true);
    text.to_string()
}

fn fill(table: &mut Table, entries: &Map<String, Json>, top: bool) {
    for (key, value) in entries {
        let item = match value {
            Json::Object(inner) => {
                let mut table = Table::new();
                // One without keys has its header at least.
                table.set_implicit(!inner.is_empty());
                fill(&mut table, inner, false);
                Item::Table(table)
            }
            Json::Array(items) if top && !items.is_empty() && items.iter().all(Json::is_object) => {
                let mut list = ArrayOfTables::new();
                for item in items.iter().filter_map(Json::as_object) {
                    let mut table = Table::new();
                    fill(&mut table, item, false);
                    list.push(table);
                }
                Item::ArrayOfTables(list)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                to_toml(value).map_or(Item::None, Item::Value)
            }
        };
        table.insert(key, item);
    }
}
