//! In which order to visit the points: least travel time, from a given start, to wherever it ends.
//!
//! The time between two points is that of the slowest axis' real profile, the turntable turning the shortest
//! way round. That is the same there and back, so a part of the way may be turned round at no cost.
//!
//! First some orders by construction ([`serpentine`], [`neighbours`]), then the best of them are improved
//! step by step until no step helps or the allowance of work is used up ([`improve`]). The order as given is
//! one of them, so the result is never worse.

mod fastest;
mod improve;
mod metric;
mod neighbours;
mod serpentine;

pub(super) use fastest::fastest;
