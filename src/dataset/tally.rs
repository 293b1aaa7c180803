//! What the records of a scan add up to.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, ShotIndex, Unaddable};
use crate::scan::{Outcome, Record, RecordedFile, ScanState, Stored};

use super::layout;
use super::rejected::Rejected;
use super::spread::ShutterSpread;

/// How a shot stands.
#[derive(Debug, Clone, PartialEq)]
pub enum ShotState {
    /// Still to be taken.
    Pending,
    /// Tried in vain; a later pass may still store it.
    Failed {
        /// What the last attempt failed with, for people.
        reason: String,
    },
    /// On the disk, as this record says.
    Done(Stored),
}

/// How many shots stand how; the last three add up to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShotCounts)]
pub struct Counts {
    /// Shots of the plan: points times cameras.
    pub planned: u32,
    /// Shots whose image is on the disk.
    pub done: u32,
    /// Shots that were tried in vain.
    pub failed: u32,
    /// Still to be taken.
    pub pending: u32,
}

/// Why a record cannot follow those before it, however good its checksum is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// A scan is opened once.
    #[error("a line opens the scan again")]
    OpenedAgain,
    /// A shot that the plan does not have.
    #[error("a line is of shot {}, which is not in the plan", .0.0)]
    UnknownShot(ShotIndex),
    /// A shot that is on disk, and was neither lost nor wanted again.
    #[error("a line stores shot {} again, which is stored", .0.0)]
    StoredTwice(ShotIndex),
    /// A file elsewhere than where files of the shot are.
    #[error("a line stores shot {} as {path}, which is no file of it", .shot.0)]
    OtherFile {
        /// The shot that the line is of.
        shot: ShotIndex,
        /// What is said to be a file of it.
        path: String,
    },
    /// Not all of its files, or more.
    #[error("a line stores shot {} with {found} files, but it has {wanted}", .shot.0)]
    OtherFiles {
        /// The shot that the line is of.
        shot: ShotIndex,
        /// How many files the line has.
        found: usize,
        /// How many files each shot of its camera has.
        wanted: usize,
    },
    /// Points that cannot be behind those that there are.
    #[error("a line adds points that the scan cannot have: {0}")]
    Unaddable(#[from] Unaddable),
    /// A scan that is complete has every shot.
    #[error("a line says that the scan is complete, with {0} shots missing")]
    SaysComplete(u32),
}

/// The sum of a scan's records: the one place where they are added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    shots: Vec<ShotState>,
    /// In which run of the scan each shot was stored that is.
    runs: Vec<u32>,
    run: u32,
    /// Shots of each point.
    cameras: u32,
    state: ScanState,
    /// Whether there was any record.
    begun: bool,
    rejected: Rejected,
}

impl Tally {
    /// Of a scan of `plan`, before its first record.
    pub fn new(plan: &Plan) -> Self {
        let shots = vec![ShotState::Pending; plan.shot_count() as usize];
        let cameras = plan.cameras.len() as u32;
        let (runs, rejected) = (vec![0; shots.len()], Rejected::default());
        Self { shots, runs, run: 0, cameras, state: ScanState::Running, begun: false, rejected }
    }

    /// Whether `record` can follow those that were added, after which the scan is of `plan`.
    pub(super) fn check(&self, plan: &Plan, record: &Record) -> Result<(), Impossible> {
        let known = |shot: ShotIndex| self.shot(shot).ok_or(Impossible::UnknownShot(shot));
        match record {
            Record::Opened { .. } if self.begun => Err(Impossible::OpenedAgain),
            // Those of attempts may be written behind what came of them.
            Record::Attempted { shot, .. }
            | Record::AttemptFailed { shot, .. }
            | Record::ShotFailed { shot, .. }
            | Record::Lost { shot, .. }
            | Record::Retake { shot, .. }
            | Record::Flagged { shot, .. } => known(*shot).map(drop),
            Record::Stored(stored) => match known(stored.shot)? {
                ShotState::Done(_) => Err(Impossible::StoredTwice(stored.shot)),
                ShotState::Pending | ShotState::Failed { .. } => check_files(plan, stored),
            },
            Record::Finished { outcome: Outcome::Complete } if self.missing() > 0 => {
                Err(Impossible::SaysComplete(self.missing()))
            }
            Record::Extended { points, .. } => Ok(plan.can_take(points)?),
            Record::Opened { .. }
            | Record::Described(_)
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => Ok(()),
        }
    }

