//! What a scan knows of itself.

use std::sync::Arc;

use crate::config::{self, Rung};
use crate::plan::{CameraIndex, Plan, Point, PointIndex, ShotIndex, Unaddable};

use super::end::End;
use super::record::Record;

/// What decides, besides what happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What is done about shots that fail: `[scan]`.
    pub scan: config::Scan,
    /// What is done about cameras that fail: `[recovery]`.
    pub recovery: config::Recovery,
}

/// A scan between two inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(super) plan: Arc<Plan>,
    pub(super) policy: Policy,
    pub(super) shots: Vec<Shot>,
    pub(super) cameras: Vec<Camera>,
    pub(super) phase: Phase,
    pub(super) counts: Counts,
    /// No point before this one has anything left to do in the first pass: keeps a step's cost flat.
    pub(super) first_open: u32,
}

/// Where a shot stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shot {
    /// To be taken, for the first time or again.
    Pending {
        /// Attempts so far, in the life of the scan.
        attempts: u32,
    },
    /// Captured, on its way to the disk.
    InHand {
        /// The attempt that captured it.
        attempt: u32,
    },
    /// On disk and in the journal.
    Stored {
        /// The attempt that captured it.
        attempt: u32,
    },
    /// All attempts of a pass failed.
    Failed {
        /// Attempts so far, in the life of the scan.
        attempts: u32,
        /// What the last attempt failed with, for people.
        reason: String,
        /// Whether there will be another pass for it in this run.
        retry: Retry,
    },
}

/// Whether a failed shot is tried once more at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// At the end of the run.
    Due,
    /// It was, or cannot be.
    Over,
}

/// How many shots stand where. What is not counted is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Captured, on their way to the disk.
    pub in_hand: u32,
    /// On disk and in the journal.
    pub stored: u32,
    /// Given up, at least for now.
    pub failed: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Camera {
    pub(super) health: Health,
    pub(super) activity: Activity,
    /// Whether its port can be reset.
    pub(super) can_reset: bool,
}

/// Whether anything can be had from a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It can be asked.
    Usable {
        /// Shots that failed since the last good one.
        failed_in_a_row: u32,
    },
    /// Its process cannot be ended.
    Wedged,
}

/// What a camera is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It has nothing to do.
    Idle,
    /// It was asked for a frame.
    Capturing {
        /// The shot that the frame is for.
        shot: ShotIndex,
        /// Counted in the life of the scan.
        attempt: u32,
        /// Counted in this pass.
        tries: u32,
    },
    /// Coming back; then it tries this shot.
    Recovering {
        /// Whether the same driver starts anew, or another one, and whether that resets the port.
        rung: Rung,
        /// What it is wanted for.
        shot: ShotIndex,
        /// Tries so far in this pass.
        tries: u32,
    },
}

/// Where the run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not started: it may have been replayed.
    Ready,
    /// At (or on the way to) a point.
    At {
        /// The point at which the axes are, or to which they move.
        point: PointIndex,
        /// Whether what failed is tried once more there.
        pass: Pass,
    },
    /// Every point was visited; frames are on their way to the disk.
    Draining,
    /// Stopping: waits for what is under way.
    Halting(End),
    /// Over: it takes no input any more.
    Ended(End),
}

/// What a point is visited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The shots that were never tried to the end.
    First,
    /// The shots that failed, once more.
    Retry,
}

impl State {
    /// A scan of which nothing is done.
    pub fn new(plan: Arc<Plan>, policy: Policy) -> Self {
        let shots = vec![Shot::Pending { attempts: 0 }; plan.shot_count() as usize];
        let health = Health::Usable { failed_in_a_row: 0 };
        let camera = Camera { health, activity: Activity::Idle, can_reset: false };
        let cameras = vec![camera; plan.cameras.len()];
        Self { plan, policy, shots, cameras, phase: Phase::Ready, counts: Counts::default(), first_open: 0 }
    }

    /// The scan that these records tell of, ready to be started again. `plan` is the one before the first of them.
    ///
    /// What was under way when the records end is pending; what failed is tried again in this run.
    ///
    /// # Errors
    /// A record that names a shot which the plan does not have, or points that it cannot have.
    pub fn replay<'a>(
        plan: Arc<Plan>,
        policy: Policy,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Self, OtherPlan> {
        let mut state = Self::new(plan, policy);
        for record in records {
            state.apply(record)?;
        }
        Ok(state)
    }

