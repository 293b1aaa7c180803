//! What is kept about who may come in.

use std::sync::Arc;

use crate::api::rig::state::Rig;

use super::attempts::Attempts;
use super::hosts::Hosts;

/// Who may come in.
#[derive(Clone)]
pub(in crate::api) struct Access {
    pub(in crate::api) rig: Rig,
    pub(in crate::api) hosts: Arc<Hosts>,
    pub(in crate::api) attempts: Arc<Attempts>,
    pub(in crate::api) pairings: Arc<Attempts>,
}

impl Access {
    pub(in crate::api) fn new(rig: Rig) -> Self {
        let hosts = Arc::new(Hosts::new(&rig.config().api.hosts));
        Self { rig, hosts, attempts: Arc::default(), pairings: Arc::new(Attempts::of_each()) }
    }
}
