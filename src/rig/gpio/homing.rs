//! Finding out where axes stand.

use std::sync::atomic::Ordering;

use tokio::sync::oneshot;
use tracing::info;

use super::orders::{Order, Reply, Stop, Until};
use super::route::Rig;
use crate::config::gpio::{Homing, Seek, Stepper};
use crate::rig::axes::MotionError;

/// A switch that is found active so often, although it should not be, is so.
const LOOKS: u32 = 3;

/// Homes the motors at these indexes, one after the other.
pub(super) fn home(rig: &Rig, wanted: &[usize]) -> Result<(), MotionError> {
    if wanted.is_empty() {
        return rig.check_fault();
    }
    if rig.homing.swap(true, Ordering::AcqRel) {
        return Err(MotionError::Moving);
    }
    let homed = wanted.iter().try_for_each(|&index| Search { rig, index }.home());
    rig.homing.store(false, Ordering::Release);
    homed
}

/// One motor that is being homed.
struct Search<'r> {
    rig: &'r Rig,
    index: usize,
}

impl Search<'_> {
    fn home(&self) -> Result<(), MotionError> {
        self.rig.check_fault()?;
        let stepper = self.stepper();
        let (axis, unit) = (stepper.axis, stepper.axis.unit());
        match &stepper.homing {
            Homing::ByHand { position, .. } => {
                self.rig.stands_at(self.index, stepper.scale.steps(*position));
                self.rig.send(Order::Note)?;
                info!("the {axis} is taken to stand at {position} {unit}");
            }
            Homing::Endstop(seek) | Homing::Index(seek) => {
                self.find(seek)?;
                info!("the {axis} is home: its switch is at {} {unit}", seek.position);
            }
            Homing::Stall { seek, threshold } => {
                let drivers = &self.rig.drivers;
                let rate = seek.speed * stepper.scale.steps_per_unit();
                drivers
                    .watch_stalls(self.index, *threshold, rate)
                    .map_err(|error| self.failed(error.to_string()))?;
                let found = self.find(seek);
                drivers.ignore_stalls(self.index);
                found?;
                info!("the {axis} is home: it stalls at {} {unit}", seek.position);
            }
        }
        Ok(())
    }

    /// Quickly to the switch, back, and slowly to it again: that is its place.
    fn find(&self, seek: &Seek) -> Result<(), MotionError> {
        let Seek { switch, speed, slow_speed, back_off, farthest, .. } = *seek;
        // A motor that pushes at an end is not braked.
        let brakes = !matches!(self.stepper().homing, Homing::Stall { .. });
        let there = seek.direction();
        // Whatever becomes of this: until the end it is not known.
        self.rig.shared.known[self.index].store(false, Ordering::Relaxed);
        if self.until(-there * 2.0 * back_off, slow_speed, false, true)?.is_none() {
            let message = format!(
                "its switch stays active although it was backed off {} {}: is {switch} wired and its level right?",
                2.0 * back_off,
                self.stepper().axis.unit()
            );
            return Err(self.failed(message));
        }
        let Some(first) = self.until(there * farthest, speed, true, brakes)? else {
            let message = format!(
                "its switch ({switch}) was not met within {farthest} {}: check the switch, the motor, and which way it turns",
                self.stepper().axis.unit()
            );
            return Err(self.failed(message));
        };
        // From where it came to rest, which is beyond the switch.
        let beyond = self.stepper().scale.position((self.rig.steps(self.index) - first).abs());
        self.go(-there * (beyond + back_off), speed)?;
        // Looks, without a step: one of them may be disturbed.
        let mut is_off = false;
        for _ in 0..LOOKS {
            is_off = is_off || self.until(0.0, slow_speed, false, false)?.is_some();
        }
        if !is_off {
            let message = format!(
                "its switch ({switch}) stays active although it was backed off {} {}: does it stick, or is the place where the second approach would begin still on it? A longer `back_off` helps then",
                beyond + back_off,
                self.stepper().axis.unit()
            );
            return Err(self.failed(message));
        }
        let Some(found) = self.until(there * 2.0 * (beyond + back_off), slow_speed, true, false)? else {
            return Err(self.failed(format!(
                "its switch ({switch}) was met quickly, but not again slowly: it does not repeat"
            )));
        };
        let scale = self.stepper().scale;
        // Positions are those of a gear whose play was taken up upwards.
        let play = if seek.upwards { 0 } else { scale.steps(self.stepper().backlash) };
        let moved = self.rig.steps(self.index) - found;
        self.rig.stands_at(self.index, scale.steps(seek.position) - play + moved);
        Ok(())
    }

    /// Moves by `distance`, at most, until the switch is as wanted: the position at which it was. Does not move if it
    /// is so already.
    fn until(
        &self,
        distance: f64,
        speed: f64,
        active: bool,
        brake: bool,
    ) -> Result<Option<i64>, MotionError> {
        self.run(distance, speed, Some(Until { motor: self.index, active, brake }))
    }

    fn go(&self, distance: f64, speed: f64) -> Result<(), MotionError> {
        self.run(distance, speed, None).map(drop)
    }

    fn run(&self, distance: f64, speed: f64, until: Option<Until>) -> Result<Option<i64>, MotionError> {
        if self.rig.cancelled.load(Ordering::Relaxed) {
            return Err(MotionError::Stopped);
        }
        let (sender, ended) = oneshot::channel();
        self.rig.start(Reply::Search(sender), until, |rig| Ok(rig.one_leg(self.index, distance, speed)))?;
        if self.rig.cancelled.load(Ordering::Relaxed) {
            // Said between the look above and the start, which forgets earlier wishes.
            self.rig.shared.stop.store(Stop::Brake as u8, Ordering::Relaxed);
        }
        ended.blocking_recv().unwrap_or(Err(MotionError::Ended))
    }

    fn failed(&self, message: String) -> MotionError {
        MotionError::Homing { axis: self.stepper().axis, message }
    }

    fn stepper(&self) -> &Stepper {
        &self.rig.steppers[self.index]
    }
}
