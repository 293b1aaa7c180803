//! What people want of a scan under way, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use crate::plan::{CameraIndex, Point, ShotIndex};
use crate::run::cameras::Order;
use crate::run::command::{Command, ExtendRefused, RetakeRefused};
use crate::run::storage::Message;
use crate::scan::{ExtendedBy, Health, Input, Phase, RetakenFor, Shot, Stored};

use super::Performer;

impl Performer {
    pub(super) async fn obey(&mut self, command: Command) -> Option<Input> {
        match command {
            Command::Pause { reason, waits_for } => Some(Input::Pause { reason, waits_for, wanted: true }),
            Command::Cancel => Some(Input::Cancel),
            // What a scan is called has no part in how it goes on: the journal's thread answers.
            Command::Describe { changes, done } => {
                self.storage.describe(changes, done);
                None
            }
            Command::Extend { points, by, longest_move, done } => {
                let answer = self.extend(&points, by).await;
                let input = match &answer {
                    Ok(_) => {
                        self.may_move_for(longest_move);
                        Some(Input::Extended { points })
                    }
                    Err(ExtendRefused::NotKept { message }) => Some(Input::pause(message)),
                    Err(ExtendRefused::Unaddable(_) | ExtendRefused::Stopping) => None,
                };
                // Whoever asked may have gone.
                let _ = done.send(answer);
                input
            }
            Command::Retake { shot, done } => {
                let answer = self.retake(shot).await;
                let input = match &answer {
                    Ok(()) => Some(Input::Retake { shot }),
                    Err(RetakeRefused::NotKept { message, .. }) => Some(Input::pause(message)),
                    Err(
                        RetakeRefused::Unknown { .. }
                        | RetakeRefused::InHand(_)
                        | RetakeRefused::Stopping(_)
                        | RetakeRefused::Wedged(_),
                    ) => None,
                };
                // Whoever asked may have gone.
                let _ = done.send(answer);
                input
            }
        }
    }

    /// Makes it certain that `shot` will be taken again.
    async fn retake(&mut self, shot: ShotIndex) -> Result<(), RetakeRefused> {
        let planned = self.plan.shot_count();
        let standing =
            self.state.shots().get(shot.0 as usize).ok_or(RetakeRefused::Unknown { shot, planned })?;
        if matches!(self.state.phase(), Phase::Halting(_) | Phase::Ended(_)) {
            return Err(RetakeRefused::Stopping(shot));
        }
        if self.state.health(self.plan.camera_of(shot)) == Health::Wedged {
            return Err(RetakeRefused::Wedged(shot));
        }
        match standing {
            Shot::InHand { .. } => return Err(RetakeRefused::InHand(shot)),
            Shot::Pending { .. } | Shot::Failed { .. } => return Ok(()),
            Shot::Stored { .. } => {}
        }
        let kept = self.kept_aside(shot, RetakenFor::Person).await;
        kept.map_err(|message| RetakeRefused::NotKept { shot, message })
    }

    /// Makes it certain that `points` are part of the scan, and says how many shots it then has.
    async fn extend(&mut self, points: &[Point], by: ExtendedBy) -> Result<u32, ExtendRefused> {
        if matches!(self.state.phase(), Phase::Halting(_) | Phase::Ended(_)) {
            return Err(ExtendRefused::Stopping);
        }
        self.plan.can_take(points)?;
        // First the journal, then the state: no shot of theirs is attempted before it is known what it is of.
        self.storage.extend(points.to_vec(), by);
        let written = self.answered(|message| match message {
            Message::Extended(written) => Ok(written),
            other @ (Message::Input(_)
            | Message::Taken(_)
            | Message::Stored(_)
            | Message::Late(_)
            | Message::StoreFailed { .. }
            | Message::Retaken(_)
            | Message::Described(_)
            | Message::NoteFailed { .. }) => Err(Box::new(other)),
        });
        written.await.map_err(|message| ExtendRefused::NotKept { message })?;
        Ok((self.plan.points.len() + points.len()) as u32 * self.plan.cameras.len() as u32)
    }

    /// The watchdog waits for moves to points that were added, too.
    fn may_move_for(&mut self, longest_move: Duration) {
        let more = longest_move.saturating_sub(self.longest_move);
        self.patience = self.patience.saturating_add(more);
        self.longest_move = self.longest_move.saturating_add(more);
    }

    /// Points may have been added: whoever goes by the plan hears of it before a shot of theirs is asked for.
    pub(super) fn follow_plan(&mut self) {
        let plan = self.state.plan();
        if Arc::ptr_eq(&self.plan, plan) {
            return;
        }
        self.plan = plan.clone();
        for (camera, _) in self.plan.cameras.iter().enumerate() {
            self.ask(CameraIndex(camera as u16), Order::Follow(self.plan.clone()));
        }
    }

    /// Makes a stored shot pending, in the journal and on the disk; or says why not.
    pub(super) async fn kept_aside(&mut self, shot: ShotIndex, by: RetakenFor) -> Result<(), String> {
        self.storage.retake(shot, by);
        self.retaken().await?;
        self.flagged.remove(&shot);
        Ok(())
    }

    /// What has become of the image of a shot, in the journal and on the disk; or why nothing has.
    pub(super) async fn retaken(&mut self) -> Result<Option<Stored>, String> {
        // First the journal, then the state: the new image needs the old one's place.
        let answer = self.answered(|message| match message {
            Message::Retaken(answer) => Ok(answer),
            other @ (Message::Input(_)
            | Message::Taken(_)
            | Message::Stored(_)
            | Message::Late(_)
            | Message::StoreFailed { .. }
            | Message::Extended(_)
            | Message::Described(_)
            | Message::NoteFailed { .. }) => Err(Box::new(other)),
        });
        answer.await
    }

    /// Waits for an answer of the journal's thread. What happens meanwhile waits, lest the scan should end without knowing.
    async fn answered<T>(
        &mut self,
        is_it: impl Fn(Message) -> Result<Result<T, String>, Box<Message>>,
    ) -> Result<T, String> {
        while let Some(message) = self.storage.next().await {
            match is_it(message) {
                Ok(answer) => return answer,
                Err(other) => self.postponed.push_back(*other),
            }
        }
        Err("the journal's thread has ended: restart the service, then resume".to_owned())
    }
}
