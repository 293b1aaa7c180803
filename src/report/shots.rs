//! Every shot of a scan, as the report shows it.

use std::collections::BTreeMap;

use crate::dataset::{Contents, ShotState};
use crate::model::Lighting;
use crate::plan::ShotIndex;
use crate::scan::{FrameFacts, Verdict};

/// A shot of the plan.
#[derive(Debug, Clone)]
pub(super) struct Shot<'a> {
    pub(super) index: ShotIndex,
    /// From 1, in the order of execution.
    pub(super) point: u32,
    /// Index in the plan.
    pub(super) camera: usize,
    /// As the log names it: `cam0/r01_a017`.
    pub(super) name: String,
    /// With a backlight, it is a silhouette: it is not measured by what photographs are.
    pub(super) lighting: Lighting,
    /// How many attempts there were.
    pub(super) attempts: u32,
    pub(super) state: State<'a>,
}

/// How a shot stands.
#[derive(Debug, Clone)]
pub(super) enum State<'a> {
    Pending,
    Failed(&'a str),
    Taken(Taken<'a>),
}

/// What is known of an image.
#[derive(Debug, Clone)]
pub(super) struct Taken<'a> {
    pub(super) facts: &'a FrameFacts,
    /// The length of its files.
    pub(super) bytes: u64,
    /// From the first attempt until it was on disk, if both are in the journal without a pause between them.
    pub(super) seconds: Option<f64>,
    /// Mean luma of its thumbnail, 0 to 255; none without one.
    pub(super) brightness: Option<f64>,
    /// What the gate says of it; none of scans of versions without one.
    pub(super) verdict: Option<&'a Verdict>,
}

impl<'a> Shot<'a> {
    /// What is known of its image; none if it has none.
    pub(super) fn taken(&self) -> Option<&Taken<'a>> {
        match &self.state {
            State::Taken(taken) => Some(taken),
            State::Pending | State::Failed(_) => None,
        }
    }
}

impl Taken<'_> {
    /// What the gate found to be wrong with it; none if nothing is.
    pub(super) fn flagged(&self) -> Option<&Verdict> {
        self.verdict.filter(|verdict| verdict.is_bad())
    }

    /// The part of it that is black or white.
    pub(super) fn clipped(&self) -> f64 {
        self.facts.clipped_dark + self.facts.clipped_bright
    }
}

/// The shots of `contents` in the order of the plan; `brightness` is that of each image.
pub(super) fn of<'a>(contents: &'a Contents, brightness: &BTreeMap<ShotIndex, f64>) -> Vec<Shot<'a>> {
    let (plan, tally) = (&contents.plan, contents.tally());
    let shot = |index: ShotIndex| {
        let (point, camera) = (plan.point_of(index), plan.camera_of(index));
        let state = match tally.shot(index) {
            None | Some(ShotState::Pending) => State::Pending,
            Some(ShotState::Failed { reason }) => State::Failed(reason),
            Some(ShotState::Done(stored)) => State::Taken(Taken {
                facts: &stored.facts,
                bytes: stored.all_bytes(),
                seconds: contents.took(index).map(|took| took.as_secs_f64()),
                brightness: brightness.get(&index).copied(),
                verdict: contents.verdict(stored),
            }),
        };
        Shot {
            index,
            point: point.0 + 1,
            camera: usize::from(camera.0),
            name: format!("{}/{}", plan.camera(camera).name, plan.point(point).label),
            lighting: plan.lighting_of(index),
            attempts: contents.attempts(index),
            state,
        }
    };
    plan.shots().map(shot).collect()
}
