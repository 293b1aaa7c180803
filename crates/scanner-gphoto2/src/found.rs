//! Which camera is meant.

use std::path::PathBuf;

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;

use super::camera::{Camera, Context};

/// A camera that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) model: String,
    /// As libgphoto2 names it: `usb:001,007`.
    pub(crate) port: String,
}

/// What the names of settings with a serial number are, by maker.
const SERIAL: [&str; 2] = ["serialnumber", "eosserialnumber"];

/// The camera that `id` means: a number, counted from 0 in the order of their ports; `serial:1234`, wherever it is plugged in; or a
/// port, as `usb:001,007` or `ptpip:192.168.1.1`.
pub(crate) fn find(id: &str) -> Result<Found, DeviceError> {
    if id.starts_with("ptpip:") {
        return Ok(Found { model: "camera at a network".into(), port: id.into() });
    }
    let detected = Context::new().and_then(|context| context.cameras());
    let detected = detected.map_err(|failure| failure.explain("looking for cameras"))?;
    let mut there: Vec<Found> = detected.into_iter().map(|(model, port)| Found { model, port }).collect();
    there.sort_by(|a, b| a.port.cmp(&b.port));
    let meant = match id.strip_prefix("serial:") {
        Some(serial) => there.iter().find(|found| has_serial(found, serial)),
        None => match id.parse::<usize>() {
            Ok(index) => there.get(index),
            Err(_) => there.iter().find(|found| found.port == id),
        },
    };
    meant.cloned().ok_or_else(|| {
        let names: Vec<_> = there.iter().map(|found| format!("{} at {}", found.model, found.port)).collect();
        let names = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
        let message = format!(
            "there is no camera {id:?}, but {names}: look at its cable, whether it is on, and whether it is in a mode in which \
             a computer may use it"
        );
        DeviceError::new(ErrorKind::Gone, message)
    })
}

/// Whether it can be opened, and has this serial number. One that another program has is not it.
fn has_serial(found: &Found, serial: &str) -> bool {
    let Ok(camera) = Camera::open(&found.port) else { return false };
    SERIAL.iter().any(|name| {
        camera
            .setting(name)
            .is_ok_and(|value| value.trim_start_matches('0') == serial.trim_start_matches('0'))
    })
}

impl Found {
    /// The device node by which one program alone has it, if it is on USB.
    pub(crate) fn node(&self) -> Option<PathBuf> {
        let (bus, device) = self.port.strip_prefix("usb:")?.split_once(',')?;
        let path = PathBuf::from(format!("/dev/bus/usb/{bus}/{device}"));
        path.exists().then_some(path)
    }
}
