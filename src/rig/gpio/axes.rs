//! Axes that stepper motors move.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{error, info};

use super::emitter::{Emitter, Leg, Order, Reply, Run, Shared, Stop, Until};
use super::homing;
use super::motor::Motor;
use super::pins::{Board, PinError};
use crate::config::AxisConfig;
use crate::config::gpio::{GpioMotion, Homing, Stepper};
use crate::motion::{self, Limits, StepCourse, Unreachable};
use crate::plan::{Axis, Pose};
use crate::rig::axes::{Axes, MotionError, Move};
use crate::rig::clock::now_ns;
use crate::rig::sim::{World, WorldFile};

/// From the call to the first moment of the motion: the thread has to wake up, and directions to be set.
const LEAD: Duration = Duration::from_millis(1);
/// As [`LEAD`], if a motor has to be powered first: its driver needs a millisecond or two.
const POWER_LEAD: Duration = Duration::from_millis(5);
/// By how much a person's move is slower than a scan's.
const JOG_SLOWNESS: f64 = 4.0;
/// How long the thread may take to answer while nothing moves.
const ANSWER: Duration = Duration::from_secs(1);
/// Rest between two legs of a move.
const TURN_PAUSE: Duration = Duration::from_millis(1);
/// A simulated camera computes the same rest in other units; the difference is rounding.
const ROUNDING_NS: u64 = 1_000;

/// Axes on GPIO pins. A thread of theirs makes the steps; it ends with them, with every output safe.
pub struct GpioAxes {
    rig: Arc<Rig>,
    thread: Option<JoinHandle<()>>,
}

/// What orders and searches are made of.
pub(super) struct Rig {
    pub(super) axes: Vec<AxisConfig>,
    pub(super) steppers: Vec<Stepper>,
    pub(super) shared: Arc<Shared>,
    /// None once the thread has been told to end.
    orders: Mutex<Option<Sender<Order>>>,
    /// Whether axes are being homed, which is more than one run.
    pub(super) homing: AtomicBool,
    /// Whether that is to end.
    pub(super) cancelled: AtomicBool,
    world: Arc<WorldFile>,
}

impl GpioAxes {
    /// Takes the pins of `motion` from `board`. `axes` belong to its motors, one to one. Nothing moves, and no motor
    /// is powered, yet. Simulated cameras see the axes through `world`.
    pub fn open(
        board: &dyn Board,
        axes: Vec<AxisConfig>,
        motion: &GpioMotion,
        world: Arc<WorldFile>,
    ) -> Result<Self, OpenError> {
        let steppers = motion.steppers.clone();
        let stop = motion.emergency_stop.map(|pin| board.input(pin, "emergency stop")).transpose()?;
        let motors =
            steppers.iter().map(|stepper| Motor::open(board, stepper)).collect::<Result<Vec<_>, _>>()?;
        let shared = Arc::new(Shared::new(steppers.len()));
        let rig = Rig {
            axes,
            steppers,
            shared: shared.clone(),
            orders: Mutex::default(),
            homing: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            world,
        };
        for (index, stepper) in rig.steppers.iter().enumerate() {
            if let Homing::ByHand { position } = stepper.homing {
                rig.stands_at(index, stepper.scale.steps(position));
                info!(
                    "the {} is taken to stand at {position} {}, by hand",
                    stepper.axis,
                    stepper.axis.unit()
                );
            }
        }
        let releases = rig.steppers.iter().map(|stepper| stepper.idle_release).collect();
        let homed = rig.steppers.iter().map(|stepper| stepper.homing.seek().is_some()).collect();
        let emitter = Emitter::new(motors, releases, homed, stop, motion.max_late_steps, shared);
        let (orders, receiver) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("steps".into()).spawn(move || emitter.run(&receiver))?;
        *rig.orders.lock().unwrap_or_else(PoisonError::into_inner) = Some(orders);
        Ok(Self { rig: Arc::new(rig), thread: Some(thread) })
    }

    /// Steps that came late since the start, on which the following ones waited.
    pub fn late_steps(&self) -> u64 {
        self.rig.shared.late.load(Ordering::Relaxed)
    }
}

impl Rig {
    /// Where the axes stand, as far as is known.
    fn pose(&self) -> Pose {
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
    }

    pub(super) fn check_fault(&self) -> Result<(), MotionError> {
        self.shared.fault().map_or(Ok(()), |fault| Err(MotionError::fault(&fault)))
    }

    fn check_known(&self) -> Result<(), MotionError> {
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

    fn send(&self, order: Order) -> Result<(), MotionError> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.as_ref().ok_or(MotionError::Ended)?.send(order).map_err(|_| MotionError::Ended)
    }

    /// One leg to `target`; two if the play of a gear has to be taken up. Simulated cameras are told.
    fn legs_to(&self, target: &Pose) -> Result<Vec<Leg>, MotionError> {
        let targets: Vec<i64> = (0..self.steppers.len()).map(|index| self.target(index, target)).collect();
        let mut overshoot = targets.clone();
        for (index, stepper) in self.steppers.iter().enumerate() {
            if stepper.backlash > 0.0 && targets[index] < self.steps(index) {
                let low = self.axes[index].travel.map_or(i64::MIN, |(low, _)| stepper.scale.steps(low));
                overshoot[index] = (targets[index] - stepper.scale.steps(stepper.backlash)).max(low);
            }
        }
        let from: Vec<i64> = (0..self.steppers.len()).map(|index| self.steps(index)).collect();
        let mut legs = vec![self.leg(self.first_start_ns(), &from, &overshoot)];
        if overshoot != targets {
            let rest = legs[0].courses.iter().flatten().map(StepCourse::duration).max().unwrap_or_default();
            let start_ns = legs[0].start_ns + (rest + TURN_PAUSE).as_nanos() as u64;
            legs.push(self.leg(start_ns, &overshoot, &targets));
        }
        self.tell_cameras(&legs, &[overshoot, targets])?;
        Ok(legs)
    }

