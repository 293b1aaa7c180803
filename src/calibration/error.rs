//! What keeps a rig from being calibrated.

use std::io;
use std::path::PathBuf;

use crate::dataset::OpenError;

/// What keeps a rig from being calibrated.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The program that finds marks is not there.
    #[error(
        "the program scanner-marks is missing: it comes with the package scanner; without a package, `make marks` builds it ({0})"
    )]
    NoProgram(String),
    /// It cannot be started, or spoken to.
    #[error("cannot {action} scanner-marks ({}): {source}", program.display())]
    Program {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// Where the program is.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It does not answer.
    #[error(
        "scanner-marks has not answered for {seconds} s ({what}): it was ended; try again, and report it if it happens again"
    )]
    Silent {
        /// For how long.
        seconds: u64,
        /// What it was asked.
        what: String,
    },
    /// It has ended.
    #[error("scanner-marks has ended by itself ({what}): its last words are in the log")]
    Ended {
        /// What it was asked.
        what: String,
    },
    /// Its answer is none.
    #[error(
        "scanner-marks answers what this version does not understand ({what}): install both from one package: {source}"
    )]
    Answer {
        /// What it was asked.
        what: String,
        /// Where it is not understood.
        source: serde_json::Error,
    },
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// The scan cannot be read.
    #[error(transparent)]
    Dataset(#[from] OpenError),
    /// Nothing to begin with.
    #[error(
        "{camera} has no {what} in the configuration, and a calibration begins with what is known: write about what it is; it is \
         off by a tenth at most if you measure with a ruler"
    )]
    Unknown {
        /// The camera.
        camera: String,
        /// What of it.
        what: &'static str,
    },
    /// No image shows the board.
    #[error(
        "none of the {images} images shows enough of the board: it has to stand on the turntable, lit, its printed side to the \
         cameras, and be printed with {squares} (scanner board)"
    )]
    NothingSeen {
        /// How many images were looked at.
        images: usize,
        /// The board that was looked for.
        squares: String,
    },
    /// A file of calibrations.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is in a file is no calibration.
    #[error("{} is no calibration that this version reads ({reason}): calibrate again, or put the file away", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Somebody gave it up.
    #[error("given up before the end: nothing has changed")]
    GivenUp,
}
