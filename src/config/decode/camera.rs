//! Reads each `[[camera]]`: its driver, its images, and what is set.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde_json::{Map, Number};

use crate::config::problem::Finding;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Table, Value};
use crate::config::{Camera, Computed, HoldSettings, Live, Raw};
use crate::file_name;
use crate::model::{
    ColourGains, Controls, Intrinsics, Mount, Optics, Orientation, PixelFormat, Region, Size, limits,
};
use crate::units::{Degrees, Dimension, FramesPerSecond, Millimetres, Quantity};

const MAX_CAMERAS: usize = 64;

/// Reads every `[[camera]]`, in the order of the files.
pub(super) fn cameras(document: &mut Reader<'_, '_, '_>) -> Vec<Camera> {
    let mut names = Vec::new();
    let mut index = 0;
    let cameras = document.list("camera", |reader| {
        index += 1;
        camera(reader, index - 1, &mut names)
    });
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

fn camera(camera: &mut Reader<'_, '_, '_>, index: usize, names: &mut Vec<String>) -> Option<Camera> {
    let name = name(camera, index, names);
    let driver = driver(camera);
    let id = camera.or("id", index.to_string());
    let format = camera.or("format", PixelFormat::Yuv420);
    let frame_rate =
        camera.optional_in("frame_rate", &(FramesPerSecond::new(0.01)..=FramesPerSecond::new(1000.0)));
    // A computed camera has no sensor, lens and place but those that are configured.
    let computed = driver.as_deref().is_some_and(|driver| Computed::by(driver).is_some());
    let optics = if computed || LENS.iter().any(|key| camera.has(key)) {
        intrinsics(camera).map(Optics::Intrinsics)
    } else {
        size(camera)
    };
    let mount = if computed || camera.has("mount") {
        camera.section("mount", mount).flatten().map(Some)
    } else {
        Some(None)
    };
    let orientation = camera.or("orientation", Orientation::Normal);
    let live = camera.or("live", Live::Auto);
    let raw = camera.or("raw", Raw::Off);
    let hold = camera.or("hold", HoldSettings::Scan);
    let controls = camera.section("controls", controls);
    let options = options(camera);
    Some(Camera {
        name: name?,
        driver: driver?,
        id,
        format,
        frame_rate,
        optics: optics?,
        mount: mount?,
        orientation,
        live,
        raw,
        controls: controls?,
        hold,
        options: options?,
    })
}

/// What is said of a lens.
const LENS: [&str; 6] = ["fx", "fy", "cx", "cy", "focal_length", "pixel_pitch"];

/// The first camera is `cam0` unless it is given a name, and so on.
fn name(camera: &mut Reader<'_, '_, '_>, index: usize, names: &mut Vec<String>) -> Option<String> {
    if camera.has("name") {
        let name = camera.name_in("name", names)?;
        // Its images are in a folder of this name.
        if let Some(objection) = file_name::objection(&name) {
            camera.reject("name", &format!("cannot be {name:?}: it {objection}"), "give it another name");
            return None;
        }
        let like = |other: &&String| **other != name && file_name::folded(other) == file_name::folded(&name);
        if let Some(other) = names.iter().find(like) {
            let message =
                format!("cannot be {name:?} beside {other:?}: Windows and Macs cannot keep them apart");
            camera.reject("name", &message, "give each camera a name that differs in more than capitals");
            return None;
        }
        return Some(name);
    }
    let name = format!("cam{index}");
    if names.iter().any(|other| file_name::folded(other) == name) {
        camera.reject("name", &format!("is missing, and {name:?} is taken"), "give each camera its own name");
        return None;
    }
    names.push(name.clone());
    Some(name)
}

/// The size of the images, if it is not left to the camera.
fn size(camera: &mut Reader<'_, '_, '_>) -> Option<Optics> {
    if !camera.has("width") && !camera.has("height") {
        return Some(Optics::Unknown);
    }
    let (width, height) = (side(camera, "width"), side(camera, "height"));
    Some(Optics::Size(Size { width: width?, height: height? }))
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
    let (fx, fy, pixel_pitch) = focal?;
    Some(Intrinsics { width: width?, height: height?, fx, fy, cx, cy, pixel_pitch, distortion: None })
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

/// `fx` and `fy`, given in pixels or as focal length and pixel pitch, and the latter.
fn focal_lengths(camera: &mut Reader<'_, '_, '_>) -> Option<(f64, f64, Option<Millimetres>)> {
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
                return camera.required("fx").map(|fx| (fx, fx, None));
            }
            let fx = fx?;
            Some((fx, if camera.has("fy") { fy? } else { fx }, None))
        }
        (false, true) => {
            for key in ["focal_length", "pixel_pitch"] {
                if !camera.has(key) {
                    camera.required::<Millimetres>(key)?;
                }
            }
            let focal = length?.get() / pitch?.get();
            Some((focal, focal, pitch))
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
        exposure: controls.optional_in("exposure", &within(&limits::EXPOSURE)),
        gain: controls.optional_in("gain", &limits::GAIN),
        white_balance: white_balance(controls),
        focus: controls.optional_in("focus", &within(&limits::FOCUS)),
        metering: controls.optional("metering"),
        focus_window: region(controls, "focus_window"),
        noise_reduction: controls.optional("noise_reduction"),
        crop: region(controls, "crop"),
    }
}

fn within<D: Dimension>(limits: &RangeInclusive<f64>) -> RangeInclusive<Quantity<D>> {
    Quantity::new(*limits.start())..=Quantity::new(*limits.end())
}

fn white_balance(controls: &mut Reader<'_, '_, '_>) -> Option<ColourGains> {
    let gains: Vec<f64> = controls.optional("white_balance")?;
    match *gains.as_slice() {
        [red, blue] if limits::COLOUR_GAIN.contains(&red) && limits::COLOUR_GAIN.contains(&blue) => {
            Some(ColourGains { red, blue })
        }
        _ => {
            let hint = "write the gains of red and blue over green, 0 to 32 each: [1.8, 1.5]";
            controls.reject("white_balance", "is not two gains", hint);
            None
        }
    }
}

/// A part of the image at `key`.
fn region(controls: &mut Reader<'_, '_, '_>, key: &'static str) -> Option<Region> {
    controls
        .is_one_value(key, "a part of the picture such as { x = 0.25, y = 0.25, width = 0.5, height = 0.5 }");
    if !controls.has(key) {
        return None;
    }
    let region = controls.section(key, |region| {
        let start = 0.0..=0.99;
        let extent = 0.01..=1.0;
        let (x, y) = (region.required_in("x", &start), region.required_in("y", &start));
        let (width, height) = (region.required_in("width", &extent), region.required_in("height", &extent));
        Some(Region { x: x?, y: y?, width: width?, height: height? })
    });
    let region = region.flatten()?;
    if !region.is_within() {
        let hint = "x + width and y + height are at most 1: parts of the image's width and height";
        controls.reject(key, "reaches beyond the image", hint);
        return None;
    }
    Some(region)
}

/// The options as JSON; an empty object if there are none.
fn options(camera: &mut Reader<'_, '_, '_>) -> Option<serde_json::Value> {
    camera.is_one_value("options", "a table of what the driver knows");
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
