//! The thread that makes steps.
//!
//! While something moves, it allocates nothing and takes no lock: wishes and what it has done are atomics. A step
//! that comes late delays all that follow, so that the motor never has to catch up.

mod rest;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::motor::Motor;
use super::orders::{Fault, Leg, Order, Rest, Run, Shared, Stop, Until};
use super::pins::Input;
use super::realtime;
use super::standing::Notes;
use crate::clock::now_ns;
use crate::motion::StepCourse;
use crate::rig::axes::MotionError;

/// How often the emergency stop is looked at between steps that are far apart.
const LOOK: Duration = Duration::from_millis(2);
/// A step later than this, or than half the time to the next one of its motor, is late.
const LEAST_LATE_NS: u64 = 50_000;
/// A motor that waits for less than this many of its steps goes on as if nothing had been.
const HARMLESS_STEPS: u64 = 4;
/// An emergency stop, or a switch, that is seen this many times in a row, microseconds apart, is no disturbance.
const SURE: u32 = 3;

/// One motor's way through a leg.
struct Cursor {
    course: StepCourse,
    next: u64,
    /// After the start of the leg; none behind the last step.
    due: Option<u64>,
}

/// What the thread that makes steps works with: pins, motors, and the run under way.
pub(super) struct Emitter {
    motors: Vec<Motor>,
    idle_release: Vec<Option<Duration>>,
    /// Whether a motor that was released has to be homed.
    homed: Vec<bool>,
    emergency_stop: Option<Box<dyn Input>>,
    max_late: u32,
    max_delay_ns: u64,
    shared: Arc<Shared>,
    notes: Notes,
    /// Whether drivers are looked after, which may trip.
    watched: bool,
    cursors: Vec<Option<Cursor>>,
    rested_ns: u64,
}

/// How a leg ended, where it did not fail.
enum Ended {
    Arrived { rest_ns: u64 },
    Met { rest_ns: u64, steps: i64 },
    Stopped,
}

impl Emitter {
    pub(super) fn new(
        motors: Vec<Motor>,
        idle_release: Vec<Option<Duration>>,
        homed: Vec<bool>,
        emergency_stop: Option<Box<dyn Input>>,
        (max_late, max_delay): (u32, Duration),
        shared: Arc<Shared>,
        (notes, watched): (Notes, bool),
    ) -> Self {
        let cursors = motors.iter().map(|_| None).collect();
        let max_delay_ns = max_delay.as_nanos() as u64;
        let rested_ns = now_ns();
        Self {
            motors,
            idle_release,
            homed,
            emergency_stop,
            max_late,
            max_delay_ns,
            shared,
            notes,
            watched,
            cursors,
            rested_ns,
        }
    }

    /// Carries out orders until there can be no more.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        realtime::request();
        self.look_at_rest();
        self.tell_power();
        self.keep_notes();
        let look_every = self.look_every();
        loop {
            let order = if let Some(every) = look_every {
                self.shared.beat();
                match orders.recv_timeout(every) {
                    Ok(order) => Some(order),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                // An order puts it up again before it is heard.
                self.shared.deadline_ns.store(0, Ordering::Relaxed);
                match orders.recv() {
                    Ok(order) => Some(order),
                    Err(_) => return,
                }
            };
            match order {
                None => {
                    self.look_at_rest();
                    self.release_idle();
                }
                Some(Order::Note) => self.keep_notes(),
                Some(Order::Clear(answer)) => {
                    // Whoever asked may have gone.
                    let _ = answer.send(self.clear());
                }
                Some(Order::Run(run)) => {
                    self.notes.void();
                    let ended = self.perform(&run);
                    self.rested_ns = now_ns();
                    self.tell_power();
                    self.keep_notes();
                    self.shared.busy.store(false, Ordering::Release);
                    run.reply.send(ended);
                }
            }
        }
    }

