//! The newest lines of the log, for whoever asks this process for them.

use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Lines that are kept: those of a scan of a thousand points, in some megabyte.
const KEPT: usize = 4000;
/// Longest line that is kept, in bytes.
const LONGEST: usize = 2000;

static LINES: Mutex<VecDeque<Line>> = Mutex::new(VecDeque::new());

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = LogLine)]
pub struct Line {
    /// When it was logged, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `error`, `warn`, `info`, `debug`.
    pub level: String,
    /// Of which scan, if of one.
    pub scan: Option<String>,
    /// The message, without its fields.
    pub message: String,
}

/// The newest `most` lines, the oldest of them first; only those of `scan`, if given.
pub fn recent(scan: Option<&str>, most: usize) -> Vec<Line> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = lines.iter().rev().filter(|line| scan.is_none() || line.scan.as_deref() == scan);
    let mut newest: Vec<Line> = wanted.take(most).cloned().collect();
    newest.reverse();
    newest
}

/// Keeps lines as they pass.
pub(super) struct Keeper;

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        let line = Line { at: Timestamp::now(), level, scan: text.scan, message: text.message };
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

#[derive(Default)]
struct Text {
    scan: Option<String>,
    message: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => {
                // Writing to a text does not fail.
                let _ = write!(self.message, "{value:?}");
                let mut end = self.message.len().min(LONGEST);
                while !self.message.is_char_boundary(end) {
                    end -= 1;
                }
                self.message.truncate(end);
            }
            "scan" => self.scan = Some(format!("{value:?}").trim_matches('"').to_owned()),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "scan" => self.scan = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }
}
