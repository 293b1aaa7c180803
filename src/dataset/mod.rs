//! The folder that a scan fills, kept so that no scan is lost, and none lies.
//!
//! ```text
//! 2026-11-21-143005-owl/
//!   scan.json                      the manifest: derived from plan and journal, replaced atomically
//!   plan.json                      what is to be taken; never changed
//!   journal.jsonl                  what happened: append-only, a checksum on every line
//!   images/cam0/r01_a017.jpg       ring and angle, not order of execution
//!   metadata/cam0/r01_a017.json    what is known of the image, with its length and checksum
//!   thumbnails/cam0/r01_a017.jpg   for looking at; derived, not synced, may be missing
//!   retaken/cam0/r01_a017.1.jpg    what a person wanted taken again, with the number of its attempt; and its metadata
//!   quarantine/                    what a recovery moved out of the way; nothing is ever deleted
//! ```
//!
//! # Storing a shot
//! 1. Write image and metadata to new files (`O_EXCL`) whose names end in `.tmp`; sync both.
//! 2. Rename both to their final names, which must be free; sync both folders.
//! 3. Append the `stored` record with name, length and CRC32C to the journal; sync it.
//! 4. Acknowledge.
//!
//! A file is never synced again after an error: the attempt fails and the next one writes new files. After an
//! error of the journal nothing more is stored until a recovery has read what is really there.
//!
//! # Taking a shot again
//! 1. Append the `retake` record to the journal; sync it. The shot is pending, and a scan that had ended is paused.
//! 2. Move image and metadata to `retaken/`; sync the folders. Where this is cut off, a recovery does it.
//!
//! # Recovering
//! 1. Lock the folder; refuse a newer format, an unknown record or a damaged plan without touching anything.
//! 2. Copy what stands behind the journal's last good line to `quarantine/`; put a new journal of the good
//!    lines in its place.
//! 3. A stored shot whose file is missing or damaged is `lost`, that is, pending again; the file is moved to
//!    `quarantine/`.
//! 4. What is still in the place of a shot that is wanted again is moved to `retaken/`. Any other file without a record is
//!    adopted if its metadata proves that it is whole, else moved to `quarantine/`.
//! 5. Derive the manifest.
//!
//! Every step may be interrupted and done again.
//!
//! # Invariants, checked by [`verify()`]
//! Every acknowledged shot exists with its length and checksum. No visible file is partial. Every planned shot
//! is exactly one of done, failed with a reason, pending. Nothing is there twice or unrecorded. A scan with a
//! shot missing never says complete.

mod aside;
mod contents;
mod create;
mod disk;
mod error;
mod id;
mod inspect;
mod journal;
mod layout;
mod list;
mod lock;
mod manifest;
mod quarantine;
mod recover;
mod retake;
mod retention;
mod space;
mod store;
mod tally;
#[cfg(test)]
mod tests;
mod verify;
mod violation;

pub use contents::{Contents, DESCRIPTIONS, ShotFiles, read as read_contents};
pub use create::{create, create_on};
pub use disk::{Disk, DiskFile, OsDisk};
pub use error::{DiskError, OpenError, StoreError};
pub use id::{ParseScanIdError, ScanId};
pub use journal::{Entry, JournalRead, Stop, encode as encode_line, read as read_journal};
pub use list::{Damaged, Listed, created, ids, list, newest, show};
pub use manifest::Manifest;
pub use recover::{Recovered, RecoveryReport, recover, recover_on};
pub use retake::{Retaken, retake, retake_on};
pub use retention::{RemoveError, discard, removable, removable_for_room, remove, sweep};
pub use space::{SpaceError, needed_bytes, preflight};
pub use store::{Dataset, ShotMetadata};
pub use tally::{Counts, ShotState, State, Tally};
pub use verify::{Report, verify};
pub use violation::{Note, Violation};

/// The version of the layout described here.
pub const FORMAT: u32 = 1;