    /// Adds a record that was [checked](Self::check).
    pub(super) fn apply(&mut self, record: &Record) {
        self.begun = true;
        let before = match record.shot().and_then(|shot| self.shots.get(shot.0 as usize)) {
            Some(ShotState::Done(stored)) => Some(stored),
            Some(ShotState::Pending | ShotState::Failed { .. }) | None => None,
        };
        self.rejected.apply(before, record);
        match record {
            // What it is called, and what is found of its images, change nothing of how it stands.
            Record::Opened { .. }
            | Record::Attempted { .. }
            | Record::AttemptFailed { .. }
            | Record::Flagged { .. }
            | Record::Described(_) => {}
            Record::Stored(stored) => {
                if let Some(slot) = self.slot(stored.shot) {
                    *slot = ShotState::Done(stored.clone());
                }
                if let Some(run) = self.runs.get_mut(stored.shot.0 as usize) {
                    *run = self.run;
                }
            }
            Record::ShotFailed { shot, reason } => {
                if let Some(slot) = self.slot(*shot)
                    && !matches!(slot, ShotState::Done(_))
                {
                    *slot = ShotState::Failed { reason: reason.clone() };
                }
            }
            Record::Lost { shot, .. } => {
                if let Some(slot) = self.slot(*shot) {
                    *slot = ShotState::Pending;
                }
            }
            Record::Retake { shot, .. } => {
                if let Some(slot) = self.slot(*shot) {
                    *slot = ShotState::Pending;
                }
                if self.state.is_finished() {
                    self.state = ScanState::Paused;
                }
            }
            Record::Extended { .. } => {
                let planned = self.shots.len() + self.shots_added(record);
                self.shots.resize(planned, ShotState::Pending);
                self.runs.resize(planned, 0);
                if self.state.is_finished() {
                    self.state = ScanState::Paused;
                }
            }
            Record::Paused { .. } => self.state = ScanState::Paused,
            Record::Resumed => {
                self.state = ScanState::Running;
                self.run += 1;
            }
            Record::Finished { outcome } => self.state = ScanState::Finished(*outcome),
        }
    }

    /// How the scan stands. Never complete while a shot is missing, whatever a record said.
    pub fn state(&self) -> ScanState {
        if self.state.is_complete() && self.missing() > 0 {
            ScanState::Finished(Outcome::Incomplete)
        } else {
            self.state
        }
    }

    /// How many shots the scan has more after `record`.
    pub(super) fn shots_added(&self, record: &Record) -> usize {
        record.added().len() * self.cameras as usize
    }

    /// How `shot` stands; none if the plan does not have it.
    pub fn shot(&self, shot: ShotIndex) -> Option<&ShotState> {
        self.shots.get(shot.0 as usize)
    }

    /// The image of `shot` that the gate had taken again, if it is better than the stored one.
    pub(super) fn better(&self, shot: ShotIndex) -> Option<&Stored> {
        match self.shot(shot)? {
            ShotState::Done(stored) => self.rejected.better_than(stored),
            ShotState::Pending | ShotState::Failed { .. } => None,
        }
    }

    /// Every shot that is on disk, in the order of the plan.
    pub fn stored(&self) -> impl Iterator<Item = &Stored> {
        self.shots.iter().filter_map(|shot| match shot {
            ShotState::Done(stored) => Some(stored),
            ShotState::Pending | ShotState::Failed { .. } => None,
        })
    }

    /// How far apart in time the images of each point were taken; none if no point has images of several cameras.
    pub fn shutter_spread(&self) -> Option<ShutterSpread> {
        let cameras = self.cameras.max(1) as usize;
        let points = self.shots.chunks(cameras).zip(self.runs.chunks(cameras));
        ShutterSpread::of(points.map(|(shots, runs)| {
            let seen = shots.iter().zip(runs).filter_map(|(shot, run)| match shot {
                ShotState::Done(stored) => Some((*run, &stored.facts)),
                ShotState::Pending | ShotState::Failed { .. } => None,
            });
            seen.collect()
        }))
    }

    /// The last shot, in the order of the plan, that is to be taken; none if every one was tried.
    pub fn last_pending(&self) -> Option<ShotIndex> {
        let last = self.shots.iter().rposition(|shot| *shot == ShotState::Pending)?;
        Some(ShotIndex(last as u32))
    }

    /// How many shots stand how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { planned: self.shots.len() as u32, ..Counts::default() };
        for shot in &self.shots {
            match shot {
                ShotState::Pending => counts.pending += 1,
                ShotState::Failed { .. } => counts.failed += 1,
                ShotState::Done(_) => counts.done += 1,
            }
        }
        counts
    }

    /// How many shots are not on disk.
    pub fn missing(&self) -> u32 {
        let counts = self.counts();
        counts.planned - counts.done
    }

    fn slot(&mut self, shot: ShotIndex) -> Option<&mut ShotState> {
        self.shots.get_mut(shot.0 as usize)
    }
}

/// Whether a shot is stored with the files that it has, each in its place, none of them twice.
fn check_files(plan: &Plan, stored: &Stored) -> Result<(), Impossible> {
    let (shot, wanted) = (stored.shot, layout::files_of(plan, stored.shot));
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for RecordedFile { path, .. } in stored.files() {
        match layout::kind_of(plan, shot, &path) {
            Some(kind) if seen.insert(path.clone()) => found.push(kind.file_type()),
            Some(_) | None => return Err(Impossible::OtherFile { shot, path }),
        }
    }
    if found == wanted {
        Ok(())
    } else {
        Err(Impossible::OtherFiles { shot, found: found.len(), wanted: wanted.len() })
    }
}

/// Whether the manifest is replaced after `record`.
pub(super) fn changes_state(record: &Record) -> bool {
    match record {
        Record::Opened { .. }
        | Record::Lost { .. }
        | Record::Retake { .. }
        | Record::Extended { .. }
        | Record::Paused { .. }
        | Record::Resumed
        | Record::Finished { .. } => true,
        Record::Attempted { .. }
        | Record::AttemptFailed { .. }
        | Record::Stored(_)
        | Record::ShotFailed { .. }
        | Record::Flagged { .. }
        | Record::Described(_) => false,
    }
}
