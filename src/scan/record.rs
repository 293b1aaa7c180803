//! What a scan's journal says: intent and acknowledgement, one record a line.
//!
//! The records are all that a resumed scan knows of its past: the state after a crash is the plan with its
//! records applied in order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::camera_driver::protocol::ErrorKind;
use crate::model::ColourGains;
use crate::plan::{Point, ShotIndex};
use crate::units::{Dioptres, Seconds};

use super::description::Description;
use super::end::{Outcome, WaitsFor};
use super::measured::Measured;
use super::verdict::Verdict;

/// Something that happened to a scan, in the order in which it became true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The first record: the scan exists, with the plan whose file has this checksum.
    Opened {
        /// The scan's id, which is the name of its folder at the beginning.
        scan: String,
        /// CRC32C of `plan.json`, by which plan and journal belong together.
        plan_crc32c: u32,
        /// Version of the program.
        software: String,
        /// Its number among the scans of its folder, which only grows. Scans of earlier versions have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<u64>,
        /// Which of the rigs that share a folder made it, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rig: Option<String>,
        /// It shows the empty rig: what masks of later scans are made by.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reference: bool,
    },
    /// A try is about to be made.
    Attempted {
        /// The shot that is tried.
        shot: ShotIndex,
        /// Counted from 1 over the whole life of the scan.
        attempt: u32,
    },
    /// The try failed: no valid frame came.
    AttemptFailed {
        /// The shot that was tried.
        shot: ShotIndex,
        /// The number of the try, as `attempted` has it.
        attempt: u32,
        /// What recovery goes by.
        kind: ErrorKind,
        /// What the camera or its driver said, for people.
        message: String,
    },
    /// The image, and what else the shot has, is on disk, synced, under its name: the shot is done.
    Stored(Stored),
    /// All attempts of this pass failed.
    ShotFailed {
        /// What could not be taken.
        shot: ShotIndex,
        /// What the last attempt failed with, for people.
        reason: String,
    },
    /// A recovery found that the file of a stored shot is missing or damaged: it is pending again.
    Lost {
        /// What has to be taken again.
        shot: ShotIndex,
        /// What is wrong with its file, for people.
        reason: String,
    },
    /// A shot is taken again: it is pending, and its image, if it had one, is kept in `retaken/`.
    Retake {
        /// What is taken again.
        shot: ShotIndex,
        /// Who wants that: what the gate wants is counted, and limited.
        #[serde(default, skip_serializing_if = "RetakenFor::is_person")]
        by: RetakenFor,
    },
    /// The gate found something wrong with a stored image that had too few neighbours when it was stored. What is found at
    /// once is in `stored`.
    Flagged {
        /// The shot of which an image is stored.
        shot: ShotIndex,
        /// Whose image it is.
        attempt: u32,
        /// What the gate measured, with its findings.
        verdict: Verdict,
    },
    /// Points were added behind those of the plan: the scan is not complete without their shots, which have the indices behind
    /// the others.
    Extended {
        /// In the order in which they are visited.
        points: Vec<Point>,
        /// Who wants that: what nobody asked for is done once.
        #[serde(default, skip_serializing_if = "ExtendedBy::is_person")]
        by: ExtendedBy,
    },
    /// A person called it something: all that is said of it from now on.
    Described(Description),
    /// The scan stopped for a while.
    Paused {
        /// What stopped it, for people.
        reason: String,
        /// What it waits for.
        #[serde(default, skip_serializing_if = "WaitsFor::is_person")]
        waits_for: WaitsFor,
    },
    /// The scan goes on, in the same process or a later one.
    Resumed,
    /// The scan ended: nothing more is to be done without a person.
    Finished {
        /// Whether every shot is stored; else why not.
        outcome: Outcome,
    },
}

