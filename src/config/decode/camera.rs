//! `[[camera]]`

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde_json::{Map, Number};

use crate::camera_driver::protocol::{Controls, PixelFormat};
use crate::config::Camera;
use crate::config::problem::Finding;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Table, Value};
use crate::plan::{Intrinsics, Mount};
use crate::units::{Degrees, Dioptres, FramesPerSecond, Millimetres, Seconds};

const MAX_CAMERAS: usize = 64;

/// Reads every camera.
pub(super) fn cameras(document: &mut Reader<'_, '_, '_>) -> Vec<Camera> {
    let mut names = Vec::new();
    let cameras = document.list("camera", |reader| camera(reader, &mut names));
    let written = document.raw("camera").map(|node| &node.value);
    if written.is_none_or(|value| matches!(value, Value::Array(items) if items.is_empty())) {
        document.reject_table("there is no camera", "write a `[[camera]]` for each one");
    } else if cameras.len() > MAX_CAMERAS {
        document.reject(
            "camera",
            &format!("is there {} times", cameras.len()),
            &format!("at most {MAX_CAMERAS}"),
        );
    }
    cameras
}

fn camera(camera: &mut Reader<'_, '_, '_>, names: &mut Vec<String>) -> Option<Camera> {
    let name = camera.name_in("name", names);
    let driver = driver(camera);
    let id = camera.required("id");
    let format = camera.or("format", PixelFormat::Yuv420);
    let frame_rate =
        camera.optional_in("frame_rate", &(FramesPerSecond::new(0.01)..=FramesPerSecond::new(1000.0)));
    let intrinsics = intrinsics(camera);
    let mount = camera.section("mount", mount).flatten();
    let controls = camera.section("controls", controls);
    let options = options(camera);
    Some(Camera {
        name: name?,
        driver: driver?,
        id: id?,
        format,
        frame_rate,
        intrinsics: intrinsics?,
        mount: mount?,
        controls: controls?,
        options: options?,
    })
}

fn driver(camera: &mut Reader<'_, '_, '_>) -> Option<PathBuf> {
    let driver = PathBuf::from(camera.required::<String>("driver")?);
    if driver.is_absolute() || driver.file_name() == Some(driver.as_os_str()) {
        return Some(driver);
    }
    camera.reject(
        "driver",
        "is a path that depends on where the program runs",
        "write an absolute path, or a name alone, which is looked up beside this program and in PATH",
    );
    None
}

fn intrinsics(camera: &mut Reader<'_, '_, '_>) -> Option<Intrinsics> {
    let width = side(camera, "width");
    let height = side(camera, "height");
    let focal = focal_lengths(camera);
    let (half_width, half_height) =
        (f64::from(width.unwrap_or(0)) / 2.0, f64::from(height.unwrap_or(0)) / 2.0);
    let cx = camera.or_in("cx", &(-MAX_PIXELS..=MAX_PIXELS), half_width);
    let cy = camera.or_in("cy", &(-MAX_PIXELS..=MAX_PIXELS), half_height);
    let (fx, fy) = focal?;
    Some(Intrinsics { width: width?, height: height?, fx, fy, cx, cy })
}

/// One side of the image.
fn side(camera: &mut Reader<'_, '_, '_>, key: &'static str) -> Option<u32> {
    let side = camera.required_in(key, &(16..=10_000))?;
    if side % 2 == 1 {
        camera.reject(key, &format!("cannot be {side}"), "write an even number: colour has half the pixels");
        return None;
    }
    Some(side)
}

/// Beyond any lens, in pixels.
const MAX_PIXELS: f64 = 1e6;

