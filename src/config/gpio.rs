//! What the configuration says of pins, and of what hangs on them.

use std::path::PathBuf;
use std::time::Duration;

pub use super::driver::{PulseTimes, StepperDriver};
pub use super::pin::{Pin, Pull, other_use};
use super::tmc2209::Uart;
use super::{Config, Light, MotionBackend, Panel};
use crate::model::Axis;
use crate::motion::StepScale;

/// `[gpio]`: how pins are reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Gpio {
    /// Pins that are none, in a file of the runtime directory.
    Sim(SimulatedPins),
    /// The registers of a Raspberry Pi.
    Rppal,
    /// The kernel's GPIO character device, on any board.
    Gpiocdev {
        /// The chip's device, such as `/dev/gpiochip0`.
        chip: PathBuf,
    },
}

impl Gpio {
    /// Why `pin` cannot be used, and what can; none if it can.
    pub fn objection(&self, pin: Pin) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Rppal if pin.number > 27 => {
                Some(("which is not on the header", "write a pin from GPIO2 to GPIO27"))
            }
            Self::Rppal | Self::Gpiocdev { .. } if pin.number < 2 => {
                Some(("on which a Raspberry Pi looks for the EEPROM of a HAT", "write another pin"))
            }
            Self::Sim(_) | Self::Rppal | Self::Gpiocdev { .. } => None,
        }
    }
}

/// `[gpio.simulation]`: what is different from a rig in good order, and what hangs on the pins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SimulatedPins {
    /// Where axes truly stand when the program starts, in their unit; where they are believed to if absent.
    pub starts: Vec<(Axis, f64)>,
    /// Inputs that never become active.
    pub dead: Vec<u32>,
    /// Pins that another program holds.
    pub busy: Vec<u32>,
    /// Whether the device is missing, or may not be used.
    pub fault: Option<DeviceFault>,
    /// The change of an output, counted from 1, from which the program never returns.
    pub hang: Option<u32>,
    /// Where every change of an output is written when the program ends.
    pub record: Option<PathBuf>,
}

/// Why a GPIO device as a whole cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceFault {
    /// It is not there.
    Missing,
    /// This user may not open it.
    Denied,
}

/// Axes that stepper motors on GPIO pins move.
#[derive(Debug, Clone, PartialEq)]
pub struct GpioMotion {
    /// A motor for each axis, in their order.
    pub steppers: Vec<Stepper>,
    /// The emergency stop: active when it is pressed, or its line broken.
    pub emergency_stop: Option<Pin>,
    /// A move with more steps than this that were late is a fault.
    pub max_late_steps: u32,
    /// A motor that is made to wait for longer than this at speed has lost steps: a fault.
    pub max_step_delay: Duration,
}

/// The motor of an axis, its driver, and how the axis is found: `[motion.AXIS.stepper]` and `[motion.AXIS.homing]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepper {
    /// The axis that it moves.
    pub axis: Axis,
    /// The board between pins and motor.
    pub driver: StepperDriver,
    /// A pulse is a step.
    pub step: Pin,
    /// Active: to higher positions.
    pub direction: Pin,
    /// Active: the motor is powered.
    pub enable: Option<Pin>,
    /// The pins that select microsteps, and the level of each.
    pub microstep_pins: Vec<(Pin, bool)>,
    /// How its driver is told the rest; none for one that has only pins.
    pub uart: Option<Uart>,
    /// Steps to a degree or a millimetre, microsteps included.
    pub scale: StepScale,
    /// Play of the gear, in the axis' unit; moves end upwards if there is any.
    pub backlash: f64,
    /// Rest after which the motor is released; never if absent.
    pub idle_release: Option<Duration>,
    /// Whether the motor stays powered in the safe state: what it holds would fall.
    pub hold_when_safe: bool,
    /// How its position becomes known.
    pub homing: Homing,
}

/// How the position of an axis becomes known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Homing {
    /// It is put by hand to `position` before the program starts.
    ByHand {
        /// Where it then stands.
        position: f64,
        /// Whether a motor that stays powered is trusted to stand, after a restart of the program, where it stood.
        trust_hold: bool,
    },
    /// A switch at an end of its travel.
    Endstop(Seek),
    /// A mark that a turntable passes once a turn.
    Index(Seek),
    /// The end of its travel itself, at which the motor stalls. What shows that is DIAG of its driver, as a switch.
    Stall {
        /// How it is looked for: at one speed, twice.
        seek: Seek,
        /// Load at which the motor counts as stalled (`SGTHRS`), 1 to 255: the higher, the sooner.
        threshold: u8,
    },
}

/// How a switch is looked for. Lengths and speeds in the axis' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seek {
    /// Active at the end, or on the mark.
    pub switch: Pin,
    /// Which way it lies: towards higher positions, or lower ones.
    pub upwards: bool,
    /// Where the axis stands when it becomes active.
    pub position: f64,
    /// Speed of the first search.
    pub speed: f64,
    /// Speed of the second approach, which counts.
    pub slow_speed: f64,
    /// How far back in between.
    pub back_off: f64,
    /// How far to search before it is called missing.
    pub farthest: f64,
}

