//! What a camera is doing, for the API, the log and the scan's driver.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::error::CameraError;
use super::process::Evidence;
use crate::camera_driver::protocol::{Condition, ErrorKind};
use crate::config::Rung;
use crate::plan::ShotIndex;

/// What a camera is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schema(as = CameraState)]
pub enum State {
    /// No driver runs for it.
    #[default]
    Closed,
    /// A driver is being started.
    Opening,
    /// Frames can be had.
    Streaming {
        /// Process id of the driver.
        pid: i32,
        /// Number of the running start.
        epoch: u64,
    },
    /// An attempt is under way.
    Capturing {
        /// The shot that the attempt is for.
        shot: ShotIndex,
        /// When the attempt began.
        #[schema(value_type = String, format = DateTime)]
        since: Timestamp,
    },
    /// A rung is under way.
    Recovering {
        /// Which rung it is.
        rung: Rung,
    },
    /// The driver is being ended.
    Closing,
    /// The driver cannot be ended: a reboot is needed.
    Wedged {
        /// Process id of the driver.
        pid: i32,
        /// What `/proc` says of its threads.
        evidence: Evidence,
    },
    /// Out of order until a rung helps, or it is closed and opened again.
    Failed {
        /// What went wrong, and what to do.
        error: CameraError,
    },
}

/// What happened to a camera since the program started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
#[schema(as = CameraCounters)]
pub struct Counters {
    /// Attempts that gave a frame.
    pub captured: u64,
    /// Attempts that failed, by kind.
    #[schema(value_type = HashMap<String, u64>)]
    pub failed: HashMap<ErrorKind, u64>,
    /// Attempts given up by who asked for them.
    pub given_up: u64,
    /// Frames dropped because they belonged to an earlier epoch or to an attempt that was over.
    pub late: u64,
    /// Packets that were not messages.
    pub garbage: u64,
    /// Live frames that whoever looked was shown.
    pub live: u64,
    /// Restarts that were begun.
    pub restarts: u64,
    /// Respawns that were begun.
    pub respawns: u64,
    /// Rungs that reset the camera's port.
    pub resets: u64,
}

/// Who has a camera's lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LeaseHolder {
    /// As given to `lease`.
    pub name: String,
    /// Since when it has it.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// A camera at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CameraStatus {
    /// Its name in the configuration.
    pub camera: String,
    /// What it is doing.
    pub state: State,
    /// What happened to it so far.
    pub counters: Counters,
    /// Who has its lease.
    pub holder: Option<LeaseHolder>,
    /// Its battery, card and lens, as its driver said last; none of a camera that does not say.
    pub condition: Option<Condition>,
}
