//! Simulated pins: levels in a file, which anybody may look at, and set from outside.

mod mechanism;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serial2::SerialPort;

use self::mechanism::{Mechanism, Role};
use super::pins::{Board, Edges, Input, Output, PinError};
#[cfg(test)]
use super::tmc2209::SimChip;
use super::tmc2209::SimUart;
use crate::clock::now_ns;
use crate::config::gpio::{DeviceFault, Pin, Pull, SimulatedPins, Stepper};
use crate::config::{Config, MotionBackend};
use crate::ownership;

/// What a byte of the file says of a pin.
const HIGH: u8 = b'1';
const LOW: u8 = b'0';
const OPEN: u8 = b'-';
/// Changes beyond this are counted only: an hour of a fast rig.
const MOST_CHANGES: usize = 16_000_000;

/// Pins whose levels are bytes in a file, `0`, `1` or `-`: they outlive the process, as those of a chip do, and
/// anybody can look at them. Behind them is where each motor truly stands, which outlives it, too. What hangs on them is computed: motors move carriages that meet their switches, the
/// contact of the emergency stop is closed.
#[derive(Debug)]
pub struct SimBoard {
    shared: Arc<Shared>,
    simulated: SimulatedPins,
    mechanisms: Vec<Arc<Mechanism>>,
    /// Contacts that are closed to ground until somebody sets their level.
    closed: Vec<u32>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    file: File,
    changes: Mutex<Changes>,
    /// Changes of outputs until one never ends.
    until_hang: Option<AtomicI64>,
}

#[derive(Debug, Default)]
struct Changes {
    list: Vec<Change>,
    taken: BTreeMap<u32, String>,
}

/// A change of an output. Times on `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Number of the output.
    pub pin: u32,
    /// Whether its level is high from then on.
    pub high: bool,
    /// When it was to change.
    pub due_ns: u64,
    /// When it did change.
    pub at_ns: u64,
}

impl SimBoard {
    /// The file of the pins.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The pins in the file at `path`, with what `config` hangs on them.
    pub fn open(config: &Config, simulated: &SimulatedPins, path: &Path) -> Result<Self, PinError> {
        let device = || PathBuf::from("/dev/gpiochip0 (simulated)");
        match simulated.fault {
            Some(DeviceFault::Missing) => {
                let hint = "[gpio.simulation] fault says so".into();
                return Err(PinError::Missing { device: device(), hint });
            }
            Some(DeviceFault::Denied) => {
                return Err(PinError::Denied { device: device(), group: "gpio".into() });
            }
            None => {}
        }
        let failed = |action| {
            let path = path.to_owned();
            move |source| PinError::Simulation { action, path, source }
        };
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(failed("open"))?;
        ownership::hand_over(&file, path.parent().unwrap_or(Path::new(".")));
        let pins = Pin::MOST as usize + 1;
        if file.metadata().map_err(failed("read"))?.len() < pins as u64 {
            file.write_all_at(&vec![OPEN; pins], 0).map_err(failed("write"))?;
        }
        let (mechanisms, closed) = match &config.motion.backend {
            MotionBackend::Gpio(motion) => {
                let mechanism = |(index, stepper): (usize, &Stepper)| {
                    let offset = (pins + index * size_of::<i64>()) as u64;
                    Arc::new(Mechanism::new(stepper, simulated, &file, offset))
                };
                let closed = motion.emergency_stop.map(|pin| pin.number).into_iter().collect();
                let mechanisms: Vec<_> = motion.steppers.iter().enumerate().map(mechanism).collect();
                for mechanism in &mechanisms {
                    mechanism.keep(&file).map_err(failed("write"))?;
                }
                (mechanisms, closed)
            }
            MotionBackend::Sim { .. } => (Vec::new(), Vec::new()),
        };
        let changes = Mutex::new(Changes { list: Vec::with_capacity(1 << 16), taken: BTreeMap::new() });
        let until_hang = simulated.hang.map(|change| AtomicI64::new(change.into()));
        let shared = Arc::new(Shared { path: path.to_owned(), file, changes, until_hang });
        Ok(Self { shared, simulated: simulated.clone(), mechanisms, closed })
    }

    /// Gives `pin` a level from outside: high, low, or none of its own.
    pub fn set_level(&self, pin: u32, level: Option<bool>) -> Result<(), PinError> {
        let byte = level.map_or(OPEN, |high| if high { HIGH } else { LOW });
        self.shared.write(pin, byte)
    }

    /// Every change of an output so far.
    pub fn changes(&self) -> Vec<Change> {
        self.shared.changes().list.clone()
    }

    /// Where each motor truly stands, in steps, in the order of the axes.
    pub fn true_steps(&self) -> Vec<i64> {
        self.mechanisms.iter().map(|mechanism| mechanism.steps.load(Ordering::Relaxed)).collect()
    }

    /// The drivers on UARTs, in the order of the axes.
    #[cfg(test)]
    pub(super) fn chips(&self) -> Vec<Arc<SimChip>> {
        self.mechanisms.iter().filter_map(|mechanism| mechanism.chip.clone()).collect()
    }

    fn take(&self, pin: Pin, purpose: &str) -> Result<(), PinError> {
        let purpose = purpose.to_owned();
        if self.simulated.busy.contains(&pin.number) {
            return Err(PinError::Busy { pin, purpose, holder: "\"somebody-else\" (simulated)".into() });
        }
        let mut changes = self.shared.changes();
        if let Some(holder) = changes.taken.get(&pin.number) {
            return Err(PinError::Busy { pin, purpose, holder: format!("this program's {holder}") });
        }
        changes.taken.insert(pin.number, purpose);
        Ok(())
    }

