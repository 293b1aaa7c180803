//! One line of the log in journald's native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use std::fmt::{Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};

/// Longest value. What does not fit into a datagram goes as memory, but many entries may wait.
const LONGEST: usize = 1 << 20;

/// Names that say more than ours.
const NAMES: [(&str, &str); 1] = [("scan", "SCAN_ID")];

/// A line under construction.
pub(super) struct Entry(Vec<u8>);

impl Entry {
    pub(super) fn new(metadata: &Metadata<'_>, identifier: &str) -> Self {
        let mut entry = Self(Vec::with_capacity(512));
        entry.put("SYSLOG_IDENTIFIER", identifier);
        entry.put("PRIORITY", priority(*metadata.level()));
        entry.put("TARGET", metadata.target());
        if let Some(id) = crate::event::message_id(metadata.target()) {
            entry.put("MESSAGE_ID", id);
        }
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            entry.put("CODE_FILE", file);
            entry.put("CODE_LINE", &line.to_string());
        }
        entry
    }

    /// Tells of lines that are not there.
    pub(super) fn lost(lines: u64, identifier: &str) -> Vec<u8> {
        let mut entry = Self(Vec::new());
        entry.put("SYSLOG_IDENTIFIER", identifier);
        entry.put("PRIORITY", priority(Level::WARN));
        entry.put("MESSAGE", &format!("{lines} lines of the log were lost while journald did not take them"));
        entry.into_bytes()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn put(&mut self, name: &str, value: &str) {
        let mut end = value.len().min(LONGEST);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = &value.as_bytes()[..end];
        self.0.extend_from_slice(name.as_bytes());
        if value.contains(&b'\n') {
            self.0.push(b'\n');
            self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            self.0.push(b'=');
        }
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(&name(field.name()), value);
    }
}

/// As journald allows it: upper case letters, digits and `_`, not at the beginning.
fn name(field: &str) -> String {
    if let Some((_, name)) = NAMES.iter().find(|(ours, _)| *ours == field) {
        return (*name).to_owned();
    }
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String =
        field.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).chars().map(allowed).collect();
    name.chars().take(64).collect()
}

/// The priority of journald for `level`, as in syslog(3): 3 is an error, 7 is for who looks for a fault.
const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_journald_allows() {
        let cases =
            [("scan", "SCAN_ID"), ("point", "POINT"), ("frame.ms", "FRAME_MS"), ("_hidden", "HIDDEN")];
        for (ours, theirs) in cases {
            assert_eq!(name(ours), theirs);
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let mut entry = Entry(Vec::new());
        entry.put("MESSAGE", &"ä".repeat(LONGEST));
        let text = String::from_utf8(entry.into_bytes()).unwrap();
        assert_eq!(text.len(), "MESSAGE=\n".len() + LONGEST);
    }
}
