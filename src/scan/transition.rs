//! The transition function: what a scan does about what happens.

use crate::plan::{CameraIndex, Point, PointIndex, ShotIndex, Unaddable};

use super::end::{End, Outcome, WaitsFor};
use super::io::{Action, Input};
use super::record::Record;
use super::state::{Health, Phase, Retry, Shot, State};

/// An input that cannot happen in this state. The state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalInput {
    /// A run is started once.
    #[error("the scan has already been started")]
    AlreadyStarted,
    /// Anything else before `Start`.
    #[error("the scan has not been started")]
    NotStarted,
    /// Anything after its end.
    #[error("the scan has ended")]
    Ended,
    /// A second request to pause, or one to pause a scan that is being cancelled.
    #[error("the scan is already stopping")]
    AlreadyHalting,
    /// An answer of a camera that was not asked for it.
    #[error("camera {} has no such work under way", .0.0)]
    NotAsked(CameraIndex),
    /// A shot that is on its way to the disk, or none.
    #[error("shot {} cannot be taken again now", .0.0)]
    NotRetakeable(ShotIndex),
    /// Points that cannot be behind those of the plan.
    #[error("points cannot be added: {0}")]
    Unaddable(#[from] Unaddable),
    /// An acknowledgement of a frame that was not captured.
    #[error("no frame of shot {} is on its way to the disk", .0.0)]
    NotInHand(ShotIndex),
}

pub(super) type Actions = Vec<Action>;

impl State {
    /// Takes in what happened and says what is to be done about it, in order.
    ///
    /// # Errors
    /// An input that cannot happen now; the state is unchanged.
    pub fn step(&mut self, input: Input) -> Result<Actions, IllegalInput> {
        let mut actions = Actions::new();
        match &self.phase {
            Phase::Ready if input == Input::Start => {
                self.visit_next(None, &mut actions);
                return Ok(actions);
            }
            Phase::Ready => return Err(IllegalInput::NotStarted),
            Phase::Ended(_) => return Err(IllegalInput::Ended),
            Phase::At { .. } | Phase::Draining | Phase::Halting(_) => {}
        }
        match input {
            Input::Start => return Err(IllegalInput::AlreadyStarted),
            // A move that a stop has ended is no reason of its own.
            Input::MotionFailed { .. } if self.is_halting() => {}
            Input::MotionFailed { message } => self.halt(End::paused(message), &mut actions),
            Input::Captured { shot } => self.captured(shot)?,
            Input::CaptureFailed { shot, kind, message } => {
                self.capture_failed(shot, kind, message, &mut actions)?;
            }
            Input::Recovered { camera } => self.recovered(camera, &mut actions)?,
            Input::RecoveryFailed { camera, kind, message } => {
                self.recovery_failed(camera, kind, message, &mut actions)?;
            }
            Input::Wedged { camera, message } => self.wedged(camera, &message, &mut actions)?,
            Input::Interrupted { camera } => self.interrupted(camera)?,
            Input::Stored { shot } => {
                let attempt = self.take_from_hand(shot)?;
                self.set_shot(shot, Shot::Stored { attempt });
            }
            Input::Rejected { shot } => {
                let attempt = self.take_from_hand(shot)?;
                self.set_shot(shot, Shot::Stored { attempt });
                self.retake(shot, &mut actions)?;
            }
            Input::StoreFailed { shot, message } => {
                let attempts = self.take_from_hand(shot)?;
                self.set_shot(shot, Shot::Pending { attempts });
                self.halt(End::paused(message), &mut actions);
            }
            Input::Retake { shot } => self.retake(shot, &mut actions)?,
            Input::Extended { points } => self.extended(&points, &mut actions)?,
            Input::Pause { reason, waits_for, wanted } => {
                let end = End::Paused { reason, waits_for, wanted };
                if !self.halts_for(&end) {
                    return Err(IllegalInput::AlreadyHalting);
                }
                self.halt(end, &mut actions);
            }
            Input::Cancel => {
                if matches!(self.phase, Phase::Halting(End::Finished(_))) {
                    return Err(IllegalInput::AlreadyHalting);
                }
                self.halt(End::Finished(Outcome::Cancelled), &mut actions);
            }
        }
        self.go_on(&mut actions);
        Ok(actions)
    }