impl Record {
    /// The shot that it is of, if it is of one.
    pub fn shot(&self) -> Option<ShotIndex> {
        match self {
            Self::Attempted { shot, .. }
            | Self::AttemptFailed { shot, .. }
            | Self::Stored(Stored { shot, .. })
            | Self::ShotFailed { shot, .. }
            | Self::Lost { shot, .. }
            | Self::Retake { shot, .. }
            | Self::Flagged { shot, .. } => Some(*shot),
            Self::Opened { .. }
            | Self::Extended { .. }
            | Self::Described(_)
            | Self::Paused { .. }
            | Self::Resumed
            | Self::Finished { .. } => None,
        }
    }

    /// The points that are behind those of the plan from here on, if this record says that.
    pub fn added(&self) -> &[Point] {
        if let Self::Extended { points, .. } = self { points } else { &[] }
    }

    /// What a person calls the scan from here on, if this record says that.
    pub fn description(&self) -> Option<&Description> {
        match self {
            Self::Described(description) => Some(description),
            Self::Opened { .. }
            | Self::Attempted { .. }
            | Self::AttemptFailed { .. }
            | Self::Stored(_)
            | Self::ShotFailed { .. }
            | Self::Lost { .. }
            | Self::Retake { .. }
            | Self::Flagged { .. }
            | Self::Extended { .. }
            | Self::Paused { .. }
            | Self::Resumed
            | Self::Finished { .. } => None,
        }
    }
}

/// Who wants further points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtendedBy {
    /// Somebody who has looked at the scan.
    #[default]
    Person,
    /// What looks at scans that are complete, as `scan.extend = "auto"` wants it.
    Proposer,
}

impl ExtendedBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_person(&self) -> bool {
        *self == Self::Person
    }
}

/// Who wants a shot taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetakenFor {
    /// Somebody who has looked at the image.
    #[default]
    Person,
    /// The gate, which has said why.
    Gate,
    /// Nobody: the image of an earlier attempt is better, and gets its place back.
    Better,
}

impl RetakenFor {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_person(&self) -> bool {
        *self == Self::Person
    }
}

/// A shot that is on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// The shot that is done.
    pub shot: ShotIndex,
    /// The attempt that succeeded.
    pub attempt: u32,
    /// The image's path in the dataset: `images/cam0/r01_a017.jpg`.
    pub image: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC32C of the image's bytes, by which its file is known to be whole.
    pub crc32c: u32,
    /// Its other files: all of them are on disk, or the shot is not stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<RecordedFile>,
    /// What the camera and the measurement say of it.
    pub facts: FrameFacts,
}

impl Stored {
    /// All of its files, the image first.
    pub fn files(&self) -> impl Iterator<Item = RecordedFile> + use<'_> {
        let image = RecordedFile { path: self.image.clone(), bytes: self.bytes, crc32c: self.crc32c };
        std::iter::once(image).chain(self.beside.iter().cloned())
    }

    /// How long they are together.
    pub fn all_bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }
}

/// A file that is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedFile {
    /// Its path in the dataset: `raw/cam0/r01_a017.cr2`.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC32C of its bytes, by which it is known to be whole.
    pub crc32c: u32,
}

/// What is known of a stored frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameFacts {
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    pub taken_at: Timestamp,
    /// `CLOCK_MONOTONIC` in nanoseconds at the start of readout; of a camera that is triggered, when that was.
    pub sensor_timestamp_ns: u64,
    /// How long the shutter was open; 0 if the camera does not say.
    pub exposure: Seconds,
    /// Analogue gain, 1 and above; 0 if the camera does not say.
    pub gain: f64,
    /// White balance, if the camera says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<[f64; 2]>)]
    pub white_balance: Option<ColourGains>,
    /// Lens position, if the lens has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Dioptres>,
    /// How far `sensor_timestamp_ns` may be off, in microseconds, where it was taken by the clock of another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_uncertainty_us: Option<u64>,
    /// The sensor's frame counter.
    pub sequence: u64,
    /// Variance of the luma's Laplacian: higher is sharper.
    pub sharpness: f64,
    /// Fraction of pixels at black.
    pub clipped_dark: f64,
    /// Fraction of pixels at white.
    pub clipped_bright: f64,
    /// What can be compared with other images of the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Box<Measured>>,
    /// What the gate says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Box<Verdict>>,
}