    fn perform(&mut self, run: &Run) -> Result<Rest, MotionError> {
        if let Some(fault) = self.shared.fault() {
            return Err(MotionError::fault(&fault));
        }
        let mut rest = Rest { rest_ns: now_ns(), met: None };
        let mut slip_ns = 0;
        for leg in &run.legs {
            match self.leg(leg, &mut slip_ns, run.until) {
                Ok(Ended::Arrived { rest_ns }) => rest.rest_ns = rest_ns,
                Ok(Ended::Met { rest_ns, steps }) => return Ok(Rest { rest_ns, met: Some(steps) }),
                Ok(Ended::Stopped) => return Err(MotionError::Stopped),
                Err(fault) => return Err(self.latch(fault)),
            }
        }
        Ok(rest)
    }

    /// Makes the steps of `leg`, all of it later by `slip_ns`, to which delays are added.
    fn leg(&mut self, leg: &Leg, slip_ns: &mut u64, until: Option<Until>) -> Result<Ended, Fault> {
        let (mut rest, mut ready_ns) = (Duration::ZERO, 0);
        for (index, course) in leg.courses.iter().enumerate() {
            let course = course.as_ref().filter(|course| course.steps() > 0);
            if let Some(course) = course {
                ready_ns = self.motors[index].prepare(course.direction() > 0)?.max(ready_ns);
                rest = rest.max(course.duration());
            }
            self.cursors[index] = course.map(Cursor::new);
        }
        // An order that was heard late does not begin before the boards are ready.
        *slip_ns += ready_ns.saturating_sub(leg.start_ns + *slip_ns);
        if let Some(until) = until
            && self.is_met(until)?
        {
            let steps = self.shared.steps[until.motor].load(Ordering::Relaxed);
            return Ok(Ended::Met { rest_ns: now_ns(), steps });
        }
        let (mut late, mut worst_ns) = (0_u32, 0);
        let mut stopping = false;
        let mut met = None;
        loop {
            let start_ns = leg.start_ns + *slip_ns;
            let due = self.cursors.iter().flatten().filter_map(|cursor| cursor.due).min();
            let due_ns = start_ns + due.unwrap_or(rest.as_nanos() as u64);
            // Steps far apart are waited for in parts.
            let look_ns = now_ns() + LOOK.as_nanos() as u64;
            realtime::wait_until(due_ns.min(look_ns));
            self.shared.beat();
            if self.is_emergency()? {
                return Err(Fault::EmergencyStop);
            }
            if let Some(fault) = self.shared.take_trip() {
                return Err(fault);
            }
            if !stopping && self.shared.stop.load(Ordering::Relaxed) == Stop::Brake as u8 {
                stopping = true;
                rest = self.brake(start_ns);
                continue;
            }
            if due_ns > look_ns {
                continue;
            }
            let Some(due) = due else {
                return Ok(match (met, stopping) {
                    (Some(steps), _) => Ended::Met { rest_ns: due_ns, steps },
                    (None, true) => Ended::Stopped,
                    (None, false) => Ended::Arrived { rest_ns: due_ns },
                });
            };
            let behind_ns = now_ns().saturating_sub(due_ns);
            if behind_ns > self.tolerance(due) {
                late += 1;
                worst_ns = behind_ns.max(worst_ns);
                *slip_ns += behind_ns;
                self.shared.late.fetch_add(1, Ordering::Relaxed);
                if behind_ns > self.max_delay_ns && self.loses_steps(due, behind_ns) {
                    return Err(Fault::Delay { delay_us: behind_ns / 1000 });
                }
                if late > self.max_late {
                    return Err(Fault::Late { late, worst_us: worst_ns / 1000 });
                }
                continue;
            }
            self.step(due, start_ns)?;
            if let Some(until) = until
                && met.is_none()
                && self.is_met(until)?
            {
                let steps = self.shared.steps[until.motor].load(Ordering::Relaxed);
                if !until.brake {
                    return Ok(Ended::Met { rest_ns: now_ns(), steps });
                }
                met = Some(steps);
                // What brakes already cannot do so once more.
                if !stopping {
                    stopping = true;
                    rest = self.brake(start_ns);
                }
            }
        }
    }

