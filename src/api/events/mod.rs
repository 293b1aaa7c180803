//! What happens, and how the rig stands.

mod history;
pub(super) mod hub;
pub(super) mod metrics;
pub(super) mod routes;
pub(super) mod status;
