//! For those who look after the machine.

pub(super) mod health;
pub(super) mod metrics;
pub(super) mod nodes;
pub(super) mod routes;
pub(super) mod state;
