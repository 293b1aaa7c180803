//! The transition function: what a scan does about what happens.

use crate::camera_driver::protocol::ErrorKind;
use crate::config::{OnFailedShot, OnWedgedCamera, Rung};
use crate::plan::{CameraIndex, PointIndex, ShotIndex};

use super::io::{Action, End, Input};
use super::record::{Outcome, Record};
use super::recovery::{self, Step};
use super::state::{Activity, Health, Pass, Phase, Retry, Shot, State};

/// An input that cannot happen in this state. The state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalInput {
    /// `Start` twice.
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
        match (&self.phase, &input) {
            (Phase::Ready, Input::Start) => {
                self.visit_next(None, &mut actions);
                return Ok(actions);
            }
            (Phase::Ready, _) => return Err(IllegalInput::NotStarted),
            (Phase::Ended(_), _) => return Err(IllegalInput::Ended),
            (Phase::At { .. } | Phase::Draining | Phase::Halting(_), _) => {}
        }
        match input {
            Input::Start => return Err(IllegalInput::AlreadyStarted),
            Input::MotionFailed { message } => self.halt(End::Paused { reason: message }, &mut actions),
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
            Input::StoreFailed { shot, message } => {
                let attempts = self.take_from_hand(shot)?;
                self.set_shot(shot, Shot::Pending { attempts });
                self.halt(End::Paused { reason: message }, &mut actions);
            }
            Input::Retake { shot } => self.retake(shot, &mut actions)?,
            Input::Pause { reason } => {
                if matches!(self.phase, Phase::Halting(_)) {
                    return Err(IllegalInput::AlreadyHalting);
                }
                self.halt(End::Paused { reason }, &mut actions);
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

    fn captured(&mut self, shot: ShotIndex) -> Result<(), IllegalInput> {
        let camera = self.plan.camera_of(shot);
        let (attempt, _) = self.capturing(camera, shot)?;
        let state = self.camera_mut(camera);
        state.activity = Activity::Idle;
        state.health = Health::Usable { failed_in_a_row: 0 };
        self.set_shot(shot, Shot::InHand { attempt });
        Ok(())
    }

    fn capture_failed(
        &mut self,
        shot: ShotIndex,
        kind: ErrorKind,
        message: String,
        actions: &mut Actions,
    ) -> Result<(), IllegalInput> {
        let camera = self.plan.camera_of(shot);
        let (attempt, tries) = self.capturing(camera, shot)?;
        self.camera_mut(camera).activity = Activity::Idle;
        self.after_failed_try(shot, attempt, tries, kind, message, actions);
        Ok(())
    }

    fn recovered(&mut self, camera: CameraIndex, actions: &mut Actions) -> Result<(), IllegalInput> {
        let (_, shot, tries) = self.recovering(camera)?;
        self.camera_mut(camera).activity = Activity::Idle;
        if !self.is_halting() {
            self.try_shot(shot, tries + 1, actions);
        }
        Ok(())
    }

    fn recovery_failed(
        &mut self,
        camera: CameraIndex,
        kind: ErrorKind,
        message: String,
        actions: &mut Actions,
    ) -> Result<(), IllegalInput> {
        let (rung, shot, tries) = self.recovering(camera)?;
        self.camera_mut(camera).activity = Activity::Idle;
        if self.is_halting() {
            return Ok(());
        }
        match rung {
            Rung::Restart => {
                self.recover(camera, Rung::Respawn, shot, tries, std::time::Duration::ZERO, actions);
            }
            Rung::Respawn => {
                // A camera that does not come back cannot be asked: the try that was due has failed.
                let attempt = self.count_attempt(shot, actions);
                self.after_failed_try(shot, attempt, tries + 1, kind, message, actions);
            }
        }
        Ok(())
    }

    fn wedged(
        &mut self,
        camera: CameraIndex,
        message: &str,
        actions: &mut Actions,
    ) -> Result<(), IllegalInput> {
        self.recovering(camera)?;
        let state = self.camera_mut(camera);
        state.activity = Activity::Idle;
        state.health = Health::Wedged;
        if self.is_halting() {
            return Ok(());
        }
        match self.policy.scan.on_wedged_camera {
            OnWedgedCamera::Pause => self.halt(End::Paused { reason: message.to_owned() }, actions),
            OnWedgedCamera::Continue => {
                for point in 0..self.plan.points.len() as u32 {
                    let shot = self.plan.shot(PointIndex(point), camera);
                    let attempts = match self.shot(shot) {
                        Shot::Pending { attempts } | Shot::Failed { attempts, .. } => *attempts,
                        Shot::InHand { .. } | Shot::Stored { .. } => continue,
                    };
                    self.fail_shot(shot, attempts, message.to_owned(), Retry::Over, actions);
                }
            }
        }
        Ok(())
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

    fn interrupted(&mut self, camera: CameraIndex) -> Result<(), IllegalInput> {
        let halting = self.is_halting();
        match self.cameras.get_mut(usize::from(camera.0)) {
            Some(state) if halting && state.activity != Activity::Idle => {
                state.activity = Activity::Idle;
                Ok(())
            }
            Some(_) | None => Err(IllegalInput::NotAsked(camera)),
        }
    }

    fn after_failed_try(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        tries: u32,
        kind: ErrorKind,
        message: String,
        actions: &mut Actions,
    ) {
        let reason = format!("{kind}: {message}");
        actions.push(Action::Record(Record::AttemptFailed { shot, attempt, kind, message }));
        if self.is_halting() {
            return;
        }
        let camera = self.plan.camera_of(shot);
        match recovery::after_failure(&self.policy.recovery, tries, kind) {
            Step::Retry { rung, after } => self.recover(camera, rung, shot, tries, after, actions),
            Step::GiveUp => {
                let retry = match self.phase {
                    Phase::At { pass: Pass::First, .. } => Retry::Due,
                    Phase::At { pass: Pass::Retry, .. }
                    | Phase::Ready
                    | Phase::Draining
                    | Phase::Halting(_)
                    | Phase::Ended(_) => Retry::Over,
                };
                self.fail_shot(shot, attempt, reason, retry, actions);
                self.after_failed_shot(camera, shot, actions);
            }
        }
    }

    fn after_failed_shot(&mut self, camera: CameraIndex, shot: ShotIndex, actions: &mut Actions) {
        let state = self.camera_mut(camera);
        let failed_in_a_row = match state.health {
            Health::Usable { failed_in_a_row } => failed_in_a_row + 1,
            Health::Wedged => return,
        };
        state.health = Health::Usable { failed_in_a_row };
        let name = &self.plan.camera(camera).name;
        let label = &self.plan.point(self.plan.point_of(shot)).label;
        match self.policy.scan.on_failed_shot {
            OnFailedShot::Pause => {
                let reason = format!("shot {name}/{label} failed, and scan.on_failed_shot is \"pause\"");
                self.halt(End::Paused { reason }, actions);
            }
            OnFailedShot::Abort => self.halt(End::Finished(Outcome::Aborted), actions),
            OnFailedShot::Continue if failed_in_a_row >= self.policy.scan.max_failed_in_a_row => {
                let reason = format!(
                    "camera {name} failed {failed_in_a_row} shots in a row: look at its cable and its log, then resume"
                );
                self.halt(End::Paused { reason }, actions);
            }
            OnFailedShot::Continue => {}
        }
    }

    fn fail_shot(
        &mut self,
        shot: ShotIndex,
        attempts: u32,
        reason: String,
        retry: Retry,
        actions: &mut Actions,
    ) {
        actions.push(Action::Record(Record::ShotFailed { shot, reason: reason.clone() }));
        self.set_shot(shot, Shot::Failed { attempts, reason, retry });
    }

    /// The first reason to stop stays, but a person's wish to end the scan comes before any reason to pause it.
    fn halt(&mut self, end: End, actions: &mut Actions) {
        match (&self.phase, &end) {
            (Phase::Halting(End::Finished(_)), _)
            | (Phase::Halting(End::Paused { .. }), End::Paused { .. }) => {}
            (Phase::Halting(End::Paused { .. }), End::Finished(_)) => self.phase = Phase::Halting(end),
            (Phase::Ready | Phase::At { .. } | Phase::Draining | Phase::Ended(_), _) => {
                self.phase = Phase::Halting(end);
                actions.push(Action::Interrupt);
            }
        }
    }

    /// A scan of which every shot is stored is complete, for whatever reason it stops; no other one is.
    pub(super) fn end(&mut self, end: End, actions: &mut Actions) {
        let complete = self.counts.stored as usize == self.shots.len();
        let end = if complete { End::Finished(Outcome::Complete) } else { end };
        actions.push(Action::Record(match &end {
            End::Paused { reason } => Record::Paused { reason: reason.clone() },
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

    fn capturing(&self, camera: CameraIndex, wanted: ShotIndex) -> Result<(u32, u32), IllegalInput> {
        match self.cameras.get(usize::from(camera.0)).map(|camera| camera.activity) {
            Some(Activity::Capturing { shot, attempt, tries }) if shot == wanted => Ok((attempt, tries)),
            Some(Activity::Capturing { .. } | Activity::Idle | Activity::Recovering { .. }) | None => {
                Err(IllegalInput::NotAsked(camera))
            }
        }
    }

    fn recovering(&self, camera: CameraIndex) -> Result<(Rung, ShotIndex, u32), IllegalInput> {
        match self.cameras.get(usize::from(camera.0)).map(|camera| camera.activity) {
            Some(Activity::Recovering { rung, shot, tries }) => Ok((rung, shot, tries)),
            Some(Activity::Capturing { .. } | Activity::Idle) | None => Err(IllegalInput::NotAsked(camera)),
        }
    }

    fn is_halting(&self) -> bool {
        matches!(self.phase, Phase::Halting(_))
    }
}
