//! The gate before the dataset: what is stored has its verdict with it.

use std::collections::BTreeSet;

use tracing::warn;

use crate::dataset::Dataset;
use crate::frame::{File, Store, StoreRefused};
use crate::plan::ShotIndex;
use crate::scan::{FrameFacts, Gate, Late, Stored};

use super::at_disk::AtDisk;

/// A dataset whose images are judged before they are stored.
pub(super) struct Gated {
    pub(super) dataset: Dataset,
    pub(super) gate: Gate,
    pub(super) at_disk: AtDisk,
    /// Is told what is found of images that are stored already.
    pub(super) found: Box<dyn FnMut(Late) + Send>,
    /// Cameras that it was said of that the reference has other settings.
    pub(super) told: BTreeSet<u16>,
}

impl Gated {
    /// Says once of a camera that its images cannot be compared with those of the empty rig.
    fn tell_of_other_settings(&mut self, shot: ShotIndex, facts: &FrameFacts) {
        if let Some(camera) = self.gate.other_settings(shot, facts)
            && self.told.insert(camera.0)
        {
            let plan = self.dataset.plan();
            let camera = &plan.camera(camera).name;
            warn!(
                "the gate compares whole images of {camera}: the reference scan was exposed otherwise; \
                 scan the empty rig again with the settings of now (scanner reference)"
            );
        }
    }
}

impl Store for Gated {
    fn store(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        files: &[File<'_>],
        facts: FrameFacts,
    ) -> Result<Stored, StoreRefused> {
        let _errand = self.at_disk.begin();
        // Points may have been added since the last image.
        self.gate.follow(&self.dataset.plan());
        self.tell_of_other_settings(shot, &facts);
        let facts = FrameFacts { verdict: self.gate.judge(shot, &facts).map(Box::new), ..facts };
        let stored = Store::store(&mut self.dataset, shot, attempt, files, facts)?;
        for late in self.gate.add(&stored) {
            (self.found)(late);
        }
        Ok(stored)
    }

    fn thumbnail(&mut self, shot: ShotIndex, jpeg: &[u8]) {
        Store::thumbnail(&mut self.dataset, shot, jpeg);
    }
}
