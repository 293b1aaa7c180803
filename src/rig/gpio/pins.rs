//! What a back-end of pins has to offer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serial2::SerialPort;

use super::uart;
use crate::config::gpio::{Pin, SafeOutput};
use crate::rig::lights::LightsError;

/// A back-end: gives out pins, each to one user.
pub trait Board: Send + Sync {
    /// Takes `pin` as an output, which is `active` or not from the start. `purpose` is for people.
    fn output(&self, pin: Pin, purpose: &str, active: bool) -> Result<Box<dyn Output>, PinError>;

    /// Takes `pin` as an input.
    fn input(&self, pin: Pin, purpose: &str) -> Result<Box<dyn Input>, PinError>;

    /// Takes `pin` as an input whose changes the kernel reports, once they have lasted for `debounce`; none if this
    /// back-end has to look by itself.
    fn edges(&self, pin: Pin, purpose: &str, debounce: Duration) -> Result<Option<Box<dyn Edges>>, PinError>;

    /// Opens the serial port at `path`, at which drivers are.
    fn uart(&self, path: &Path) -> io::Result<SerialPort> {
        uart::open(path)
    }

    /// How long a driver there may take to answer.
    fn uart_patience(&self) -> Duration {
        uart::PATIENCE
    }
}

/// A pin that is driven.
pub trait Output: Send {
    /// Makes it active or not. `due_ns` is when that was to be, on `CLOCK_MONOTONIC`, for back-ends that record.
    fn set(&mut self, active: bool, due_ns: u64) -> Result<(), PinError>;
}

/// A pin that is read.
pub trait Input: Send {
    /// Whether it is active now.
    fn is_active(&mut self) -> Result<bool, PinError>;
}

/// An input whose changes are reported.
pub trait Edges: Send {
    /// Waits for the next change, at most for `timeout`, and returns whether the input is then active; none if
    /// there was no change.
    fn next(&mut self, timeout: Duration) -> Result<Option<bool>, PinError>;

    /// Whether it is active now.
    fn is_active(&mut self) -> Result<bool, PinError>;
}

/// An output that goes to its safe state when it is dropped.
pub struct OutputPin {
    output: Box<dyn Output>,
    safe: bool,
}

impl OutputPin {
    /// Takes the output from `board`, in its safe state.
    pub fn open(board: &dyn Board, output: &SafeOutput) -> Result<Self, PinError> {
        let SafeOutput { pin, purpose, safe } = output;
        Ok(Self { output: board.output(*pin, purpose, *safe)?, safe: *safe })
    }

    /// Gives the pin a level, as [`Output::set`] does.
    pub fn set(&mut self, active: bool, due_ns: u64) -> Result<(), PinError> {
        self.output.set(active, due_ns)
    }

    /// Goes to the safe state.
    pub fn make_safe(&mut self, now_ns: u64) -> Result<(), PinError> {
        self.output.set(self.safe, now_ns)
    }
}

impl Drop for OutputPin {
    fn drop(&mut self) {
        if let Err(error) = self.make_safe(crate::clock::now_ns()) {
            tracing::error!("an output is not safe: {error}");
        }
    }
}

impl From<PinError> for LightsError {
    fn from(error: PinError) -> Self {
        Self::Pin(Box::new(error))
    }
}

/// Why a pin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// There is no such device.
    #[error("there is no {}, which [gpio] needs: {hint}", device.display())]
    Missing {
        /// What was looked for.
        device: PathBuf,
        /// How the machine gets one, for people.
        hint: String,
    },
    /// This user may not use it.
    #[error(
        "this user may not use {}: add it to the group {group} (`sudo usermod -aG {group} $USER`, then log in again)",
        device.display()
    )]
    Denied {
        /// What was to be opened.
        device: PathBuf,
        /// The group whose members may use it.
        group: String,
    },
    /// Somebody else has it.
    #[error("{pin} ({purpose}) is held by {holder}: end that, or use another pin")]
    Busy {
        /// The pin that is taken.
        pin: Pin,
        /// What the configuration wants it for.
        purpose: String,
        /// Who, as the kernel knows it.
        holder: String,
    },
    /// The board has no such pin.
    #[error("{pin} ({purpose}) does not exist at {}: use another pin", device.display())]
    NoSuchPin {
        /// The pin that was asked for.
        pin: Pin,
        /// What the configuration wants it for.
        purpose: String,
        /// The device that has no such pin.
        device: PathBuf,
    },
    /// The machine is none that the back-end knows.
    #[error(
        "{message}: this back-end drives a Raspberry Pi only; elsewhere use [gpio] backend = \"gpiocdev\""
    )]
    Machine {
        /// What the back-end says.
        message: String,
    },
    /// The system refuses something.
    #[error("cannot {action} {pin} ({purpose}): {source}")]
    Io {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The pin that it was tried on.
        pin: Pin,
        /// What it is for.
        purpose: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file of simulated pins.
    #[error("cannot {action} the simulated pins in {}: {source}", path.display())]
    Simulation {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The file that has the pins' levels.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
