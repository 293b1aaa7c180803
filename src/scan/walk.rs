//! The way through the plan: which shots are asked for now, and where to go when nothing is open here.

use crate::config::{CaptureOrder, Rung};
use crate::plan::{CameraIndex, PointIndex, ShotIndex};

use super::end::{End, Outcome};
use super::io::Action;
use super::record::Record;
use super::state::{Activity, Camera, Health, Pass, Phase, Retry, Shot, State};
use super::transition::Actions;

impl State {
    /// Whatever is possible now, is asked for now.
    pub(super) fn go_on(&mut self, actions: &mut Actions) {
        match self.phase.clone() {
            Phase::At { point, pass } => {
                self.ask_cameras(point, pass, actions);
                if self.cameras_idle() {
                    self.visit_next(Some((point, pass)), actions);
                }
            }
            Phase::Draining if self.counts.in_hand == 0 => {
                self.end(End::Finished(Outcome::Incomplete), actions);
            }
            Phase::Halting(end) if self.counts.in_hand == 0 && self.cameras_idle() => self.end(end, actions),
            Phase::Ready | Phase::Draining | Phase::Halting(_) | Phase::Ended(_) => {}
        }
    }

    pub(super) fn visit_next(&mut self, from: Option<(PointIndex, Pass)>, actions: &mut Actions) {
        if let Some((point, pass)) = self.next_point(from) {
            self.phase = Phase::At { point, pass };
            actions.push(Action::Move { point });
            self.ask_cameras(point, pass, actions);
        } else {
            self.phase = Phase::Draining;
            self.go_on(actions);
        }
    }

    /// Forwards through what is pending, then backwards through what failed: the way back from the last point.
    fn next_point(&mut self, from: Option<(PointIndex, Pass)>) -> Option<(PointIndex, Pass)> {
        let points = self.plan.points.len() as u32;
        let open = (self.first_open..points).find(|&point| self.is_open(PointIndex(point), Pass::First));
        self.first_open = open.unwrap_or(points);
        if let Some(point) = open {
            return Some((PointIndex(point), Pass::First));
        }
        let end_of_retries = match from {
            Some((PointIndex(point), Pass::Retry)) => point,
            Some((_, Pass::First)) | None => points,
        };
        let due = (0..end_of_retries).rev().find(|&point| self.is_open(PointIndex(point), Pass::Retry));
        due.map(|point| (PointIndex(point), Pass::Retry))
    }

    fn is_open(&self, point: PointIndex, pass: Pass) -> bool {
        self.camera_indices().any(|camera| self.shot_is_open(self.plan.shot(point, camera), pass))
    }

    fn shot_is_open(&self, shot: ShotIndex, pass: Pass) -> bool {
        match self.shot(shot) {
            Shot::Pending { .. } => pass == Pass::First,
            Shot::Failed { retry, .. } => pass == Pass::Retry && *retry == Retry::Due,
            Shot::InHand { .. } | Shot::Stored { .. } => false,
        }
    }

    fn ask_cameras(&mut self, point: PointIndex, pass: Pass, actions: &mut Actions) {
        for camera in self.camera_indices() {
            let may_ask = match self.policy.scan.capture {
                CaptureOrder::Simultaneous => self.camera(camera) == Activity::Idle,
                CaptureOrder::Sequential => self.cameras_idle(),
            };
            let shot = self.plan.shot(point, camera);
            if !may_ask || !self.shot_is_open(shot, pass) {
                continue;
            }
            if let Shot::Failed { retry, .. } = &mut self.shots[shot.0 as usize] {
                *retry = Retry::Over;
            }
            match self.health(camera) {
                Health::Usable { failed_in_a_row: 0 } => self.try_shot(shot, 1, actions),
                // Its last shot failed for good: it starts the next one afresh.
                Health::Usable { .. } => {
                    let after = self.policy.recovery.backoff;
                    self.recover(camera, Rung::Respawn, shot, 0, after, actions);
                }
                Health::Wedged => {}
            }
        }
    }

    pub(super) fn try_shot(&mut self, shot: ShotIndex, tries: u32, actions: &mut Actions) {
        let attempt = self.count_attempt(shot, actions);
        let camera = self.plan.camera_of(shot);
        self.camera_mut(camera).activity = Activity::Capturing { shot, attempt, tries };
        actions.push(Action::Capture { shot, attempt });
    }

    pub(super) fn count_attempt(&mut self, shot: ShotIndex, actions: &mut Actions) -> u32 {
        let attempt = self.shot(shot).attempts() + 1;
        if let Shot::Pending { attempts } | Shot::Failed { attempts, .. } = &mut self.shots[shot.0 as usize] {
            *attempts = attempt;
        }
        actions.push(Action::Record(Record::Attempted { shot, attempt }));
        attempt
    }

    pub(super) fn recover(
        &mut self,
        camera: CameraIndex,
        rung: Rung,
        shot: ShotIndex,
        tries: u32,
        after: std::time::Duration,
        actions: &mut Actions,
    ) {
        self.camera_mut(camera).activity = Activity::Recovering { rung, shot, tries };
        actions.push(Action::Recover { camera, rung, after });
    }

    pub(super) fn cameras_idle(&self) -> bool {
        self.cameras.iter().all(|camera| camera.activity == Activity::Idle)
    }

    pub(super) fn shot(&self, shot: ShotIndex) -> &Shot {
        &self.shots[shot.0 as usize]
    }

    pub(super) fn camera(&self, camera: CameraIndex) -> Activity {
        self.cameras[usize::from(camera.0)].activity
    }

    pub(super) fn camera_mut(&mut self, camera: CameraIndex) -> &mut Camera {
        &mut self.cameras[usize::from(camera.0)]
    }

    pub(super) fn camera_indices(&self) -> impl Iterator<Item = CameraIndex> + use<> {
        (0..self.cameras.len() as u16).map(CameraIndex)
    }
}