    fn sim_input(&self, pin: Pin) -> SimInput {
        let dead = self.simulated.dead.contains(&pin.number);
        let idle = if self.closed.contains(&pin.number) {
            false
        } else {
            match pin.pull {
                Pull::Up => true,
                Pull::Off | Pull::Down => false,
            }
        };
        let switched = |mechanism: &&Arc<Mechanism>| {
            mechanism.stepper.homing.seek().is_some_and(|seek| seek.switch.number == pin.number)
        };
        let mechanism = self.mechanisms.iter().find(switched).cloned();
        SimInput { pin, dead, idle, mechanism, shared: self.shared.clone() }
    }
}

impl Board for SimBoard {
    fn output(&self, pin: Pin, purpose: &str, active: bool) -> Result<Box<dyn Output>, PinError> {
        self.take(pin, purpose)?;
        let role = |mechanism: &Arc<Mechanism>| {
            let Stepper { step, direction, enable, .. } = &mechanism.stepper;
            let role = if *step == pin {
                Role::Step
            } else if *direction == pin {
                Role::Direction
            } else if *enable == Some(pin) {
                Role::Enable
            } else {
                return None;
            };
            Some((role, mechanism.clone()))
        };
        let mechanism = self.mechanisms.iter().find_map(role);
        let mut output = SimOutput { pin, mechanism, shared: self.shared.clone() };
        output.set(active, now_ns())?;
        Ok(Box::new(output))
    }

    fn input(&self, pin: Pin, purpose: &str) -> Result<Box<dyn Input>, PinError> {
        self.take(pin, purpose)?;
        Ok(Box::new(self.sim_input(pin)))
    }

    fn edges(&self, _: Pin, _: &str, _: Duration) -> Result<Option<Box<dyn Edges>>, PinError> {
        Ok(None)
    }

    fn uart(&self, path: &Path) -> io::Result<SerialPort> {
        let at_port = |mechanism: &&Arc<Mechanism>| {
            mechanism.stepper.uart.as_ref().is_some_and(|uart| uart.port == path)
        };
        let chips = self.mechanisms.iter().filter(at_port).filter_map(|mechanism| mechanism.chip.clone());
        SimUart::start(chips.collect())
    }

    /// These are played by a thread, which waits for a processor as others do.
    fn uart_patience(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl Drop for SimBoard {
    fn drop(&mut self) {
        let Some(path) = &self.simulated.record else { return };
        if let Err(error) = self.shared.changes().write(path) {
            tracing::error!("cannot write the record of simulated pins to {}: {error}", path.display());
        }
    }
}

impl Changes {
    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::new(File::create(path)?);
        writeln!(file, "pin,high,due_ns,at_ns")?;
        for Change { pin, high, due_ns, at_ns } in &self.list {
            writeln!(file, "{pin},{},{due_ns},{at_ns}", u8::from(*high))?;
        }
        file.flush()
    }
}

impl Shared {
    fn changes(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, pin: u32, byte: u8) -> Result<(), PinError> {
        self.file.write_all_at(&[byte], pin.into()).map_err(|source| self.failed("write", source))
    }

    fn read(&self, pin: u32) -> Result<u8, PinError> {
        let mut byte = [OPEN];
        self.file.read_exact_at(&mut byte, pin.into()).map_err(|source| self.failed("read", source))?;
        Ok(byte[0])
    }

    fn failed(&self, action: &'static str, source: io::Error) -> PinError {
        PinError::Simulation { action, path: self.path.clone(), source }
    }
}

struct SimOutput {
    pin: Pin,
    mechanism: Option<(Role, Arc<Mechanism>)>,
    shared: Arc<Shared>,
}

impl Output for SimOutput {
    fn set(&mut self, active: bool, due_ns: u64) -> Result<(), PinError> {
        let left = self.shared.until_hang.as_ref().map(|left| left.fetch_sub(1, Ordering::Relaxed));
        while left == Some(1) {
            std::thread::park();
        }
        let high = self.pin.level(active);
        let at_ns = now_ns();
        self.shared.write(self.pin.number, if high { HIGH } else { LOW })?;
        if let Some((role, mechanism)) = &self.mechanism {
            mechanism.set(*role, active);
            match role {
                Role::Step if active => {
                    mechanism
                        .keep(&self.shared.file)
                        .map_err(|source| self.shared.failed("write", source))?;
                }
                Role::Step | Role::Direction | Role::Enable => {}
            }
        }
        let mut changes = self.shared.changes();
        if changes.list.len() < MOST_CHANGES {
            changes.list.push(Change { pin: self.pin.number, high, due_ns, at_ns });
        }
        Ok(())
    }
}

impl Drop for SimOutput {
    fn drop(&mut self) {
        self.shared.changes().taken.remove(&self.pin.number);
    }
}

struct SimInput {
    pin: Pin,
    dead: bool,
    /// The level while nobody gives it one.
    idle: bool,
    mechanism: Option<Arc<Mechanism>>,
    shared: Arc<Shared>,
}

impl Input for SimInput {
    fn is_active(&mut self) -> Result<bool, PinError> {
        if self.dead {
            return Ok(false);
        }
        let high = match self.shared.read(self.pin.number)? {
            HIGH => true,
            LOW => false,
            _ => match &self.mechanism {
                Some(mechanism) => return Ok(mechanism.is_met()),
                None => self.idle,
            },
        };
        Ok(high == self.pin.level(true))
    }
}

impl Drop for SimInput {
    fn drop(&mut self) {
        self.shared.changes().taken.remove(&self.pin.number);
    }
}
