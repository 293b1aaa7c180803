//! Which camera is meant.

use std::fs::OpenOptions;
use std::io::ErrorKind as IoError;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;

use super::camera::{Camera, Context, reset};
use super::failure::{CLAIMED, Failure};
use super::network;

/// A camera that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) model: String,
    /// As libgphoto2 names it: `usb:001,007`.
    pub(crate) port: String,
    /// The serial number that it is to have.
    serial: Option<String>,
    /// No other one may be meant after it has got another port: it goes by its serial number, or there is no other one.
    is_sure: bool,
}

/// What the names of settings with a serial number are, by maker.
const SERIAL: [&str; 2] = ["serialnumber", "eosserialnumber"];

const MODEL: &str = "cameramodel";

/// The camera that `id` means: a number, counted from 0 in the order of their ports; `serial:1234`, wherever it is plugged in; or a
/// port, as `usb:001,007` or `ptpip:192.168.1.1`. Whether there is one at a network, nobody knows before it is opened.
pub(crate) fn find(id: &str) -> Result<Found, DeviceError> {
    if let Some(address) = network::address(id)? {
        let (model, port) = ("camera at a network".into(), network::port(address));
        return Ok(Found { model, port, serial: None, is_sure: true });
    }
    let detected = Context::new().and_then(|context| context.cameras());
    let detected = detected.map_err(|failure| failure.explain("looking for cameras"))?;
    let serial = id.strip_prefix("serial:").map(ToOwned::to_owned);
    let is_sure = detected.len() == 1 || id.parse::<usize>().is_err();
    let found = |(model, port)| Found { model, port, serial: serial.clone(), is_sure };
    let mut there: Vec<Found> = detected.into_iter().map(found).collect();
    there.sort_by(|a, b| a.port.cmp(&b.port));
    let meant = match (&serial, id.parse::<usize>()) {
        (Some(_), _) => by_serial(&there)?,
        (None, Ok(index)) => there.get(index),
        (None, Err(_)) => there.iter().find(|found| found.port == id),
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

/// The one that has the serial number that it is to have. Of one that cannot be opened, that is not known.
fn by_serial(there: &[Found]) -> Result<Option<&Found>, DeviceError> {
    let mut unknown = None;
    for found in there {
        match Camera::open(&found.port) {
            Ok(camera) if found.is_it(&camera) => return Ok(Some(found)),
            Ok(_) => {}
            Err(failure) => {
                unknown.get_or_insert((found, failure));
            }
        }
    }
    match unknown {
        // Another program has the only one that there is: who that is can be found out, and it is looked at again once it is open.
        Some((found, failure)) if failure.code == CLAIMED && there.len() == 1 => Ok(Some(found)),
        Some((found, failure)) => {
            let what = format!("opening {} at {} to see whether it is the one", found.model, found.port);
            let what = found.explained(&what, &failure);
            Err(failure.explain(&what))
        }
        None => Ok(None),
    }
}

/// A device that was reset is back on its bus after so long, or does not come back.
const BACK: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The camera that `id` means, once `port`, at which it was, is reset: it may come back at another one.
pub(crate) fn find_again(id: &str, port: &str) -> Result<Found, DeviceError> {
    match reset(port) {
        Ok(()) => tracing::info!("{port} was reset"),
        Err(failure) => {
            // It may be gone, and come back by itself.
            let at = Found { model: String::new(), port: port.into(), serial: None, is_sure: false };
            let what = at.explained(&format!("{port} cannot be reset"), &failure);
            tracing::warn!("{what}: {} ({})", failure.text, failure.code);
        }
    }
    let end = Instant::now() + BACK;
    loop {
        match find(id) {
            // It may be there, and not ready yet.
            Err(_) if Instant::now() < end => std::thread::sleep(BETWEEN_LOOKS),
            found => return found,
        }
    }
}

impl Found {
    /// Whether `camera`, which is open, has the serial number that it is to have.
    pub(crate) fn is_it(&self, camera: &Camera) -> bool {
        let bare = |text: &str| text.trim_start_matches('0').to_owned();
        let has = |serial: &str| {
            SERIAL.iter().any(|name| camera.setting(name).is_ok_and(|value| bare(&value) == bare(serial)))
        };
        self.serial.as_deref().is_none_or(has)
    }

    /// Whether it is at a network: without a node, a port to reset, and another program of this machine that may hold it.
    pub(crate) fn is_at_network(&self) -> bool {
        network::is_at_one(&self.port)
    }

    /// As `camera`, which is open, calls itself, where only that tells.
    pub(crate) fn named_by(&mut self, camera: &Camera) {
        let told = camera.setting(MODEL).ok().filter(|model| !model.trim().is_empty());
        if self.is_at_network()
            && let Some(model) = told
        {
            model.trim().clone_into(&mut self.model);
        }
    }

    /// The port by which it can be brought back, if it is on USB.
    pub(crate) fn resettable(&self) -> Option<String> {
        (self.is_sure && self.port.starts_with("usb:")).then(|| self.port.clone())
    }

    /// The device node by which one program alone has it, if it is on USB.
    pub(crate) fn node(&self) -> Option<PathBuf> {
        let (bus, device) = self.port.strip_prefix("usb:")?.split_once(',')?;
        let path = PathBuf::from(format!("/dev/bus/usb/{bus}/{device}"));
        path.exists().then_some(path)
    }

    /// What was tried and met with `failure`, and what is known to be in its way.
    pub(crate) fn explained(&self, what: &str, failure: &Failure) -> String {
        let Some(node) = self.node() else { return what.into() };
        let denied = |error: std::io::Error| error.kind() == IoError::PermissionDenied;
        let node = node.display();
        if OpenOptions::new().read(true).write(true).open(node.to_string()).is_err_and(denied) {
            return format!(
                "{what} (permission denied: this user may not use {node}, which the udev rule of the package scanner-gphoto2 \
                 gives to the group scanner)"
            );
        }
        match self.ids().filter(|_| failure.code == CLAIMED) {
            Some(ids) => format!("{what} (its file for the udev rule is /etc/scanner/cameras/{ids})"),
            None => what.into(),
        }
    }

    /// Vendor and product, as `lsusb` shows them: `04b0:0437`.
    fn ids(&self) -> Option<String> {
        let device = std::fs::metadata(self.node()?).ok()?.rdev();
        let folder = format!("/sys/dev/char/{}:{}", libc::major(device), libc::minor(device));
        let one =
            |name: &str| Some(std::fs::read_to_string(format!("{folder}/{name}")).ok()?.trim().to_owned());
        Some(format!("{}:{}", one("idVendor")?, one("idProduct")?))
    }
}
