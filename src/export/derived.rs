//! What was made of a scan later, in its views: measured poses, masks, merged images.

use std::collections::BTreeMap;
use std::path::Path;

use super::views::{MaskFile, View, Views};
use crate::calibration::{Sighting, Sightings, Verdict};
use crate::dataset::{Contents, ShotState};
use crate::model::{Extrinsics, Pose};
use crate::plan::ShotIndex;
use crate::plan::geometry::CameraPose;
use crate::units::Degrees;
use crate::{mask, merge};

impl Views {
    /// The same with what the ring of marks has shown in the dataset at `dir`, from which `contents` were read: where the table stood
    /// elsewhere than commanded, the angle is the measured one; where a camera had been moved, the place is.
    #[must_use]
    pub fn measured(mut self, dir: &Path, contents: &Contents) -> Self {
        let seen = Sightings::read(dir, contents);
        let (mut tables, mut cameras) = (0, 0);
        for view in &mut self.views {
            let Some(ShotState::Done(stored)) = contents.tally().shot(ShotIndex(view.shot)) else { continue };
            let camera = &self.cameras[view.camera_index];
            let (Some(sighting), Some(extrinsics)) = (seen.of(stored), camera.extrinsics) else { continue };
            match corrected(&extrinsics, view.axes, sighting) {
                Some((axes, pose)) => (view.axes, view.pose) = (axes, Some(pose)),
                None => continue,
            }
            match sighting.verdict {
                Verdict::TableElsewhere => tables += 1,
                Verdict::CameraMoved => cameras += 1,
                Verdict::AsCommanded | Verdict::Unknown => {}
            }
        }
        for (count, what) in [
            (tables, "the table stood elsewhere than commanded: their angles are those that the marks show"),
            (cameras, "the camera had been moved: their places are those that the marks show"),
        ] {
            if count > 0 {
                self.lacking.push(format!("in {count} of {} images {what}", self.views.len()));
            }
        }
        self
    }

    /// The same with the masks that are there in the dataset at `dir`, from which `contents` were read.
    #[must_use]
    pub fn with_masks(mut self, dir: &Path, contents: &Contents) -> Self {
        for view in &mut self.views {
            if let Some(ShotState::Done(stored)) = contents.tally().shot(ShotIndex(view.shot)) {
                view.mask = mask::find(dir, stored)
                    .map(|mask::MaskFile { path, bytes, .. }| MaskFile { path, bytes });
            }
        }
        let (masks, images) =
            (self.views.iter().filter(|view| view.mask.is_some()).count(), self.views.len());
        if masks > 0 && masks < images {
            self.lacking.push(format!(
                "{} of {images} images have no mask (`scanner dataset masks` says why): COLMAP and nerfstudio take masks of \
                 all images or of none, so they get none",
                images - masks
            ));
        }
        self
    }

    /// The same with the merged image of each stack that has one in the dataset at `dir`, in place of its single images: with the
    /// pose and the mask of the image in its middle, which it is like.
    #[must_use]
    pub fn merged(mut self, dir: &Path, contents: &Contents) -> Self {
        let (mut unmerged, mut all) = (0_u32, 0_u32);
        // By shot: what takes its place; none of one that has no place beside it.
        let mut places: BTreeMap<u32, Option<(String, merge::Merged)>> = BTreeMap::new();
        for stack in merge::stacks(contents) {
            all += 1;
            let Some(merged) = merge::find(dir, &stack) else {
                unmerged += u32::from(stack.images.len() > 1);
                continue;
            };
            places.extend(stack.images.iter().map(|stored| (stored.shot.0, None)));
            if let Some(middle) = stack.middle() {
                places.insert(middle.shot.0, Some((stack.label, merged)));
            }
        }
        let replaced = self.views.into_iter().filter_map(|view| match places.remove(&view.shot) {
            None => Some(view),
            Some(None) => None,
            Some(Some((label, merge::Merged { path, bytes, .. }))) => {
                Some(View { label, image: path, bytes, ..view })
            }
        });
        self.views = replaced.collect();
        if unmerged > 0 {
            self.lacking.push(format!(
                "{unmerged} of {all} stacks are not merged (`scanner dataset merge` does that): their single images are in its place"
            ));
        }
        self
    }
}

/// Where axes and camera were by what an image shows; none if that is where they should be, or nobody knows.
fn corrected(extrinsics: &Extrinsics, axes: Pose, sighting: &Sighting) -> Option<(Pose, CameraPose)> {
    let turned_on = |degrees: f64| {
        let commanded = axes.turntable.get() + degrees / extrinsics.turntable;
        Pose { turntable: Degrees::new(commanded), ..axes }
    };
    match sighting.verdict {
        Verdict::AsCommanded | Verdict::Unknown => None,
        Verdict::TableElsewhere => {
            let axes = turned_on(sighting.offset_deg? + sighting.backlash_deg);
            Some((axes, CameraPose::measured(extrinsics, &axes)))
        }
        Verdict::CameraMoved => {
            let axes = turned_on(sighting.backlash_deg);
            let angle = extrinsics.turntable * axes.turntable.get();
            let pose = CameraPose::measured(extrinsics, &axes);
            Some((axes, pose.displaced(sighting.moved_mm?, sighting.turned_deg?, angle)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mount;
    use crate::plan::geometry::extrinsics;
    use crate::units::Millimetres;

    #[test]
    fn what_marks_show_is_where_a_view_was_taken_from() {
        let mount = Mount {
            distance: Millimetres::new(300.0),
            height: Millimetres::new(60.0),
            azimuth: Degrees::ZERO,
            look_at_height: Millimetres::new(60.0),
        };
        let measured = Extrinsics { turntable: 2.0, ..extrinsics(&mount) };
        let axes = Pose { turntable: Degrees::new(45.0), ..Pose::default() };
        let sighting = |verdict| Sighting {
            shot: 0,
            image: String::new(),
            crc32c: 0,
            verdict,
            says: String::new(),
            marks: 5,
            offset_deg: Some(1.0),
            deviation_deg: Some(0.01),
            backlash_deg: 0.0,
            moved_mm: Some([5.0, 0.0, 0.0]),
            turned_deg: Some([0.0; 3]),
        };
        assert_eq!(corrected(&measured, axes, &sighting(Verdict::AsCommanded)), None);
        assert_eq!(corrected(&measured, axes, &sighting(Verdict::Unknown)), None);
        let (turned, pose) = corrected(&measured, axes, &sighting(Verdict::TableElsewhere)).unwrap();
        assert!((turned.turntable.get() - 45.5).abs() < 1e-12, "a degree of a table that turns twice as far");
        let [x, y, _] = pose.centre();
        assert!((y.atan2(x).to_degrees() + 91.0).abs() < 1e-9, "{x} {y}");
        let with_play = Sighting { backlash_deg: 1.0, ..sighting(Verdict::TableElsewhere) };
        let (turned, _) = corrected(&measured, axes, &with_play).unwrap();
        assert!((turned.turntable.get() - 46.0).abs() < 1e-12);
        // The camera has gone 5 mm further away.
        let (same, pose) = corrected(&measured, axes, &sighting(Verdict::CameraMoved)).unwrap();
        assert_eq!(same, axes);
        let [x, y, z] = pose.centre();
        assert!(x.abs() < 1e-9 && (y + 305.0).abs() < 1e-9 && (z - 60.0).abs() < 1e-9, "{x} {y} {z}");
    }
}
