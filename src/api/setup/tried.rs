//! What became of the parts so far, and the one that is tried.

use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use utoipa::ToSchema;

use crate::setup::Answers;
use crate::setup::trial::Part;

/// What became of the parts so far, and the one that is tried.
#[derive(Default)]
pub(in crate::api) struct Trial {
    became: Vec<(Part, Became)>,
    /// The part that is tried, and what happens to it.
    pub(super) at_work: Option<(Part, TrialPhase)>,
    pub(super) shown: Option<Shown>,
}

/// What somebody looks at while being asked; safe once `release` is dropped and `task` has ended.
pub(super) struct Shown {
    pub(super) release: oneshot::Sender<()>,
    pub(super) task: JoinHandle<()>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Became {
    /// It works.
    Works,
    /// It was described wrong, which is put right in the answers, and was not tried again.
    Changed,
    /// It does not work.
    Fails,
}

/// What happens to the part that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum TrialPhase {
    /// It is made ready.
    Preparing,
    /// Now it is to be pressed, and let go again.
    Press,
    /// Somebody is asked what happened.
    Asked,
}

/// The parts of the rig.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TrialState {
    /// In the order of trying: what stops the rig first.
    parts: Vec<TrialPart>,
    /// The part that is tried; null if none is.
    at_work: Option<AtWork>,
}

/// A part that can be tried.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TrialPart {
    /// Its name, for programs.
    part: String,
    /// Its name, for people.
    name: String,
    /// What kind of part it is.
    kind: TrialKind,
    /// What somebody has to know, and to agree to, before it is tried.
    before: String,
    /// What is asked afterwards; null if nobody has to be asked.
    question: Option<String>,
    /// The usual answer.
    usual: Option<String>,
    /// The answers to it, and what they mean; none where a distance is wanted.
    answers: Vec<TrialWord>,
    /// What became of it; null if it was not tried.
    became: Option<Became>,
}

/// What kind of part is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum TrialKind {
    /// A contact that is pressed.
    Contact,
    /// A motor, which moves.
    Motor,
    /// A light that goes on.
    Lamp,
}

/// A word that is an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TrialWord {
    /// The word.
    answer: &'static str,
    /// What it means.
    about: &'static str,
}

/// The part that is tried now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct AtWork {
    /// Which part.
    part: String,
    /// What happens to it.
    phase: TrialPhase,
}

impl Trial {
    /// The parts of the rig; none if it has none.
    pub(super) fn state(&self, answers: &Answers) -> Option<TrialState> {
        let parts = Part::of(answers);
        let known =
            |part: Part| self.became.iter().find(|(known, _)| *known == part).map(|(_, became)| *became);
        let told = |part: &Part| {
            let (question, usual) = part.after(answers).unzip();
            let word = |(answer, about): &(&'static str, &'static str)| TrialWord { answer, about };
            TrialPart {
                part: part.id(),
                name: part.name(),
                kind: match part {
                    Part::Contact(_) => TrialKind::Contact,
                    Part::Direction(_) | Part::Distance(_) | Part::Home(_) => TrialKind::Motor,
                    Part::Lamp(_) => TrialKind::Lamp,
                },
                before: part.before(answers),
                question,
                usual,
                answers: part.words().iter().map(word).collect(),
                became: known(*part),
            }
        };
        let at_work = self.at_work.map(|(part, phase)| AtWork { part: part.id(), phase });
        (!parts.is_empty()).then(|| TrialState { parts: parts.iter().map(told).collect(), at_work })
    }

    /// Nothing was tried.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes down what became of a part.
    pub(super) fn became(&mut self, part: Part, became: Became) {
        self.became.retain(|(known, _)| *known != part);
        self.became.push((part, became));
    }
}
