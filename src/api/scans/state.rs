//! Where scans are, and what is remembered of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::rig::state::Rig;
use crate::api::transport::problem::{Answer, Problem};
use crate::daemon::{Whereabouts, find_scan};
use crate::dataset::{self, OpenError, ScanId};

use super::checksums::Checksums;
use super::index::Index;
use super::summary::ScanSummary;

/// Scans on the disk.
#[derive(Clone)]
pub(in crate::api) struct Scans {
    pub(in crate::api) rig: Rig,
    pub(in crate::api) index: Arc<Index>,
    pub(in crate::api) checksums: Arc<Checksums>,
}

impl Scans {
    pub(in crate::api) fn new(rig: Rig) -> Self {
        let index = Arc::new(Index::new(&rig.config().storage.directory));
        Self { rig, index, checksums: Arc::default() }
    }

    /// The folder of the scan of this id, which exists.
    pub(in crate::api) fn folder_of(&self, id: &str) -> Answer<PathBuf> {
        let id: ScanId = id.parse().map_err(Problem::not_found)?;
        Ok(find_scan(self.rig.config(), &id)?)
    }

    /// The scan in this folder, at a glance.
    pub(in crate::api) fn summary_of(&self, dir: &Path) -> Result<ScanSummary, OpenError> {
        Ok(ScanSummary::of(dataset::show(dir)?, &Whereabouts::now(self.rig.config())))
    }
}
