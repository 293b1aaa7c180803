//! Modules of one folder that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{code, crates, sources};

/// A module's path, from the crate down.
type Name = Vec<String>;

#[test]
fn no_modules_of_a_folder_import_each_other_in_a_circle() {
    let mut found: Vec<(PathBuf, String, Vec<String>)> = Vec::new();
    for krate in crates() {
        let tree = Tree::read(&krate);
        assert!(
            !tree.modules.is_empty(),
            "{} has no modules: does this test still read them?",
            krate.display()
        );
        for (folder, arrows) in &tree.folders() {
            let circles = circles(arrows).into_iter().map(|circle| of_circle(arrows, &circle));
            found.extend(circles.map(|circle| (krate.clone(), folder.join("::"), circle)));
        }
    }
    assert!(found.is_empty(), "folders whose modules import each other in a circle: {found:#?}");
}

/// Every module with what it names.
struct Tree {
    /// The code of each.
    modules: BTreeMap<Name, String>,
    /// What a module gives out under its own name, though it is another one's.
    given_out: BTreeMap<Name, Name>,
}

impl Tree {
    fn read(folder: &Path) -> Self {
        let modules = sources(folder).into_iter().filter_map(|file| {
            let inside = file.strip_prefix(folder).unwrap().with_extension("");
            let mut name: Name =
                inside.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
            if name.last().is_some_and(|last| last == "mod") {
                name.pop();
            }
            let text = code(&fs::read_to_string(&file).unwrap());
            (!matches!(name[0].as_str(), "lib" | "main")).then_some((name, text))
        });
        Self::of(modules.collect())
    }

    fn of(modules: BTreeMap<Name, String>) -> Self {
        let mut given_out = BTreeMap::new();
        for (module, text) in &modules {
            for (at, _) in text.match_indices("use ") {
                let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
                if !line.trim_start().starts_with("pub") {
                    continue;
                }
                let rest = &text[at + "use ".len()..];
                let begun = if rest.starts_with("self::") || !module_begins(rest) {
                    Vec::new()
                } else {
                    module.clone()
                };
                for (path, called) in paths(rest, &begun, module) {
                    if path.len() > module.len() && modules.contains_key(&path[..=module.len()]) {
                        given_out.insert([module.as_slice(), &[called]].concat(), path);
                    }
                }
            }
        }
        Self { modules, given_out }
    }

    /// The module in which `path` ends, past what others give out under their names.
    fn home(&self, path: &[String]) -> Name {
        let mut path = path.to_vec();
        for _ in 0..10 {
            let through = (1..=path.len()).find(|end| {
                !self.modules.contains_key(&path[..*end]) && self.given_out.contains_key(&path[..*end])
            });
            let Some(end) = through else { break };
            path = [self.given_out[&path[..end]].as_slice(), &path[end..]].concat();
        }
        while !path.is_empty() && !self.modules.contains_key(&path) {
            path.pop();
        }
        path
    }

    /// Which child of each folder imports which other child, by themselves or by what is in them.
    fn folders(&self) -> BTreeMap<Name, BTreeMap<String, BTreeSet<String>>> {
        let mut folders: BTreeMap<Name, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (module, text) in &self.modules {
            for path in named(text, module) {
                let home = self.home(&path);
                let shared = module.iter().zip(&home).take_while(|(one, other)| one == other).count();
                if let (Some(from), Some(to)) = (module.get(shared), home.get(shared)) {
                    let arrows = folders.entry(module[..shared].to_vec()).or_default();
                    arrows.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
        folders
    }
}

/// The arrows of a circle.
fn of_circle(arrows: &BTreeMap<String, BTreeSet<String>>, circle: &[String]) -> Vec<String> {
    let inside = circle.iter().flat_map(|from| arrows[from].iter().map(move |to| (from, to)));
    inside.filter(|(_, to)| circle.contains(to)).map(|(from, to)| format!("{from} -> {to}")).collect()
}

/// Whether a `use` begins with a name of its own module, and not with where it starts to look.
fn module_begins(rest: &str) -> bool {
    !["crate::", "super::", "self::"].iter().any(|start| rest.starts_with(start))
}

/// All paths in `text` that begin with `crate`, `super` or `self`.
fn named(text: &str, module: &[String]) -> Vec<Name> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':') {
                found.extend(paths(&text[at..], &[], module).into_iter().map(|(path, _)| path));
            }
        }
    }
    found
}

