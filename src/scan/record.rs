//! What a scan's journal says: intent and acknowledgement, one record a line.
//!
//! The records are all that a resumed scan knows of its past: the state after a crash is the plan with its
//! records applied in order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::camera_driver::protocol::{ColourGains, ErrorKind};
use crate::plan::ShotIndex;
use crate::units::{Dioptres, Seconds};

/// Something that happened to a scan, in the order in which it became true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The first record: the scan exists, with the plan whose file has this checksum.
    Opened {
        /// The scan's id.
        scan: String,
        /// CRC32C of `plan.json`.
        plan_crc32c: u32,
        /// Version of the program.
        software: String,
    },
    /// A try is about to be made.
    Attempted {
        /// What is tried.
        shot: ShotIndex,
        /// Counted from 1 over the whole life of the scan.
        attempt: u32,
    },
    /// The try failed.
    AttemptFailed {
        /// What was tried.
        shot: ShotIndex,
        /// As in `attempted`.
        attempt: u32,
        /// What recovery goes by.
        kind: ErrorKind,
        /// For people.
        message: String,
    },
    /// The image is on disk, synced, under its name: the shot is done.
    Stored(Stored),
    /// All attempts of this pass failed.
    ShotFailed {
        /// What could not be taken.
        shot: ShotIndex,
        /// For people.
        reason: String,
    },
    /// A recovery found that the file of a stored shot is missing or damaged: it is pending again.
    Lost {
        /// What has to be taken again.
        shot: ShotIndex,
        /// For people.
        reason: String,
    },
    /// A person wants a shot taken again: it is pending, and its image, if it had one, is kept in `retaken/`.
    Retake {
        /// What is taken again.
        shot: ShotIndex,
    },
    /// The scan stopped for a while.
    Paused {
        /// For people.
        reason: String,
    },
    /// The scan goes on, in the same process or a later one.
    Resumed,
    /// The scan ended.
    Finished {
        /// How.
        outcome: Outcome,
    },
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every planned shot is stored.
    Complete,
    /// Every planned shot was tried; some failed.
    Incomplete,
    /// A person ended it.
    Cancelled,
    /// A failed shot ended it, as the configuration says.
    Aborted,
}

impl Outcome {
    /// As in the log and the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
        }
    }
}

/// A shot that is on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Which shot.
    pub shot: ShotIndex,
    /// The attempt that succeeded.
    pub attempt: u32,
    /// The image's path in the dataset: `images/cam0/r01_a017.jpg`.
    pub image: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its CRC32C.
    pub crc32c: u32,
    /// What the camera and the measurement say of it.
    pub facts: FrameFacts,
}

/// What is known of a stored frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameFacts {
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    pub taken_at: Timestamp,
    /// `CLOCK_MONOTONIC` in nanoseconds at the start of readout.
    pub sensor_timestamp_ns: u64,
    /// Exposure time.
    pub exposure: Seconds,
    /// Analogue gain.
    pub gain: f64,
    /// White balance, if the camera says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<[f64; 2]>)]
    pub white_balance: Option<ColourGains>,
    /// Lens position, if the lens has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Dioptres>,
    /// The sensor's frame counter.
    pub sequence: u64,
    /// Variance of the luma's Laplacian: higher is sharper.
    pub sharpness: f64,
    /// Fraction of pixels at black.
    pub clipped_dark: f64,
    /// Fraction of pixels at white.
    pub clipped_bright: f64,
}
