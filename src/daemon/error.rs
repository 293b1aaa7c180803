//! Why a scan cannot begin.

use std::io;
use std::path::PathBuf;

use crate::dataset::{OpenError, ParseScanIdError, ScanId, SpaceError};
use crate::plan::PlanError;
use crate::rig::camera::{Busy, CameraError};
use crate::rig::lights::LightsError;
use crate::scan::UnknownShot;

/// Why a scan cannot begin. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process works with this rig.
    #[error(
        "the rig is in use by process {pid} ({name}): ask that one (`scanner status`), or end it first (lock {})",
        lock.display()
    )]
    RigInUse {
        /// Which process.
        pid: String,
        /// What it is.
        name: String,
        /// The lock it holds.
        lock: PathBuf,
    },
    /// A scan is under way in this process.
    #[error("scan {scan} is under way on this rig: wait for it, or end it with `scanner cancel`")]
    ScanUnderWay {
        /// Which scan.
        scan: String,
    },
    /// A file or folder of the running program.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No plan of that name.
    #[error("there is no plan {name:?} in the configuration: it has {known}")]
    UnknownPlan {
        /// What was asked for.
        name: String,
        /// What there is.
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
        /// Which scan.
        id: ScanId,
        /// Its cameras.
        planned: String,
        /// The rig's.
        present: String,
    },
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The disk has no room, or cannot be written.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The dataset cannot be created or read.
    #[error(transparent)]
    Dataset(#[from] OpenError),
    /// Journal and plan do not belong together.
    #[error(transparent)]
    Journal(#[from] UnknownShot),
    /// A camera does not start.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// A camera is taken.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The lights do not switch.
    #[error(transparent)]
    Lights(#[from] LightsError),
    /// The encoder or its threads do not start.
    #[error("cannot start encoding: {0}")]
    Pipeline(String),
}