/// `fx` and `fy`, given in pixels or as focal length and pixel pitch.
fn focal_lengths(camera: &mut Reader<'_, '_, '_>) -> Option<(f64, f64)> {
    let pixels: RangeInclusive<f64> = 1.0..=MAX_PIXELS;
    let in_pixels = camera.has("fx") || camera.has("fy");
    let in_millimetres = camera.has("focal_length") || camera.has("pixel_pitch");
    let fx = camera.optional_in("fx", &pixels);
    let fy = camera.optional_in("fy", &pixels);
    let length = camera.optional_in("focal_length", &(Millimetres::new(0.1)..=Millimetres::new(10_000.0)));
    let pitch = camera.optional_in("pixel_pitch", &(Millimetres::new(1e-5)..=Millimetres::new(1.0)));
    match (in_pixels, in_millimetres) {
        (true, true) => {
            let key = if camera.has("fx") { "fx" } else { "fy" };
            let hint = "keep either fx and fy, or focal_length and pixel_pitch";
            camera.reject(key, "says again what focal_length and pixel_pitch say", hint);
            None
        }
        (true, false) => {
            if !camera.has("fx") {
                return camera.required("fx").map(|fx| (fx, fx));
            }
            let fx = fx?;
            Some((fx, if camera.has("fy") { fy? } else { fx }))
        }
        (false, true) => {
            for key in ["focal_length", "pixel_pitch"] {
                if !camera.has(key) {
                    camera.required::<Millimetres>(key)?;
                }
            }
            let focal = length?.get() / pitch?.get();
            Some((focal, focal))
        }
        (false, false) => {
            camera.reject_table(
                "the camera's focal length is missing",
                "write focal_length and pixel_pitch of the lens and sensor, or fx and fy in pixels",
            );
            None
        }
    }
}

fn mount(mount: &mut Reader<'_, '_, '_>) -> Option<Mount> {
    let far = Millimetres::new(100_000.0);
    let distance = mount.required_in("distance", &(Millimetres::new(1.0)..=far));
    let height = mount.required_in("height", &(-far..=far));
    let azimuth = mount.or_in("azimuth", &(Degrees::new(-360.0)..=Degrees::new(360.0)), Degrees::ZERO);
    let look_at_height = mount.or_in("look_at_height", &(-far..=far), Millimetres::ZERO);
    Some(Mount { distance: distance?, height: height?, azimuth, look_at_height })
}

fn controls(controls: &mut Reader<'_, '_, '_>) -> Controls {
    Controls {
        exposure: controls.optional_in("exposure", &(Seconds::new(1e-6)..=Seconds::new(200.0))),
        gain: controls.optional_in("gain", &(1.0..=1000.0)),
        focus: controls.optional_in("focus", &(Dioptres::ZERO..=Dioptres::new(100.0))),
    }
}

/// The options as JSON; an empty object if there are none.
fn options(camera: &mut Reader<'_, '_, '_>) -> Option<serde_json::Value> {
    let Some(node) = camera.raw("options") else { return Some(Map::new().into()) };
    let Value::Table(table) = &node.value else {
        camera.reject("options", &format!("cannot be {}", node.value.kind()), "write `[camera.options]`");
        return None;
    };
    let mut findings = Vec::new();
    let options = object(table, &mut findings);
    let sound = findings.is_empty();
    for finding in findings {
        camera.report(finding);
    }
    sound.then_some(options)
}

fn object(table: &Table, findings: &mut Vec<Finding>) -> serde_json::Value {
    let entries = table.entries.iter().map(|entry| (entry.key.clone(), json(&entry.node, findings)));
    entries.collect::<Map<_, _>>().into()
}

fn json(node: &Node, findings: &mut Vec<Finding>) -> serde_json::Value {
    let mut cannot = |what: &str, hint: &str| {
        findings.push(Finding::new(&node.place, format!("`camera.options` cannot have {what}")).hint(hint));
        serde_json::Value::Null
    };
    match &node.value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(Some(number)) => (*number).into(),
        Value::Integer(None) => cannot("a number of more than 64 bits", "write it as a text, in quotes"),
        Value::Float(number) => match Number::from_f64(*number) {
            Some(number) => number.into(),
            None => cannot("an infinite number", "write it as a text, in quotes"),
        },
        Value::Boolean(truth) => (*truth).into(),
        Value::Date => cannot("a date or time", "write it as a text, in quotes"),
        Value::Array(items) => items.iter().map(|item| json(item, findings)).collect(),
        Value::Table(table) => object(table, findings),
    }
}
