//! `scan.json`: the scan at a glance, for people and other programs.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::{Plan, PlanCamera};
use crate::scan::{Description, ScanState};

use super::disk::{self, Disk};
use super::error::{Context, DiskError};
use super::layout::MANIFEST;
use super::open::{self, Unread};
use super::opening::Opening;
use super::past::Past;
use super::{Counts, FORMAT, ONE_FILE_FORMAT, OpenError, SEVERAL_FILES_FORMAT, ScanId, ShutterSpread, Tally};

/// The content of `scan.json`. Derived from plan and journal alone, and replaced when the scan's state
/// changes, so the counts of a running scan are those of its last change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the dataset's format: [`FORMAT`] of the program that wrote it, or the oldest one that is enough.
    pub format: u32,
    /// The scan's id, as its folder was called at the beginning.
    pub id: ScanId,
    /// When it was created.
    pub created: Timestamp,
    /// When its state last changed.
    pub updated: Timestamp,
    /// Whether it goes on, waits, or has ended and how.
    pub state: ScanState,
    /// How many shots stand how.
    pub shots: Counts,
    /// The names of the plan's cameras, in its order.
    pub cameras: Vec<String>,
    /// The version of the program that created it.
    pub software: String,
    /// Whether it shows the empty rig.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reference: bool,
    /// What a person calls it. Those of earlier versions say nothing.
    #[serde(default, skip_serializing_if = "Description::is_empty")]
    pub description: Description,
    /// How far apart in time the images of a point were taken, of a scan with several cameras.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutter_spread: Option<ShutterSpread>,
}

impl Manifest {
    /// What the manifest says at creation.
    pub(super) fn opened(id: ScanId, plan: &Plan, software: &str, reference: bool, at: Timestamp) -> Self {
        let cameras = plan.cameras.iter().map(|camera| camera.name.clone()).collect();
        let tally = Tally::new(plan);
        let (state, shots) = (tally.state(), tally.counts());
        Self {
            format: oldest_that_is_enough(plan),
            id,
            created: at,
            updated: at,
            state,
            shots,
            cameras,
            software: software.into(),
            reference,
            description: Description::default(),
            shutter_spread: None,
        }
    }

    /// What the manifest must say of a scan with this plan and a journal of which `past` is kept and which adds up to
    /// `tally`; none if it does not begin with the record that opens a scan.
    pub(super) fn derive(plan: &Plan, past: &Past, tally: &Tally) -> Option<Self> {
        let Opening { scan, software, reference, at, .. } = past.opening()?;
        let mut manifest = Self::opened(scan.parse().ok()?, plan, software, *reference, *at);
        manifest.description = past.description().clone();
        manifest.update(tally, past.changed().unwrap_or(*at));
        Some(manifest)
    }

    /// Says what `tally` says.
    pub(super) fn update(&mut self, tally: &Tally, at: Timestamp) {
        self.updated = at;
        self.state = tally.state();
        self.shots = tally.counts();
        self.shutter_spread = tally.shutter_spread();
    }

    /// This one, of a scan of which nobody says anything.
    pub(super) fn undescribed(&self) -> Self {
        Self { description: Description::default(), ..self.clone() }
    }

    /// Replaces the manifest of the dataset at `dir`, atomically and durably.
    pub(super) fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), DiskError> {
        let path = dir.join(MANIFEST);
        let mut json = serde_json::to_vec_pretty(self).map_err(io::Error::from).context("encode", &path)?;
        json.push(b'\n');
        disk::replace(disk, &path, &json)
    }

    /// The manifest of the dataset at `dir`; none if it is missing or damaged, which is no loss.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, OpenError> {
        #[derive(Deserialize)]
        struct OnlyFormat {
            format: u64,
        }
        let path = dir.join(MANIFEST);
        let json = match open::read(dir, MANIFEST, open::DESCRIPTION) {
            Ok(json) => json,
            Err(Unread::Missing | Unread::NotAFile | Unread::TooLong { .. }) => return Ok(None),
            Err(Unread::Failed(error)) => return Err(error).context("read", &path)?,
        };
        match serde_json::from_slice::<OnlyFormat>(&json) {
            Ok(OnlyFormat { format }) if !(1..=u64::from(FORMAT)).contains(&format) => {
                Err(OpenError::Format { path: dir.to_owned(), found: format })
            }
            _ => Ok(serde_json::from_slice(&json).ok()),
        }
    }
}
/// The oldest version of the format in which a scan with this plan can be written, so that older programs read it if they can.
fn oldest_that_is_enough(plan: &Plan) -> u32 {
    let measured = |camera: &PlanCamera| {
        camera.extrinsics.is_some()
            || camera.intrinsics.intrinsics().is_some_and(|known| known.distortion.is_some())
    };
    let bracketed = plan.points.iter().any(|point| point.bracket.is_some());
    if bracketed || plan.cameras.iter().any(measured) {
        FORMAT
    } else if plan.cameras.iter().any(PlanCamera::has_raw) {
        SEVERAL_FILES_FORMAT
    } else {
        ONE_FILE_FORMAT
    }
}
