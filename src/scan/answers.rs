//! What a camera's answer leads to: the shot is in hand, is tried again, or has failed.

use crate::camera_driver::protocol::ErrorKind;
use crate::config::{OnFailedShot, OnWedgedCamera, Rung};
use crate::plan::{CameraIndex, PointIndex, ShotIndex};

use super::end::{End, Outcome};
use super::io::Action;
use super::record::Record;
use super::recovery::{self, Step};
use super::state::{Activity, Health, Pass, Phase, Retry, Shot, State};
use super::transition::{Actions, IllegalInput};

impl State {
    pub(super) fn captured(&mut self, shot: ShotIndex) -> Result<(), IllegalInput> {
        let camera = self.plan.camera_of(shot);
        let (attempt, _) = self.capturing(camera, shot)?;
        let state = self.camera_mut(camera);
        state.activity = Activity::Idle;
        state.health = Health::Usable { failed_in_a_row: 0 };
        self.set_shot(shot, Shot::InHand { attempt });
        Ok(())
    }

    pub(super) fn capture_failed(
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

    pub(super) fn recovered(
        &mut self,
        camera: CameraIndex,
        actions: &mut Actions,
    ) -> Result<(), IllegalInput> {
        let (_, shot, tries) = self.recovering(camera)?;
        self.camera_mut(camera).activity = Activity::Idle;
        if !self.is_halting() {
            self.try_shot(shot, tries + 1, actions);
        }
        Ok(())
    }

    pub(super) fn recovery_failed(
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
        let can_reset = self.camera_mut(camera).can_reset;
        if let Some(next) = recovery::after_failed_rung(rung, kind, can_reset) {
            self.recover(camera, next, shot, tries, std::time::Duration::ZERO, actions);
        } else {
            // A camera that does not come back cannot be asked: the try that was due has failed.
            let attempt = self.count_attempt(shot, actions);
            self.after_failed_try(shot, attempt, tries + 1, kind, message, actions);
        }
        Ok(())
    }

    pub(super) fn wedged(
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
            OnWedgedCamera::Pause => self.halt(End::paused(message), actions),
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

    pub(super) fn interrupted(&mut self, camera: CameraIndex) -> Result<(), IllegalInput> {
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
        let can_reset = self.camera_mut(camera).can_reset;
        match recovery::after_failure(&self.policy.recovery, tries, kind, can_reset) {
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
                self.halt(End::paused(reason), actions);
            }
            OnFailedShot::Abort => self.halt(End::Finished(Outcome::Aborted), actions),
            OnFailedShot::Continue if failed_in_a_row >= self.policy.scan.max_failed_in_a_row => {
                let reason = format!(
                    "camera {name} failed {failed_in_a_row} shots in a row: look at its cable and its log, then resume"
                );
                self.halt(End::paused(reason), actions);
            }
            OnFailedShot::Continue => {}
        }
    }

    pub(super) fn fail_shot(
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
}
