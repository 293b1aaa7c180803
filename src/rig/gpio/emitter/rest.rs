//! What the thread does while nothing moves: it looks at the emergency stop and at what others have found, releases
//! motors, latches and clears faults, and notes where motors stand.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::{error, info, warn};

use super::{Emitter, Fault};
use crate::clock::now_ns;
use crate::rig::axes::MotionError;

/// How often the emergency stop is looked at while nothing moves.
const LOOK_AT_REST: Duration = Duration::from_millis(10);
/// How often, if there is no emergency stop, but motors that are to be released or drivers that may fail.
const LOOK_SELDOM: Duration = Duration::from_millis(100);

impl Emitter {
    /// How often something has to be looked at while nothing moves; never, if nothing can happen then.
    pub(super) fn look_every(&self) -> Option<Duration> {
        let seldom = self.watched || self.idle_release.iter().any(Option::is_some);
        if self.emergency_stop.is_some() { Some(LOOK_AT_REST) } else { seldom.then_some(LOOK_SELDOM) }
    }

    /// At rest the emergency stop counts, too: it takes the power away.
    pub(super) fn look_at_rest(&mut self) {
        if self.shared.fault().is_some() {
            return;
        }
        let found = match self.is_emergency() {
            Ok(false) => self.shared.take_trip(),
            Ok(true) => Some(Fault::EmergencyStop),
            Err(fault) => Some(fault),
        };
        drop(found.map(|fault| self.latch(fault)));
    }

    pub(super) fn release_idle(&mut self) {
        if self.shared.keep_powered.load(Ordering::Relaxed) {
            return;
        }
        let rested = Duration::from_nanos(now_ns().saturating_sub(self.rested_ns));
        for index in 0..self.motors.len() {
            let Some(after) = self.idle_release[index] else { continue };
            if rested < after || !self.motors[index].is_powered() {
                continue;
            }
            match self.motors[index].power(false) {
                Ok(()) => {
                    self.shared.disturbances.fetch_add(1, Ordering::Release);
                    info!("a motor is released after {after:?} of rest");
                }
                Err(error) => drop(self.latch(error.into())),
            }
            // What is found by a switch is found again; what was put somewhere by hand is believed to stay there.
            if self.homed[index] {
                self.shared.known[index].store(false, Ordering::Relaxed);
            } else {
                self.shared.assumed[index].store(true, Ordering::Relaxed);
            }
            self.tell_power();
            self.keep_notes();
        }
    }

    /// Stops everything at once, takes away the power, and lets nothing move any more.
    pub(super) fn latch(&mut self, fault: Fault) -> MotionError {
        for motor in &mut self.motors {
            if let Err(error) = motor.make_safe() {
                error!("a motor is not safe: {error}");
            }
        }
        for known in self.shared.known.iter().chain(&self.shared.assumed) {
            known.store(false, Ordering::Relaxed);
        }
        self.tell_power();
        error!("the axes are stopped and released: {fault}; when it is safe again: scanner clear");
        let error = MotionError::fault(&fault);
        self.shared.set_fault(Some(fault));
        self.keep_notes();
        // After the fault: whoever sees this finds its cause.
        self.shared.disturbances.fetch_add(1, Ordering::Release);
        error
    }

    pub(super) fn clear(&mut self) -> Result<(), MotionError> {
        match self.is_emergency() {
            Ok(true) => return Err(MotionError::fault(&Fault::EmergencyStop)),
            Err(fault) => return Err(MotionError::fault(&fault)),
            Ok(false) => {}
        }
        // What was found meanwhile belongs to what is cleared; if it is still so, it is found again.
        drop(self.shared.take_trip());
        if let Some(fault) = self.shared.fault() {
            warn!("cleared: {fault}");
        }
        self.shared.set_fault(None);
        Ok(())
    }

    /// What is at rest, powered and known outlives this program.
    pub(super) fn keep_notes(&mut self) {
        let (motors, shared) = (self.motors.iter(), &self.shared);
        let states = motors.zip(&shared.known).zip(&shared.assumed).zip(&shared.steps);
        let held: Vec<Option<i64>> = states
            .map(|(((motor, known), assumed), steps)| {
                let certain = known.load(Ordering::Relaxed) && !assumed.load(Ordering::Relaxed);
                (motor.is_powered() && certain).then(|| steps.load(Ordering::Relaxed))
            })
            .collect();
        self.notes.keep(&held);
    }

    pub(super) fn tell_power(&self) {
        for (motor, powered) in self.motors.iter().zip(&self.shared.powered) {
            powered.store(motor.is_powered(), Ordering::Relaxed);
        }
    }
}
