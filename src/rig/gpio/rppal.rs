//! The registers of a Raspberry Pi, through the crate rppal, which is named in this file only.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rppal::gpio::{Error, Gpio, InputPin, Level, OutputPin};

use super::cdev;
use super::pins::{Board, Edges, Input, Output, PinError};
use crate::config::gpio::{Pin, Pull};

/// The pins of a Raspberry Pi. Setting one is a write to a register.
pub(super) struct RppalBoard {
    gpio: Gpio,
}

impl RppalBoard {
    pub(super) fn open() -> Result<Self, PinError> {
        let gpio = Gpio::new().map_err(cannot_open)?;
        Ok(Self { gpio })
    }

    fn take(&self, pin: Pin, purpose: &str) -> Result<rppal::gpio::Pin, PinError> {
        // Registers know no owner: what the kernel has given to somebody else is not to be touched.
        if let Some(holder) = cdev::holder_on_a_pi(pin.number) {
            return Err(PinError::Busy { pin, purpose: purpose.to_owned(), holder });
        }
        let none = || PinError::NoSuchPin { pin, purpose: purpose.to_owned(), device: "/dev/gpiomem".into() };
        let number = u8::try_from(pin.number).map_err(|_| none())?;
        self.gpio.get(number).map_err(|error| match error {
            Error::PinUsed(_) => {
                PinError::Busy { pin, purpose: purpose.to_owned(), holder: "this program itself".into() }
            }
            Error::UnknownModel
            | Error::PinNotAvailable(_)
            | Error::PermissionDenied(_)
            | Error::ThreadPanic => none(),
            Error::Io(source) => PinError::Io { action: "take", pin, purpose: purpose.to_owned(), source },
        })
    }
}

impl Board for RppalBoard {
    fn output(&self, pin: Pin, purpose: &str, active: bool) -> Result<Box<dyn Output>, PinError> {
        let taken = self.take(pin, purpose)?;
        let mut output = if pin.level(active) { taken.into_output_high() } else { taken.into_output_low() };
        // An output that becomes an input floats; it is to stay at its safe level.
        output.set_reset_on_drop(false);
        Ok(Box::new(RppalOutput { pin, output }))
    }

    fn input(&self, pin: Pin, purpose: &str) -> Result<Box<dyn Input>, PinError> {
        let taken = self.take(pin, purpose)?;
        let input = match pin.pull {
            Pull::Off => taken.into_input(),
            Pull::Up => taken.into_input_pullup(),
            Pull::Down => taken.into_input_pulldown(),
        };
        Ok(Box::new(RppalInput { pin, input }))
    }

    fn edges(&self, _: Pin, _: &str, _: Duration) -> Result<Option<Box<dyn Edges>>, PinError> {
        Ok(None)
    }
}

/// Why there are no registers.
fn cannot_open(error: Error) -> PinError {
    let missing = || PinError::Missing {
        device: PathBuf::from("/dev/gpiomem"),
        hint: "it comes with Raspberry Pi OS; elsewhere use [gpio] backend = \"gpiocdev\"".into(),
    };
    match error {
        // Without /dev/gpiomem the crate tries all of the memory, which no group's members may write.
        Error::PermissionDenied(path) if path == "/dev/mem" => missing(),
        Error::PermissionDenied(path) => cdev::denied(Path::new(&path)),
        Error::Io(error) if error.kind() == io::ErrorKind::NotFound => missing(),
        Error::Io(error) => {
            PinError::Machine { message: format!("cannot reach the GPIO registers: {error}") }
        }
        other
        @ (Error::UnknownModel | Error::PinUsed(_) | Error::PinNotAvailable(_) | Error::ThreadPanic) => {
            PinError::Machine { message: other.to_string() }
        }
    }
}

struct RppalOutput {
    pin: Pin,
    output: OutputPin,
}

impl Output for RppalOutput {
    fn set(&mut self, active: bool, _: u64) -> Result<(), PinError> {
        self.output.write(Level::from(self.pin.level(active)));
        Ok(())
    }
}

struct RppalInput {
    pin: Pin,
    input: InputPin,
}

impl Input for RppalInput {
    fn is_active(&mut self) -> Result<bool, PinError> {
        Ok(self.input.is_high() == self.pin.level(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_gpiomem_nobody_is_sent_to_a_group_that_does_not_help() {
        let said = cannot_open(Error::PermissionDenied("/dev/mem".into())).to_string();
        assert!(said.starts_with("there is no /dev/gpiomem") && !said.contains("usermod"), "{said}");
        let said = cannot_open(Error::PermissionDenied("/dev/gpiomem".into())).to_string();
        assert!(said.contains("usermod -aG gpio"), "{said}");
    }
}
