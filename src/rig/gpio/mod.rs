//! A rig on GPIO pins: stepper motors, switches, lights, panel, emergency stop.
//!
//! A [`Board`] gives out the pins; which one, the configuration says: simulated pins (`sim`), the registers of a
//! Raspberry Pi (`rppal`), the kernel's character device (`cdev`). What is above knows no back-end. Each output has
//! a safe state and takes it up when it is dropped ([`OutputPin`]).
//!
//! # One move, from pose to pulse
//!
//! On GPIO pins; `SimAxes` ends at step 2.
//!
//! 1. `Axes::start_move` of `GpioAxes` (`rig/gpio/axes.rs`) refuses what the axes cannot reach (soft limits), what they
//!    must not do (a latched fault), and to start from nobody knows where (`MotionError::Unknown`).
//! 2. **Steps.** `Rig::target` (`rig/gpio/route.rs`) turns each position into a step of the motor, from the position alone: `StepScale::steps`
//!    rounds, and nothing adds up over moves. A turntable goes to the turn in which its angle is nearest. `Rig::legs_to`
//!    makes one leg, or two where the play of a gear is taken up: beyond the target, and back.
//! 3. **Profile.** Each motor of a leg gets a `StepCourse` (`motion/steps.rs`): a `Profile` over a whole number of steps,
//!    the same type that the plan's travel times come from. Step *n* falls due when the profile has come as far as
//!    *n* + 1/2. So the motor is never more than half a step off, and between two steps the profile goes exactly the
//!    length of one: speed, acceleration and jerk are those of the profile. If the load swings, the profile is a sum of delayed
//!    parts (`motion/shaper.rs`); a search for a switch and a jog are always whole.
//! 4. **The order** goes through a channel to the thread `steps` (`Emitter::run` in `rig/gpio/emitter.rs`). It powers and
//!    directs the motors, and then, for each time that is due: sleeps until shortly before, waits awake
//!    (`realtime::wait_until`), looks at the emergency stop and at the wish to stop, raises the pins of all motors that are
//!    due, and lowers them after the time that the board needs. It allocates nothing and takes no lock; step times are
//!    computed as they are needed.
//! 5. **A late step** (later than 50 us, and than half the time to the next one) delays everything behind it in the leg:
//!    catching up would exceed the limits, and motors that stall say nothing. `rest_ns` then was wrong, and the second look
//!    (ARCHITECTURE.md, *One shot*) finds it. More than `max_late_steps` latch a fault,
//!    and so does one that is later than `max_step_delay` and than four steps of the motor: a rotor at speed does not stop
//!    and go on so late without losing steps.
//! 6. **A stop** replaces each course by `StepCourse::stopped_at`: the same steps until now, then full deceleration.
//! 7. **The emergency stop**, a pin that fails, too many late steps: `Emitter::latch`. Outputs go to their safe state at
//!    once, positions are unknown, the first cause stays until `Axes::clear`, and that moves nothing.
//! 8. **The end.** `done` is answered with the moment at which the profile rests, which is behind the last step.
//!
//! **Drivers at a UART** (`rig/gpio/tmc2209`): `datagram.rs` and `registers.rs` are pure; `bus.rs` sends and looks for the reply
//! in whatever comes, so that the echo of a single wire is nothing special; each write is proven by the chip's own count. What
//! the thread `drivers` finds to be wrong goes to the thread of steps as `Shared::trip`, and is latched there. In a simulated
//! rig the same code speaks through a pseudo-terminal to simulated chips, whose DIAG a pushing motor drives.
//!
//! **Positions outlive the program** for motors that hold (`rig/gpio/standing.rs`): a note that is void during moves, in the
//! runtime directory, with the id of the boot. Nothing else is stored: what a released motor was last known to be at would
//! be a guess that looks like knowledge.
//!
//! Homing (`rig/gpio/homing.rs`) is a few such runs of one motor that end at a switch (`Until`). It is the only thing that
//! may move an axis whose position is unknown, but for `jog`, which a person asks for.

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
mod uart;

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
