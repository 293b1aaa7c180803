//! COLMAP's text model, rigs, pairs, and the commands that reconstruct from them.
//!
//! Formats: <https://colmap.github.io/format.html> and <https://colmap.github.io/rigs.html>; first pixel at 0.5, 0.5.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::{Distortion, Intrinsics};
use crate::plan::geometry::{CameraPose, Vec3};

use super::files::Files;
use super::pairs::pairs;
use super::views::quaternion;
use super::{View, Views};

/// How far the place of a camera in a rig may differ from point to point, in millimetres, and in its rotation's numbers.
const RIGID: f64 = 1e-6;

pub(super) fn files(views: &Views) -> Files {
    // A rig's cameras have the same names of images in their folders.
    let name = |view: &View| format!("{}/{}.jpg", view.camera, view.label);
    let images = views.views.iter().map(|view| format!("images/{}", name(view))).collect();
    let mut known: Vec<_> =
        views.known().map(|(view, pose, intrinsics)| (name(view), view, pose, intrinsics)).collect();
    known.sort_by(|a, b| a.0.cmp(&b.0));

    let mut texts = Vec::new();
    if !known.is_empty() {
        let mut cameras = String::new();
        let number = numbers(views);
        let mut used: Vec<_> =
            known.iter().map(|(_, view, _, intrinsics)| (view.camera_index, *intrinsics)).collect();
        used.sort_by_key(|(camera, _)| number[*camera]);
        used.dedup_by_key(|(camera, _)| *camera);
        let model = model(used.iter().map(|(_, intrinsics)| intrinsics));
        for (camera, intrinsics) in &used {
            let _ = writeln!(cameras, "{} {}", number[*camera], parameters(model, intrinsics));
        }
        let (mut model, mut reference) = (String::new(), String::new());
        for (index, (name, view, pose, _)) in known.iter().enumerate() {
            // The second line has the image's points, of which there are none yet.
            let _ =
                writeln!(model, "{} {} {} {name}\n", index + 1, transform(pose), number[view.camera_index]);
            let [x, y, z] = pose.centre();
            let _ = writeln!(reference, "{name} {x} {y} {z}");
        }
        let plain = [("cameras.txt", cameras), ("images.txt", model), ("points3D.txt", String::new())];
        let mut add =
            |folder: &str, file: &str, text: &str| texts.push((format!("{folder}{file}"), text.to_owned()));
        for (file, text) in &plain {
            add("sparse/0/", file, text);
        }
        if let Some(rigs) = rigs(views, &known) {
            for (file, text) in &plain {
                add("sparse-rigs/0/", file, text);
            }
            add("sparse-rigs/0/", "rigs.txt", &rigs.sensors);
            add("sparse-rigs/0/", "frames.txt", &rigs.frames);
            add("", "rig_config.json", &format!("{:#}\n", rigs.config));
        }
        // For `colmap model_aligner --ref_images_path`, and for `priors.py`.
        texts.push(("reference.txt".into(), reference));
        texts.push(("priors.py".into(), include_str!("priors.py").into()));
        let poses: Vec<_> = known.iter().map(|(_, _, pose, _)| *pose).collect();
        let lines = pairs(&poses).into_iter().map(|(a, b)| format!("{} {}\n", known[a].0, known[b].0));
        texts.push(("pairs.txt".into(), lines.collect()));
    }
    texts.push(("number.py".into(), include_str!("number.py").into()));
    let [what, commands] = if known.len() == views.views.len() { KNOWN } else { FREE };
    let model = model(known.iter().map(|(_, _, _, intrinsics)| intrinsics));
    texts.push(("reconstruct.sh".into(), [what, PREPARE, commands].concat().replace("PINHOLE", model)));
    let masks = views.all_masks(|index| format!("masks/{}.png", name(&views.views[index])));
    Files { images, masks, texts }
}

type Known<'a> = (String, &'a View, CameraPose, Intrinsics);

struct Rigs {
    /// Lines of `rigs.txt`.
    sensors: String,
    /// Lines of `frames.txt`.
    frames: String,
    /// Content of `rig_config.json`.
    config: Value,
}

/// One rig of all cameras, if they keep their places in it; none for one camera, or where each moves by itself.
fn rigs(views: &Views, known: &[Known<'_>]) -> Option<Rigs> {
    let cameras = views.cameras.len();
    if cameras < 2 {
        return None;
    }
    let at = |camera: usize, view: &View| views.cameras[camera].pose(&view.axes);
    let first = known.first()?.1;
    let reference = at(0, first)?;
    let places = (0..cameras).map(|camera| Some(relative(&at(camera, first)?, &reference)));
    let places: Vec<_> = places.collect::<Option<_>>()?;
    for (_, view, pose, _) in known {
        let place = relative(pose, &at(0, view)?);
        let numbers = |pose: &CameraPose| {
            pose.rotation.into_iter().chain([pose.translation]).flatten().collect::<Vec<_>>()
        };
        let alike = numbers(&place)
            .iter()
            .zip(numbers(&places[view.camera_index]))
            .all(|(a, b)| (a - b).abs() <= RIGID);
        if !alike {
            return None;
        }
    }

    let number = numbers(views);
    let mut line = format!("1 {cameras} CAMERA {}", number[0]);
    for (camera, place) in places.iter().enumerate().skip(1) {
        let _ = write!(line, " CAMERA {} 1 {}", number[camera], transform(place));
    }
    let mut points: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, (_, view, _, _)) in known.iter().enumerate() {
        match points.iter_mut().find(|(label, _)| *label == view.label) {
            Some((_, images)) => images.push(index),
            None => points.push((&view.label, vec![index])),
        }
    }
    let mut frames = String::new();
    for (frame, (_, images)) in points.iter().enumerate() {
        let pose = at(0, known[images[0]].1)?;
        let _ = write!(frames, "{} 1 {} {}", frame + 1, transform(&pose), images.len());
        for image in images {
            let _ = write!(frames, " CAMERA {} {}", number[known[*image].1.camera_index], image + 1);
        }
        frames.push('\n');
    }
    let config = views.cameras.iter().zip(&places).enumerate().map(|(index, (camera, place))| {
        let prefix = format!("{}/", camera.name);
        if index == 0 {
            json!({"image_prefix": prefix, "ref_sensor": true})
        } else {
            json!({
                "image_prefix": prefix,
                "cam_from_rig_rotation": quaternion(&place.rotation),
                "cam_from_rig_translation": place.translation,
            })
        }
    });
    let config = json!([{"cameras": config.collect::<Vec<_>>()}]);
    Some(Rigs { sensors: line + "\n", frames, config })
}

