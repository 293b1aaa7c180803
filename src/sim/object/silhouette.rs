//! The truth about what a picture shows, for whoever judges masks.

use scanner_pixels::object;

use super::SimOptions;
use super::viewpoint::{scaled, viewpoint};
use crate::model::{Pose, Size};

/// Of each pixel of a sharp picture of `size`, row by row, whether it shows the owl, with the axes at `pose`.
pub fn silhouette(options: &SimOptions, size: Size, pose: &Pose) -> Vec<bool> {
    object::silhouette(&viewpoint(options, &scaled(&options.intrinsics, size), pose, None))
}

#[cfg(test)]
mod tests {
    use scanner_pixels::object::{Light, OnPlate, Renderer};

    use super::*;
    use crate::model::Axis;

    #[test]
    fn pictures_with_and_without_the_owl_differ_where_it_is_and_in_its_shadow_on_the_plate_alone() {
        let size = Size { width: 480, height: 270 };
        let options = SimOptions::default();
        let pose = Pose::default().with(Axis::Turntable, 70.0).with(Axis::Tilt, 20.0);
        let mut renderer = Renderer::default();
        let mut seen = |on_plate| {
            let light = Light { brightness: 1.0, panel: None, on_plate };
            renderer.render(&viewpoint(&options, &scaled(&options.intrinsics, size), &pose, None), light)
        };
        let (with, without) = (seen(OnPlate::Owl), seen(OnPlate::Nothing));
        let truth = silhouette(&options, size, &pose);
        let owl = truth.iter().filter(|owl| **owl).count();
        let (mut differs, mut brighter) = (0, 0);
        for ((owl, with), without) in truth.iter().zip(&with.y).zip(&without.y) {
            if *owl {
                differs += usize::from(with.abs_diff(*without) > 3);
            } else {
                brighter += usize::from(with > without);
            }
        }
        let darker = truth.iter().zip(with.y.iter().zip(&without.y)).filter(|(owl, (a, b))| !**owl && a < b);
        assert!(owl > 5000 && differs * 10 > owl * 8, "{differs} of {owl}");
        assert_eq!(brighter, 0, "a shadow is no light");
        assert!(darker.count() > 1000, "the owl has a shadow");
    }
}
