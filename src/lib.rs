//! A 3D-scanner service: no scan is lost, and none lies.
//!
//! ```text
//! units, schedule -> protocol -> config, motion, plan -> rig -> scan -> frame -> dataset -> event -> run -> daemon -> systemd, doctor, api, client -> cli
//!                                              \-> camera_driver (process)
//! ```
//! Read downward only: nothing imports what stands to its right. `config`, `motion` and `plan` stand side by
//! side and share their plain types; `protocol` is [`camera_driver::protocol`], which both ends of a camera
//! speak.

pub mod api;
pub mod camera_driver;
pub mod cli;
pub mod client;
pub mod config;
pub mod daemon;
pub mod dataset;
pub mod doctor;
pub mod event;
pub mod frame;
pub mod logging;
pub mod motion;
pub mod plan;
pub mod rig;
pub mod run;
pub mod scan;
pub mod schedule;
pub mod systemd;
pub mod units;
