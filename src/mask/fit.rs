//! Whether the empty rig has been scanned for a plan, and whether that still holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::error::MaskError;
use super::look::Look;
use super::reference::{self, Reference, Unmatched};
use crate::dataset::{self, OpenError};
use crate::model::{Controls, Lighting};
use crate::plan::{Plan, ShotIndex};

/// The scans of the empty rig by which masks of scans to come can be made.
#[derive(Debug)]
pub struct References(Vec<Reference>);

/// How the scans of the empty rig fit a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The newest scan of the empty rig that has any image from a place of the plan.
    pub scan: String,
    /// When it was created.
    pub created: Timestamp,
    /// How many images a scan of the plan has, silhouettes included.
    pub images: usize,
    /// For how many of them there is one of the empty rig, in that scan or an older one.
    pub matched: usize,
    /// Why there is none for the others, for people.
    pub lacking: Vec<String>,
    /// What is set otherwise than it was for the empty rig, for people.
    pub notes: BTreeSet<String>,
}

impl References {
    /// Those in the folder `root` that the rig of this name has made. One that is damaged is none.
    ///
    /// # Errors
    /// The folder cannot be read, or there was no looking at one of them.
    pub fn of_rig(root: &Path, rig: &str) -> Result<Self, MaskError> {
        let ids = dataset::references_of_rig(root, rig).map_err(OpenError::from)?;
        let mut references = Vec::new();
        for id in ids {
            match Reference::read(&root.join(id.as_str())) {
                Err(MaskError::Open(unread)) if unread.is_for_want() => return Err(unread.into()),
                read => references.extend(read.ok()),
            }
        }
        Ok(Self(references))
    }

    /// How they fit `plan`, whose cameras are set as `controls` says of each by its name; none if none was made from any of its
    /// places.
    pub fn fit(&self, plan: &Plan, controls: &dyn Fn(&str) -> Controls) -> Option<Fit> {
        let References(references) = self;
        let find = |references: &[Reference], shot: ShotIndex| -> Result<Look, Unmatched> {
            let (camera, point) = (plan.camera(plan.camera_of(shot)), plan.point(plan.point_of(shot)));
            reference::find(references, camera, point).map(|(_, empty)| Look::taken(&empty.facts))
        };
        let has_any = |reference: &&Reference| {
            let alone = std::slice::from_ref(*reference);
            plan.shots().any(|shot| !matches!(find(alone, shot), Err(Unmatched::Place)))
        };
        let newest = references.iter().find(has_any)?;
        let (mut matched, mut elsewhere) = (0, BTreeMap::new());
        let (mut moved, mut notes) = (BTreeSet::new(), BTreeSet::new());
        for shot in plan.shots() {
            let (camera, point) = (plan.camera(plan.camera_of(shot)), plan.point(plan.point_of(shot)));
            match find(references, shot) {
                Ok(empty) => {
                    matched += 1;
                    let now = Look::planned(&controls(&camera.name), point);
                    notes.extend(now.differences(&camera.name, &empty));
                }
                Err(Unmatched::Place) => *elsewhere.entry(point.lighting).or_insert(0) += 1,
                Err(Unmatched::Camera) => drop(moved.insert(camera.name.clone())),
            }
        }
        let elsewhere = elsewhere.into_iter().map(|(lighting, count)| {
            let all = plan.shots().filter(|shot| plan.lighting_of(*shot) == lighting).count();
            let (what, so) = match lighting {
                Lighting::Front => ("images", ""),
                Lighting::Backlight => ("silhouettes", ", which would show where the panel ends"),
            };
            format!("{count} of {all} {what} have none of the empty rig from their place{so}")
        });
        let moved = moved.into_iter().map(|camera| {
            format!("{camera} is mounted, or the size of its images set, otherwise than for the empty rig")
        });
        let lacking = elsewhere.chain(moved).collect();
        Some(Fit {
            scan: newest.scan().to_owned(),
            created: newest.created(),
            images: plan.shots().count(),
            matched,
            lacking,
            notes,
        })
    }
}
