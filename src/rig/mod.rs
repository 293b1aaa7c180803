//! The rig: what the daemon drives, behind types that do not know of scans.

pub mod camera;
