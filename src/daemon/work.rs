//! What can be asked of the rig: which scan.

use crate::config::NamedPlan;
use crate::dataset::ScanId;
use crate::scan::Description;
use crate::units::Dioptres;

/// What is to be scanned.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A new scan of this plan.
    New {
        /// The plan that it follows.
        plan: PlanChoice,
        /// Its id; by date and time without one.
        id: Option<ScanId>,
        /// What a person calls it.
        description: Description,
    },
    /// A new scan of the empty rig, by which masks of later ones are made.
    Reference {
        /// The plan that it follows: that of the scans to come.
        plan: PlanChoice,
        /// Its id; by date and time without one.
        id: Option<ScanId>,
        /// What a person calls it.
        description: Description,
    },
    /// An earlier scan, from where it stands.
    Resume {
        /// The id of the scan.
        scan: ScanId,
    },
    /// What the start button means: the newest scan, if it was paused or interrupted; else a new one of the
    /// first plan.
    Next,
}

/// Which plan a new scan follows.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PlanChoice {
    /// The first one of the configuration.
    #[default]
    First,
    /// The one of this name in the configuration.
    Named(String),
    /// This one, which is in no configuration.
    Inline(Box<NamedPlan>),
    /// Around the calibration board.
    Calibration {
        /// Lens positions at each point; as configured if there are none.
        focus: Vec<Dioptres>,
    },
}

impl From<Option<String>> for PlanChoice {
    fn from(name: Option<String>) -> Self {
        name.map_or(Self::First, Self::Named)
    }
}