/// The paths of a `use` tree at the start of `text`, behind `begun`, and the name of each in the module that has them.
fn paths(text: &str, begun: &[String], module: &[String]) -> Vec<(Name, String)> {
    let text = text.trim_start();
    if let Some(inside) = text.strip_prefix('{') {
        let (mut depth, mut start, mut found) = (0, 0, Vec::new());
        for (at, character) in inside.char_indices() {
            match character {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    if !inside[start..at].trim().is_empty() {
                        found.extend(paths(&inside[start..at], begun, module));
                    }
                    start = at + 1;
                    if character == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return found;
    }
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let rest = &text[word.len()..];
    let path = match word.as_str() {
        "crate" => Vec::new(),
        "self" if begun.is_empty() => module.to_vec(),
        "self" | "" => begun.to_vec(),
        "super" if begun.is_empty() => module[..module.len() - 1].to_vec(),
        "super" => begun[..begun.len() - 1].to_vec(),
        _ => [begun, std::slice::from_ref(&word)].concat(),
    };
    if let Some(rest) = rest.strip_prefix("::") {
        return paths(rest, &path, module);
    }
    let renamed = rest.trim_start().strip_prefix("as ");
    let called =
        renamed.map_or(word, |name| name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
    vec![(path, called)]
}

/// The sets of modules of which each reaches each other, in the order of their names.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |from: &String| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(next) = open.pop() {
            for to in arrows.get(next).into_iter().flatten() {
                if reached.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        reached
    };
    let reach: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|from| (from, reached(from))).collect();
    let circles: BTreeSet<Vec<String>> = reach
        .iter()
        .filter(|(from, to)| to.contains(**from))
        .map(|(from, to)| {
            to.iter().filter(|to| reach.get(to).is_some_and(|back| back.contains(*from))).cloned().collect()
        })
        .collect();
    circles.into_iter().collect()
}

#[test]
fn circles_are_found_however_they_are_spelled() {
    let name = |path: &str| path.split("::").map(str::to_owned).collect::<Name>();
    let tree = |files: &[(&str, &str)]| {
        Tree::of(files.iter().map(|(module, text)| (name(module), code(text))).collect())
    };
    let found = |files: &[(&str, &str)]| {
        let tree = tree(files);
        let folders = tree.folders();
        folders.values().flat_map(circles).map(|circle| circle.join(" ")).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    // By `super`, and by the whole path.
    assert_eq!(found(&[("a::x", "use super::y::{Y, Z};"), ("a::y", "fn f(x: crate::a::x::X) {}")]), ["x y"]);
    assert_eq!(found(&[("a::x", "use super::y::Y;"), ("a::y", "// use super::x::X;")]), none);
    // Through what the folder gives out.
    let folder = ("a", "mod x;\npub use x::X;\npub(crate) use self::y::{W as V, Y};\n");
    assert_eq!(
        found(&[folder, ("a::x", "use super::{Other, V};"), ("a::y", "use crate::{b, a::X};")]),
        ["x y"]
    );
    // From within a child.
    let within = ("a::x::in", "use super::super::y::Y;");
    assert_eq!(found(&[("a::x", ""), within, ("a::y", "use super::x;")]), ["x y"]);
    // Over three; between two folders, too.
    let three = [("a::x", "use super::y;"), ("a::y", "use super::z;"), ("a::z", "use super::x;")];
    assert_eq!(found(&three), ["x y z"]);
    assert_eq!(found(&[("a::x", "use crate::b::B;"), ("b", "use crate::a::x::X;")]), ["a b"]);
    // One's own inside is no circle, nor is a folder's own type.
    assert_eq!(
        found(&[("a::x", "use super::Type; use self::in::I;"), ("a::x::in", "use super::X;"), ("a", "")]),
        none
    );
}
