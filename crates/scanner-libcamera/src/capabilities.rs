//! What a camera is and can do, in the words of the camera driver protocol.

use libcamera::camera::Camera;
use libcamera::control_value::ControlValue;
use libcamera::controls::ControlId;
use libcamera::geometry;
use libcamera::pixel_format;
use libcamera::properties;
use libcamera::stream::StreamRole;
use scanner::camera_driver::protocol::{Hello, Mode, Timestamps, VERSION};
use scanner::model::{Bayer, Control, Domain, Metering, NoiseReduction, PixelFormat, Region, Size};

use super::{nodes, raw};

/// What the daemon is told of `camera`; `devices` are known otherwise, if any are.
pub(crate) fn hello(camera: &Camera<'_>, id: &str, devices: Vec<std::path::PathBuf>) -> Hello {
    let properties = camera.properties();
    let model = properties.get::<properties::Model>().map_or_else(|_| "unknown".into(), |model| model.0);
    let formats = still_formats(camera);
    let largest = formats.iter().map(|(_, size)| *size).max_by_key(|size| area(*size));
    let modes = modes(camera);
    let sensor = match properties.get::<properties::PixelArraySize>() {
        Ok(size) => Size { width: size.0.width, height: size.0.height },
        Err(_) => largest.unwrap_or(Size { width: 0, height: 0 }),
    };
    let devices = if devices.is_empty() {
        properties
            .get::<properties::SystemDevices>()
            .map_or_else(|_| Vec::new(), |devices| nodes::media_devices(&devices.0))
    } else {
        devices
    };
    Hello {
        protocol: VERSION,
        driver: concat!("scanner-libcamera ", env!("CARGO_PKG_VERSION")).into(),
        camera: id.into(),
        model,
        sensor,
        // Nanometres.
        pixel_pitch_um: properties
            .get::<properties::UnitCellSize>()
            .map_or(0.0, |size| f64::from(size.0.width) / 1000.0),
        formats: formats.into_iter().map(|(format, _)| format).collect(),
        raw: modes.iter().any(|mode| mode.raw.is_some()),
        bayer: bayer(&modes),
        modes,
        controls: controls(camera),
        devices,
        live_beside_stills: camera
            .generate_configuration(&[StreamRole::StillCapture, StreamRole::ViewFinder])
            .is_some_and(|streams| streams.len() == 2),
        longest_call_ms: 0,
        files: Vec::new(),
        timestamps: Timestamps::Sensor,
        reset: None,
    }
}

/// The raw images of the largest mode, in the first format that can be read of those that it may have.
fn bayer(modes: &[Mode]) -> Option<Bayer> {
    modes.iter().find_map(|mode| {
        let candidates = raw::candidates(mode.raw.as_deref()?);
        candidates.iter().find_map(|name| raw::bayer(name, mode.size))
    })
}

/// Most sizes of stills that are told of a camera without modes.
const MOST_SIZES: usize = 4;

/// Pixel formats that the daemon knows.
pub(crate) const FORMATS: [PixelFormat; 2] = [PixelFormat::Yuv420, PixelFormat::Nv12];

/// libcamera's name of `format`.
pub(crate) fn fourcc(format: PixelFormat) -> pixel_format::PixelFormat {
    let code = match format {
        PixelFormat::Yuv420 => b"YU12",
        PixelFormat::Nv12 => b"NV12",
    };
    pixel_format::PixelFormat::new(u32::from_le_bytes(*code), 0)
}

