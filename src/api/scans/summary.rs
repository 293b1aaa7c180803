//! A scan at a glance.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::daemon::{ScanDelivery, Whereabouts};
use crate::dataset::{self, Counts, Listed, ShutterSpread};
use crate::scan::{Description, ScanState};

/// A scan at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct ScanSummary {
    /// Its id, which is the name of its folder.
    id: String,
    /// Whether a process writes to it. One that is running and not in use was interrupted, and can be resumed.
    in_use: bool,
    /// What a person calls it, if anybody said.
    name: Option<String>,
    /// What else is to be known of it.
    note: Option<String>,
    /// Words by which it is found.
    tags: Vec<String>,
    /// What it was called when it began, if its folder has been renamed since.
    began_as: Option<String>,
    /// What it says of itself; none of a damaged one.
    scan: Option<ScanFacts>,
    /// Why nothing can be said of it.
    damage: Option<String>,
    /// Where it is brought once it has ended, each `[[deliver]]` that wants it, and whether it is there.
    deliveries: Vec<ScanDelivery>,
}

/// What a scan says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct ScanFacts {
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When its state last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// Whether it goes on, waits, or has ended and how.
    state: ScanState,
    /// How many shots stand how.
    shots: Counts,
    /// The names of its cameras, in the order of the plan.
    cameras: Vec<String>,
    /// Whether it shows the empty rig, so that masks of other scans are made by it.
    reference: bool,
    /// How far apart in time the images of a point were taken; null with one camera.
    shutter_spread: Option<ShutterSpread>,
}

impl ScanSummary {
    /// Of what was found of a scan, and where it is.
    pub(in crate::api) fn of(listed: Listed, whereabouts: &Whereabouts<'_>) -> Self {
        let deliveries = whereabouts.of(&listed);
        let (description, scan, damage) = match listed.scan {
            Ok(manifest) => (manifest.description.clone(), Some(ScanFacts::from(manifest)), None),
            Err(damaged) => (Description::default(), None, Some(damaged.reason)),
        };
        let Description { name, note, tags } = description;
        let Listed { id, in_use, began_as, .. } = listed;
        Self { id: id.to_string(), in_use, began_as, name, note, tags, scan, damage, deliveries }
    }
}

impl From<dataset::Manifest> for ScanFacts {
    fn from(manifest: dataset::Manifest) -> Self {
        let dataset::Manifest { created, updated, state, shots, cameras, reference, shutter_spread, .. } =
            manifest;
        Self { created, updated, state, shots, cameras, reference, shutter_spread }
    }
}
