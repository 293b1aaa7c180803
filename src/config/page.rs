//! All keys on one page of the documentation.

use std::fmt::Write as _;

use super::reference::{Entry, reference};

/// `docs/settings.md`: every key, what it is for, what can be written and its default.
pub fn explained_page() -> String {
    let mut page = "# Settings\n\n\
        Every key of the configuration, as the program knows it: this page is made by `scanner config explain --markdown`, out of \
        [config/scanner.toml](../config/scanner.toml) and [config/examples/gpio.toml](../config/examples/gpio.toml). `NAME` is the \
        name of a camera, light, plan or receiver; `AXIS` is `turntable`, `lift`, `rail` or `tilt`. A key without a default is \
        either needed, or absent unless it is written.\n"
        .to_owned();
    let mut section = "";
    for entry in reference() {
        let top = entry.key.split('.').next().unwrap_or_default();
        if top != section {
            section = top;
            // Writing to memory does not fail.
            let _ = write!(
                page,
                "\n## {top}\n\n{}| key | what it is for | what to write | default |\n|---|---|---|---|\n",
                intro(top)
            );
        }
        if entry.kind.is_some() {
            let default =
                entry.default.as_ref().map(|default| format!("`{}`", cell(default))).unwrap_or_default();
            let Entry { key, explanation, wanted, .. } = entry;
            let _ = writeln!(page, "| `{key}` | {} | {} | {default} |", cell(explanation), cell(wanted));
        }
    }
    page
}

fn intro(section: &str) -> String {
    let is_it = |key: &str| key == section || key.strip_suffix(".NAME") == Some(section);
    let found = reference().iter().find(|entry| entry.kind.is_none() && is_it(&entry.key));
    found
        .filter(|entry| !entry.explanation.is_empty())
        .map(|entry| format!("{}\n\n", entry.explanation))
        .unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
