//! Who looks at a scan that is complete and knows where to look once more.

use std::path::Path;

use crate::dataset::Contents;
use crate::hull::{self, HullError};
use crate::model::AxisConfig;
use crate::plan::NewPoint;

/// Proposes points for a scan, such as where too little of the surface was seen. Asked on a thread of its own, with the rig at
/// rest and taken; what it proposes is checked as what a person wants.
pub trait Proposer: Send + Sync {
    /// Points that would show more of what the scan in the folder `dir` shows; none if it shows enough.
    ///
    /// # Errors
    /// Why nothing can be said, for people. The scan stays as it is.
    fn propose(&self, dir: &Path, scan: &Contents) -> Result<Vec<NewPoint>, String>;
}

/// Proposes points by the model of the object: where its surface was seen too little.
#[derive(Debug, Clone)]
pub struct ByModel {
    /// What the points have to be within reach of.
    pub axes: Vec<AxisConfig>,
}

impl Proposer for ByModel {
    fn propose(&self, dir: &Path, _scan: &Contents) -> Result<Vec<NewPoint>, String> {
        match hull::propose(dir, &self.axes, &|_, _| true) {
            Ok(proposal) => Ok(proposal.points),
            // Without masks or poses there is no model, and nothing to be said.
            Err(HullError::NoMasks(_) | HullError::NoPoses(_)) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        }
    }
}
