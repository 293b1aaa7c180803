//! The running program: the rig wired up from the configuration, one scan at a time on it, and the socket at
//! which the other commands talk to it.

mod accept;
mod automatic;
mod captures;
mod control;
mod error;
mod hours;
mod idle_lights;
mod opening;
mod pairing;
mod panel;
mod reload;
mod room;
mod service;
mod station;
mod status;
mod strays;
mod studio;
mod tokens;
mod wiring;

pub use accept::next_connection;
pub use automatic::resume_interrupted;
pub use captures::{Capture, Captures, Developed};
pub use control::{ControlError, Reply, Request, TokenAction, ask, serve};
pub use error::{PressError, Reason, StartError};
pub use hours::keep_hours;
pub(crate) use opening::focus_of;
pub use pairing::{Answer as PairAnswer, CollectError, Over, PairError, Pairing, Waiting};
pub use panel::attend;
pub use reload::{Reload, Reloads};
pub use service::{Launched, NoScan, PlanChoice, RetakeError, Service, Starting, Work};
pub use station::Station;
pub(crate) use station::{find_scan, plan_from};
pub use status::{ApiState, Last, Status, led};
pub use studio::{Held, Running, Seat, Studio, StudioError, Viewing, develop};
pub use tokens::{Token, TokenError, Tokens};
pub use wiring::{open_pins, open_pins_by_force};
