//! The kernel's GPIO character device, through the crate gpiocdev. It knows who holds a line, reports edges, and
//! debounces.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, Value};
use gpiocdev::{Chip, Request};

use super::pins::{Board, Edges, Input, Output, PinError};
use crate::config::gpio::{Pin, Pull};

/// How this program is named to others that look who holds a line.
const CONSUMER: &str = "scanner";

/// The lines of one chip.
pub(super) struct CdevBoard {
    chip: PathBuf,
    lines: u32,
}

impl CdevBoard {
    pub(super) fn open(path: &Path) -> Result<Self, PinError> {
        // Opened here first: the crate's errors do not tell a missing file from a forbidden one as well.
        if let Err(error) = std::fs::File::open(path) {
            if error.kind() == io::ErrorKind::PermissionDenied {
                return Err(denied(path));
            }
            let hint = format!("{error}; `ls /dev/gpiochip*` shows what there is, set [gpio] chip to it");
            return Err(PinError::Missing { device: path.to_owned(), hint });
        }
        let machine = |error: gpiocdev::Error| PinError::Missing {
            device: path.to_owned(),
            hint: format!("that is no GPIO chip: {error}"),
        };
        let info = Chip::from_path(path).and_then(|chip| chip.info()).map_err(machine)?;
        Ok(Self { chip: path.to_owned(), lines: info.num_lines })
    }

    fn request(
        &self,
        pin: Pin,
        purpose: &str,
        set_up: impl FnOnce(&mut gpiocdev::request::Builder),
    ) -> Result<Request, PinError> {
        let purpose = || purpose.to_owned();
        if pin.number >= self.lines {
            return Err(PinError::NoSuchPin { pin, purpose: purpose(), device: self.chip.clone() });
        }
        let mut builder = Request::builder();
        builder.on_chip(&self.chip).with_consumer(CONSUMER).with_line(pin.number);
        set_up(&mut builder);
        // The crate's own notion of "active" stays out: here, values are levels.
        builder.as_active_high();
        builder.request().map_err(|error| {
            if let Some(holder) = holder(&self.chip, pin.number) {
                return PinError::Busy { pin, purpose: purpose(), holder };
            }
            io_error("take", pin, &purpose(), &error)
        })
    }
}

impl Board for CdevBoard {
    fn output(&self, pin: Pin, purpose: &str, active: bool) -> Result<Box<dyn Output>, PinError> {
        let request = self.request(pin, purpose, |line| {
            line.as_output(value(pin.level(active)));
        })?;
        Ok(Box::new(Line { pin, purpose: purpose.to_owned(), request }))
    }

    fn input(&self, pin: Pin, purpose: &str) -> Result<Box<dyn Input>, PinError> {
        let request = self.request(pin, purpose, |line| {
            line.as_input().with_bias(bias(pin.pull));
        })?;
        Ok(Box::new(Line { pin, purpose: purpose.to_owned(), request }))
    }

    fn edges(&self, pin: Pin, purpose: &str, debounce: Duration) -> Result<Option<Box<dyn Edges>>, PinError> {
        let request = self.request(pin, purpose, |line| {
            line.as_input().with_bias(bias(pin.pull));
            line.with_edge_detection(EdgeDetection::BothEdges).with_debounce_period(debounce);
        })?;
        Ok(Some(Box::new(Line { pin, purpose: purpose.to_owned(), request })))
    }
}

struct Line {
    pin: Pin,
    purpose: String,
    request: Request,
}

impl Line {
    fn read(&self) -> Result<bool, PinError> {
        let level = self.request.value(self.pin.number);
        let level = level.map_err(|error| io_error("read", self.pin, &self.purpose, &error))?;
        Ok((level == Value::Active) == self.pin.level(true))
    }
}

impl Output for Line {
    fn set(&mut self, active: bool, _: u64) -> Result<(), PinError> {
        let set = self.request.set_value(self.pin.number, value(self.pin.level(active)));
        set.map_err(|error| io_error("set", self.pin, &self.purpose, &error))
    }
}

impl Input for Line {
    fn is_active(&mut self) -> Result<bool, PinError> {
        self.read()
    }
}

impl Edges for Line {
    fn next(&mut self, timeout: Duration) -> Result<Option<bool>, PinError> {
        let failed = |error| io_error("wait for", self.pin, &self.purpose, &error);
        if !self.request.wait_edge_event(timeout).map_err(failed)? {
            return Ok(None);
        }
        let event = self.request.read_edge_event().map_err(failed)?;
        let high = match event.kind {
            EdgeKind::Rising => true,
            EdgeKind::Falling => false,
        };
        Ok(Some(high == self.pin.level(true)))
    }

    fn is_active(&mut self) -> Result<bool, PinError> {
        self.read()
    }
}

/// That `device` may not be used, and which group may.
pub(super) fn denied(device: &Path) -> PinError {
    let gid = std::fs::metadata(device).map(|metadata| metadata.gid()).unwrap_or_default();
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == gid.to_string()).then(|| name.to_owned())
    });
    // Where only root may, the group is still to be made: everywhere it is called gpio.
    let group = named.filter(|group| group != "root").unwrap_or_else(|| "gpio".into());
    PinError::Denied { device: device.to_owned(), group }
}

/// Who holds the line, if anybody does.
fn holder(chip: &Path, line: u32) -> Option<String> {
    let info = Chip::from_path(chip).and_then(|chip| chip.line_info(line)).ok()?;
    let name =
        || if info.consumer.is_empty() { "the kernel".to_owned() } else { format!("{:?}", info.consumer) };
    info.used.then(name)
}

/// Who holds the pin of a Raspberry Pi's header, if the character device is there and knows of anybody.
pub(super) fn holder_on_a_pi(number: u32) -> Option<String> {
    let chips = gpiocdev::chip::chips().ok()?;
    let of_a_pi = |label: &str| ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"].contains(&label);
    let chip = chips.into_iter().find(|path| {
        let label = Chip::from_path(path).and_then(|chip| chip.info()).map(|info| info.label);
        label.is_ok_and(|label| of_a_pi(&label))
    })?;
    holder(&chip, number)
}

fn value(high: bool) -> Value {
    if high { Value::Active } else { Value::Inactive }
}

fn bias(pull: Pull) -> Option<Bias> {
    match pull {
        Pull::Off => None,
        Pull::Up => Some(Bias::PullUp),
        Pull::Down => Some(Bias::PullDown),
    }
}

fn io_error(action: &'static str, pin: Pin, purpose: &str, error: &gpiocdev::Error) -> PinError {
    PinError::Io { action, pin, purpose: purpose.to_owned(), source: io::Error::other(error.to_string()) }
}
