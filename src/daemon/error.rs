//! Why a scan cannot begin.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::dataset::{OpenError, ParseScanIdError, ScanId, SpaceError};
use crate::plan::PlanError;
use crate::rig::axes::MotionError;
use crate::rig::camera::{Busy, CameraError};
use crate::rig::gpio::{OpenError as PinsError, PinError, UartError};
use crate::rig::lights::LightsError;
use crate::rig::panel::Button;
use crate::scan::OtherPlan;

use super::storage::StorageError;

/// Why a scan cannot begin. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process works with this rig.
    #[error(
        "the rig is in use by process {pid} ({name}): ask that one (`scanner status`), or end it first (lock {})",
        lock.display()
    )]
    RigInUse {
        /// Its process id, or `unknown`.
        pid: String,
        /// What it is called, for people.
        name: String,
        /// The lock it holds.
        lock: PathBuf,
    },
    /// A scan is under way in this process.
    #[error("scan {scan} is under way on this rig: wait for it, or end it with `scanner cancel`")]
    ScanUnderWay {
        /// The scan that has the rig, or `(starting)`.
        scan: String,
    },
    /// Somebody in the network has it find out how its axes swing.
    #[error("the rig is being tuned: wait for its end, or end it with `scanner cancel`")]
    BeingTuned,
    /// The pins of the rig are this process' own.
    #[error(
        "the service itself has the pins of this rig, so they cannot be tried here: sudo systemctl stop scanner, and then \
         scanner setup --try"
    )]
    PinsTaken,
    /// What was said of the simulated turntable's slips.
    #[error("SCANNER_SIM_SLIPS is {told:?}: write moves and degrees, as in 17:1.8,40:-0.5")]
    Slips {
        /// What was said.
        told: String,
    },
    /// What was said of the simulated object's weight.
    #[error(
        "SCANNER_SIM_HEAVIER is {told:?}: write by what true frequencies are multiplied, 0.01 to 100, as in 0.8, and from which move \
         on, as in 5:0.8"
    )]
    Heavier {
        /// What was said.
        told: String,
    },
    /// A file or folder of the running program.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The file or folder that it was tried on.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No plan of that name.
    #[error("there is no plan {name:?} in the configuration: it has {known}")]
    UnknownPlan {
        /// What was asked for.
        name: String,
        /// The names of the plans that there are.
        known: String,
    },
    /// No scan of that id.
    #[error("there is no scan {id} in {}: `scanner dataset list` shows them", directory.display())]
    UnknownScan {
        /// What was asked for.
        id: ScanId,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// Not an id at all.
    #[error(transparent)]
    ScanId(#[from] ParseScanIdError),
    /// The scan was made on another rig.
    #[error(
        "scan {id} was made with the cameras {planned}; this rig has {present}: resume it with the configuration it was started with"
    )]
    OtherRig {
        /// The scan that was to go on.
        id: ScanId,
        /// The cameras of its plan, for people.
        planned: String,
        /// The cameras that the rig has now, for people.
        present: String,
    },
    /// Nobody has said where axes stand since the program started.
    #[error(
        "scan {id} does not go on yet: an axis that is put by hand may have been turned since, and its images would \
         lie; turn {places}, and say so: `scanner home {axes}` while a scanner runs, then resume it; or without one: \
         `scanner resume {id} --homed`"
    )]
    Assumed {
        /// The scan that was to go on.
        id: ScanId,
        /// What to turn where, for people.
        places: String,
        /// The axes that are put by hand, as `scanner home` takes them.
        axes: String,
    },
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// One of the configuration cannot.
    #[error("the plan {plan:?} cannot be carried out: {source}")]
    PlanOf {
        /// Its name.
        plan: String,
        /// Why not.
        source: PlanError,
    },
    /// The disk of the scans is not there.
    #[error("{}; {}", .0, .0.remedy())]
    Storage(#[from] StorageError),
    /// The disk has no room, or cannot be written.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The dataset cannot be created or read.
    #[error(transparent)]
    Dataset(#[from] OpenError),
    /// Journal and plan do not belong together.
    #[error(transparent)]
    Journal(#[from] OtherPlan),
    /// A camera does not start.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// A camera is taken.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A pin cannot be used.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The driver of a motor cannot be used.
    #[error(transparent)]
    Uart(#[from] UartError),
    /// The axes do not move.
    #[error(transparent)]
    Motion(#[from] MotionError),
    /// The lights do not switch.
    #[error(transparent)]
    Lights(#[from] LightsError),
    /// The encoder or its threads do not start.
    #[error("cannot start the threads that encode and store images: {0}")]
    Pipeline(#[source] io::Error),
    /// Somebody wanted it to stop before it began.
    #[error("the scan was not begun ({reason}): nothing is left behind")]
    NotBegun {
        /// Who wanted it to stop, or why.
        reason: String,
    },
    /// Somebody wanted it to stop before it went on.
    #[error(
        "scan {scan} was not resumed ({reason}); nothing of it is lost; go on with: scanner resume {scan}"
    )]
    NotResumed {
        /// The scan, which is as it was.
        scan: ScanId,
        /// Who wanted it to stop, or why.
        reason: String,
    },
    /// It is not the time for that.
    #[error("it is outside the hours of [schedule]: cameras are closed {until}")]
    OutOfHours {
        /// Until when, for people.
        until: String,
    },
    /// The program is about to end.
    #[error("this scanner is about to end and begins no more scans: start it again first")]
    Closed,
    /// A defect of this program.
    #[error("a part of the program ended unexpectedly, which is a defect: {0}")]
    Defect(String),
}

/// Why something was refused, as programs read it; each has an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rig, a camera or a dataset is taken, or a scan is under way.
    InUse,
    /// The configuration is not that of the scan.
    Config,
    /// There is no such scan, or nothing is under way.
    NotFound,
    /// The disk is full, read-only, failing, or not there.
    Storage,
    /// The dataset is damaged, or of a version that this program does not know.
    Invalid,
    /// A camera or its driver cannot be used.
    Camera,
    /// The plan does not exist, or cannot be carried out.
    Plan,
    /// Somebody cancelled it before it had begun.
    Cancelled,
    /// Somebody paused it before it had begun.
    Paused,
    /// Anything else, such as a defect of the program.
    Failed,
}

impl From<&StartError> for Reason {
    fn from(error: &StartError) -> Self {
        match error {
            StartError::RigInUse { .. }
            | StartError::ScanUnderWay { .. }
            | StartError::BeingTuned
            | StartError::PinsTaken
            | StartError::Busy(_) => Self::InUse,
            StartError::UnknownPlan { .. } | StartError::Plan(_) | StartError::PlanOf { .. } => Self::Plan,
            StartError::UnknownScan { .. } | StartError::ScanId(_) => Self::NotFound,
            StartError::OtherRig { .. } | StartError::Slips { .. } | StartError::Heavier { .. } => {
                Self::Config
            }
            StartError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Self::Failed,
            StartError::Space(_) | StartError::Storage(_) | StartError::Io { .. } => Self::Storage,
            StartError::Dataset(error) => error.into(),
            StartError::Journal(_) => Self::Invalid,
            StartError::Camera(_) => Self::Camera,
            StartError::NotBegun { .. } => Self::Cancelled,
            StartError::NotResumed { .. } => Self::Paused,
            StartError::Pin(_)
            | StartError::Uart(_)
            | StartError::Motion(_)
            | StartError::Assumed { .. }
            | StartError::Lights(_)
            | StartError::Pipeline(_)
            | StartError::Closed
            | StartError::OutOfHours { .. }
            | StartError::Defect(_) => Self::Failed,
        }
    }
}

impl From<PinsError> for StartError {
    fn from(error: PinsError) -> Self {
        match error {
            PinsError::Pin(error) => Self::Pin(error),
            PinsError::Uart(error) => Self::Uart(error),
            PinsError::Notes { path, source } => {
                Self::Io { action: "note where the axes stand in", path, source }
            }
            PinsError::Thread(error) => Self::Defect(format!("no thread can be started: {error}")),
        }
    }
}

impl From<&OpenError> for Reason {
    fn from(error: &OpenError) -> Self {
        match error {
            // It was looked at, and is not what a scan has: a pipe, say, in the place of its journal.
            OpenError::Disk(error) if error.source.kind() == io::ErrorKind::InvalidData => Self::Invalid,
            OpenError::Disk(_) | OpenError::Store(_) => Self::Storage,
            OpenError::NotFound(_) | OpenError::Id(_) => Self::NotFound,
            OpenError::InUse(_) | OpenError::Owned { .. } => Self::InUse,
            OpenError::Exists { .. } | OpenError::GivenUp(_) => Self::Failed,
            OpenError::Name { .. } => Self::Plan,
            OpenError::Format { .. }
            | OpenError::UnknownRecord { .. }
            | OpenError::NoOpening { .. }
            | OpenError::Plan { .. } => Self::Invalid,
        }
    }
}

impl StartError {
    /// Whether a person wanted it so.
    pub(super) const fn is_a_wish(&self) -> bool {
        matches!(self, Self::NotBegun { .. } | Self::NotResumed { .. })
    }
}

/// Why a press of a button has no effect.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// There is nothing to press.
    #[error(
        "this rig has no panel whose buttons can be pressed: set [panel] backend = \"sim\", or use `scanner start` and `scanner pause`"
    )]
    NoPanel,
    /// There are no simulated pins.
    #[error("the pins of this rig are not simulated: their levels come from what is wired to them")]
    NoSimulatedPins,
    /// The simulated pin of the button cannot be set.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// Nobody took up the earlier presses.
    #[error("the press of {button} was not heard: too many earlier ones are waiting")]
    NotHeard {
        /// The button that was pressed.
        button: Button,
    },
}