/// The model of all cameras: that of the database is one for all of them.
fn model<'a>(mut intrinsics: impl Iterator<Item = &'a Intrinsics>) -> &'static str {
    if intrinsics.any(|known| known.distortion.is_some()) { "OPENCV" } else { "PINHOLE" }
}

/// A camera in `cameras.txt`, behind its number.
fn parameters(model: &str, intrinsics: &Intrinsics) -> String {
    let Intrinsics { width, height, fx, fy, cx, cy, pixel_pitch: _, distortion } = *intrinsics;
    let pinhole = format!("{model} {width} {height} {fx} {fy} {cx} {cy}");
    if model == "PINHOLE" {
        return pinhole;
    }
    let Distortion { k1, k2, p1, p2 } = distortion.unwrap_or_default();
    format!("{pinhole} {k1} {k2} {p1} {p2}")
}

/// COLMAP's number of each camera.
fn numbers(views: &Views) -> Vec<usize> {
    let before = |name: &str| views.cameras.iter().filter(|other| other.name.as_str() < name).count();
    views.cameras.iter().map(|camera| before(&camera.name) + 1).collect()
}

/// From the frame of camera `from` to that of `to`.
fn relative(to: &CameraPose, from: &CameraPose) -> CameraPose {
    // to * from^-1: the rotation's columns are the axes of `from` as `to` sees them.
    let dot = |a: Vec3, b: Vec3| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let rotation = to.rotation.map(|row| from.rotation.map(|other| dot(row, other)));
    let moved = rotation.map(|row| dot(row, from.translation));
    let translation = std::array::from_fn(|index| to.translation[index] - moved[index]);
    CameraPose { rotation, translation }
}

/// `QW QX QY QZ TX TY TZ`
fn transform(pose: &CameraPose) -> String {
    let numbers = quaternion(&pose.rotation).into_iter().chain(pose.translation);
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}

/// Comments and commands of a script: what stands before [`PREPARE`], and behind it.
type Script = [&'static str; 2];

/// What both scripts begin with.
const PREPARE: &str = r#"set -eu
cd "$(dirname "$0")"
export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"
# Where there are masks, the object alone is looked at.
masks=
if [ -d masks ]; then masks="--ImageReader.mask_path masks"; fi
# Without CUDA, what COLMAP has for the GPU needs a screen. The option's name depends on the version.
gpu=1
if colmap help 2>&1 | grep -q "without CUDA"; then gpu=0; fi
use_gpu() { colmap "$1" -h 2>&1 | grep -o -m1 -e '--[A-Za-z]*\.use_gpu'; }
"#;

/// With the poses as they are: nothing is searched for but points.
const KNOWN: Script = [
    r"#!/bin/sh
# Reconstructs the scan with COLMAP (3.8 or later) from the poses that the rig gave its cameras, in millimetres.
# Needs python3. Afterwards, refined/ is the model with points. For a dense one, run `colmap image_undistorter` and so on
# with it.
",
    r#"colmap feature_extractor --database_path database.db --image_path images $masks \
    --ImageReader.single_camera_per_folder 1 --ImageReader.camera_model PINHOLE "$(use_gpu feature_extractor)" $gpu
colmap matches_importer --database_path database.db --match_list_path pairs.txt --match_type pairs \
    "$(use_gpu matches_importer)" $gpu
python3 number.py
mkdir -p triangulated refined
colmap point_triangulator --database_path database.db --image_path images --input_path known \
    --output_path triangulated
# Points that few images show, or that do not fit them, are off by more than the rest.
colmap point_filtering --input_path triangulated --output_path refined --min_track_len 3 --max_reproj_error 1
"#,
];

/// Where poses or lenses are not known.
const FREE: Script = [
    r"#!/bin/sh
# Reconstructs the scan with COLMAP (3.8 or later). The export says nothing of the poses of some cameras or of their lenses,
# so COLMAP looks for them. Where reference.txt is there, the model is brought into the rig's place and millimetres by it.
",
    r#"colmap feature_extractor --database_path database.db --image_path images --ImageReader.single_camera_per_folder 1 \
    $masks "$(use_gpu feature_extractor)" $gpu
colmap exhaustive_matcher --database_path database.db "$(use_gpu exhaustive_matcher)" $gpu
mkdir -p free
colmap mapper --database_path database.db --image_path images --output_path free
if [ -e reference.txt ]; then
    mkdir -p aligned
    colmap model_aligner --input_path free/0 --output_path aligned --ref_images_path reference.txt \
        --ref_is_gps 0 --alignment_max_error 3
fi
"#,
];
