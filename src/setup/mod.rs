//! `scanner setup`: from an installation to a configuration that scans, by questions.
//!
//! - [`Facts`]: what is known before anything is asked, by whoever looked.
//! - [`Key`]: the questions in their order; which of them a rig has (`applies`), what may be answered (`accept`), what
//!   Enter takes (`defaults`), and what is said (`texts`).
//! - [`Interview`]: where somebody is in them; it hears a line and says what comes of it, or shows each as a [`Question`] of a form.
//! - [`write()`]: the answers as a drop-in of the configuration. Whether that loads, whoever has the files finds out.
//! - [`trial`]: the parts of the rig, tried one by one; what an answer makes of the pins.
//! - [`overlaps`]: what the drop-in and the files of others say twice.

mod accept;
mod answers;
mod applies;
mod choices;
mod defaults;
mod facts;
mod interview;
mod key;
mod overlap;
mod pins;
#[cfg(test)]
mod tests;
mod texts;
pub mod trial;
mod words;
mod write;

pub use accept::accept;
pub use answers::{Answers, AnswersError, Rig};
pub use choices::{Choice, Form};
pub use defaults::{PLAN, complete, default};
pub use facts::{Disk, Facts, FoundCamera, Layer};
pub use interview::{Heard, Interview, Missing, Question, Refused, from_file};
pub use key::{Function, Key, STEPS, Step};
pub use overlap::{Overlap, overlaps};
pub use words::NETWORK;
pub use words::SIMULATED;
pub use write::{DROP_IN, write};
