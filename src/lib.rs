//! A 3D-scanner service: no scan is lost, and none lies.
//!
//! ```text
//! scanner-pixels, scanner-hull -> ownership -> units, schedule, clock, procfs, file_lock, durable, regular_file, file_name, threads, trust -> model -> motion -> config -> drop_in -> plan -> camera_driver -> rig -> sim -> scan -> frame -> dataset -> mask, merge -> calibration, hull, tune
//!   -> event, export, report, setup -> logging -> nodes, notify, deliver, workshop -> run -> daemon -> systemd, doctor, client -> api, mqtt -> cli
//! ```
//! Read downward only: nothing imports what stands to its right.

pub mod api;
pub mod calibration;
pub mod camera_driver;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod dataset;
pub mod deliver;
pub mod doctor;
pub mod drop_in;
pub mod durable;
pub mod event;
pub mod export;
pub mod file_lock;
pub mod file_name;
pub mod frame;
pub mod hull;
pub mod logging;
pub mod mask;
pub mod merge;
pub mod model;
pub mod motion;
pub mod mqtt;
pub mod nodes;
pub mod notify;
pub mod ownership;
pub mod plan;
pub mod procfs;
pub mod regular_file;
pub mod report;
pub mod rig;
pub mod run;
pub mod scan;
pub mod schedule;
pub mod setup;
pub mod sim;
pub mod systemd;
pub mod threads;
pub mod trust;
pub mod tune;
pub mod units;
pub mod workshop;
