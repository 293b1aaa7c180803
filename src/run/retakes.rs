//! Wishes to take stored shots again that are on their way to the journal.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::plan::ShotIndex;

use super::command::RetakeRefused;

type Done = oneshot::Sender<Result<(), RetakeRefused>>;

/// Who waits for which shot.
#[derive(Debug, Default)]
pub(super) struct Retakes(BTreeMap<ShotIndex, Vec<Done>>);

impl Retakes {
    /// Whether it is the first wish for `shot`: a second one joins it, lest it should set aside what the first one brings.
    pub(super) fn add(&mut self, shot: ShotIndex, done: Done) -> bool {
        let waiting = self.0.entry(shot).or_default();
        waiting.push(done);
        waiting.len() == 1
    }

    /// Tells everybody who waits for `shot`.
    pub(super) fn answer(&mut self, shot: ShotIndex, answer: &Result<(), RetakeRefused>) {
        for done in self.0.remove(&shot).unwrap_or_default() {
            // Whoever asked may have gone.
            let _ = done.send(answer.clone());
        }
    }
}
