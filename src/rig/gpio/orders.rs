//! What the thread that makes steps and the rest of the program say to each other.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::pins::PinError;
use crate::clock::now_ns;
use crate::motion::StepCourse;
use crate::rig::axes::MotionError;

/// The thread looks around every few milliseconds while it has something to do. On a machine that is busy it may wait
/// for a while, if it has no real-time priority; a rig whose emergency stop nobody looks at for so long is not safe.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the thread and the rest of the program share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The position of each motor, in steps.
    pub(super) steps: Vec<AtomicI64>,
    /// Whether that is its true one.
    pub(super) known: Vec<AtomicBool>,
    /// Whether that is only what the configuration says: nobody has said or found so since the program started.
    pub(super) assumed: Vec<AtomicBool>,
    /// Whether each motor is powered.
    pub(super) powered: Vec<AtomicBool>,
    /// What is wished of the run under way: a [`Stop`].
    pub(super) stop: AtomicU8,
    /// Whether an order is being carried out.
    pub(super) busy: AtomicBool,
    /// Steps that were late since the start.
    pub(super) late: AtomicU64,
    /// How often the motors have lost their power since the start, for whatever cause.
    pub(super) disturbances: AtomicU64,
    /// By when the thread has to show that it goes on; 0 while it waits for orders alone.
    pub(super) deadline_ns: AtomicU64,
    /// Whether motors that rest stay powered.
    pub(super) keep_powered: AtomicBool,
    /// Whether moves are in one part, whatever swings.
    pub(super) unshaped: AtomicBool,
    fault: Mutex<Option<Fault>>,
    /// Whether [`Self::trip`] was called since.
    tripped: AtomicBool,
    trip: Mutex<Option<Fault>>,
}

/// What is wished of a run under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stop {
    No = 0,
    /// Come to rest at full deceleration.
    Brake = 1,
}

/// Why nothing moves until somebody has cleared it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the emergency stop is pressed, or its line is broken")]
    EmergencyStop,
    #[error(
        "{late} steps of a move were late, the worst by {worst_us} us: something keeps the processor from this program"
    )]
    Late { late: u32, worst_us: u64 },
    #[error(
        "a step was late by {delay_us} us while a motor was at speed: it has probably lost steps; something keeps the processor from this program"
    )]
    Delay { delay_us: u64 },
    #[error("the thread that makes steps has failed, which is a defect: restart the program")]
    Ended,
    #[error("{0}")]
    Driver(String),
    #[error("{0}")]
    Pin(String),
}

/// What the thread is asked to do.
pub(super) enum Order {
    Run(Box<Run>),
    /// Note where the motors stand: somebody has said so.
    Note,
    /// Forget the fault, if its cause is gone.
    Clear(SyncSender<Result<(), MotionError>>),
}

/// Moves, one after the other.
pub(super) struct Run {
    pub(super) legs: Vec<Leg>,
    /// Ends as soon as the switch of this motor is as wanted.
    pub(super) until: Option<Until>,
    pub(super) reply: Reply,
}

/// Who wants to know of the end of a run; whoever does not wait for it has dropped the other end.
pub(super) enum Reply {
    /// Since when all rest.
    Move(oneshot::Sender<Result<u64, MotionError>>),
    /// The position at which the switch was met, if it was.
    Search(oneshot::Sender<Result<Option<i64>, MotionError>>),
}

impl Reply {
    pub(super) fn send(self, ended: Result<Rest, MotionError>) {
        match self {
            Self::Move(sender) => drop(sender.send(ended.map(|rest| rest.rest_ns))),
            Self::Search(sender) => drop(sender.send(ended.map(|rest| rest.met))),
        }
    }
}

/// A move of all motors at once.
pub(super) struct Leg {
    /// When it begins, on `CLOCK_MONOTONIC` in nanoseconds.
    pub(super) start_ns: u64,
    /// The steps of each motor; none of one that rests.
    pub(super) courses: Vec<Option<StepCourse>>,
}

/// What ends a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    pub(super) motor: usize,
    /// The wanted state of its switch.
    pub(super) active: bool,
    /// Whether to brake then, or to stop at once.
    pub(super) brake: bool,
}

/// The end of a run.
pub(super) struct Rest {
    pub(super) rest_ns: u64,
    pub(super) met: Option<i64>,
}

impl Shared {
    pub(super) fn new(motors: usize) -> Self {
        Self {
            steps: (0..motors).map(|_| AtomicI64::new(0)).collect(),
            known: (0..motors).map(|_| AtomicBool::new(false)).collect(),
            assumed: (0..motors).map(|_| AtomicBool::new(false)).collect(),
            powered: (0..motors).map(|_| AtomicBool::new(false)).collect(),
            stop: AtomicU8::new(Stop::No as u8),
            busy: AtomicBool::new(false),
            late: AtomicU64::new(0),
            disturbances: AtomicU64::new(0),
            deadline_ns: AtomicU64::new(0),
            keep_powered: AtomicBool::new(false),
            unshaped: AtomicBool::new(false),
            fault: Mutex::new(None),
            tripped: AtomicBool::new(false),
            trip: Mutex::new(None),
        }
    }

    /// The thread goes on, or is about to have something to do: it shows itself within [`PATIENCE`].
    pub(super) fn beat(&self) {
        self.deadline_ns.store(now_ns() + PATIENCE.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Has the thread that makes steps latch `fault`, at its next look.
    pub(super) fn trip(&self, fault: Fault) {
        *self.trip.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        self.tripped.store(true, Ordering::Release);
    }

    /// What somebody else has found to be wrong, if so: once.
    pub(super) fn take_trip(&self) -> Option<Fault> {
        if !self.tripped.load(Ordering::Acquire) {
            return None;
        }
        self.tripped.store(false, Ordering::Relaxed);
        self.trip.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_fault(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

impl From<PinError> for Fault {
    fn from(error: PinError) -> Self {
        Self::Pin(error.to_string())
    }
}
