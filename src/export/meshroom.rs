//! `AliceVision`'s `.sfm`, as version 1.2.4 of `sfmDataIO` has it, which later ones read.
//!
//! A rotation is from the world to the camera, written column by column. The principal point counts from the middle of the
//! image. Numbers are text, as boost's property trees write them.

use serde_json::{Value, json};

use crate::model::{Distortion, Intrinsics};
use crate::plan::geometry::CameraPose;

use super::Views;
use super::files::{At, Files, mask_name};

/// Of a sensor whose pixels are of unknown size: the width of film, as `AliceVision` takes it.
const FILM_WIDTH: f64 = 36.0;

pub(super) fn files(views: &Views, at: At<'_>) -> Files {
    let names = views.unique_names();
    let images: Vec<_> = names.iter().map(|name| format!("images/{name}")).collect();
    // In a folder of masks, the mask of an image has its name.
    let masks = views.masks(|index| mask_name(&names[index]));
    let cameras = views.cameras.iter().enumerate();
    let intrinsics: Vec<_> = cameras
        .filter_map(|(id, camera)| Some(intrinsic(id, &camera.name, &camera.intrinsics.intrinsics()?)))
        .collect();
    // Meshroom wants whole paths.
    let path = |image: &str| match at {
        At::Folder(folder) => folder.join(image).to_string_lossy().into_owned(),
        At::Anywhere => image.to_owned(),
    };
    let mut shown = Vec::new();
    let mut poses = Vec::new();
    for (view, image) in views.views.iter().zip(&images) {
        let Some(intrinsics) = views.intrinsics(view) else { continue };
        let id = (view.shot + 1).to_string();
        shown.push(json!({
            "viewId": id, "poseId": id, "frameId": id, "intrinsicId": (view.camera_index + 1).to_string(),
            "path": path(image),
            "width": intrinsics.width.to_string(), "height": intrinsics.height.to_string(),
        }));
        if let Some(pose) = &view.pose {
            let transform =
                json!({"rotation": columns(pose), "center": pose.centre().map(|value| value.to_string())});
            poses.push(json!({"poseId": id, "pose": {"transform": transform, "locked": "1"}}));
        }
    }
    let scene = json!({"version": ["1", "2", "4"], "views": shown, "intrinsics": intrinsics, "poses": poses});
    let mut texts = vec![("scene.sfm".into(), format!("{scene:#}\n"))];
    if at == At::Anywhere {
        texts.push(("place.py".into(), include_str!("place.py").into()));
    }
    Files { images, masks, texts }
}

fn intrinsic(id: usize, name: &str, intrinsics: &Intrinsics) -> Value {
    let Intrinsics { width, height, fx, fy, cx, cy, pixel_pitch, distortion } = *intrinsics;
    let sensor_width = pixel_pitch.map_or(FILM_WIDTH, |pitch| pitch.get() * f64::from(width));
    let pitch = sensor_width / f64::from(width);
    let focal_length = (fx * pitch).to_string();
    // `AliceVision`'s Brown: k1, k2, k3, t1, t2, the last two as OpenCV's p1 and p2.
    let brown = distortion.map(|Distortion { k1, k2, p1, p2 }| {
        json!([k1, k2, 0.0, p1, p2].map(|value: f64| value.to_string()))
    });
    json!({
        "intrinsicId": (id + 1).to_string(),
        "width": width.to_string(), "height": height.to_string(),
        "sensorWidth": sensor_width.to_string(), "sensorHeight": (pitch * f64::from(height)).to_string(),
        "serialNumber": name,
        "type": if brown.is_some() { "brown" } else { "pinhole" },
        "initializationMode": "calibrated",
        "initialFocalLength": focal_length,
        "focalLength": focal_length,
        // Before version 1.2.5, fx over fy.
        "pixelRatio": (fx / fy).to_string(),
        "pixelRatioLocked": "true",
        "principalPoint": [
            (cx - f64::from(width) / 2.0).to_string(),
            (cy - f64::from(height) / 2.0).to_string(),
        ],
        "distortionParams": brown.unwrap_or_else(|| json!("")),
        "locked": "0",
    })
}

fn columns(pose: &CameraPose) -> [String; 9] {
    std::array::from_fn(|index| pose.rotation[index % 3][index / 3].to_string())
}
