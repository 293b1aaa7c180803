//! The folder that a scan fills, kept so that no scan is lost, and none lies.
//!
//! ```text
//! 2026-11-21-143005-owl/
//!   scan.json                      the manifest: derived from plan and journal, replaced atomically
//!   plan.json                      what is to be taken; never changed (points that are added are in the journal)
//!   journal.jsonl                  what happened: append-only, a checksum on every line
//!   owner.json                     who writes to it: machine, process, sign of life; gone when nobody does
//!   images/cam0/r01_a017.jpg       ring and angle, not order of execution
//!   raw/cam0/r01_a017.cr2          what else the camera made of the shot, as it came (format 2)
//!   metadata/cam0/r01_a017.json    what is known of the shot, with length and checksum of each of its files
//!   thumbnails/cam0/r01_a017.jpg   for looking at; derived, not synced, may be missing
//!   masks/cam0/r01_a017.png        where the object is in the image; derived, says from what (see `mask`)
//!   merged/cam0/r01_a017.jpg       one image of a whole stack; derived, says from what (see `merge`)
//!   marks.jsonl                    what the ring of marks in images shows, a line each; derived (see `calibration`)
//!   retaken/cam0/r01_a017.1.jpg    what a person wanted taken again, with the number of its attempt; and what belongs to it
//!   report.html                    the scan on one page, for people; derived, may be missing
//!   preview.glb, preview.json      a model of the object, and its numbers; derived, may be missing (see `hull`)
//!   quarantine/                    what a recovery moved out of the way; nothing is ever deleted
//! ```
//!
//! # Storing a shot
//! 1. Write image, what else the shot has, and metadata to new files (`O_EXCL`) whose names end in `.tmp`; sync all.
//! 2. Rename all to their final names, which must be free; sync their folders.
//! 3. Append the `stored` record with name, length and CRC32C of each to the journal; sync it.
//! 4. Acknowledge. A shot is stored with all of its files, or not at all: most have but one.
//!
//! A file is never synced again after an error: the attempt fails and the next one writes new files. After an
//! error of the journal nothing more is stored until a recovery has read what is really there.
//!
//! # Taking a shot again
//! 1. Append the `retake` record to the journal; sync it. The shot is pending, and a scan that had ended is paused.
//! 2. Move its files and metadata to `retaken/`; sync the folders. Where this is cut off, a recovery does it.
//!
//! # Adding points to a scan
//! Append the `extended` record with the points to the journal; sync it. The scan has them from then on, behind those of its
//! plan, whose file stays as it is; one that had ended is paused. No shot of theirs is attempted before. Of a scan that nobody
//! writes to, the manifest says first that it is not complete; then a new journal with that record at its end takes the old
//! one's place.
//!
//! # Calling a scan something else
//! While it is under way, a `described` record like any other. Of a scan that nobody writes to, a new journal with that record at
//! its end takes the old one's place, so that the journal of a scan that has ended never ends in half a line. Then the manifest.
//!
//! # Recovering
//! 1. Lock the folder; refuse a newer format, an unknown record or a damaged plan without touching anything.
//! 2. Copy what stands behind the journal's last good line to `quarantine/`; put a new journal of the good
//!    lines in its place. A line that cannot follow those before it (a shot stored twice, complete with one missing) is
//!    not good, whatever its checksum.
//! 3. A stored shot of which a file is missing or damaged is `lost`, that is, pending again; its files are moved to
//!    `quarantine/`.
//! 4. What is still in the place of a shot that is wanted again is moved to `retaken/`. Any other file without a record is
//!    adopted if its metadata proves that its shot is whole, else moved to `quarantine/`.
//! 5. Derive the manifest.
//!
//! Every step may be interrupted and done again.
//!
//! # Invariants, checked by [`verify()`]
//! Every acknowledged shot exists with all of its files, each with its length and checksum. No visible file is partial. Every planned shot
//! is exactly one of done, failed with a reason, pending. Nothing is there twice or unrecorded. A scan with a
//! shot missing never says complete.

mod aside;
mod carried;
mod contents;
mod create;
mod describe;
mod disk;
mod error;
mod extend;
mod history;
mod id;
mod ids;
mod inspect;
mod journal;
mod layout;
mod list;
mod lock;
mod manifest;
pub mod open;
mod opening;
mod order;
mod owner;
mod past;
mod place;
mod places;
mod quarantine;
mod recover;
mod recovery_report;
mod rejected;
mod retake;
mod retaken;
mod retention;
mod shot;
mod space;
mod spread;
mod store;
mod tally;
#[cfg(test)]
mod tests;
mod undo;
mod verify;
mod violation;

pub use carried::carried;
pub use contents::{Contents, DESCRIPTIONS, ShotFiles, read as read_contents};
pub use create::{New, create, create_by, create_named_by_time, create_on};
pub use describe::{describe, describe_on, description};
pub use disk::{Disk, DiskFile, OsDisk};
pub use error::{DescribeError, DiskError, OpenError, StoreError, with_remedy};
pub use extend::{Extended, extend, extend_on};
pub use id::{ParseScanIdError, ScanId};
pub use ids::ids;
pub use inspect::read_image;
pub use journal::{Entry, JournalRead, Stop, encode as encode_line, read as read_journal};
pub use list::{Damaged, Listed, list, newest, show};
pub use manifest::Manifest;
pub use order::{places, references, references_of_rig};
pub use owner::take_over;
pub use place::Place;
pub use recover::{Recovered, recover, recover_on};
pub use recovery_report::RecoveryReport;
pub use retake::{Retaken, retake, retake_on};
pub use retention::{
    RemoveError, discard, removable, removable_for_files, removable_for_room, remove, sweep,
};
pub use shot::ShotMetadata;
pub use space::{Needs, SpaceError, needed_bytes, needs, preflight};
pub use spread::ShutterSpread;
pub use store::Dataset;
pub use tally::{Counts, Impossible, ShotState, Tally};
pub use verify::{Report, verify};
pub use violation::{Note, Violation};

/// The newest version of the layout described here.
pub const FORMAT: u32 = 3;
/// That of a scan whose shots may have several files, without brackets, and of whose cameras nothing has been measured: older programs read it, too,
const SEVERAL_FILES_FORMAT: u32 = 2;
/// and that of one of which each shot has one file.
const ONE_FILE_FORMAT: u32 = 1;
