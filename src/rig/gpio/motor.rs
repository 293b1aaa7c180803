//! A stepper motor at its pins.

use std::time::Duration;

use super::pins::{Board, Input, OutputPin, PinError};
use super::realtime::wait_until;
use crate::clock::now_ns;
use crate::config::gpio::{SafeOutput, Stepper, stepper_outputs};

/// From powering a motor to its first step: the current has to rise, and the rotor to come to rest.
const POWER_UP: Duration = Duration::from_millis(2);

/// The pins of one motor, as the thread that makes steps has them.
pub(super) struct Motor {
    step: OutputPin,
    direction: OutputPin,
    enable: Option<OutputPin>,
    /// Held for as long as the motor is there.
    _microsteps: Vec<OutputPin>,
    switch: Option<Box<dyn Input>>,
    /// How long a pulse is high, and then low, at least, and from a direction to a rise.
    half_ns: u64,
    setup_ns: u64,
    fell_ns: u64,
    upwards: Option<bool>,
    powered: bool,
    powered_when_safe: bool,
}

impl Motor {
    /// Takes the pins of `stepper` from `board`, in their safe state.
    pub(super) fn open(board: &dyn Board, stepper: &Stepper) -> Result<Self, PinError> {
        let open = |output: &SafeOutput| OutputPin::open(board, output);
        let outputs = stepper_outputs(stepper);
        let enable = outputs.enable.as_ref().map(open).transpose()?;
        let seek = stepper.homing.seek();
        let switch =
            seek.map(|seek| board.input(seek.switch, &format!("{} switch", stepper.axis))).transpose()?;
        Ok(Self {
            step: open(&outputs.step)?,
            direction: open(&outputs.direction)?,
            powered_when_safe: enable.is_none() || stepper.hold_when_safe,
            powered: enable.is_none() || stepper.hold_when_safe,
            enable,
            _microsteps: outputs.microsteps.iter().map(open).collect::<Result<_, _>>()?,
            switch,
            half_ns: stepper.driver.pulse().half.as_nanos() as u64,
            setup_ns: stepper.driver.pulse().setup.as_nanos() as u64,
            fell_ns: 0,
            upwards: None,
        })
    }

    /// Powers the motor, or releases it.
    pub(super) fn power(&mut self, powered: bool) -> Result<(), PinError> {
        if let Some(enable) = &mut self.enable
            && self.powered != powered
        {
            enable.set(powered, now_ns())?;
            self.powered = powered;
        }
        Ok(())
    }

    /// Powers and directs the motor. Returns from when on it may step.
    pub(super) fn prepare(&mut self, upwards: bool) -> Result<u64, PinError> {
        let was_powered = self.powered;
        self.power(true)?;
        if self.upwards != Some(upwards) {
            self.direction.set(upwards, now_ns())?;
            self.upwards = Some(upwards);
        }
        let wait_ns = if was_powered { self.setup_ns } else { POWER_UP.as_nanos() as u64 };
        Ok(now_ns() + wait_ns)
    }

    pub(super) const fn is_powered(&self) -> bool {
        self.powered
    }

    /// Begins a step: [`Self::fall`] has to follow. Waits if the one before has only just ended: one that was made a
    /// little late, which the next one is not.
    pub(super) fn rise(&mut self, due_ns: u64) -> Result<(), PinError> {
        wait_until(self.fell_ns + self.half_ns);
        self.step.set(true, due_ns)
    }

    /// Ends the step that began at `risen_ns`, not before the driver has seen it.
    pub(super) fn fall(&mut self, risen_ns: u64) -> Result<(), PinError> {
        let due_ns = risen_ns + self.half_ns;
        wait_until(due_ns);
        self.step.set(false, due_ns)?;
        self.fell_ns = now_ns();
        Ok(())
    }

    /// Whether its switch is active; not, if it has none.
    pub(super) fn is_at_switch(&mut self) -> Result<bool, PinError> {
        self.switch.as_mut().map_or(Ok(false), |switch| switch.is_active())
    }

    /// Every output in its safe state.
    pub(super) fn make_safe(&mut self) -> Result<(), PinError> {
        let now = now_ns();
        if let Some(enable) = &mut self.enable {
            enable.make_safe(now)?;
        }
        self.powered = self.powered_when_safe;
        self.step.make_safe(now)
    }
}
