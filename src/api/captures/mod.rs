//! Photographs between scans: taken, kept, and sent.

pub(super) mod routes;
pub(super) mod state;
pub(super) mod status;
