//! Single marks, by the `AprilTag` library.

use apriltag::{DetectorBuilder, Family, Image};

use super::{Corner, DetectError, Which, refine};
use crate::image::Grey;

/// How clear a mark's cells have to be: shades between what is white and what is black.
const LEAST_MARGIN: f32 = 12.0;

/// Pixels along the shorter side of an image in which marks are looked for.
const LEAST_SIDE: usize = 32;

/// A mark in an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) id: u16,
    /// Top left, top right, bottom right, bottom left, as `OpenCV` draws it.
    pub(super) corners: [[f64; 2]; 4],
}

/// Finds marks.
#[derive(Debug)]
pub(super) struct Finder {
    detector: apriltag::Detector,
}

impl Finder {
    pub(super) fn new() -> Result<Self, DetectError> {
        // One wrong bit of 36 is mended: with two, what is no mark is taken for one too easily.
        let mut detector = DetectorBuilder::new()
            .add_family_bits(Family::tag_36h11(), 1)
            .build()
            .map_err(|error| DetectError::Library(error.to_string()))?;
        detector.set_decimation(1.0);
        detector.set_thread_number(2);
        Ok(Self { detector })
    }

    /// All marks in `image`; of those that are seen twice, none.
    pub(super) fn find(&mut self, image: &Grey) -> Result<Vec<Found>, DetectError> {
        // The library reads beyond the edges of tiny images.
        if image.width.min(image.height) < LEAST_SIDE {
            return Ok(Vec::new());
        }
        let mut copy = Image::zeros_with_stride(image.width, image.height, image.width)
            .map_err(|error| DetectError::Library(error.to_string()))?;
        copy.as_slice_mut().copy_from_slice(&image.pixels);
        let mut found: Vec<Found> = Vec::new();
        for mark in self.detector.detect(&copy) {
            let Ok(id) = u16::try_from(mark.id()) else { continue };
            if mark.decision_margin() < LEAST_MARGIN {
                continue;
            }
            // The library has its pictures upside down, and begins at the left bottom of those.
            let [bottom_left, bottom_right, top_right, top_left] = mark.corners();
            found.push(Found { id, corners: [bottom_right, bottom_left, top_left, top_right] });
        }
        let ids: Vec<u16> = found.iter().map(|mark| mark.id).collect();
        found.retain(|mark| ids.iter().filter(|id| **id == mark.id).count() == 1);
        Ok(found)
    }
}

impl Found {
    /// Its corners, where its edges meet; none if these are not clear.
    pub(super) fn refined(&self, image: &Grey) -> Vec<Corner> {
        let corner =
            |(corner, [x, y]): (u8, [f64; 2])| Corner { which: Which::Ring { id: self.id, corner }, x, y };
        refine::mark(image, self.id, self.corners)
            .map_or_else(Vec::new, |corners| (0..).zip(corners).map(corner).collect())
    }
}
