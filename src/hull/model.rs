//! A model that takes up images as they come.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use scanner_hull::{Bound, Carver, Mesh, Outline, Volume};
use scanner_pixels::Area;
use scanner_pixels::sight::Sight;

use super::error::HullError;
use crate::dataset::{Contents, open};
use crate::mask;
use crate::model::{Distortion, Lighting};
use crate::plan::{Plan, ShotIndex};
use crate::scan::Stored;

/// Longest side of a mask as it is carved with: finer than any voxel.
const LONGEST_SIDE: u32 = 1280;
/// How often a grid is made anew around what is left of the one before.
const MOST_TIGHTENED: usize = 4;

/// What is left of the room, and the images that have carved it.
#[derive(Debug)]
pub struct Model {
    pub(super) dir: PathBuf,
    /// What the cameras of the whole plan see in common.
    whole: Volume,
    carver: Carver,
    /// Each shot whose mask has carved, with the checksum of its image.
    carved: BTreeMap<ShotIndex, u32>,
}

impl Model {
    /// Of the scan at `dir`, from which `contents` were read: still with nothing cut away.
    ///
    /// # Errors
    /// Of no camera it is known where it is.
    pub fn begin(dir: &Path, contents: &Contents) -> Result<Self, HullError> {
        let plan = &contents.plan;
        let sights: Vec<Sight> = fronts(plan).filter_map(|shot| sight(plan, shot)).collect();
        let whole = Volume::seen_by(&sights).ok_or_else(|| HullError::NoPoses(dir.to_owned()))?;
        let carver = Carver::new(whole.clone(), Bound::PREVIEW);
        Ok(Self { dir: dir.to_owned(), whole, carver, carved: BTreeMap::new() })
    }

    /// Of how many images the masks have carved.
    pub fn images(&self) -> usize {
        self.carver.carved_by()
    }

    /// Carves with the masks that are there of images that have not carved yet; begins anew if one has that is not there any
    /// more, as after a retake. Tells after each how many have carved; a `false` gives it up.
    ///
    /// # Errors
    /// It was given up.
    pub fn catch_up(&mut self, contents: &Contents, tell: &dyn Fn(usize) -> bool) -> Result<(), HullError> {
        let tally = contents.tally();
        let is_there = |shot: &ShotIndex, crc32c: &u32| {
            tally.stored().any(|stored| stored.shot == *shot && stored.crc32c == *crc32c)
        };
        if !self.carved.iter().all(|(shot, crc32c)| is_there(shot, crc32c)) {
            self.anew(self.whole.clone());
        }
        for stored in photographs(contents) {
            if self.carved.contains_key(&stored.shot) {
                continue;
            }
            if !tell(self.carved.len()) {
                return Err(HullError::GivenUp);
            }
            let Some(sight) = sight(&contents.plan, stored.shot) else { continue };
            if mask::find(&self.dir, stored).is_none() {
                continue;
            }
            // One that was removed or replaced meanwhile is looked for again the next time.
            let distortion = distortion(&contents.plan, stored.shot);
            let Some((sight, outline)) = outline(&self.dir, stored, &sight, distortion) else { continue };
            self.carver.carve(&sight, &outline);
            self.carved.insert(stored.shot, stored.crc32c);
        }
        Ok(())
    }

    /// The surface of what is left, as finely as the bound allows: the grid is made anew around it where that makes it finer.
    ///
    /// # Errors
    /// No image has carved, nothing is left, or it was given up.
    pub(super) fn mesh(
        &mut self,
        contents: &Contents,
        tell: &dyn Fn(usize) -> bool,
    ) -> Result<Mesh, HullError> {
        if self.carved.is_empty() {
            return Err(HullError::NoMasks(self.dir.clone()));
        }
        let nothing = || HullError::Nothing(self.dir.clone());
        let mut mesh = Mesh::of(&self.carver).ok_or_else(nothing)?;
        for _ in 0..MOST_TIGHTENED {
            let Some(tighter) = self.carver.tighter(&mesh) else { break };
            self.anew(tighter);
            self.catch_up(contents, tell)?;
            mesh = Mesh::of(&self.carver).ok_or_else(|| HullError::Nothing(self.dir.clone()))?;
        }
        Ok(mesh)
    }

