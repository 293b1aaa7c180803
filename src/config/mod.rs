//! The configuration: written -> merged -> checked.
//!
//! - *written*: `scanner.toml` and the drop-ins beside it, `scanner.toml.d/*.toml` (`load`, `source`).
//! - *merged*: one tree in which every value knows the file and the place that it comes from (`tree`).
//!   Drop-ins apply in the order of their names: tables merge key by key, anything else replaces.
//! - *checked*: [`Config`], with every value in range and every reference resolved (`decode`, through
//!   `reader` and `value`).
//!
//! Mistakes are collected, not stopped at: [`ConfigErrors`] tells all of them, each with its file, line and
//! caret (`problem`).

mod asked;
mod computed;
mod decode;
mod deliver;
mod driver;
mod gate;
pub mod gpio;
mod guess;
mod inline;
mod kind;
mod load;
mod marks;
mod mqtt;
mod notify;
mod page;
mod pin;
mod problem;
mod reader;
mod reference;
mod scanning;
mod source;
mod survey;
pub mod tmc2209;
mod tree;
mod types;
mod undescribed;
mod value;

pub use asked::Asked;
pub use computed::Computed;
pub use deliver::{Deliver, Destination, DestinationKind, Keep, S3};
pub use gate::{Gate, GatePolicy, MOST_RETAKES_PER_SHOT};
pub(crate) use guess::did_you_mean;
pub use inline::inline_plan;
pub use kind::Kind;
pub use marks::{Marks, MarksPolicy};
pub use mqtt::{Broker, Mqtt};
pub use notify::{Address, CommandLine, Notify, Occasion, Topic, Way};
pub use page::explained_page;
pub use problem::{ConfigErrors, Problem};
pub use reference::{Entry, generic, reference};
pub use scanning::*;
pub use survey::{Setting, Survey, item_name};
pub use types::*;
