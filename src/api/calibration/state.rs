//! The rig, and where what it has measured of itself is kept.

use crate::api::rig::state::Rig;
use crate::calibration::History;

/// The rig's calibrations.
#[derive(Clone)]
pub(in crate::api) struct Calibrations {
    pub(in crate::api) rig: Rig,
    pub(in crate::api) history: History,
}

impl Calibrations {
    pub(in crate::api) fn new(rig: Rig) -> Self {
        let history = History::of(&rig.config().storage.state_directory);
        Self { rig, history }
    }
}
