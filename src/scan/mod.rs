//! A scan as a pure function: `(State, Input) -> (State, [Action])`, without clock, I/O or async.

mod record;

pub use record::*;
