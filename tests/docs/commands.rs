//! Commands that the documents name in passing, such as `scanner dataset verify SCAN`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{documents, prose};

/// What stands between backticks and begins with `scanner `.
fn named() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in documents() {
        let text = fs::read_to_string(path).unwrap();
        for (_, line) in prose(&text) {
            let quoted = line.split('`').skip(1).step_by(2);
            found.extend(quoted.filter_map(|code| code.strip_prefix("scanner ")).map(str::to_owned));
        }
    }
    found
}

/// Words of a command line, of which those in quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split(['"', '\'']).enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// What the program prints as help for these subcommands; none if it does not have them.
fn help(path: &[&str]) -> Option<String> {
    let asked = Command::new(env!("CARGO_BIN_EXE_scanner")).args(path).arg("--help").output().unwrap();
    asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).into_owned())
}

/// What the program does not have of this command line.
fn unknown(line: &str) -> Vec<String> {
    let words = words(line);
    let is_name = |word: &&String| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    let path = words.iter().take_while(is_name).filter(|word| !word.starts_with('-'));
    let path: Vec<&str> = path.map(String::as_str).collect();
    // The last may be what the command is about: a plan, an axis. Not where it chooses among commands.
    let about = || help(path.split_last()?.1).filter(|known| !known.contains("<COMMAND>"));
    let known = help(&path).or_else(about);
    let Some(known) = known else { return vec![line.to_owned()] };
    let options = words.iter().filter(|word| word.starts_with('-') && word.as_str() != "--help");
    options
        .filter(|option| !known.contains(option.as_str()))
        .map(|option| format!("{line}: {option}"))
        .collect()
}

#[test]
fn the_program_has_every_command_that_is_named() {
    let named = named();
    assert!(named.len() > 50, "only {} were found: does this test still read them?", named.len());
    let unknown: Vec<String> = named.iter().flat_map(|line| unknown(line)).collect();
    assert!(unknown.is_empty(), "no command of the program: {unknown:#?}");
}

#[test]
fn what_the_program_does_not_have_is_found() {
    assert_eq!(unknown("dataset verify SCAN"), [""; 0]);
    assert_eq!(unknown("home turntable"), [""; 0]);
    assert_eq!(unknown("dataset varify SCAN"), ["dataset varify SCAN"]);
    assert_eq!(unknown("dataset verify SCAN --quick"), ["dataset verify SCAN --quick: --quick"]);
}
