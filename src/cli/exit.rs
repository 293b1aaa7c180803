//! Exit codes: documented in `scanner --help`, the man page and docs/commands.md; they do not change their meaning.

use std::fmt::Display;
use std::process::ExitCode;

use crate::daemon::{ControlError, Reason, StartError};
use crate::dataset::{OpenError, SpaceError};
use crate::deliver::DeliveryError;
use crate::drop_in::StoreError;
use crate::export::ExportError;
use crate::hull::HullError;
use crate::mask::MaskError;
use crate::merge::MergeError;
use crate::report::ReportError;
use crate::scan::{End, Outcome};

/// How the program ended. 2 is a wrong command line (clap's own).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Done = 0,
    Failed = 1,
    Config = 3,
    Incomplete = 4,
    Paused = 5,
    Cancelled = 6,
    InUse = 7,
    Storage = 8,
    Invalid = 9,
    NotFound = 10,
    Camera = 11,
    Plan = 12,
}

/// The table for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
   0  done; a scan is complete
   1  failed for another reason
   2  wrong command line
   3  wrong configuration
   4  the scan ended with shots missing (failed or aborted); try them again with `scanner resume`
   5  the scan is paused; go on with `scanner resume`
   6  the scan was cancelled; it can still be resumed, unless it ended before it had begun
   7  the rig is in use, or a scan is already under way
   8  the disk is full, read-only, failing, or not there
   9  a dataset is damaged, or of a version that this program does not know
  10  what is named or needed is not there: a scan, a version, masks, a calibration; or no scan is under way, or no scanner is
      running
  11  a camera or its driver cannot be used
  12  the plan does not exist or cannot be reached by the axes";

/// An error on its way to the user.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: &dyn Display) -> Self {
        Self { exit, message: message.to_string() }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&End> for Exit {
    fn from(end: &End) -> Self {
        match end {
            End::Finished(Outcome::Complete) => Self::Done,
            End::Finished(Outcome::Incomplete | Outcome::Aborted) => Self::Incomplete,
            End::Finished(Outcome::Cancelled) => Self::Cancelled,
            End::Paused { .. } => Self::Paused,
        }
    }
}

impl From<Reason> for Exit {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::InUse => Self::InUse,
            Reason::Config => Self::Config,
            Reason::NotFound => Self::NotFound,
            Reason::Storage => Self::Storage,
            Reason::Invalid => Self::Invalid,
            Reason::Camera => Self::Camera,
            Reason::Plan => Self::Plan,
            Reason::Cancelled => Self::Cancelled,
            Reason::Paused => Self::Paused,
            Reason::Failed => Self::Failed,
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::new(Reason::from(&error).into(), &error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(Reason::from(&error).into(), &error)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let exit = match &error {
            ExportError::Open(error) => Reason::from(error).into(),
            ExportError::Empty(_) | ExportError::Exists(_) => Exit::Failed,
            ExportError::Image { .. } => Exit::Invalid,
            ExportError::Write { .. } | ExportError::Full { .. } => Exit::Storage,
            ExportError::GivenUp => Exit::Cancelled,
        };
        Self::new(exit, &error)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let exit = match &error {
            ReportError::Open(error) => Reason::from(error).into(),
            ReportError::Write { .. } => Exit::Storage,
        };
        Self::new(exit, &error)
    }
}

impl From<MaskError> for Failure {
    fn from(error: MaskError) -> Self {
        let exit = match &error {
            MaskError::Open(error) => Reason::from(error).into(),
            MaskError::NoReference(_) => Exit::NotFound,
            MaskError::EmptyRig(_) | MaskError::GivenUp => Exit::Failed,
            MaskError::Write { .. } => Exit::Storage,
        };
        Self::new(exit, &error)
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        let exit = match &error {
            MergeError::Open(error) => Reason::from(error).into(),
            MergeError::NoEnfuse | MergeError::NoStacks(_) => Exit::Failed,
            MergeError::Busy(_) => Exit::InUse,
            MergeError::GivenUp => Exit::Cancelled,
            MergeError::Write { .. } | MergeError::Full { .. } => Exit::Storage,
        };
        Self::new(exit, &error)
    }
}

impl From<HullError> for Failure {
    fn from(error: HullError) -> Self {
        let exit = match &error {
            HullError::Open(error) | HullError::Masks(MaskError::Open(error)) => Reason::from(error).into(),
            HullError::Masks(MaskError::NoReference(_)) | HullError::NoPoses(_) | HullError::NoMasks(_) => {
                Exit::NotFound
            }
            HullError::Masks(MaskError::Write { .. }) | HullError::Write { .. } => Exit::Storage,
            HullError::Masks(MaskError::EmptyRig(_) | MaskError::GivenUp)
            | HullError::Nothing(_)
            | HullError::GivenUp => Exit::Failed,
        };
        Self::new(exit, &error)
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        let exit = match &error {
            DeliveryError::Scan(error) => Reason::from(error).into(),
            DeliveryError::Busy(_) => Exit::InUse,
            DeliveryError::Folder { .. } => Exit::Storage,
            DeliveryError::NoProgram { .. }
            | DeliveryError::Program { .. }
            | DeliveryError::Ended(_)
            | DeliveryError::NoCopy(_)
            | DeliveryError::Silent { .. }
            | DeliveryError::Stopped
            | DeliveryError::Records { .. }
            | DeliveryError::Failed { .. } => Exit::Failed,
        };
        Self::new(exit, &error)
    }
}

impl From<SpaceError> for Failure {
    fn from(error: SpaceError) -> Self {
        Self::new(Exit::Storage, &error)
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let exit = match &error {
            ControlError::NotRunning { .. } => Exit::NotFound,
            ControlError::NoAnswer { .. } | ControlError::HungUp { .. } | ControlError::Io { .. } => {
                Exit::Failed
            }
        };
        Self::new(exit, &error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Config(_)
            | StoreError::Unfit(_)
            | StoreError::Edit(_)
            | StoreError::TooLong { .. } => Exit::Config,
            StoreError::Conflict | StoreError::Busy => Exit::InUse,
            StoreError::NoVersion(_) => Exit::NotFound,
            StoreError::Versions { .. } | StoreError::Io { .. } => Exit::Failed,
        };
        Self::new(exit, &error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, &error)
    }
}
