//! Where the lens stands: as it is set, or where autofocus finds something.

use scanner_pixels::object::{OnPlate, covered};

use super::SimOptions;
use super::viewpoint::{camera_pose, cropped, scaled, viewpoint};
use crate::model::{Intrinsics, Pose, Region, Size};
use crate::sim::camera::{Focus, Framing, NEAREST};
use crate::units::Dioptres;

/// How far behind the object the wall is, which autofocus finds beside the object.
pub(super) const WALL: f64 = 1000.0;
/// Pixels by which autofocus tells the object from the wall.
const GRID: Size = Size { width: 96, height: 54 };

/// Where the lens is for pictures of `pose`, of the plate with or without the owl.
pub(super) fn lens_at(options: &SimOptions, framing: &Framing, pose: &Pose, on_plate: OnPlate) -> Dioptres {
    let window = match framing.focus {
        Focus::At(position) => return position,
        Focus::On(window) => window,
    };
    let on_object = window.is_none_or(|window| is_object_in(options, window, framing.crop, pose, on_plate));
    let wanted = if on_object { object_at(options, pose) } else { at(options, pose, WALL) };
    Dioptres::new(wanted.get().min(NEAREST.get()))
}

/// The lens position at which the object is sharp.
pub(super) fn object_at(options: &SimOptions, pose: &Pose) -> Dioptres {
    at(options, pose, 0.0)
}

/// The lens position for things so many millimetres behind the object.
pub(super) fn at(options: &SimOptions, pose: &Pose, behind: f64) -> Dioptres {
    let mount = &options.mount;
    let middle = [0.0, 0.0, mount.look_at_height.get() + pose.lift.get()];
    let [.., depth] = camera_pose(options, pose, None).to_camera(middle);
    Dioptres::new(1000.0 / (depth + behind).max(10.0))
}

/// `intrinsics` of the lens when it is at `position`: they are as configured when it is focused at what the camera looks at.
pub(super) fn breathing(intrinsics: &Intrinsics, options: &SimOptions, position: Dioptres) -> Intrinsics {
    let usual = object_at(options, &Pose::default());
    let larger = 1.0 + options.breathing * (position - usual).get();
    Intrinsics { fx: intrinsics.fx * larger, fy: intrinsics.fy * larger, ..*intrinsics }
}

/// Whether the object fills a good part of `window`.
fn is_object_in(
    options: &SimOptions,
    window: Region,
    crop: Option<Region>,
    pose: &Pose,
    on_plate: OnPlate,
) -> bool {
    let intrinsics = scaled(&cropped(&options.intrinsics, crop), GRID);
    let viewpoint = viewpoint(options, &intrinsics, pose, None);
    let span = |from: f64, length: f64, pixels: u32| {
        let place = |part: f64| ((part * f64::from(pixels)) as usize).min(pixels as usize - 1);
        place(from)..=place(from + length)
    };
    let (columns, rows) =
        (span(window.x, window.width, GRID.width), span(window.y, window.height, GRID.height));
    let (seen, all) = covered(&viewpoint, on_plate == OnPlate::Nothing, columns, rows);
    2 * seen > all
}
