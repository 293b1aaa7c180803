//! A 3D-scanner service: no scan is lost, and none lies.
//!
//! ```text
//! units -> config -> rig -> plan -> scan -> frame -> dataset -> event -> cli
//!              \-> camera_driver (process)
//! ```
//! Read downward only: nothing imports what stands to its right.

pub mod camera_driver;
pub mod config;
pub mod motion;
pub mod plan;
pub mod rig;
pub mod scan;
pub mod units;
