//! Brings finished scans to where they are kept, to a folder of a disk or another machine or to storage that speaks S3; and offers them to
//! a workshop.
//!
//! ```text
//! scans here, records of what was delivered --wanted--> Queue --one at a time--> scanner-deliver --> target
//! ```
//!
//! - **What is wanted** ([`wanted()`]) follows from what is here: a finished scan of which there is no record, or whose journal is another
//!   one since. There is no list that could be lost.
//! - **When it is tried** ([`Queue`]) is pure: one at a time; a target that fails delays its own scans alone.
//! - **What was delivered** ([`Records`]) is kept in the state directory, a file for each target, for as long as that is the same target.
//! - **The work** ([`Delivery`]) is done by a program of its own (`crates/deliver`; for a workshop, `scanner-workshop` of `crates/fleet`), which
//!   may be ended at any moment: what is there, and is right, is not sent again.

mod delivery;
mod error;
mod files;
mod program;
mod queue;
mod records;
mod wanted;
mod which;

pub use delivery::{Delivery, Done, reach};
pub use error::DeliveryError;
pub use program::{Far, Wrong};
pub use queue::{Fate, LONGEST_PAUSE, Next, Outcome, Queue};
pub use records::{Delivered, Records, Stamp, Trouble};
pub use wanted::{has_all, is_wanted, wanted};
pub use which::Program;
