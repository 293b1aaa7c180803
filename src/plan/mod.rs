//! The ordered points of a scan: which poses, in which order, seen by which cameras.
//!
//! A plan is fixed when a scan starts and stored with it, so it carries all that a reader of the dataset
//! needs to know: poses, intrinsics, and where each camera stands. Points may be added behind its own ([`additions`]).
//!
//! [`generate()`] makes one: points of the configured shape ([`config::PlanShape`](crate::config::PlanShape)),
//! labelled by where they are, checked against the axes' travel, then put in order.

mod added;
mod compare;
mod covering;
mod generate;
pub mod geometry;
mod least;
mod list;

mod order;
mod shapes;
mod stack;
mod svg;
mod time;
mod types;

pub use added::{AddError, MOST_ADDED, NewPoint, Unaddable, additions, read_new_points};
pub use compare::{Comparison, Spread, compare};
pub use covering::Gaps;
pub use generate::{MAX_SHOTS, PlanError, Violation, Violations, generate};
pub use list::ListError;

pub use stack::PointStack;
pub use svg::svg;
pub use time::{Pace, estimate, summary, travel};
pub use types::*;
