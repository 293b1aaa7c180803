//! What a run does about images that the gate found to be bad.

use crate::event::Event;
use crate::plan::ShotIndex;
use crate::scan::{End, Health, Input, Late, Phase, Record, RetakenFor, Shot, Stored, Verdict};

use super::Performer;

impl Performer {
    /// An image is on the disk: good, or to be taken again.
    pub(super) async fn stored(&mut self, stored: Stored) -> Input {
        let (shot, counts) = (stored.shot, self.state.counts());
        self.untold.push(Event::Stored {
            shot: self.shot_name(shot),
            bytes: stored.all_bytes(),
            image: stored.image,
            sharpness: stored.facts.sharpness,
            stored: counts.stored + 1,
            shots: self.plan.shot_count(),
        });
        match stored.facts.verdict {
            Some(verdict) if verdict.is_bad() => {
                if self.flag(shot, *verdict).await {
                    Input::Rejected { shot }
                } else {
                    Input::Stored { shot }
                }
            }
            Some(_) | None => Input::Stored { shot },
        }
    }

    /// Something was found of an image that is stored.
    pub(super) async fn late(&mut self, late: Late) -> Option<Input> {
        let Late { shot, attempt, verdict } = late;
        // It may have been taken again since.
        if self.state.shots().get(shot.0 as usize) != Some(&Shot::Stored { attempt }) {
            return None;
        }
        self.storage.note(Record::Flagged { shot, attempt, verdict: verdict.clone() });
        self.flag(shot, verdict).await.then_some(Input::Retake { shot })
    }

    /// What an earlier run found and did not take again, as far as it may be.
    pub(super) async fn left_over(&mut self) -> Option<Input> {
        while let Some(shot) = self.left_over.pop_front() {
            let is_stored = matches!(self.state.shots().get(shot.0 as usize), Some(Shot::Stored { .. }));
            if is_stored && self.may_take_again(shot) && self.set_aside(shot).await {
                return Some(Input::Retake { shot });
            }
        }
        None
    }

    /// Tells of it; whether it is set aside to be taken again.
    async fn flag(&mut self, shot: ShotIndex, verdict: Verdict) -> bool {
        let again = self.may_take_again(shot);
        self.untold.push(Event::Flagged {
            shot: self.shot_name(shot),
            message: verdict.message(),
            findings: verdict.findings,
            again,
        });
        self.flagged.insert(shot);
        if again {
            return self.set_aside(shot).await;
        }
        self.keep_best(shot).await;
        false
    }

    /// No more is taken of a shot: an earlier image of it may be better.
    async fn keep_best(&mut self, shot: ShotIndex) {
        self.storage.keep_best(shot);
        match self.retaken().await {
            Ok(None) => {}
            Ok(Some(Stored { attempt, facts, .. })) => {
                let verdict = facts.verdict.map(|verdict| *verdict).unwrap_or_default();
                self.untold.push(Event::Flagged {
                    shot: self.shot_name(shot),
                    message: format!("attempt {attempt} was better and is kept: {}", verdict.message()),
                    findings: verdict.findings,
                    again: false,
                });
            }
            Err(message) => {
                let reason = format!("the better image of shot {} could not be kept: {message}", shot.0);
                self.postponed.push_back(super::Message::Input(Input::pause(reason)));
            }
        }
    }

    fn may_take_again(&self, shot: ShotIndex) -> bool {
        let goes_on = match self.state.phase() {
            Phase::Ready | Phase::At { .. } | Phase::Draining | Phase::Halting(End::Paused { .. }) => true,
            // What there is, is all there will be.
            Phase::Halting(End::Finished(_)) | Phase::Ended(_) => false,
        };
        goes_on && self.state.health(self.plan.camera_of(shot)) != Health::Wedged && self.budget.allows(shot)
    }

    async fn set_aside(&mut self, shot: ShotIndex) -> bool {
        match self.kept_aside(shot, RetakenFor::Gate).await {
            Ok(()) => {
                self.budget.spend(shot);
                true
            }
            Err(message) => {
                let reason = format!("the image of shot {} could not be kept: {message}", shot.0);
                self.postponed.push_back(super::Message::Input(Input::pause(reason)));
                false
            }
        }
    }
}