impl Seek {
    /// The way to the switch: 1 or -1.
    pub const fn direction(&self) -> f64 {
        if self.upwards { 1.0 } else { -1.0 }
    }
}

impl Homing {
    /// Whether the position outlives the program, as long as the motor is held.
    pub const fn trusts_hold(&self) -> bool {
        matches!(self, Self::ByHand { trust_hold: true, .. })
    }

    /// What has to be found, if anything.
    pub const fn seek(&self) -> Option<&Seek> {
        match self {
            Self::ByHand { .. } => None,
            Self::Endstop(seek) | Self::Index(seek) | Self::Stall { seek, .. } => Some(seek),
        }
    }
}

/// `[panel]` on GPIO pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelPins {
    /// Start button: active while pressed.
    pub start: Option<Pin>,
    /// Stop button: active while pressed.
    pub stop: Option<Pin>,
    /// Status LED: active is lit.
    pub led: Option<Pin>,
    /// A level that lasts this long is no bounce.
    pub debounce: Duration,
    /// A press this long is a long one, if it ends within a few seconds more.
    pub long_press: Duration,
}

/// The pin that switches or dims a light.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LightPin {
    /// The pin; active is lit.
    pub pin: Pin,
    /// Whether it is lit in the safe state.
    pub safe_on: bool,
}

/// An output of the rig, and its state when nobody looks after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeOutput {
    /// The pin, with which level is active.
    pub pin: Pin,
    /// What hangs on it.
    pub purpose: String,
    /// Whether it is then active.
    pub safe: bool,
}

/// Every output of the rig with its safe state.
pub fn safe_outputs(config: &Config) -> Vec<SafeOutput> {
    let mut outputs = Vec::new();
    if let MotionBackend::Gpio(motion) = &config.motion.backend {
        for stepper in &motion.steppers {
            let StepperOutputs { enable, step, direction, microsteps } = stepper_outputs(stepper);
            // Power is taken away before the rest changes.
            outputs.extend(enable.into_iter().chain([step, direction]).chain(microsteps));
        }
    }
    outputs.extend(config.lights.iter().filter_map(light_output));
    if let Panel::Gpio(PanelPins { led: Some(led), .. }) = config.panel {
        outputs.push(led_output(led));
    }
    outputs
}

/// The outputs of a motor.
pub(crate) struct StepperOutputs {
    pub(crate) enable: Option<SafeOutput>,
    pub(crate) step: SafeOutput,
    pub(crate) direction: SafeOutput,
    pub(crate) microsteps: Vec<SafeOutput>,
}

pub(crate) fn stepper_outputs(stepper: &Stepper) -> StepperOutputs {
    let output =
        |pin, what: &str, safe| SafeOutput { pin, purpose: format!("{} {what}", stepper.axis), safe };
    StepperOutputs {
        enable: stepper.enable.map(|pin| output(pin, "enable", stepper.hold_when_safe)),
        step: output(stepper.step, "step", false),
        direction: output(stepper.direction, "direction", false),
        microsteps: stepper
            .microstep_pins
            .iter()
            .map(|&(pin, level)| output(pin, "microsteps", level))
            .collect(),
    }
}

/// The output of a light that has a pin.
pub(crate) fn light_output(light: &Light) -> Option<SafeOutput> {
    let LightPin { pin, safe_on } = light.pin?;
    Some(SafeOutput { pin, purpose: format!("light {}", light.name), safe: safe_on })
}

/// The output of the status LED.
pub(crate) fn led_output(pin: Pin) -> SafeOutput {
    SafeOutput { pin, purpose: "status LED".into(), safe: false }
}

/// Every input of the rig and what hangs on it.
pub fn inputs(config: &Config) -> Vec<(Pin, String)> {
    let mut inputs = Vec::new();
    if let MotionBackend::Gpio(motion) = &config.motion.backend {
        inputs.extend(motion.emergency_stop.map(|pin| (pin, "emergency stop".to_owned())));
        for stepper in &motion.steppers {
            let switch = stepper.homing.seek().map(|seek| (seek.switch, format!("{} switch", stepper.axis)));
            inputs.extend(switch);
        }
    }
    if let Panel::Gpio(PanelPins { start, stop, .. }) = config.panel {
        inputs.extend(start.map(|pin| (pin, "start button".to_owned())));
        inputs.extend(stop.map(|pin| (pin, "stop button".to_owned())));
    }
    inputs
}

/// What is allowed, but probably not meant: pins that a Raspberry Pi uses for something else.
pub fn warnings(config: &Config) -> Vec<String> {
    let Some(Gpio::Rppal | Gpio::Gpiocdev { .. }) = config.gpio else { return Vec::new() };
    let outputs = safe_outputs(config).into_iter().map(|output| (output.pin, output.purpose));
    outputs
        .chain(inputs(config))
        .filter_map(|(pin, purpose)| {
            let (other, off) = other_use(pin.number)?;
            Some(format!("{pin} ({purpose}) is also {other} of a Raspberry Pi: {off}, or use another pin"))
        })
        .collect()
}
