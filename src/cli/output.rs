//! What is printed for the user.

use std::io;
use std::time::Duration;

use serde::Serialize;

use super::exit::{Exit, Failure};
use crate::logging;

/// How long a reader of standard output that takes nothing is waited for, where a signal does not end the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints lines to standard output. A reader that has gone away is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match logging::print(format!("{text}{newline}"), super::signals::are_heard().then_some(PATIENCE)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, &format!("cannot print to standard output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value).map_err(io::Error::from)?)
}

/// Prints an error to standard error. That it cannot be printed cannot be told to anybody.
pub(super) fn error(message: &str) {
    let prefix = if message.starts_with("error") { "" } else { "error: " };
    logging::say(format!("{prefix}{}\n", message.trim_end()));
}

/// Tells something on standard error, which is no error.
pub(super) fn note(message: &str) {
    logging::say(format!("{message}\n"));
}

/// A table with a header, without lines that a script would stumble over.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}
