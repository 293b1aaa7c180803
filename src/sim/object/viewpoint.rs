//! Where the simulated camera is, and what its lens shows.

use scanner_pixels::object::Viewpoint;

use super::SimOptions;
use crate::model::{Intrinsics, Pose, Region, Size};
use crate::plan::geometry::CameraPose;

/// Where the camera truly is with the axes at `pose`, for a picture of `shot` if it is one of a shot.
pub(super) fn camera_pose(options: &SimOptions, pose: &Pose, shot: Option<u32>) -> CameraPose {
    let built = &options.built;
    match built.extrinsics(&options.mount, shot) {
        Some(extrinsics) => CameraPose::measured(&extrinsics, pose),
        None => CameraPose::new(&options.mount, pose),
    }
}

/// Where the camera truly is with the axes at `pose`, with a lens of these `intrinsics`.
pub(super) fn viewpoint(
    options: &SimOptions,
    intrinsics: &Intrinsics,
    pose: &Pose,
    shot: Option<u32>,
) -> Viewpoint {
    let mount = &options.mount;
    Viewpoint {
        sight: camera_pose(options, pose, shot).sight(intrinsics),
        heading: mount.azimuth.get() - pose.turntable.get(),
        distance: mount.distance.get().hypot(mount.height.get() - mount.look_at_height.get()),
    }
}

/// `intrinsics` of the same lens for pictures of `size`.
pub(super) fn scaled(intrinsics: &Intrinsics, size: Size) -> Intrinsics {
    let x = f64::from(size.width) / f64::from(intrinsics.width);
    let y = f64::from(size.height) / f64::from(intrinsics.height);
    Intrinsics {
        width: size.width,
        height: size.height,
        fx: intrinsics.fx * x,
        fy: intrinsics.fy * y,
        cx: intrinsics.cx * x,
        cy: intrinsics.cy * y,
        pixel_pitch: intrinsics.pixel_pitch.map(|pitch| pitch * (1.0 / x)),
        distortion: intrinsics.distortion,
    }
}

/// `intrinsics` of a picture that shows a part of the field of view only, as large as all of it.
pub(super) fn cropped(intrinsics: &Intrinsics, crop: Option<Region>) -> Intrinsics {
    let Region { x, y, width, height } = crop.unwrap_or(Region::WHOLE);
    Intrinsics {
        fx: intrinsics.fx / width,
        fy: intrinsics.fy / height,
        cx: (intrinsics.cx - x * f64::from(intrinsics.width)) / width,
        cy: (intrinsics.cy - y * f64::from(intrinsics.height)) / height,
        pixel_pitch: intrinsics.pixel_pitch.map(|pitch| pitch * width),
        ..*intrinsics
    }
}

#[cfg(test)]
mod tests {
    use scanner_pixels::object::{Light, MARKS, OWL, OnPlate, Renderer, mark};
    use scanner_pixels::picture::Picture;

    use super::*;
    use crate::model::Axis;

    const SIZE: Size = Size { width: 960, height: 540 };
    const FULL: Light = Light { brightness: 1.0, panel: None, on_plate: OnPlate::Owl };

    fn render(renderer: &mut Renderer, size: Size, pose: &Pose, light: Light) -> Picture {
        let options = SimOptions::default();
        renderer.render(&viewpoint(&options, &scaled(&options.intrinsics, size), pose, None), light)
    }

    fn luma(picture: &Picture, u: f64, v: f64) -> Option<u8> {
        let inside = u >= 0.0 && v >= 0.0 && u < f64::from(SIZE.width) && v < f64::from(SIZE.height);
        inside.then(|| picture.y[v as usize * SIZE.width as usize + u as usize])
    }

    #[test]
    fn marks_of_the_plate_are_where_the_geometry_says() {
        let (mut renderer, options) = (Renderer::default(), SimOptions::default());
        let intrinsics = scaled(&options.intrinsics, SIZE);
        let mut seen = 0;
        for (turntable, tilt) in [(0.0, 0.0), (33.0, 15.0), (200.0, 40.0)] {
            let pose = Pose::default().with(Axis::Turntable, turntable).with(Axis::Tilt, tilt);
            let picture = render(&mut renderer, SIZE, &pose, FULL);
            let camera = CameraPose::new(&options.mount, &pose);
            for index in 0..MARKS {
                let [x, y] = mark(index).map(f64::from);
                let look = |dx: f64, dy: f64| {
                    let at = camera.project(&intrinsics, [x + dx, y + dy, 0.0])?;
                    luma(&picture, at.u, at.v)
                };
                // In front of the owl nothing hides a mark.
                let towards = x * camera.centre()[0] + y * camera.centre()[1];
                if towards < 40.0 * camera.centre()[0].hypot(camera.centre()[1]) {
                    continue;
                }
                let (Some(dot), Some(ring)) = (look(0.0, 0.0), look(0.0, 4.3)) else { continue };
                let ring = ring.max(look(4.3, 0.0).unwrap()).max(look(-4.3, 0.0).unwrap());
                assert!(dot > 2 * ring, "mark {index} at turntable {turntable}: dot {dot}, ring {ring}");
                seen += 1;
            }
        }
        assert!(seen >= 9, "only {seen} marks were looked at");
    }

    #[test]
    fn a_point_of_the_surface_looks_alike_in_two_views() {
        let (mut renderer, options) = (Renderer::default(), SimOptions::default());
        let poses = [0.0, 8.0].map(|angle| Pose::default().with(Axis::Turntable, angle));
        let pictures = poses.map(|pose| render(&mut renderer, SIZE, &pose, FULL));
        let intrinsics = scaled(&options.intrinsics, SIZE);
        // Points of the belly, which bulges out of the body towards the camera.
        let belly = OWL[1];
        let mut samples: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for step in 0..400_u32 {
            let (side, up) = (f64::from(step % 20) / 20.0 - 0.5, f64::from(step / 20) / 20.0 - 0.5);
            let sphere = [(1.0 - side * side - up * up).sqrt(), side, up];
            let point = std::array::from_fn(|axis| belly.centre[axis] + belly.radii[axis] * sphere[axis]);
            for view in 0..2 {
                let at = CameraPose::new(&options.mount, &poses[view]).project(&intrinsics, point).unwrap();
                samples[view].push(f64::from(luma(&pictures[view], at.u, at.v).unwrap()));
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let [a, b] = &samples;
        let (mean_a, mean_b) = (mean(a), mean(b));
        let covariance = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>();
        let spread =
            |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let correlation = covariance / (spread(a, mean_a) * spread(b, mean_b)).sqrt();
        assert!(correlation > 0.8, "correlation {correlation}");
    }

    #[test]
    fn odd_sizes_and_views_from_anywhere_render() {
        let mut renderer = Renderer::default();
        for (lift, rail, tilt) in [(0.0, 0.0, 0.0), (-300.0, 0.0, 0.0), (0.0, 395.0, 0.0), (0.0, 0.0, 90.0)] {
            let pose = Pose::default().with(Axis::Lift, lift).with(Axis::Rail, rail).with(Axis::Tilt, tilt);
            let size = Size { width: 101, height: 67 };
            let picture = render(&mut renderer, size, &pose, Light { brightness: 0.5, ..FULL });
            assert_eq!((picture.y.len(), picture.u.len()), (101 * 67, 51 * 34));
        }
    }
}
