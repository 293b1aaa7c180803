//! Plans, scans and their files.

pub(super) mod archive;
mod checksums;
pub(super) mod describe;
pub(super) mod exports;
pub(super) mod extend;
mod index;
pub(super) mod masks;
pub(super) mod model;
mod packed;
pub(super) mod plans;
pub(super) mod poses;
pub(super) mod references;
pub(super) mod report;
pub(super) mod routes;
pub(super) mod shots;
pub(super) mod state;
mod summary;
pub(super) mod workshop;
