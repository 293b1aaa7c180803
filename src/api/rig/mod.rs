//! The rig itself: its axes, its cameras, its lights.

pub(super) mod cameras;
pub(super) mod routes;
pub(super) mod state;
