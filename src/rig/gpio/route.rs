//! Moves of motors: from poses to steps, and to orders for the thread that makes them.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::orders::{Leg, Order, Reply, Run, Shared, Stop, Until};
use super::tmc2209::Drivers;
use crate::clock::now_ns;
use crate::config::gpio::Stepper;
use crate::model::{Axis, AxisConfig, Limits, Pose};
use crate::motion::{self, StepCourse};
use crate::rig::axes::{MotionError, MoveObserver, PlannedLeg};

/// From the call to the first moment of the motion: the thread has to wake up, and directions to be set.
const LEAD: Duration = Duration::from_millis(1);
/// As [`LEAD`], if a motor has to be powered first: its driver needs a millisecond or two.
const POWER_LEAD: Duration = Duration::from_millis(5);
/// Rest between two legs of a move.
const TURN_PAUSE: Duration = Duration::from_millis(1);
/// A simulated camera computes the same rest in other units; the difference is rounding.
const ROUNDING_NS: u64 = 1_000;

/// What orders and searches are made of.
pub(super) struct Rig {
    pub(super) axes: Vec<AxisConfig>,
    pub(super) steppers: Vec<Stepper>,
    pub(super) shared: Arc<Shared>,
    /// None once the thread has been told to end.
    pub(super) orders: Mutex<Option<Sender<Order>>>,
    /// Whether axes are being homed, which is more than one run.
    pub(super) homing: AtomicBool,
    /// Whether that is to end.
    pub(super) cancelled: AtomicBool,
    pub(super) observer: Arc<dyn MoveObserver>,
    pub(super) drivers: Drivers,
}

impl Rig {
    /// Where the axes stand, as far as is known.
    pub(super) fn pose(&self) -> Pose {
        self.steppers
            .iter()
            .enumerate()
            .fold(Pose::default(), |pose, (index, stepper)| pose.with(stepper.axis, self.position(index)))
    }

    /// Where an axis stands, the turntable within [0, 360) degrees.
    fn position(&self, index: usize) -> f64 {
        let Stepper { axis, scale, .. } = &self.steppers[index];
        let position = scale.position(self.steps(index));
        match axis {
            Axis::Turntable => {
                let angle = position.rem_euclid(360.0);
                // The remainder of a tiny negative angle rounds to 360.
                if angle < 360.0 { angle } else { 0.0 }
            }
            Axis::Lift | Axis::Rail | Axis::Tilt => position,
        }
    }

    pub(super) fn steps(&self, index: usize) -> i64 {
        self.shared.steps[index].load(Ordering::Relaxed)
    }

    /// From now on, the motor is at `steps`, for certain.
    pub(super) fn stands_at(&self, index: usize, steps: i64) {
        self.shared.steps[index].store(steps, Ordering::Relaxed);
        self.shared.known[index].store(true, Ordering::Relaxed);
        self.shared.assumed[index].store(false, Ordering::Relaxed);
    }

    /// The motor is believed to be at `steps` until somebody knows better.
    pub(super) fn may_stand_at(&self, index: usize, steps: i64) {
        self.stands_at(index, steps);
        self.shared.assumed[index].store(true, Ordering::Relaxed);
    }

    pub(super) fn check_fault(&self) -> Result<(), MotionError> {
        self.shared.fault().map_or(Ok(()), |fault| Err(MotionError::fault(&fault)))
    }

    pub(super) fn check_known(&self) -> Result<(), MotionError> {
        let unknown = |index: &usize| !self.shared.known[*index].load(Ordering::Relaxed);
        let unknown = (0..self.steppers.len()).find(unknown);
        unknown.map_or(Ok(()), |index| Err(MotionError::Unknown { axis: self.steppers[index].axis }))
    }

    /// Starts what `legs` makes once the axes are this run's. Returns when they will rest.
    pub(super) fn start(
        &self,
        reply: Reply,
        until: Option<Until>,
        legs: impl FnOnce(&Self) -> Result<Vec<Leg>, MotionError>,
    ) -> Result<u64, MotionError> {
        if self.shared.busy.swap(true, Ordering::AcqRel) {
            return Err(MotionError::Moving);
        }
        self.shared.stop.store(Stop::No as u8, Ordering::Relaxed);
        let rest_ns = |leg: &Leg| {
            let rest = leg.courses.iter().flatten().map(StepCourse::duration).max().unwrap_or_default();
            leg.start_ns + rest.as_nanos() as u64
        };
        let started = legs(self).and_then(|legs| {
            let rest_ns = legs.last().map_or_else(now_ns, rest_ns) + ROUNDING_NS;
            self.send(Order::Run(Box::new(Run { legs, until, reply })))?;
            Ok(rest_ns)
        });
        if started.is_err() {
            self.shared.busy.store(false, Ordering::Release);
        }
        started
    }

