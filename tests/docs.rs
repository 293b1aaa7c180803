//! The documents' links: each leads to a file, and to a heading in it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_link_of_a_document_is_dead() {
    let documents = documents();
    assert!(documents.len() > 10, "{documents:?}");
    let mut dead = Vec::new();
    let mut seen = 0;
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for (number, link) in links(&text) {
            seen += 1;
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let whole = target.exists()
                && anchor
                    .is_none_or(|anchor| anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            if !whole {
                dead.push(format!("{}:{number}: {link}", document.display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} links were found: does this test still read them?");
    assert!(dead.is_empty(), "dead links: {dead:#?}");
}

/// What is quoted there in a row's first column is what the program says.
#[test]
fn the_messages_of_the_troubleshooting_are_the_programs() {
    let text = fs::read_to_string("docs/troubleshooting.md").unwrap();
    let quoted: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(message, _)| message))
        .collect();
    assert!(quoted.len() > 20, "{quoted:?}");
    let mut sources = String::new();
    read_sources(Path::new("src"), &mut sources);
    read_sources(Path::new("crates"), &mut sources);
    let unknown: Vec<_> = quoted.into_iter().filter(|message| !sources.contains(message)).collect();
    assert!(unknown.is_empty(), "no message of the program: {unknown:#?}");
}

/// The page of settings is made of the same explanations that the program gives.
#[test]
fn the_page_of_settings_is_the_one_that_the_program_makes() {
    let written = fs::read_to_string("docs/settings.md").unwrap();
    let made = scanner::config::explained_page();
    assert!(written == made, "make it anew: scanner config explain --markdown > docs/settings.md");
    assert!(made.lines().filter(|line| line.starts_with("| `")).count() > 120);
}

/// The text of all our own sources below `folder`.
fn read_sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "node_modules") {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// All documents of the tree.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [".", "docs", "tests", "cross", "src/ui"] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The lines that are no part of a block of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// What links and pictures lead to, within the tree, with the number of the line in which the target stands.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for part in line.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The names by which headings are led to, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .filter(|&(_, line)| line.starts_with('#'))
        .map(|(_, line)| line.trim_start_matches('#').trim())
        .map(|heading| {
            heading
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

/// A link to what is there, one to what is not, one in code: only what is dead is found.
#[test]
fn this_test_finds_what_is_dead() {
    let text = "# A b, c\n[x](#a-b-c) [y](#nothing)\n```\n[z](#code)\n```\n[w](https://x.org/#y)\n";
    assert_eq!(links(text), [(2, "#a-b-c".to_owned()), (2, "#nothing".to_owned())]);
    assert!(anchors(text).contains("a-b-c") && !anchors(text).contains("nothing"));
    assert!(Path::new("README.md").exists());
}
