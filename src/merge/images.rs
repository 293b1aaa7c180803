//! Which stored images are of one stack.

use crate::dataset::{Contents, ShotState};
use crate::plan::{CameraIndex, Point};
use crate::scan::Stored;
use crate::units::{Dioptres, Stops};

/// The images of one stack, as far as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageStack<'a> {
    /// Name of its camera.
    pub camera: &'a str,
    /// What the labels of its points have in common: `r01_a017`.
    pub label: String,
    /// From the farthest lens position to the nearest, and at each from the darkest exposure to the brightest.
    pub images: Vec<&'a Stored>,
    /// How many of these are of each lens position.
    pub exposures: Vec<usize>,
    /// How many images the plan has for it.
    pub planned: usize,
    /// Which image the merged one is like: it has its place, its EXIF and its mask. That in the middle of the lens positions, and
    /// of these the one that is exposed most as usual.
    pub middle: usize,
}

impl ImageStack<'_> {
    /// The image that the merged one is like.
    pub fn middle(&self) -> Option<&Stored> {
        self.images.get(self.middle).copied()
    }
}

/// The stacks of a scan, of each camera; those without any image, too.
pub fn stacks(contents: &Contents) -> Vec<ImageStack<'_>> {
    let (plan, tally) = (&contents.plan, contents.tally());
    let mut stacks = Vec::new();
    for stack in plan.stacks() {
        for (index, camera) in plan.cameras.iter().enumerate() {
            let stored = stack.points.iter().filter_map(|point| {
                match tally.shot(plan.shot(*point, CameraIndex(index as u16))) {
                    Some(ShotState::Done(stored)) => Some((plan.point(*point), stored)),
                    Some(ShotState::Failed { .. } | ShotState::Pending) | None => None,
                }
            });
            let (points, images): (Vec<&Point>, Vec<&Stored>) = stored.unzip();
            let exposures: Vec<usize> = points
                .chunk_by(|a, b| a.focus.map(Dioptres::get) == b.focus.map(Dioptres::get))
                .map(<[_]>::len)
                .collect();
            let middle = middle(&points, &exposures);
            let (label, planned) = (stack.label.clone(), stack.points.len());
            stacks.push(ImageStack { camera: &camera.name, label, images, exposures, planned, middle });
        }
    }
    stacks
}

fn middle(points: &[&Point], exposures: &[usize]) -> usize {
    let lens = exposures.len() / 2;
    let first: usize = exposures.iter().take(lens).sum();
    let of_lens = points.iter().skip(first).take(exposures.get(lens).copied().unwrap_or_default());
    let unusual = |point: &Point| point.bracket.map_or(0.0, Stops::get).abs();
    let nearest = of_lens.enumerate().min_by(|(_, a), (_, b)| unusual(a).total_cmp(&unusual(b)));
    first + nearest.map_or(0, |(index, _)| index)
}
