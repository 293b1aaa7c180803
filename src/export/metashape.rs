//! Cameras as Metashape exports and imports them (Agisoft XML, version 1.5 of its document).
//!
//! A camera's transform is from its frame (x to the right, y down, z forward) to the chunk's. `f` is the vertical focal
//! length, `b1` what the horizontal one is longer, `cx` and `cy` count from the middle of the image; Metashape user manual,
//! appendix "Camera models". First pixel at 0.5, 0.5.

use std::fmt::Write as _;

use crate::model::{Distortion, Intrinsics};
use crate::plan::geometry::CameraPose;

use super::Views;
use super::files::Files;
use super::xml::{escaped, numbers};

/// Local coordinates in millimetres, as OGC's well-known text.
const MILLIMETRES: &str =
    r#"LOCAL_CS["Local Coordinates (mm)",LOCAL_DATUM["Local Datum",0],UNIT["millimetre",0.001]]"#;

pub(super) fn files(views: &Views) -> Files {
    let names = views.unique_names();
    let images = names.iter().map(|name| format!("images/{name}")).collect();
    let mut sensors = String::new();
    for (id, camera) in views.cameras.iter().enumerate() {
        if let Some(intrinsics) = camera.intrinsics.intrinsics() {
            sensors += &sensor(id, &camera.name, &intrinsics);
        }
    }
    let mut cameras = String::new();
    for (id, (view, name)) in views.views.iter().zip(&names).enumerate() {
        if views.intrinsics(view).is_none() {
            continue;
        }
        let label = escaped(name);
        let _ = writeln!(
            cameras,
            r#"      <camera id="{id}" sensor_id="{}" label="{label}" enabled="true">"#,
            view.camera_index
        );
        if let Some(pose) = &view.pose {
            let [x, y, z] = pose.centre();
            let _ = writeln!(cameras, "        <transform>{}</transform>", numbers(matrix(pose)));
            let _ = writeln!(cameras, r#"        <reference x="{x}" y="{y}" z="{z}" enabled="true"/>"#);
        }
        cameras += "      </camera>\n";
    }
    let (next_sensor, next_camera) = (views.cameras.len(), views.views.len());
    let crs = escaped(MILLIMETRES);
    let document = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<document version="1.5.0">
  <chunk label="scan" enabled="true">
    <sensors next_id="{next_sensor}">
{sensors}    </sensors>
    <cameras next_id="{next_camera}" next_group_id="0">
{cameras}    </cameras>
    <reference>{crs}</reference>
  </chunk>
</document>
"#
    );
    // For Import Masks with the template {filename}_mask.png.
    let stem = |index: usize| names[index].trim_end_matches(".jpg").to_owned();
    let masks = views.masks(|index| format!("masks/{}_mask.png", stem(index)));
    Files { images, masks, texts: vec![("cameras.xml".into(), document)] }
}

fn sensor(id: usize, name: &str, intrinsics: &Intrinsics) -> String {
    let Intrinsics { width, height, fx, fy, cx, cy, pixel_pitch, distortion } = *intrinsics;
    let label = escaped(name);
    let (b1, cx, cy) = (fx - fy, cx - f64::from(width) / 2.0, cy - f64::from(height) / 2.0);
    let mut properties = String::new();
    if let Some(pitch) = pixel_pitch {
        let pitch = pitch.get();
        let focal_length = fy * pitch;
        for (name, value) in [("pixel_width", pitch), ("pixel_height", pitch), ("focal_length", focal_length)]
        {
            let _ = writeln!(properties, r#"        <property name="{name}" value="{value}"/>"#);
        }
    }
    let mut bent = String::new();
    if let Some(Distortion { k1, k2, p1, p2 }) = distortion {
        // Metashape's P1 goes across, OpenCV's down.
        for (name, value) in [("k1", k1), ("k2", k2), ("p1", p2), ("p2", p1)] {
            let _ = writeln!(bent, "          <{name}>{value}</{name}>");
        }
    }
    format!(
        r#"      <sensor id="{id}" label="{label}" type="frame">
        <resolution width="{width}" height="{height}"/>
{properties}        <calibration type="frame" class="initial">
          <resolution width="{width}" height="{height}"/>
          <f>{fy}</f>
          <cx>{cx}</cx>
          <cy>{cy}</cy>
          <b1>{b1}</b1>
{bent}        </calibration>
      </sensor>
"#
    )
}

fn matrix(pose: &CameraPose) -> [f64; 16] {
    let [right, down, forward] = pose.rotation;
    let centre = pose.centre();
    let value = |row: usize, column: usize| match (row, column) {
        (3, 3) => 1.0,
        (3, _) => 0.0,
        (row, 3) => centre[row],
        (row, column) => [right, down, forward][column][row],
    };
    std::array::from_fn(|index| value(index / 4, index % 4))
}
