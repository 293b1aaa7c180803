//! Axes that stepper motors move.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{error, info};

use super::emitter::Emitter;
use super::homing;
use super::motor::Motor;
use super::orders::{Order, Reply, Shared, Stop};
use super::pins::{Board, PinError};
use super::route::Rig;
use super::standing::Notes;
use super::tmc2209::{Drivers, UartError};
use crate::config::gpio::{GpioMotion, Homing};
use crate::model::{Axis, AxisConfig, Limits, Pose};
use crate::motion::{self, Unreachable};
use crate::rig::axes::{Axes, MotionError, Move, MoveObserver};

/// By how much a person's move is slower than a scan's.
const JOG_SLOWNESS: f64 = 4.0;
/// How long the thread may take to answer while nothing moves.
const ANSWER: Duration = Duration::from_secs(1);

/// Axes on GPIO pins. A thread of theirs makes the steps; it ends with them, with every output safe.
pub struct GpioAxes {
    rig: Arc<Rig>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl GpioAxes {
    /// Takes the pins of `motion` from `board`. `axes` belong to its motors, one to one. Nothing moves, and no motor
    /// is powered, yet. `observer` is told of each move. Where held motors stand is noted in `runtime`.
    pub fn open(
        board: &dyn Board,
        axes: Vec<AxisConfig>,
        motion: &GpioMotion,
        observer: Arc<dyn MoveObserver>,
        runtime: &Path,
    ) -> Result<Self, OpenError> {
        let steppers = motion.steppers.clone();
        let stop = motion.emergency_stop.map(|pin| board.input(pin, "emergency stop")).transpose()?;
        let motors =
            steppers.iter().map(|stepper| Motor::open(board, stepper)).collect::<Result<Vec<_>, _>>()?;
        let (drivers, reset) = Drivers::open(board, &steppers)?;
        let shared = Arc::new(Shared::new(steppers.len()));
        drivers.watch(shared.clone())?;
        let watched = !drivers.is_empty();
        let rig = Rig {
            axes,
            steppers,
            shared: shared.clone(),
            orders: Mutex::default(),
            homing: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            observer,
            drivers,
        };
        let path = runtime.join("standing");
        let (notes, standing) =
            Notes::open(&path, &rig.steppers).map_err(|source| OpenError::Notes { path, source })?;
        for (index, (stepper, standing)) in rig.steppers.iter().zip(standing).enumerate() {
            let Homing::ByHand { position, .. } = stepper.homing else { continue };
            // A driver whose supply was off has held nothing.
            if let Some(steps) = standing.filter(|_| !reset.contains(&index)) {
                rig.stands_at(index, steps);
                info!(
                    "the {} stands at {:.3} {}, where its motor has held it since the program ended",
                    stepper.axis,
                    stepper.scale.position(steps),
                    stepper.axis.unit()
                );
            } else {
                rig.may_stand_at(index, stepper.scale.steps(position));
                info!(
                    "the {} is taken to stand at {position} {}, by hand; no scan of an earlier start goes on before somebody says so",
                    stepper.axis,
                    stepper.axis.unit()
                );
            }
        }
        let releases = rig.steppers.iter().map(|stepper| stepper.idle_release).collect();
        let homed = rig.steppers.iter().map(|stepper| stepper.homing.seek().is_some()).collect();
        let late = (motion.max_late_steps, motion.max_step_delay);
        let emitter = Emitter::new(motors, releases, homed, stop, late, shared, (notes, watched));
        let (orders, receiver) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("steps".into()).spawn(move || emitter.run(&receiver))?;
        *rig.orders.lock().unwrap_or_else(PoisonError::into_inner) = Some(orders);
        Ok(Self { rig: Arc::new(rig), thread: Mutex::new(Some(thread)) })
    }

    /// Steps that came late since the start, on which the following ones waited.
    pub fn late_steps(&self) -> u64 {
        self.rig.shared.late.load(Ordering::Relaxed)
    }

    /// Homes these axes, or those that have to be and have a switch if there are none, and checks.
    fn home_then(
        &self,
        axes: &[Axis],
        check: fn(&Rig) -> Result<(), MotionError>,
    ) -> oneshot::Receiver<Result<(), MotionError>> {
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
            let _ = sender.send(homing::home(&rig, &wanted).and_then(|()| check(&rig)));
        };
        if let Err(error) = std::thread::Builder::new().name("homing".into()).spawn(homing) {
            error!("cannot start the thread that homes the axes: {error}");
        }
        done
    }
}

/// Why axes on pins cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A pin cannot be used.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The driver of a motor.
    #[error(transparent)]
    Uart(#[from] UartError),
    /// The note of where motors stand.
    #[error("cannot note where the axes stand in {}: {source}", path.display())]
    Notes {
        /// The file with the note.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The thread that makes steps does not start.
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

    fn make_ready(&self) -> oneshot::Receiver<Result<(), MotionError>> {
        // What no switch finds, a person has to say: better now than once a dataset exists.
        self.home_then(&[], Rig::check_known)
    }

    fn home(&self, axes: &[Axis]) -> oneshot::Receiver<Result<(), MotionError>> {
        self.home_then(axes, |_| Ok(()))
    }

    fn assumed(&self) -> Vec<(Axis, f64)> {
        let steppers = self.rig.steppers.iter().zip(&self.rig.shared.assumed);
        let assumed = steppers.filter(|(_, assumed)| assumed.load(Ordering::Relaxed));
        assumed
            .filter_map(|(stepper, _)| match stepper.homing {
                Homing::ByHand { position, .. } => Some((stepper.axis, position)),
                Homing::Endstop(_) | Homing::Index(_) | Homing::Stall { .. } => None,
            })
            .collect()
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

    fn disturbances(&self) -> u64 {
        self.rig.shared.disturbances.load(Ordering::Acquire)
    }

    fn deadline_ns(&self) -> Option<u64> {
        Some(self.rig.shared.deadline_ns.load(Ordering::Relaxed)).filter(|deadline| *deadline > 0)
    }

    fn keep_powered(&self, keep: bool) {
        self.rig.shared.keep_powered.store(keep, Ordering::Relaxed);
    }

    fn keep_unshaped(&self, unshaped: bool) {
        self.rig.shared.unshaped.store(unshaped, Ordering::Relaxed);
    }

    fn end(&self) {
        self.stop();
        drop(self.rig.orders.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.rig.drivers.end();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            error!("the thread that makes steps has panicked; its outputs were made safe on the way out");
        }
    }

    fn clear(&self) -> Result<(), MotionError> {
        if self.rig.shared.busy.load(Ordering::Acquire) {
            return Err(MotionError::Moving);
        }
        if self.fault().is_some() {
            // A driver that has failed, or whose supply was off, is given its settings anew.
            self.rig.drivers.configure().map_err(|error| MotionError::fault(&error))?;
        }
        let (sender, answer) = mpsc::sync_channel(1);
        self.rig.send(Order::Clear(sender))?;
        answer.recv_timeout(ANSWER).unwrap_or(Err(MotionError::Ended))
    }
}

impl Drop for GpioAxes {
    fn drop(&mut self) {
        self.end();
    }
}
