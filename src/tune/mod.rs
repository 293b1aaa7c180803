//! What a rig can do, found by trying.
//!
//! How its axes swing once they have come to rest: which moves show it (`moves.rs`), the frequency and the damping in what a camera
//! has seen after them (`fit.rs`, `linear.rs`), what is found, kept, drawn and written (`record.rs`, `kept.rs`, `picture.rs`, `written.rs`), and what it saves (`gain.rs`).
//! And how fast a motor may be (`speed.rs`): a search as a state machine.

mod fit;
mod gain;
mod kept;
mod linear;
mod moves;
mod picture;
mod record;
mod seen;
mod speed;
mod written;

pub use fit::{Fit, FittedSwing, Swung, fit};
pub use gain::{Gain, gain};
pub use moves::{Place, REPEATS, Short, moves};
pub use record::{AxisSwing, DROP_IN, Found, HEADER, SeenBy, Shown, TunedAxis, TunedPlace, Tuning, edits};
pub use seen::{Sample, Seen};
pub use speed::{Bounds, End, Heard, Next, Raised, Search, Trial};
pub use written::{change, unseen, write};

#[cfg(test)]
mod tests;