    fn retake(&mut self, shot: ShotIndex, actions: &mut Actions) -> Result<(), IllegalInput> {
        let attempts = match self.shots.get(shot.0 as usize) {
            Some(Shot::Stored { attempt: attempts } | Shot::Failed { attempts, .. }) => *attempts,
            Some(Shot::Pending { .. }) => return Ok(()),
            Some(Shot::InHand { .. }) | None => return Err(IllegalInput::NotRetakeable(shot)),
        };
        match self.health(self.plan.camera_of(shot)) {
            Health::Usable { .. } => self.set_shot(shot, Shot::Pending { attempts }),
            Health::Wedged => {
                let reason = "its camera is wedged".to_owned();
                self.fail_shot(shot, attempts, reason, Retry::Over, actions);
            }
        }
        if self.phase == Phase::Draining {
            self.visit_next(None, actions);
        }
        Ok(())
    }

    fn extended(&mut self, points: &[Point], actions: &mut Actions) -> Result<(), IllegalInput> {
        self.plan.can_take(points)?;
        let own = self.plan.points.len() as u32;
        self.extend(points);
        let wedged = |camera: &CameraIndex| self.health(*camera) == Health::Wedged;
        for camera in self.camera_indices().filter(wedged).collect::<Vec<_>>() {
            for point in own..self.plan.points.len() as u32 {
                let shot = self.plan.shot(PointIndex(point), camera);
                self.fail_shot(shot, 0, "its camera is wedged".to_owned(), Retry::Over, actions);
            }
        }
        if self.phase == Phase::Draining {
            self.visit_next(None, actions);
        }
        Ok(())
    }

    /// The first reason to stop stays, but a person's wish to end the scan comes before any reason to pause it, and a
    /// pause for a person before one after which the scan goes on by itself.
    pub(super) fn halt(&mut self, end: End, actions: &mut Actions) {
        if !self.halts_for(&end) {
            return;
        }
        if !self.is_halting() {
            actions.push(Action::Interrupt);
        }
        self.phase = Phase::Halting(end);
    }

    /// Whether `end` is how the scan ends from now on.
    fn halts_for(&self, end: &End) -> bool {
        let before = match &self.phase {
            Phase::Ready | Phase::At { .. } | Phase::Draining | Phase::Ended(_) => return true,
            Phase::Halting(before) => before,
        };
        match (before, end) {
            (End::Paused { .. }, End::Finished(_)) => true,
            (End::Finished(_), End::Finished(_) | End::Paused { .. }) => false,
            (End::Paused { waits_for: before, .. }, End::Paused { waits_for, .. }) => {
                *before != WaitsFor::Person && *waits_for == WaitsFor::Person
            }
        }
    }

    /// A scan of which every shot is stored is complete, for whatever reason it stops; no other one is.
    pub(super) fn end(&mut self, end: End, actions: &mut Actions) {
        let complete = self.counts.stored as usize == self.shots.len();
        let end = if complete { End::Finished(Outcome::Complete) } else { end };
        actions.push(Action::Record(match &end {
            End::Paused { reason, waits_for, wanted: _ } => {
                Record::Paused { reason: reason.clone(), waits_for: *waits_for }
            }
            End::Finished(outcome) => Record::Finished { outcome: *outcome },
        }));
        actions.push(Action::End(end.clone()));
        self.phase = Phase::Ended(end);
    }

    fn take_from_hand(&self, shot: ShotIndex) -> Result<u32, IllegalInput> {
        match self.shots.get(shot.0 as usize) {
            Some(Shot::InHand { attempt }) => Ok(*attempt),
            Some(Shot::Pending { .. } | Shot::Stored { .. } | Shot::Failed { .. }) | None => {
                Err(IllegalInput::NotInHand(shot))
            }
        }
    }

    pub(super) fn is_halting(&self) -> bool {
        matches!(self.phase, Phase::Halting(_))
    }
}
