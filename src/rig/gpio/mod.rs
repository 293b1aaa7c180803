//! A rig on GPIO pins: stepper motors, switches, lights, panel, emergency stop.
//!
//! A [`Board`] gives out the pins; which one, the configuration says: simulated pins (`sim`), the registers of a
//! Raspberry Pi (`rppal`), the kernel's character device (`cdev`). What is above knows no back-end. Each output has
//! a safe state and takes it up when it is dropped ([`OutputPin`]).

mod axes;
mod button;
mod cdev;
mod emitter;
mod homing;
mod led;
mod lights;
mod motor;
mod orders;
mod panel;
mod pins;
mod realtime;
mod route;
mod rppal;
mod sim;
mod standing;
#[cfg(test)]
mod tests;
mod tmc2209;

pub use axes::{GpioAxes, OpenError};
pub use lights::GpioLights;
pub use panel::{GpioPanel, press};
pub use pins::{Board, Edges, Input, Output, OutputPin, PinError};
pub use sim::{Change, SimBoard};
pub use tmc2209::UartError;

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::config::gpio::Gpio;

/// The pins of the rig that `config` describes; none if it has none. What is simulated is kept in `runtime`.
pub fn open(config: &Config, runtime: &Path) -> Result<Option<Opened>, PinError> {
    let board = match &config.gpio {
        None => return Ok(None),
        Some(Gpio::Sim(simulated)) => {
            let sim = Arc::new(SimBoard::open(config, simulated, &runtime.join("pins"))?);
            return Ok(Some(Opened { board: sim.clone(), sim: Some(sim) }));
        }
        Some(Gpio::Rppal) => Arc::new(rppal::RppalBoard::open()?) as Arc<dyn Board>,
        Some(Gpio::Gpiocdev { chip }) => Arc::new(cdev::CdevBoard::open(chip)?) as Arc<dyn Board>,
    };
    Ok(Some(Opened { board, sim: None }))
}

/// The pins of a rig.
#[derive(Clone)]
pub struct Opened {
    /// What gives them out.
    pub board: Arc<dyn Board>,
    /// The same, if they are simulated: levels of inputs can be set.
    pub sim: Option<Arc<SimBoard>>,
}
