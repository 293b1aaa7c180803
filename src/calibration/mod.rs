//! The rig measures itself with its own cameras: what was measured, how it is kept, and what is made of it.
//!
//! A calibration is a scan (`points.rs`) of the printed board on the turntable, with the ring of marks along its edge. The program
//! `scanner-marks` (`program.rs`) finds the corners of both in the images and solves for the rig (`solve.rs`); what comes out is a
//! [`Calibration`] (`record.rs`), kept with those before it (`history.rs`), compared with the last one (`compare.rs`), and put into
//! the plans of scans to come (`apply.rs`). So each dataset carries the geometry that it was taken with.
//!
//! As long as the ring lies on the table, each image of such a scan tells whether table and camera are where they should be
//! (`watch.rs`): what it says is kept in the dataset (`sightings.rs`).

mod apply;
mod compare;
mod error;
mod history;
mod picture;
mod points;
mod program;
mod record;
mod sightings;
mod solve;
mod watch;

pub use apply::{Unfit, apply};
pub use compare::{Change, changes};
pub use error::CalibrationError;
pub use history::{History, Kept};
pub use picture::picture;
pub use points::{HEIGHTS, points};
pub use program::Marks;
pub use record::{
    CalibratedCamera, CalibratedLens, Calibration, Deviations, LyingMark, LyingRing, RigGeometry, Targets,
};
pub use sightings::{FILE as SIGHTINGS, Sighting, Sightings, Verdict, append};
pub use solve::{Seen, find, solve};
pub use watch::{News, Watch, fitting};

#[cfg(test)]
mod tests;
