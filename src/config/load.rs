//! From files to one merged tree.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::asked::{Asked, Notes};
use super::problem::{ConfigErrors, Finding};
use super::source::{Place, Sources};
use super::tree::Table;
use super::{Config, decode};
use crate::regular_file::{self, Unread};

/// Longest file, in bytes.
const LONGEST: u64 = 4 << 20;

impl Config {
    /// Reads the file at `path` and its drop-ins, `PATH.d/*.toml`, which override it in the order of their
    /// names (hidden files are left out).
    ///
    /// Relative folders in a file start from the folder of that file. If any file cannot be read or parsed,
    /// the errors are about that alone; else they are about everything that is written in them.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let mut written = Written::default();
        written.read(path);
        written.read_drop_ins(path, None);
        written.check()
    }

    /// As [`Self::load`], if the drop-in `name` had this text, or were not there without one: nothing is written.
    pub fn load_as_if(path: &Path, name: &str, text: Option<&str>) -> Result<Self, ConfigErrors> {
        let mut written = Written::default();
        written.read(path);
        written.read_drop_ins(path, Some((name, text)));
        written.check()
    }

    /// The files that [`Self::load`] reads, in their order: the one at `path`, and its drop-ins.
    pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut files = vec![path.to_owned()];
        match drop_ins(&Self::drop_in_folder(path)) {
            Ok(paths) => files.extend(paths),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(files)
    }

    /// The folder of the drop-ins of the file at `path`.
    pub fn drop_in_folder(path: &Path) -> PathBuf {
        let mut folder = path.as_os_str().to_owned();
        folder.push(".d");
        PathBuf::from(folder)
    }

    /// Reads `text` as if it were the file `name`, without drop-ins.
    pub fn from_text(name: &str, text: &str) -> Result<Self, ConfigErrors> {
        let mut written = Written::default();
        written.parse(Path::new(name), text.to_owned());
        written.check()
    }
}

/// The files as they were written.
#[derive(Default)]
struct Written {
    sources: Sources,
    tables: Vec<Table>,
    findings: Vec<Finding>,
}

impl Written {
    fn read(&mut self, path: &Path) {
        match regular_file::read(path, LONGEST).map(String::from_utf8) {
            Ok(Ok(text)) => self.parse(path, text),
            Ok(Err(error)) => {
                let start = error.utf8_error().valid_up_to();
                // What precedes the first bad byte stays as it is, so the place is right in the repaired text.
                let file = self.sources.add(path, String::from_utf8_lossy(error.as_bytes()).into_owned());
                let place = Place::new(file, start..start + char::REPLACEMENT_CHARACTER.len_utf8());
                self.findings.push(
                    Finding::new(&place, "the file is not UTF-8 text")
                        .hint("save it again with the encoding UTF-8"),
                );
            }
            Err(unread) => {
                let hint = match &unread {
                    Unread::Missing => {
                        "name one that is there (-c FILE, or SCANNER_CONFIG), or put one there, if need be an empty one: `scanner \
                         setup` describes the rig; `scanner demo` needs neither"
                    }
                    Unread::NotAFile | Unread::TooLong { .. } => {
                        "this has to be a text file, or a link to one; no pipe and no device"
                    }
                    Unread::Failed(_) => "this has to be a text file that this user may read",
                };
                self.unreadable(path, &format!("the file {unread}"), hint);
            }
        }
    }

    /// Reads the drop-ins; of the one that is named, another text, or none.
    fn read_drop_ins(&mut self, path: &Path, instead: Option<(&str, Option<&str>)>) {
        let folder = Config::drop_in_folder(path);
        let mut paths = match drop_ins(&folder) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return self.unreadable(
                    &folder,
                    &format!("cannot list the drop-ins: {error}"),
                    "this has to be a folder that this user may read, or not be there at all",
                );
            }
        };
        let instead = instead.map(|(name, text)| (folder.join(name), text));
        if let Some((own, _)) = &instead
            && !paths.contains(own)
        {
            paths.push(own.clone());
            paths.sort();
        }
        for path in &paths {
            match &instead {
                Some((own, text)) if own == path => {
                    if let Some(text) = text {
                        self.parse(path, (*text).to_owned());
                    }
                }
                Some(_) | None => self.read(path),
            }
        }
    }

    fn unreadable(&mut self, path: &Path, message: &str, hint: &str) {
        let file = self.sources.add(path, String::new());
        self.findings.push(Finding::new(&Place::whole(file), message).hint(hint));
    }

    fn parse(&mut self, path: &Path, text: String) {
        let file = self.sources.add(path, text);
        let (document, errors) = DeTable::parse_recoverable(&self.sources.get(file).text);
        for error in errors {
            let place = Place { file, span: error.span() };
            let finding = Finding::new(&place, format!("this is not TOML: {}", error.message()));
            self.findings
                .push(finding.hint(how_to_write(line_at(&self.sources.get(file).text, error.span()))));
        }
        // What is missing from a file is to be written at its end.
        let end = self.sources.get(file).text.len();
        self.tables.push(Table::from_toml(document.get_ref(), file, Place::new(file, end..end)));
    }

    fn check(self) -> Result<Config, ConfigErrors> {
        let Checked { sources, findings, config, .. } = self.checked();
        config.filter(|_| findings.is_empty()).ok_or_else(|| ConfigErrors::new(&sources, findings))
    }

    fn checked(self) -> Checked {
        let Self { sources, tables, mut findings } = self;
        let is_whole = findings.is_empty();
        let merged = tables.into_iter().reduce(|mut merged, later| {
            merged.merge_document(later, &mut findings);
            merged
        });
        let mut notes = Notes::default();
        // Half-read files have mistakes in places where there are none.
        let whole = merged.as_ref().filter(|_| is_whole);
        let config = whole.and_then(|merged| decode::config(merged, &sources, &mut findings, &mut notes));
        Checked { sources, merged, findings, asked: notes.into_asked(), config }
    }
}

/// What has come of the files.
pub(super) struct Checked {
    pub(super) sources: Sources,
    /// What they say together.
    pub(super) merged: Option<Table>,
    pub(super) findings: Vec<Finding>,
    /// The keys that there could be; none if the files could not be read.
    pub(super) asked: Vec<Asked>,
    pub(super) config: Option<Config>,
}

/// What has come of the files at `path`, if the drop-in that is named had another text, or were not there.
pub(super) fn checked(path: &Path, instead: Option<(&str, Option<&str>)>) -> Checked {
    let mut written = Written::default();
    written.read(path);
    written.read_drop_ins(path, instead);
    written.checked()
}

/// The keys that there could be beside those of `text`.
pub(super) fn asked_of(text: &str) -> Vec<Asked> {
    let mut written = Written::default();
    written.parse(Path::new("scanner.toml"), text.to_owned());
    written.checked().asked
}

fn drop_ins(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The line of `text` in which `span` begins.
fn line_at(text: &str, span: Option<Range<usize>>) -> &str {
    let at = span.map_or(0, |span| span.start);
    let (mut from, mut found) = (0, "");
    for line in text.split_inclusive('\n') {
        found = line;
        from += line.len();
        if from > at {
            break;
        }
    }
    found
}

/// What to write in place of a line that is no TOML.
fn how_to_write(line: &str) -> &'static str {
    // What word processors and web pages make of quotes.
    if line.contains(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) {
        return "write straight quotes (\") in place of the curly ones";
    }
    "write `key = value` on a line, each key once, and texts in quotes"
}
