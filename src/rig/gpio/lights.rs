//! Lights on pins: switched, or dimmed by a thread each.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::error;

use super::axes::OpenError;
use super::pins::{Board, OutputPin, PinError};
use crate::clock::{now_ns, sleep_until_ns};
use crate::config::Light;
use crate::config::gpio::light_output;
use crate::model::Lighting;
use crate::rig::lights::{Lights, LightsError};

/// A dimmed light goes on and off this often: exposures that are multiples of it are alike.
const PERIOD: Duration = Duration::from_millis(1);

/// Lights on GPIO pins, and those that simulated cameras see.
pub struct GpioLights {
    lamps: Mutex<Vec<Lamp>>,
    seen: Box<dyn Lights>,
}

/// A light on a pin.
struct Lamp {
    role: Lighting,
    /// The rest after which it goes off.
    idle_off: Duration,
    drive: Drive,
}

/// What switches it.
enum Drive {
    /// On or off; one without any brightness stays off.
    Plain { pin: OutputPin, bright: bool },
    /// Dimmed by a thread of its own.
    Dimmed { wanted: Option<Sender<Wish>>, thread: Option<JoinHandle<()>> },
}

/// What a light's thread is to do.
struct Wish {
    on: bool,
    /// Told once it is done.
    done: SyncSender<()>,
}

impl GpioLights {
    /// Takes the pins of `lights` from `board`, all in their safe state. `seen` is what simulated cameras see of all.
    pub fn open(board: &dyn Board, lights: &[Light], seen: Box<dyn Lights>) -> Result<Self, OpenError> {
        let mut lamps = Vec::new();
        for (light, output) in lights.iter().filter_map(|light| Some((light, light_output(light)?))) {
            let pin = OutputPin::open(board, &output)?;
            let dimmed = light.brightness > 0.0 && light.brightness < 1.0;
            let bright = light.brightness > 0.0;
            let drive = if dimmed { Drive::dimmed(pin, light)? } else { Drive::Plain { pin, bright } };
            lamps.push(Lamp { role: light.role, idle_off: light.idle_off, drive });
        }
        Ok(Self { lamps: Mutex::new(lamps), seen })
    }
}

impl Lights for GpioLights {
    fn switch(&self, lighting: Option<Lighting>) -> Result<Duration, LightsError> {
        let mut lamps = self.lamps.lock().unwrap_or_else(PoisonError::into_inner);
        // Off before on: no supply has to bear all lights of the rig, and no picture shows them.
        for on in [false, true] {
            for lamp in lamps.iter_mut().filter(|lamp| (Some(lamp.role) == lighting) == on) {
                lamp.drive.switch(on)?;
            }
        }
        self.seen.switch(lighting)
    }

    fn rest(&self, idle: Duration) -> Result<Option<Duration>, LightsError> {
        let mut lamps = self.lamps.lock().unwrap_or_else(PoisonError::into_inner);
        for lamp in lamps.iter_mut().filter(|lamp| lamp.idle_off <= idle) {
            lamp.drive.switch(false)?;
        }
        self.seen.rest(idle)
    }

    fn end(&self) {
        // Dropped pins are safe.
        self.lamps.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drive {
    /// Returns once it is on or off.
    fn switch(&mut self, on: bool) -> Result<(), PinError> {
        match self {
            Self::Plain { pin, bright } => pin.set(on && *bright, now_ns())?,
            Self::Dimmed { wanted, .. } => {
                let (done, answer) = mpsc::sync_channel(1);
                // Its thread ends after an error only, which it has logged: then the light is off, and nobody answers.
                let _ = wanted.as_ref().map(|wanted| wanted.send(Wish { on, done }));
                let _ = answer.recv();
            }
        }
        Ok(())
    }

    fn dimmed(pin: OutputPin, light: &Light) -> Result<Self, OpenError> {
        let (wanted, receiver) = mpsc::channel();
        let lit = PERIOD.mul_f64(light.brightness);
        let name = light.name.clone();
        let dim = move || {
            if let Err(error) = dim(pin, lit, &receiver) {
                error!("the light {name} is off: {error}");
            }
        };
        let thread = std::thread::Builder::new().name(format!("light {}", light.name)).spawn(dim)?;
        Ok(Self::Dimmed { wanted: Some(wanted), thread: Some(thread) })
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        match self {
            Self::Plain { .. } => {}
            Self::Dimmed { wanted, thread } => {
                drop(wanted.take());
                // What it has to say, it has logged.
                drop(thread.take().map(JoinHandle::join));
            }
        }
    }
}

/// Switches `pin` on for `lit` of every [`PERIOD`] while that is wanted, until nobody can want anything any more.
fn dim(mut pin: OutputPin, lit: Duration, wanted: &Receiver<Wish>) -> Result<(), PinError> {
    while let Ok(mut wish) = wanted.recv() {
        let mut next_ns = now_ns();
        while wish.on {
            // Whoever asked may have gone.
            let _ = wish.done.try_send(());
            match wanted.try_recv() {
                Ok(other) => {
                    wish = other;
                    continue;
                }
                Err(mpsc::TryRecvError::Empty) => {}
                Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
            }
            pin.set(true, next_ns)?;
            sleep_until_ns(next_ns + lit.as_nanos() as u64);
            pin.set(false, next_ns + lit.as_nanos() as u64)?;
            // What was missed is not made up for.
            next_ns = (next_ns + PERIOD.as_nanos() as u64).max(now_ns());
            sleep_until_ns(next_ns);
        }
        pin.set(false, now_ns())?;
        let _ = wish.done.try_send(());
    }
    Ok(())
}
