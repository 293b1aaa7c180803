//! The configuration: what is written (`source`) -> merged (drop-ins) -> checked ([`Config`]).

mod types;

pub use types::*;
