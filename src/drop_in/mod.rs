//! The drop-ins of the configuration that this program writes itself, for the page and at the command line.
//!
//! - **One file, one step.** What is changed is one file, which is put in place whole, and only if the whole configuration
//!   loads with it ([`Store::put`]). So whatever happens, and whenever, the files that are there load.
//! - **Nothing is lost.** What the file said before is on the disk as a [`Version`] before it is replaced.
//! - **Nobody is overruled unawares.** A change may say on what it is based, by a [`Fingerprint`] of all files.
//!
//! What is written there ([`edit()`]) leaves the comments and the order of who wrote before.

mod backup;
mod disk;
mod edit;
mod error;
mod fingerprint;
mod store;
#[cfg(test)]
mod tests;
mod versions;

pub use backup::{Restored, backup, restore};
pub use edit::{Edit, EditError, edit};
pub use error::StoreError;
pub use fingerprint::Fingerprint;
pub use store::{Put, Store, Wish};
pub use versions::Version;

/// The drop-in of the page, and of `scanner config`: later than that of the setup.
pub const PAGE: &str = "60-page.toml";
