//! What a run tells: events as they happen, and where the scan stands.

use crate::clock;
use crate::event::{Event, ShotName};
use crate::plan::ShotIndex;
use crate::scan::{Input, Phase, Shot};

use super::Performer;

impl Performer {
    pub(super) fn note_input(&mut self, input: &Input) {
        match input {
            Input::CaptureFailed { shot, kind, message } => {
                self.tally.failed_here = true;
                self.note_trial();
                *self.tally.failures.entry(kind.name()).or_default() += 1;
                self.untold.push(Event::AttemptFailed {
                    shot: self.shot_name(*shot),
                    attempt: self.attempt_of(*shot),
                    kind: *kind,
                    message: message.clone(),
                });
            }
            Input::Captured { shot } => {
                let attempt = self.attempt_of(*shot);
                self.untold.push(Event::Captured { shot: self.shot_name(*shot), attempt });
            }
            Input::Retake { shot } | Input::Rejected { shot } => {
                let counts = self.state.counts();
                let was_stored = matches!(self.state.shots()[shot.0 as usize], Shot::Stored { .. });
                self.untold.push(Event::Retake {
                    shot: self.shot_name(*shot),
                    stored: counts.stored - u32::from(was_stored),
                    shots: self.plan.shot_count(),
                });
            }
            Input::Extended { points } => {
                let added = points.len() as u32;
                let points = self.plan.points.len() as u32 + added;
                let shots = points * self.plan.cameras.len() as u32;
                let stored = self.state.counts().stored;
                self.untold.push(Event::Extended { added, points, stored, shots });
            }
            Input::Recovered { .. } | Input::RecoveryFailed { .. } | Input::Wedged { .. } => {
                self.note_trial();
            }
            // What was begun after a failure, and ends with the run.
            Input::Interrupted { .. } if self.tally.failed_here => self.note_trial(),
            Input::Start
            | Input::MotionFailed { .. }
            | Input::Interrupted { .. }
            | Input::Stored { .. }
            | Input::StoreFailed { .. }
            | Input::Pause { .. }
            | Input::Cancel => {}
        }
    }

    /// Until now something failed, or was put right, at the point where the axes are.
    fn note_trial(&mut self) {
        let arrival = *self.arrival.borrow();
        self.tally.stopwatch.tried(arrival, clock::now_ns());
    }

    fn attempt_of(&self, shot: ShotIndex) -> u32 {
        self.state.shots()[shot.0 as usize].attempts()
    }

    pub(super) fn shot_name(&self, shot: ShotIndex) -> ShotName {
        ShotName::of(&self.plan, shot)
    }

    pub(super) fn tell_events(&mut self) {
        for event in self.untold.drain(..) {
            self.emit.event(&event);
        }
    }

    pub(super) fn tell_progress(&self) {
        self.progress.send_modify(|progress| {
            let counts = self.state.counts();
            progress.points = self.plan.points.len() as u32;
            progress.shots = self.plan.shot_count();
            progress.stored = counts.stored;
            progress.failed = counts.failed;
            progress.flagged = self.flagged.len() as u32;
            progress.stopping = matches!(self.state.phase(), Phase::Halting(_) | Phase::Ended(_));
            if let Phase::At { point, .. } = self.state.phase() {
                progress.point = point.0 + 1;
            }
        });
    }
}
