//! nerfstudio's `transforms.json`: <https://docs.nerf.studio/quickstart/data_conventions.html>.
//!
//! Poses are from the camera's frame to the object's, with the camera's axes as OpenGL's: x to the right, y up, z backward.
//! Rays go through the middle of a pixel at 0.5, 0.5.

use serde_json::{Value, json};

use crate::model::{Distortion, Intrinsics};
use crate::plan::geometry::CameraPose;

use super::Views;
use super::files::{Files, mask_name};

pub(super) fn files(views: &Views) -> Files {
    let names = views.unique_names();
    let images: Vec<_> = names.iter().map(|name| format!("images/{name}")).collect();
    let masks = views.all_masks(|index| mask_name(&names[index]));
    let frames = views.views.iter().zip(&images).zip(&masks).filter_map(|((view, image), mask)| {
        let Intrinsics { width, height, fx, fy, cx, cy, pixel_pitch: _, distortion } =
            views.intrinsics(view)?;
        let mut frame = json!({
            "file_path": image,
            "transform_matrix": matrix(&view.pose?),
            "w": width, "h": height, "fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy,
        });
        if let Some(Distortion { k1, k2, p1, p2 }) = distortion {
            for (key, value) in [("k1", k1), ("k2", k2), ("p1", p1), ("p2", p2)] {
                frame[key] = json!(value);
            }
        }
        if let Some(mask) = mask {
            frame["mask_path"] = json!(mask);
        }
        Some(frame)
    });
    let frames: Vec<Value> = frames.collect();
    let transforms = json!({"camera_model": "OPENCV", "frames": frames});
    Files { images, masks, texts: vec![("transforms.json".into(), format!("{transforms:#}\n"))] }
}

fn matrix(pose: &CameraPose) -> [[f64; 4]; 4] {
    let [right, down, forward] = pose.rotation;
    let centre = pose.centre();
    let row = |index: usize| [right[index], -down[index], -forward[index], centre[index]];
    [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
}