    /// Makes every step that is due at `due` after the start.
    fn step(&mut self, due: u64, start_ns: u64) -> Result<(), Fault> {
        let due_ns = start_ns + due;
        let is_due = |cursor: &Option<Cursor>| cursor.as_ref().is_some_and(|cursor| cursor.due == Some(due));
        for (motor, cursor) in self.motors.iter_mut().zip(&self.cursors) {
            if is_due(cursor) {
                motor.rise(due_ns)?;
            }
        }
        let risen_ns = now_ns();
        for ((motor, cursor), steps) in self.motors.iter_mut().zip(&mut self.cursors).zip(&self.shared.steps)
        {
            if is_due(cursor)
                && let Some(cursor) = cursor
            {
                motor.fall(risen_ns)?;
                steps.fetch_add(cursor.course.direction(), Ordering::Relaxed);
                cursor.next += 1;
                cursor.find_due();
            }
        }
        Ok(())
    }

    /// Shortens every course so that it ends as soon as it can, and returns when the last one rests.
    fn brake(&mut self, start_ns: u64) -> Duration {
        let now = Duration::from_nanos(now_ns().saturating_sub(start_ns));
        let mut rest = now;
        for cursor in self.cursors.iter_mut().flatten() {
            cursor.course = cursor.course.stopped_at(now);
            cursor.find_due();
            rest = rest.max(cursor.course.duration());
        }
        rest
    }

    /// How late the step that is due at `due` may be.
    fn tolerance(&self, due: u64) -> u64 {
        let due_now = self.cursors.iter().flatten().filter(|cursor| cursor.due == Some(due));
        let gaps = due_now.map(|cursor| cursor.gap_at(cursor.next).map_or(u64::MAX, |gap| gap / 2));
        gaps.min().unwrap_or(u64::MAX).max(LEAST_LATE_NS)
    }

    /// Whether a motor that is on its way, and would have gone on at once, stands still for `delay_ns`.
    fn loses_steps(&self, due: u64, delay_ns: u64) -> bool {
        self.cursors.iter().flatten().filter(|cursor| cursor.next > 0 && cursor.due.is_some()).any(|cursor| {
            let gap = cursor.gap_at(cursor.next - 1);
            // The motors that are not due have not waited yet for as long.
            let waited = (due + delay_ns).saturating_sub(cursor.due.unwrap_or(u64::MAX));
            gap.is_some_and(|gap| waited > gap.saturating_mul(HARMLESS_STEPS))
        })
    }

    /// Whether what is searched for is there, and no disturbance.
    fn is_met(&mut self, until: Until) -> Result<bool, Fault> {
        for _ in 0..SURE {
            if self.motors[until.motor].is_at_switch()? != until.active {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_emergency(&mut self) -> Result<bool, Fault> {
        let Some(input) = &mut self.emergency_stop else { return Ok(false) };
        for _ in 0..SURE {
            if !input.is_active()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Drop for Emitter {
    /// However the thread ends: nothing moves any more, and everybody shall know.
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.latch(Fault::Ended));
        }
        self.shared.busy.store(false, Ordering::Release);
    }
}

impl Cursor {
    fn new(course: &StepCourse) -> Self {
        let mut cursor = Self { course: *course, next: 0, due: None };
        cursor.find_due();
        cursor
    }

    /// From this step to the one behind it.
    fn gap_at(&self, step: u64) -> Option<u64> {
        let due = |step| self.course.due(step).map(|due| due.as_nanos() as u64);
        Some(due(step + 1)?.saturating_sub(due(step)?))
    }

    fn find_due(&mut self) {
        self.due = self.course.due(self.next).map(|due| due.as_nanos() as u64);
    }
}