    /// The same, with cameras of which each can be brought back by a reset of its port, or cannot.
    #[must_use]
    pub fn resetting(mut self, can_reset: impl IntoIterator<Item = bool>) -> Self {
        for (camera, can_reset) in self.cameras.iter_mut().zip(can_reset) {
            camera.can_reset = can_reset;
        }
        self
    }

    fn apply(&mut self, record: &Record) -> Result<(), OtherPlan> {
        match record {
            Record::Attempted { shot, attempt } => {
                if let Shot::Pending { attempts } | Shot::Failed { attempts, .. } = self.known(*shot)? {
                    *attempts = (*attempts).max(*attempt);
                }
            }
            Record::Stored(stored) => {
                self.known(stored.shot)?;
                self.set_shot(stored.shot, Shot::Stored { attempt: stored.attempt });
            }
            Record::ShotFailed { shot, reason } => {
                let before = self.known(*shot)?;
                // As the dataset counts: what is stored stays so until it is lost or wanted again.
                if !matches!(before, Shot::Stored { .. }) {
                    let failed = Shot::Failed {
                        attempts: before.attempts(),
                        reason: reason.clone(),
                        retry: Retry::Due,
                    };
                    self.set_shot(*shot, failed);
                }
            }
            Record::Lost { shot, .. } | Record::Retake { shot, .. } => {
                let attempts = self.known(*shot)?.attempts();
                self.set_shot(*shot, Shot::Pending { attempts });
            }
            Record::AttemptFailed { shot, .. } | Record::Flagged { shot, .. } => {
                self.known(*shot)?;
            }
            Record::Extended { points, .. } => {
                self.plan.can_take(points)?;
                self.extend(points);
            }
            Record::Opened { .. }
            | Record::Described(_)
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => {}
        }
        Ok(())
    }

    /// Puts points behind those of the plan: their shots are pending.
    pub(super) fn extend(&mut self, points: &[Point]) {
        Arc::make_mut(&mut self.plan).add(points);
        self.shots.resize(self.plan.shot_count() as usize, Shot::Pending { attempts: 0 });
    }

    fn known(&mut self, shot: ShotIndex) -> Result<&mut Shot, OtherPlan> {
        self.shots.get_mut(shot.0 as usize).ok_or(OtherPlan::UnknownShot(shot))
    }

    /// What is being scanned.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Where the run stands.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Where each shot stands.
    pub fn shots(&self) -> &[Shot] {
        &self.shots
    }

    /// How many shots stand where.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What `camera` is doing.
    pub fn activity(&self, camera: CameraIndex) -> Activity {
        self.cameras[usize::from(camera.0)].activity
    }

    /// Whether anything can be had from `camera`.
    pub fn health(&self, camera: CameraIndex) -> Health {
        self.cameras[usize::from(camera.0)].health
    }

    /// The only way a shot's standing changes: keeps the counts true.
    pub(super) fn set_shot(&mut self, shot: ShotIndex, to: Shot) {
        let slot = &mut self.shots[shot.0 as usize];
        if let Some(count) = self.counts.of(slot) {
            *count -= 1;
        }
        *slot = to;
        if let Some(count) = self.counts.of(slot) {
            *count += 1;
        }
        if matches!(slot, Shot::Pending { .. }) {
            self.first_open = self.first_open.min(self.plan.point_of(shot).0);
        }
    }
}

impl Counts {
    fn of(&mut self, shot: &Shot) -> Option<&mut u32> {
        match shot {
            Shot::Pending { .. } => None,
            Shot::InHand { .. } => Some(&mut self.in_hand),
            Shot::Stored { .. } => Some(&mut self.stored),
            Shot::Failed { .. } => Some(&mut self.failed),
        }
    }
}

impl Shot {
    /// Attempts so far, in the life of the scan.
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Pending { attempts } | Self::Failed { attempts, .. } => *attempts,
            Self::InHand { attempt } | Self::Stored { attempt } => *attempt,
        }
    }
}

/// A journal does not belong to its plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtherPlan {
    /// A record is of a shot that there is not.
    #[error("the journal names shot {}, which the plan does not have: journal.jsonl and plan.json are not of the same scan", .0.0)]
    UnknownShot(ShotIndex),
    /// Points were added that the plan cannot have.
    #[error(
        "the journal adds points that the plan cannot have ({0}): journal.jsonl and plan.json are not of the same scan"
    )]
    Unaddable(#[from] Unaddable),
}
