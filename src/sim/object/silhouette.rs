//! The truth about what a picture shows, for whoever judges masks.

use super::SimOptions;
use super::owl::OWL;
use super::render::scaled;
use super::view::View;
use crate::model::{Pose, Size};

/// Of each pixel of a sharp picture of `size`, row by row, whether it shows the owl, with the axes at `pose`.
pub fn silhouette(options: &SimOptions, size: Size, pose: &Pose) -> Vec<bool> {
    let intrinsics = scaled(&options.intrinsics, size);
    let view = View::new(&intrinsics, &options.mount, pose);
    let (mut depths, mut parts) = (vec![0.0; size.width as usize], vec![0; size.width as usize]);
    (0..size.height as usize)
        .flat_map(|row| {
            let row = view.row(row, &mut depths, &mut parts);
            row.parts.iter().map(|part| usize::from(*part) < OWL.len()).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Axis;
    use crate::sim::object::render::{Light, Renderer};

    #[test]
    fn pictures_with_and_without_the_owl_differ_where_it_is_and_in_its_shadow_on_the_plate_alone() {
        let size = Size { width: 480, height: 270 };
        let options = SimOptions::default();
        let pose = Pose::default().with(Axis::Turntable, 70.0).with(Axis::Tilt, 20.0);
        let mut renderer = Renderer::new();
        let mut seen = |empty| {
            let light = Light { brightness: 1.0, panel: None, empty };
            renderer.render(size, &options.intrinsics, &options.mount, &pose, light)
        };
        let (with, without) = (seen(false), seen(true));
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
