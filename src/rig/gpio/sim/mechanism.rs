//! A simulated motor, and what it moves.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::config::gpio::{Homing, Seek, SimulatedPins, Stepper};
use crate::rig::gpio::tmc2209::SimChip;

/// Width of an index mark in steps.
const MARK: i64 = 8;

/// A motor and what it moves, as they truly are.
#[derive(Debug)]
pub(super) struct Mechanism {
    pub(super) stepper: Stepper,
    pub(super) steps: AtomicI64,
    upwards: AtomicBool,
    powered: AtomicBool,
    /// Where its steps are in the file.
    offset: u64,
    /// Its driver, if that is on a UART.
    pub(super) chip: Option<Arc<SimChip>>,
    /// Whether it pushes at an end of its travel.
    stalled: AtomicBool,
}

/// What an output does to a motor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Step,
    Direction,
    Enable,
}

impl Mechanism {
    pub(super) fn new(stepper: &Stepper, simulated: &SimulatedPins, file: &File, offset: u64) -> Self {
        let start = simulated.starts.iter().find(|(axis, _)| *axis == stepper.axis).map(|(_, start)| *start);
        let believed = match stepper.homing {
            Homing::ByHand { position, .. } => position,
            // Somewhere else than where it is looked for.
            Homing::Endstop(seek) | Homing::Index(seek) | Homing::Stall { seek, .. } => {
                seek.position - seek.direction() * (seek.back_off * 3.0).min(seek.farthest / 2.0)
            }
        };
        let mut left = [0; size_of::<i64>()];
        let steps = match start {
            Some(start) => stepper.scale.steps(start),
            // Where the program before has left it.
            None if file.read_exact_at(&mut left, offset).is_ok() => i64::from_le_bytes(left),
            None => stepper.scale.steps(believed),
        };
        Self {
            stepper: stepper.clone(),
            steps: steps.into(),
            upwards: false.into(),
            powered: stepper.enable.is_none().into(),
            offset,
            chip: stepper.uart.as_ref().map(|uart| Arc::new(SimChip::new(uart))),
            stalled: false.into(),
        }
    }

    pub(super) fn keep(&self, file: &File) -> io::Result<()> {
        file.write_all_at(&self.steps.load(Ordering::Relaxed).to_le_bytes(), self.offset)
    }

    pub(super) fn set(&self, role: Role, active: bool) {
        match role {
            Role::Direction => self.upwards.store(active, Ordering::Relaxed),
            Role::Enable => self.powered.store(active, Ordering::Relaxed),
            Role::Step => {
                if active && self.powered.load(Ordering::Relaxed) {
                    let step = if self.upwards.load(Ordering::Relaxed) { 1 } else { -1 };
                    let stalled = self.ends_at(self.steps.load(Ordering::Relaxed) + step);
                    self.stalled.store(stalled, Ordering::Relaxed);
                    if !stalled {
                        self.steps.fetch_add(step, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Whether `steps` are beyond what stops it: an end that is to be found by pushing at it.
    pub(super) fn ends_at(&self, steps: i64) -> bool {
        match &self.stepper.homing {
            Homing::Stall { seek, .. } => {
                let end = self.stepper.scale.steps(seek.position);
                if seek.upwards { steps > end } else { steps < end }
            }
            Homing::ByHand { .. } | Homing::Endstop(_) | Homing::Index(_) => false,
        }
    }

    /// Whether its switch is met.
    pub(super) fn is_met(&self) -> bool {
        let Stepper { scale, homing, .. } = &self.stepper;
        let steps = self.steps.load(Ordering::Relaxed);
        let beyond = |seek: &Seek| (steps - scale.steps(seek.position)) * if seek.upwards { 1 } else { -1 };
        match homing {
            Homing::ByHand { .. } => false,
            Homing::Endstop(seek) => beyond(seek) >= 0,
            Homing::Stall { .. } => {
                let shown = self.chip.as_ref().is_some_and(|chip| chip.shows_stalls());
                shown && self.stalled.load(Ordering::Relaxed)
            }
            Homing::Index(seek) => (0..MARK).contains(&beyond(seek).rem_euclid(scale.steps(360.0).max(1))),
        }
    }
}
