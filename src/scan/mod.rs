//! A scan as a pure function, `(State, Input) -> (State, [Action])`, without clock, I/O or async. What performs
//! the actions is [`crate::run`].
//!
//! * [`State`]: which shots are stored, failed or pending, and what every camera is doing.
//! * [`Input`]: what happened; [`Action`]: what is to be done about it.
//! * [`recovery`]: what a failed attempt leads to.
//! * [`Gate`]: whether an image is like its neighbours.
//! * [`Record`]: what the journal says. [`State::replay`] turns records back into a state, so a resumed scan is
//!   the scan that was interrupted.
//!
//! A scan runs until it has [ended](End): finished, or paused. Going on after a pause, a crash or a power cut is
//! one and the same thing: a new state is replayed from the journal and started.

mod answers;
mod budget;
mod compare;
mod description;
mod end;
mod gate;
mod io;
mod measured;
mod object;
mod record;
pub mod recovery;
mod spread;
mod state;
mod transition;
mod twins;
mod verdict;
mod walk;

pub use budget::{Budget, flagged};
pub use description::*;
pub use end::*;
pub use gate::{Gate, Late};
pub use io::*;
pub use measured::{Luma, Measured, TileDetail, detail_of};
pub use object::References;
pub use record::*;
pub use state::*;
pub use transition::IllegalInput;
pub use verdict::{Finding, FindingKind, Verdict};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_support;
