//! What those who look after the machine are told of.

use crate::api::events::hub::Events;
use crate::api::live::state::Live;
use crate::api::rig::state::Rig;

/// The machine and all that runs on it.
#[derive(Clone)]
pub(in crate::api) struct Operation {
    pub(in crate::api) rig: Rig,
    pub(in crate::api) events: Events,
    pub(in crate::api) live: Live,
}
