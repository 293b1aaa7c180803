//! What a back-end of pins has to offer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serial2::SerialPort;

use crate::config::gpio::{Pin, SafeOutput};

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
        super::tmc2209::open_port(path)
    }
}

/// An output.
pub trait Output: Send {
    /// Makes it active or not. `due_ns` is when that was to be, on `CLOCK_MONOTONIC`, for back-ends that record.
    fn set(&mut self, active: bool, due_ns: u64) -> Result<(), PinError>;
}

/// An input.
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

    /// As [`Output::set`].
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
        if let Err(error) = self.make_safe(crate::rig::clock::now_ns()) {
            tracing::error!("an output is not safe: {error}");
        }
    }
}

/// Why a pin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// No such device.
    #[error("there is no {}, which [gpio] needs: {hint}", device.display())]
    Missing {
        /// What was looked for.
        device: PathBuf,
        /// What to do.
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
        /// Who may.
        group: String,
    },
    /// Somebody else has it.
    #[error("{pin} ({purpose}) is held by {holder}: end that, or use another pin")]
    Busy {
        /// Which.
        pin: Pin,
        /// What for.
        purpose: String,
        /// Who, as the kernel knows it.
        holder: String,
    },
    /// The board has no such pin.
    #[error("{pin} ({purpose}) does not exist at {}: use another pin", device.display())]
    NoSuchPin {
        /// Which.
        pin: Pin,
        /// What for.
        purpose: String,
        /// Where.
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
        /// What was tried.
        action: &'static str,
        /// On which pin.
        pin: Pin,
        /// What it is for.
        purpose: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file of simulated pins.
    #[error("cannot {action} the simulated pins in {}: {source}", path.display())]
    Simulation {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
