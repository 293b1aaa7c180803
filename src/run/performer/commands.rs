//! What people want of a scan under way, and what becomes of it.

use crate::plan::ShotIndex;
use crate::run::command::{Command, RetakeRefused};
use crate::run::storage::Message;
use crate::scan::{Health, Input, Phase, RetakenFor, Shot, Stored};

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

    /// Makes a stored shot pending, in the journal and on the disk; or says why not.
    pub(super) async fn kept_aside(&mut self, shot: ShotIndex, by: RetakenFor) -> Result<(), String> {
        self.storage.retake(shot, by);
        self.retaken().await?;
        self.flagged.remove(&shot);
        Ok(())
    }

    /// What has become of the image of a shot, in the journal and on the disk; or why nothing has.
    pub(super) async fn retaken(&mut self) -> Result<Option<Stored>, String> {
        // First the journal, then the state: the new image needs the old one's place. What happens meanwhile waits, lest the
        // scan should end without knowing.
        while let Some(message) = self.storage.next().await {
            match message {
                Message::Retaken(answer) => return answer,
                other @ (Message::Input(_)
                | Message::Taken(_)
                | Message::Stored(_)
                | Message::Late(_)
                | Message::StoreFailed { .. }
                | Message::Described(_)
                | Message::NoteFailed { .. }) => self.postponed.push_back(other),
            }
        }
        Err("the journal's thread has ended: restart the service, then resume".to_owned())
    }
}
