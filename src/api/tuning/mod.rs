//! How the axes swing: what was found, and finding it anew.

pub(super) mod found;
pub(super) mod measuring;
