//! The drivers of all motors that have one on a UART, and the thread that looks after them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::{error, warn};

use super::bus::{Bus, SharedBus};
use super::chip::{Chip, Health};
use crate::config::gpio::Stepper;
use crate::model::Axis;
use crate::rig::gpio::orders::{Fault, Shared};
use crate::rig::gpio::pins::Board;

/// How often each driver is asked how it is.
const LOOK: Duration = Duration::from_secs(1);
/// A driver that does not answer so many times in a row is not there any more; once, it may be noise.
const UNHEARD: u32 = 3;

/// Drivers on UARTs, by the index of their motor. Its thread ends with it.
#[derive(Debug)]
pub(in crate::rig::gpio) struct Drivers {
    chips: Arc<Vec<Watched>>,
    quit: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Watched {
    motor: usize,
    axis: Axis,
    chip: Chip,
}

/// Why a driver cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UartError {
    /// The UART cannot be opened.
    #[error("cannot open {}, at which the driver of the {axis} is: {source}{}", port.display(), hint(source))]
    Port {
        /// The axis whose driver it is.
        axis: Axis,
        /// The serial device of the UART.
        port: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The chip does not answer, or cannot be set.
    #[error("the driver of the {axis} (address {address} at {}) cannot be used: {message}", port.display())]
    Chip {
        /// The axis whose driver it is.
        axis: Axis,
        /// The serial device of the UART.
        port: PathBuf,
        /// Its address there, 0 to 3.
        address: u8,
        /// What is wrong, and what to do.
        message: String,
    },
}

fn hint(error: &std::io::Error) -> &'static str {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        " (add the user to the group dialout: `sudo usermod -aG dialout $USER`, then log in again)"
    } else if error.kind() == std::io::ErrorKind::NotFound {
        " (on a Raspberry Pi: raspi-config, Interface Options, Serial Port: no login shell, but the hardware)"
    } else {
        ""
    }
}

impl Drivers {
    /// Gives every driver of `steppers` its settings. Returns for which motors that were new ones, its supply having
    /// been off.
    pub(in crate::rig::gpio) fn open(
        board: &dyn Board,
        steppers: &[Stepper],
    ) -> Result<(Self, Vec<usize>), UartError> {
        let mut buses: BTreeMap<PathBuf, SharedBus> = BTreeMap::new();
        let mut chips = Vec::new();
        for (motor, stepper) in steppers.iter().enumerate() {
            let Some(uart) = &stepper.uart else { continue };
            let axis = stepper.axis;
            let failed = |source| UartError::Port { axis, port: uart.port.clone(), source };
            let bus = if let Some(bus) = buses.get(&uart.port) {
                bus.clone()
            } else {
                let bus = board
                    .uart(&uart.port)
                    .and_then(|port| Bus::new(port, board.uart_patience()))
                    .map_err(failed)?;
                let bus = Arc::new(Mutex::new(bus));
                buses.insert(uart.port.clone(), bus.clone());
                bus
            };
            chips.push(Watched { motor, axis, chip: Chip { uart: uart.clone(), bus } });
        }
        let drivers = Self { chips: Arc::new(chips), quit: Mutex::default(), thread: Mutex::default() };
        let reset = drivers.configure()?;
        Ok((drivers, reset))
    }

    /// Gives every driver its settings anew. Returns the motors of those that had lost them.
    pub(in crate::rig::gpio) fn configure(&self) -> Result<Vec<usize>, UartError> {
        let mut reset = Vec::new();
        for watched in self.chips.iter() {
            if watched.chip.configure().map_err(|error| watched.failed(&error))? {
                reset.push(watched.motor);
            }
        }
        Ok(reset)
    }

    /// Looks after the drivers from now on: what is wrong with one stops all axes.
    pub(in crate::rig::gpio) fn watch(&self, shared: Arc<Shared>) -> std::io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let (quit, ended) = mpsc::channel::<()>();
        let chips = self.chips.clone();
        let watch = move || {
            let mut watch =
                Watch { chips: &chips, unheard: vec![0; chips.len()], warm: vec![false; chips.len()] };
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                // What has stopped already is asked again when it is cleared.
                if shared.fault().is_none()
                    && let Some(message) = watch.look()
                {
                    shared.trip(Fault::Driver(message));
                }
            }
        };
        let thread = std::thread::Builder::new().name("drivers".into()).spawn(watch)?;
        *self.quit.lock().unwrap_or_else(PoisonError::into_inner) = Some(quit);
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    pub(in crate::rig::gpio) fn is_empty(&self) -> bool {
        self.chips.is_empty()
    }

    /// Makes the driver of `motor` show stalls.
    pub(in crate::rig::gpio) fn watch_stalls(
        &self,
        motor: usize,
        threshold: u8,
        steps_per_second: f64,
    ) -> Result<(), UartError> {
        self.chips.iter().filter(|watched| watched.motor == motor).try_for_each(|watched| {
            watched.chip.watch_stalls(threshold, steps_per_second).map_err(|error| watched.failed(&error))
        })
    }

    /// No more stalls are of interest.
    pub(in crate::rig::gpio) fn ignore_stalls(&self, motor: usize) {
        for watched in self.chips.iter().filter(|watched| watched.motor == motor) {
            if let Err(error) = watched.chip.ignore_stalls() {
                warn!("{}", watched.failed(&error));
            }
        }
    }

    /// Ends the thread that asks them, and waits for that.
    pub(in crate::rig::gpio) fn end(&self) {
        drop(self.quit.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            error!("the thread that looks after the drivers has panicked");
        }
    }
}

impl Drop for Drivers {
    fn drop(&mut self) {
        self.end();
    }
}

impl Watched {
    fn failed(&self, error: &impl std::fmt::Display) -> UartError {
        let (axis, uart) = (self.axis, &self.chip.uart);
        UartError::Chip { axis, port: uart.port.clone(), address: uart.address, message: error.to_string() }
    }
}

/// What the thread that asks the drivers works with.
struct Watch<'c> {
    chips: &'c [Watched],
    /// How often in a row each has not answered.
    unheard: Vec<u32>,
    warm: Vec<bool>,
}

impl Watch<'_> {
    /// What is wrong with one of them, if anything.
    fn look(&mut self) -> Option<String> {
        let states = self.unheard.iter_mut().zip(&mut self.warm);
        for (watched, (unheard, warm)) in self.chips.iter().zip(states) {
            let axis = watched.axis;
            match watched.chip.health() {
                Ok(Health::Fault(fault)) => return Some(format!("the driver of the {axis} {fault}")),
                Ok(health) => {
                    *unheard = 0;
                    let is_warm = health == Health::Warm;
                    if is_warm && !*warm {
                        warn!(
                            "the driver of the {axis} is about to be too hot: lower its current, or cool it"
                        );
                    }
                    *warm = is_warm;
                }
                Err(error) => {
                    *unheard += 1;
                    if *unheard >= UNHEARD {
                        *unheard = 0;
                        return Some(watched.failed(&error).to_string());
                    }
                }
            }
        }
        None
    }
}
