//! The tree's imports: nothing imports what stands above it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "house/circles.rs"]
mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the ground up, as `src/lib.rs` has them. Those of a line stand side by side: they import none of
/// each other. Under them all are `scanner-pixels` and `scanner-hull` (`crates/pixels`, `crates/hull`), which cargo keeps from
/// importing any of them.
const ORDER: &[&[&str]] = &[
    &["ownership"],
    &[
        "units",
        "schedule",
        "clock",
        "procfs",
        "file_lock",
        "durable",
        "regular_file",
        "file_name",
        "threads",
        "trust",
    ],
    &["model"],
    &["motion"],
    &["config"],
    &["drop_in"],
    &["plan"],
    &["camera_driver"],
    &["rig"],
    &["sim"],
    &["scan"],
    &["frame"],
    &["dataset"],
    &["mask", "merge"],
    &["calibration", "hull", "tune"],
    &["event", "export", "report", "setup"],
    &["logging"],
    &["nodes", "notify", "deliver", "workshop"],
    &["run"],
    &["daemon"],
    &["systemd", "doctor", "client"],
    &["api", "mqtt"],
    &["cli"],
];

/// How far above the ground each module stands.
fn heights() -> BTreeMap<&'static str, usize> {
    let rows = ORDER.iter().enumerate();
    rows.flat_map(|(height, row)| row.iter().map(move |name| (*name, height))).collect()
}

#[test]
fn nothing_imports_what_stands_above_it() {
    let height = heights();
    let mut wrong = BTreeMap::<(String, String), Vec<String>>::new();
    let mut seen = BTreeSet::new();
    for file in sources(Path::new("src")) {
        let Some(module) = module_of(&file) else { continue };
        assert!(height.contains_key(module.as_str()), "{module} has no place in ORDER");
        seen.insert(module.clone());
        let text = fs::read_to_string(&file).unwrap();
        for (number, imported) in imports(&text, "crate::") {
            let Some(above) = height.get(imported.as_str()) else { continue };
            if imported != module && *above >= height[module.as_str()] {
                let place = format!("{}:{number}", file.display());
                wrong.entry((module.clone(), imported)).or_default().push(place);
            }
        }
    }
    for name in height.keys() {
        assert!(seen.contains(*name), "{name} is in ORDER, but there is no such module");
    }
    assert!(wrong.is_empty(), "imports that run upward or across: {wrong:#?}");
}

/// A driver is a program of its own, and knows no more of the daemon than what both speak.
#[test]
fn drivers_import_nothing_above_their_protocol() {
    let height = heights();
    let (mut seen, mut wrong) = (0, Vec::new());
    for package in fs::read_dir("crates").unwrap() {
        for file in sources(&package.unwrap().path().join("src")) {
            for (number, imported) in imports(&fs::read_to_string(&file).unwrap(), "scanner::") {
                seen += 1;
                // A node starts drivers, as the daemon does, and says of its machine and log what the doctor and the service do. The
                // workshop has to do with scans, and with no camera.
                let most = if file.starts_with("crates/fleet/src/node") {
                    "rig"
                } else if file.starts_with("crates/fleet/src/workshop") {
                    "dataset"
                } else {
                    "camera_driver"
                };
                if file.ends_with("node/report.rs") && ["doctor", "logging"].contains(&imported.as_str()) {
                    continue;
                }
                if height.get(imported.as_str()).is_none_or(|height_of| *height_of > height[most]) {
                    wrong.push(format!("{}:{number}: {imported}", file.display()));
                }
            }
        }
    }
    assert!(seen > 20, "only {seen} imports were found: does this test still read them?");
    assert!(wrong.is_empty(), "imports of what drivers are not to know: {wrong:#?}");
}

/// The folders with the sources of this crate and of those in `crates`.
fn crates() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("src")];
    folders.extend(fs::read_dir("crates").unwrap().map(|entry| entry.unwrap().path().join("src")));
    folders
}

/// All of our own files but those that are only tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !matches!(name, "tests" | "bin" | "ui") {
                files.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|end| end == "rs") && !name.starts_with("tests") {
            files.push(path);
        }
    }
    files
}

/// The top-level module to which a file belongs; none of `lib.rs` and `main.rs`.
fn module_of(file: &Path) -> Option<String> {
    let first = file.strip_prefix("src").unwrap().components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs");
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

/// A file without comments and without the tests at its end. Lines stay countable.
fn code(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("#[cfg(test)]") && text.contains("mod tests {") {
            break;
        }
        code.push_str(line.split("//").next().unwrap());
        code.push('\n');
    }
    code
}

/// The modules of `crate::module` in code, also in braces, with their lines; `of` is `crate::` or another crate's name.
fn imports(text: &str, of: &str) -> Vec<(usize, String)> {
    let code = code(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices(of) {
        let number = code[..at].lines().count().max(1);
        let rest = &code[at + of.len()..];
        found.extend(heads(rest).into_iter().map(|name| (number, name)));
    }
    found
}

/// The first names of a path, or of each path of a group in braces.
fn heads(rest: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    if !rest.starts_with('{') {
        return vec![word(rest)];
    }
    let (mut depth, mut heads, mut start) = (0, Vec::new(), 1);
    for (at, character) in rest.char_indices() {
        match character {
            '{' => depth += 1,
            '}' | ',' if depth == 1 => {
                heads.push(word(&rest[start..at]));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

#[test]
fn imports_are_found_in_every_spelling() {
    let text = "use crate::units::Degrees;\nuse crate::{plan::{Axis, Pose}, rig};\n// crate::api\n\
                fn f() -> crate::cli::Exit {}\n";
    let found: Vec<_> = imports(text, "crate::").into_iter().map(|(_, name)| name).collect();
    assert_eq!(found, ["units", "plan", "rig", "cli"]);
}
