//! The rig measures itself: what was measured, and measuring anew.

pub(super) mod kept;
pub(super) mod measuring;
pub(super) mod state;
