//! The silhouettes of a scan, and where its panel is in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use scanner_pixels::mask::{self, Shape};

use super::photo;
use super::reference;
use crate::dataset::{self, Contents, OpenError, ShotState};
use crate::model::Lighting;
use crate::plan::{CameraIndex, PlanCamera, Point};
use crate::scan::Stored;

/// A ring, and where the panel was seen in it; none if it shone nowhere.
#[derive(Default)]
struct Ring {
    panel: OnceLock<Option<Shape>>,
    /// Whoever has it looks for the panel: once it is found, nobody looks again.
    looking: Mutex<()>,
}

/// The silhouettes of a scan.
pub(super) struct Silhouettes<'a> {
    dir: &'a Path,
    contents: &'a Contents,
    /// The ring of each point.
    rings: Vec<u32>,
    /// By camera and ring.
    seen: Mutex<BTreeMap<(u16, u32), Arc<Ring>>>,
}

/// The silhouette of a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silhouette<'a> {
    pub(super) stored: &'a Stored,
    pub(super) point: &'a Point,
    ring: u32,
    camera: CameraIndex,
}

impl<'a> Silhouettes<'a> {
    pub(super) fn of(dir: &'a Path, contents: &'a Contents) -> Self {
        Self { dir, contents, rings: contents.plan.rings(), seen: Mutex::default() }
    }

    /// Whether any is stored.
    pub(super) fn any(&self) -> bool {
        self.contents
            .tally()
            .stored()
            .any(|stored| self.contents.plan.lighting_of(stored.shot) == Lighting::Backlight)
    }

    /// That of the place of `stored`, taken by the same camera, if there is one.
    pub(super) fn find(&self, stored: &Stored) -> Option<Silhouette<'a>> {
        let plan = &self.contents.plan;
        let (camera, pose) = (plan.camera_of(stored.shot), plan.point(plan.point_of(stored.shot)).pose);
        let there = |silhouette: &Silhouette<'_>| {
            silhouette.camera == camera && reference::is_same_place(&silhouette.point.pose, &pose)
        };
        self.all().find(there)
    }

    fn all(&self) -> impl Iterator<Item = Silhouette<'a>> {
        let Contents { plan, .. } = self.contents;
        plan.shots().filter(|shot| plan.lighting_of(*shot) == Lighting::Backlight).filter_map(|shot| {
            let point = plan.point_of(shot);
            let stored = match self.contents.tally().shot(shot) {
                Some(ShotState::Done(stored)) => stored,
                Some(ShotState::Failed { .. } | ShotState::Pending) | None => return None,
            };
            let ring = self.rings.get(point.0 as usize).copied().unwrap_or_default();
            Some(Silhouette { stored, point: plan.point(point), ring, camera: plan.camera_of(shot) })
        })
    }

    fn ring_of(&self, one: Silhouette<'_>) -> impl Iterator<Item = Silhouette<'a>> {
        let place = (one.camera, one.ring);
        self.all().filter(move |other| (other.camera, other.ring) == place)
    }

    /// A checksum of those that tell together with `one` where the panel is.
    pub(super) fn ring_crc32c(&self, one: Silhouette<'_>) -> u32 {
        self.ring_of(one).fold(0, |crc, other| crc32c::crc32c_append(crc, &other.stored.crc32c.to_le_bytes()))
    }

    /// Where the panel is in pictures like `one`, by all of the ring; none if it shines in none of them.
    ///
    /// # Errors
    /// One of them cannot be read now. That says nothing of the panel, and is not remembered.
    pub(super) fn panel(&self, one: Silhouette<'_>, camera: &PlanCamera) -> Result<Option<Shape>, OpenError> {
        let ring = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(seen.entry((one.camera.0, one.ring)).or_default())
        };
        let _looking = ring.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(panel) = ring.panel.get() {
            return Ok(panel.clone());
        }
        let mut seen: Option<Shape> = None;
        for other in self.ring_of(one) {
            let Ok(shape) = shining(self.dir, other.stored)? else { continue };
            seen = Some(match seen {
                None => shape,
                Some(all) => all.with(&shape),
            });
        }
        let behind = |seen: Shape| {
            let to_table = photo::to_table(camera, &one.point.pose, seen.area);
            mask::behind(&seen, to_table.as_deref())
        };
        Ok(ring.panel.get_or_init(|| seen.map(behind)).clone())
    }
}

/// Where the panel shines in a stored silhouette, or why that cannot be said.
pub(super) fn shining(dir: &Path, stored: &Stored) -> Result<Result<Shape, String>, OpenError> {
    let jpeg = match dataset::read_image(dir, stored)? {
        Ok(jpeg) => jpeg,
        Err(reason) => return Ok(Err(reason)),
    };
    let decoded = photo::decode(&jpeg);
    Ok(match decoded {
        Ok((photo, _)) => mask::shining(&photo).ok_or_else(|| {
            "it shows no panel that shines behind the object: was the backlight on, and is it in the picture?".into()
        }),
        Err(error) => Err(format!("it cannot be decoded: {error}")),
    })
}