    /// One motor goes `distance` at no more than `speed`, from wherever it stands.
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

    fn leg(&self, start_ns: u64, from: &[i64], to: &[i64]) -> Leg {
        let courses = self.steppers.iter().zip(&self.axes).zip(from.iter().zip(to));
        let courses = courses.map(|((stepper, axis), (from, to))| {
            (from != to).then(|| StepCourse::new(to - from, stepper.scale.limits(axis.limits)))
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

    /// Simulated cameras see the moves that real motors make.
    fn tell_cameras(&self, legs: &[Leg], ends: &[Vec<i64>]) -> Result<(), MotionError> {
        let pose_at = |steps: &[i64]| {
            self.steppers.iter().zip(steps).fold(Pose::default(), |pose, (stepper, steps)| {
                pose.with(stepper.axis, stepper.scale.position(*steps))
            })
        };
        let present = self.pose();
        let tell = |world: &mut World| {
            world.place(present);
            for (leg, end) in legs.iter().zip(ends) {
                world.push_move(leg.start_ns, pose_at(end), &self.axes, 1.0);
            }
        };
        let path = || self.world.path().to_owned();
        self.world.update(tell).map_err(|source| MotionError::World { path: path(), source })
    }
}

/// Why axes on pins cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A pin.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The thread.
    #[error("cannot start the thread that makes steps: {0}")]
    Thread(#[from] std::io::Error),
}

impl Axes for GpioAxes {
    fn pose(&self) -> Pose {
        self.rig.pose()
    }

    fn start_move(&self, target: Pose) -> Result<Move, MotionError> {
        if let Some(unreachable) = motion::unreachable(&target, &self.rig.axes).next() {
            return Err(unreachable.into());
        }
        if self.rig.homing.load(Ordering::Acquire) {
            return Err(MotionError::Moving);
        }
        self.rig.check_fault()?;
        self.rig.check_known()?;
        let (sender, done) = oneshot::channel();
        let rest_ns = self.rig.start(Reply::Move(sender), None, |rig| rig.legs_to(&target))?;
        Ok(Move { rest_ns, done })
    }

    fn stop(&self) {
        self.rig.cancelled.store(true, Ordering::Relaxed);
        self.rig.shared.stop.store(Stop::Brake as u8, Ordering::Relaxed);
    }

    fn home(&self, axes: &[Axis]) -> oneshot::Receiver<Result<(), MotionError>> {
        let (sender, done) = oneshot::channel();
        let wanted: Vec<usize> = (0..self.rig.steppers.len())
            .filter(|&index| {
                let stepper = &self.rig.steppers[index];
                // What was put by hand is declared anew only by a person.
                let unknown =
                    !self.rig.shared.known[index].load(Ordering::Relaxed) && stepper.homing.seek().is_some();
                if axes.is_empty() { unknown } else { axes.contains(&stepper.axis) }
            })
            .collect();
        let rig = self.rig.clone();
        rig.cancelled.store(false, Ordering::Relaxed);
        let homing = move || {
            // Whoever asked may have gone.
            let _ = sender.send(homing::home(&rig, &wanted));
        };
        if let Err(error) = std::thread::Builder::new().name("homing".into()).spawn(homing) {
            error!("cannot start the thread that homes the axes: {error}");
        }
        done
    }

    fn jog(&self, axis: Axis, distance: f64) -> Result<Move, MotionError> {
        let index = self.rig.steppers.iter().position(|stepper| stepper.axis == axis);
        let index = index.ok_or(Unreachable::NoAxis { axis, position: distance })?;
        let pose = self.pose();
        if self.rig.shared.known[index].load(Ordering::Relaxed) {
            let target = pose.with(axis, pose.get(axis) + distance);
            if let Some(unreachable) = motion::unreachable(&target, &self.rig.axes).next() {
                return Err(unreachable.into());
            }
        }
        self.rig.check_fault()?;
        let (sender, done) = oneshot::channel();
        let rest_ns = self.rig.start(Reply::Move(sender), None, |rig| {
            let Limits { speed, .. } = rig.axes[index].limits;
            Ok(rig.one_leg(index, distance, speed / JOG_SLOWNESS))
        })?;
        Ok(Move { rest_ns, done })
    }

    fn fault(&self) -> Option<String> {
        self.rig.shared.fault().map(|fault| fault.to_string())
    }

    fn clear(&self) -> Result<(), MotionError> {
        if self.rig.shared.busy.load(Ordering::Acquire) {
            return Err(MotionError::Moving);
        }
        let (sender, answer) = mpsc::sync_channel(1);
        self.rig.send(Order::Clear(sender))?;
        answer.recv_timeout(ANSWER).unwrap_or(Err(MotionError::Ended))
    }
}

impl Drop for GpioAxes {
    fn drop(&mut self) {
        self.stop();
        drop(self.rig.orders.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the thread that makes steps has panicked; its outputs were made safe on the way out");
        }
    }
}