    pub(super) fn send(&self, order: Order) -> Result<(), MotionError> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.beat();
        orders.as_ref().ok_or(MotionError::Ended)?.send(order).map_err(|_| MotionError::Ended)
    }

    /// The axes as moves from now on go by them.
    fn moving(&self) -> Cow<'_, [AxisConfig]> {
        if self.shared.unshaped.load(Ordering::Relaxed) {
            motion::unshaped(&self.axes).into()
        } else {
            (&self.axes).into()
        }
    }

    /// One leg to `target`; two if the play of a gear has to be taken up. The observer is told.
    pub(super) fn legs_to(&self, target: &Pose) -> Result<Vec<Leg>, MotionError> {
        let targets: Vec<i64> = (0..self.steppers.len()).map(|index| self.target(index, target)).collect();
        let mut overshoot = targets.clone();
        for (index, stepper) in self.steppers.iter().enumerate() {
            if stepper.backlash > 0.0 && targets[index] < self.steps(index) {
                // At an end of the travel, too: the motor goes on by the play, and what it carries stays within.
                overshoot[index] = targets[index] - stepper.scale.steps(stepper.backlash);
            }
        }
        let from: Vec<i64> = (0..self.steppers.len()).map(|index| self.steps(index)).collect();
        let axes = self.moving();
        let mut legs = vec![self.leg(&axes, self.first_start_ns(), &from, &overshoot)];
        if overshoot != targets {
            let rest = legs[0].courses.iter().flatten().map(StepCourse::duration).max().unwrap_or_default();
            let start_ns = legs[0].start_ns + (rest + TURN_PAUSE).as_nanos() as u64;
            legs.push(self.leg(&axes, start_ns, &overshoot, &targets));
        }
        self.tell_observer(&axes, &legs, &[overshoot, targets])?;
        Ok(legs)
    }

    /// One motor goes `distance` at no more than `speed`, from wherever it stands. In one part: it stops as soon as it can.
    pub(super) fn one_leg(&self, index: usize, distance: f64, speed: f64) -> Vec<Leg> {
        let scale = self.steppers[index].scale;
        let limits = Limits { speed, ..self.axes[index].limits };
        let mut courses = vec![None; self.steppers.len()];
        courses[index] = Some(StepCourse::new(scale.steps(distance), scale.limits(limits)));
        vec![Leg { start_ns: self.first_start_ns(), courses }]
    }

    /// When a run that is made now can begin.
    fn first_start_ns(&self) -> u64 {
        let powered = self.shared.powered.iter().all(|powered| powered.load(Ordering::Relaxed));
        now_ns() + (if powered { LEAD } else { POWER_LEAD }).as_nanos() as u64
    }

    fn leg(&self, axes: &[AxisConfig], start_ns: u64, from: &[i64], to: &[i64]) -> Leg {
        let courses = self.steppers.iter().zip(axes).zip(from.iter().zip(to));
        let courses = courses.map(|((stepper, axis), (from, to))| {
            (from != to).then(|| StepCourse::planned(to - from, stepper.scale, axis))
        });
        Leg { start_ns, courses: courses.collect() }
    }

    /// The step of `target`: for a turntable, that of the turn in which it is nearest.
    fn target(&self, index: usize, target: &Pose) -> i64 {
        let Stepper { axis, scale, .. } = &self.steppers[index];
        let position = target.get(*axis);
        match axis {
            Axis::Turntable => {
                let present = scale.position(self.steps(index));
                let turned = present + motion::shortest_turn(present, position);
                // From the angle itself, not from where the table happens to stand: nothing adds up.
                scale.steps(position + 360.0 * ((turned - position) / 360.0).round())
            }
            Axis::Lift | Axis::Rail | Axis::Tilt => scale.steps(position),
        }
    }

    fn tell_observer(&self, axes: &[AxisConfig], legs: &[Leg], ends: &[Vec<i64>]) -> Result<(), MotionError> {
        let pose_at = |steps: &[i64]| {
            self.steppers.iter().zip(steps).fold(Pose::default(), |pose, (stepper, steps)| {
                pose.with(stepper.axis, stepper.scale.position(*steps))
            })
        };
        let planned: Vec<_> = legs
            .iter()
            .zip(ends)
            .map(|(leg, end)| PlannedLeg { start_ns: leg.start_ns, to: pose_at(end) })
            .collect();
        self.observer.about_to_move(self.pose(), &planned, axes)
    }
}