    fn anew(&mut self, volume: Volume) {
        self.carver = Carver::new(volume, Bound::PREVIEW);
        self.carved.clear();
    }
}

/// The shots of `plan` that are no silhouettes.
fn fronts(plan: &Plan) -> impl Iterator<Item = ShotIndex> {
    plan.shots().filter(|shot| plan.lighting_of(*shot) == Lighting::Front)
}

/// How many images there are to be that are no silhouettes.
pub(super) fn planned(plan: &Plan) -> usize {
    fronts(plan).count()
}

/// The stored images that are no silhouettes.
pub(super) fn photographs(contents: &Contents) -> impl Iterator<Item = &Stored> {
    let plan = &contents.plan;
    contents.tally().stored().filter(|stored| plan.lighting_of(stored.shot) == Lighting::Front)
}

/// How the lens of the camera of `shot` bends lines, if that was measured.
fn distortion(plan: &Plan, shot: ShotIndex) -> Option<Distortion> {
    plan.camera(plan.camera_of(shot)).intrinsics.intrinsics()?.distortion
}

/// Where the camera of `shot` stands and what its pixels look at, but for the lens' distortion; none where nobody said.
pub(super) fn sight(plan: &Plan, shot: ShotIndex) -> Option<Sight> {
    let camera = plan.camera(plan.camera_of(shot));
    let pose = camera.pose(&plan.point(plan.point_of(shot)).pose)?;
    Some(pose.sight(&camera.intrinsics.intrinsics()?))
}

/// The mask of `stored`, made smaller, as a lens without `distortion` would have seen it, and the sight of a picture of so many
/// pixels.
fn outline(
    dir: &Path,
    stored: &Stored,
    sight: &Sight,
    distortion: Option<Distortion>,
) -> Option<(Sight, Outline)> {
    let file: File = open::file(dir, &mask::path(&stored.image)).ok()?;
    let small = mask::reduced(file, LONGEST_SIDE).ok()?;
    let whole = small.whole == sight.area;
    // The last pixel of a row may stand for fewer of the image's than the others.
    let area = Area { width: small.area.width * small.step, height: small.area.height * small.step };
    let sight = Sight { area: if whole { area } else { sight.area }, ..*sight };
    let outline = match distortion {
        None => Outline::of(small.area, &small.pixels),
        Some(distortion) => Outline::of(small.area, &straight(&small.pixels, small.area, &sight, distortion)),
    };
    Some((sight, outline?))
}

/// What a lens without `distortion` shows of `mask`, a smaller picture of what `sight` sees. What the mask does not show may be the
/// object.
fn straight(mask: &[u8], area: Area, sight: &Sight, distortion: Distortion) -> Vec<u8> {
    let scale = [sight.area.width as f64 / area.width as f64, sight.area.height as f64 / area.height as f64];
    let Sight { focal, middle, .. } = *sight;
    let mut straight = Vec::with_capacity(mask.len());
    for row in 0..area.height {
        for column in 0..area.width {
            let u = (column as f64 + 0.5) * scale[0];
            let v = (row as f64 + 0.5) * scale[1];
            let (x, y) = distortion.seen_at((u - middle[0]) / focal[0], (v - middle[1]) / focal[1]);
            let seen = [(x * focal[0] + middle[0]) / scale[0], (y * focal[1] + middle[1]) / scale[1]];
            let is_shown = seen[0] >= 0.0
                && seen[1] >= 0.0
                && seen[0] < area.width as f64
                && seen[1] < area.height as f64;
            let at = seen[1] as usize * area.width + seen[0] as usize;
            straight.push(if is_shown { mask[at] } else { u8::MAX });
        }
    }
    straight
}