fn area(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

/// Formats of stills that the daemon knows, each with its largest size.
fn still_formats(camera: &Camera<'_>) -> Vec<(PixelFormat, Size)> {
    let Some(config) = camera.generate_configuration(&[StreamRole::StillCapture]) else { return Vec::new() };
    let Some(still) = config.get(0) else { return Vec::new() };
    let formats = still.formats();
    let offered =
        |format: &PixelFormat| formats.pixel_formats().into_iter().any(|offered| offered == fourcc(*format));
    FORMATS
        .into_iter()
        .filter(offered)
        .map(|format| {
            let largest = formats.range(fourcc(format)).max;
            (format, Size { width: largest.width, height: largest.height })
        })
        .collect()
}

/// The sensor's modes, from its raw formats: the largest first, and of each size the one with most bits. Those of a
/// camera without raw formats are the sizes of its stills.
fn modes(camera: &Camera<'_>) -> Vec<Mode> {
    let mut modes = Vec::new();
    // A camera that is no device has no raw formats, and would log an error if asked.
    let is_device = camera.properties().get::<properties::SystemDevices>().is_ok();
    if let Some(config) = is_device.then(|| camera.generate_configuration(&[StreamRole::Raw])).flatten()
        && let Some(raw) = config.get(0)
    {
        let formats = raw.formats();
        for format in &*formats.pixel_formats() {
            for geometry::Size { width, height } in formats.sizes(format) {
                let size = Size { width, height };
                modes.push(Mode { size, raw: Some(format!("{format:?}")) });
            }
        }
    }
    modes.sort_by(|a, b| area(b.size).cmp(&area(a.size)).then_with(|| b.raw.cmp(&a.raw)));
    modes.dedup_by_key(|mode| mode.size);
    if modes.is_empty() {
        modes = still_sizes(camera).into_iter().map(|size| Mode { size, raw: None }).collect();
        modes.sort_by_key(|mode| std::cmp::Reverse(area(mode.size)));
    }
    modes
}

/// The largest sizes of stills in the first known format. Those that libcamera lists are only examples where a
/// camera offers a range of them, so each is tried.
fn still_sizes(camera: &Camera<'_>) -> Vec<Size> {
    let formats = still_formats(camera);
    let Some((format, largest)) = formats.first() else { return Vec::new() };
    let Some(mut config) = camera.generate_configuration(&[StreamRole::StillCapture]) else {
        return Vec::new();
    };
    let listed = config.get(0).map(|still| still.formats().sizes(fourcc(*format))).unwrap_or_default();
    let listed = listed.into_iter().map(|geometry::Size { width, height }| Size { width, height });
    let mut sizes: Vec<Size> = listed.chain([*largest]).collect();
    sizes.sort_by_key(|size| std::cmp::Reverse(area(*size)));
    sizes.dedup();
    sizes.retain(|size| {
        let wanted = geometry::Size::new(size.width, size.height);
        if let Some(mut still) = config.get_mut(0) {
            still.set_pixel_format(fourcc(*format));
            still.set_size(wanted);
        }
        let _status = config.validate();
        config.get(0).is_some_and(|still| {
            (still.get_size().width, still.get_size().height) == (size.width, size.height)
        })
    });
    sizes.truncate(MOST_SIZES);
    sizes
}

/// The part of the pixel array of a `sensor` of this size that the configured mode shows: what a crop is a part of.
pub(crate) fn field_of_view(camera: &Camera<'_>, sensor: Size) -> Option<Region> {
    let info = camera.controls().find(ControlId::ScalerCrop as u32).ok()?;
    let ControlValue::Rectangle(values) = info.max() else { return None };
    let shown = values.first()?;
    let (width, height) = (f64::from(sensor.width), f64::from(sensor.height));
    let part = Region {
        x: f64::from(shown.x) / width,
        y: f64::from(shown.y) / height,
        width: f64::from(shown.width) / width,
        height: f64::from(shown.height) / height,
    };
    let is_part = part.width > 0.0
        && part.height > 0.0
        && part.x + part.width <= 1.001
        && part.y + part.height <= 1.001;
    is_part.then_some(part)
}

/// The controls that can be set, with what they take, which may change when the camera is configured.
pub(crate) fn controls(camera: &Camera<'_>) -> Vec<Control> {
    let range = |name: &str, id: ControlId, unit: f64| {
        let info = camera.controls().find(id as u32).ok()?;
        let (min, max) = (number(&info.min())? * unit, number(&info.max())? * unit);
        Some(Control { name: name.into(), domain: Domain::range(min, max) })
    };
    let choice = |name: &str, id: ControlId, words: &[(&'static str, i32)]| {
        let info = camera.controls().find(id as u32).ok()?;
        let offered: Vec<i64> =
            info.values().iter().filter_map(|value| number(value).map(|value| value as i64)).collect();
        let in_range = |value: i64| match (number(&info.min()), number(&info.max())) {
            (Some(min), Some(max)) => (min as i64..=max as i64).contains(&value),
            (_, _) => false,
        };
        let is_offered = |value: i32| {
            let value = i64::from(value);
            if offered.is_empty() { in_range(value) } else { offered.contains(&value) }
        };
        let choices =
            words.iter().filter(|(_, value)| is_offered(*value)).map(|(word, _)| (*word).to_owned());
        Some(Control { name: name.into(), domain: Domain::Choice { choices: choices.collect() } })
    };
    let region = |name: &str, id: ControlId| {
        camera.controls().find(id as u32).ok()?;
        Some(Control { name: name.into(), domain: Domain::Region })
    };
    let metering =
        Metering::ALL.map(|metering| (metering.name(), super::controls::metering(metering) as i32));
    let noise = NoiseReduction::ALL.map(|mode| (mode.name(), super::controls::noise_reduction(mode) as i32));
    [
        // Microseconds.
        range("exposure", ControlId::ExposureTime, 1e-6),
        range("gain", ControlId::AnalogueGain, 1.0),
        range("white_balance", ControlId::ColourGains, 1.0),
        range("focus", ControlId::LensPosition, 1.0),
        choice("metering", ControlId::AeMeteringMode, &metering),
        region("focus_window", ControlId::AfWindows),
        choice("noise_reduction", ControlId::NoiseReductionMode, &noise),
        region("crop", ControlId::ScalerCrop),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn number(value: &ControlValue) -> Option<f64> {
    match value {
        ControlValue::Byte(values) => values.first().map(|&value| f64::from(value)),
        ControlValue::Int32(values) => values.first().map(|&value| f64::from(value)),
        ControlValue::Int64(values) => values.first().map(|&value| value as f64),
        ControlValue::Float(values) => values.first().map(|&value| f64::from(value)),
        ControlValue::None
        | ControlValue::Bool(_)
        | ControlValue::Uint16(_)
        | ControlValue::Uint32(_)
        | ControlValue::String(_)
        | ControlValue::Rectangle(_)
        | ControlValue::Size(_)
        | ControlValue::Point(_) => None,
    }
}
