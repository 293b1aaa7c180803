//! What the records of a scan add up to.

use serde::{Deserialize, Serialize};

use crate::plan::ShotIndex;
use crate::scan::{Outcome, Record, Stored};

/// How a scan stands, as its journal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScanState)]
pub enum State {
    /// It goes on, or was interrupted: a process that dies writes nothing.
    Running,
    /// It stopped for a while.
    Paused,
    /// Every planned shot is stored.
    Complete,
    /// Every planned shot was tried; some are missing.
    Incomplete,
    /// A person ended it.
    Cancelled,
    /// A failed shot ended it.
    Aborted,
}

impl State {
    /// As written in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
        }
    }

    /// Whether the scan has ended.
    pub const fn is_finished(self) -> bool {
        match self {
            Self::Running | Self::Paused => false,
            Self::Complete | Self::Incomplete | Self::Cancelled | Self::Aborted => true,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a shot stands.
#[derive(Debug, Clone, PartialEq)]
pub enum ShotState {
    /// Still to be taken.
    Pending,
    /// Tried in vain; a later pass may still store it.
    Failed {
        /// For people.
        reason: String,
    },
    /// On disk.
    Done(Stored),
}

/// How many shots stand how; the last three add up to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShotCounts)]
pub struct Counts {
    /// In the plan.
    pub planned: u32,
    /// Stored.
    pub done: u32,
    /// Tried in vain.
    pub failed: u32,
    /// Still to be taken.
    pub pending: u32,
}

/// What no journal of ours ever says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anomaly {
    /// A shot was stored while it was stored.
    StoredTwice(ShotIndex),
    /// A shot that the plan does not have.
    UnknownShot(ShotIndex),
    /// Said to be complete with this many shots missing.
    SaidComplete(u32),
}

/// The sum of a scan's records.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    shots: Vec<ShotState>,
    state: State,
    anomalies: Vec<Anomaly>,
}

impl Tally {
    /// Of a scan of `planned` shots, before its first record.
    pub fn new(planned: u32) -> Self {
        let shots = vec![ShotState::Pending; planned as usize];
        Self { shots, state: State::Running, anomalies: Vec::new() }
    }

    /// Of all of `records`.
    pub fn of<'a>(planned: u32, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut tally = Self::new(planned);
        records.into_iter().for_each(|record| tally.apply(record));
        tally
    }

    /// Adds the next record.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Opened { .. } => {}
            Record::Attempted { shot, .. } | Record::AttemptFailed { shot, .. } => {
                self.slot(*shot);
            }
            Record::Stored(stored) => self.add_stored(stored),
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
            Record::Retake { shot } => {
                if let Some(slot) = self.slot(*shot) {
                    *slot = ShotState::Pending;
                }
                if self.state.is_finished() {
                    self.state = State::Paused;
                }
            }
            Record::Paused { .. } => self.state = State::Paused,
            Record::Resumed => self.state = State::Running,
            Record::Finished { outcome } => self.finished(*outcome),
        }
    }

    /// How the scan stands. Never complete while a shot is missing, whatever a record said.
    pub fn state(&self) -> State {
        if self.state == State::Complete && self.missing() > 0 { State::Incomplete } else { self.state }
    }

    /// How `shot` stands; none if the plan does not have it.
    pub fn shot(&self, shot: ShotIndex) -> Option<&ShotState> {
        self.shots.get(shot.0 as usize)
    }

    /// Every shot that is on disk, in the order of the plan.
    pub fn stored(&self) -> impl Iterator<Item = &Stored> {
        self.shots.iter().filter_map(|shot| match shot {
            ShotState::Done(stored) => Some(stored),
            ShotState::Pending | ShotState::Failed { .. } => None,
        })
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

    pub(super) fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    fn add_stored(&mut self, stored: &Stored) {
        let shot = stored.shot;
        if let Some(slot) = self.slot(shot) {
            let before = std::mem::replace(slot, ShotState::Done(stored.clone()));
            if matches!(before, ShotState::Done(_)) {
                self.anomalies.push(Anomaly::StoredTwice(shot));
            }
        }
    }

    fn finished(&mut self, outcome: Outcome) {
        self.state = match outcome {
            Outcome::Complete => {
                if self.missing() > 0 {
                    self.anomalies.push(Anomaly::SaidComplete(self.missing()));
                }
                State::Complete
            }
            Outcome::Incomplete => State::Incomplete,
            Outcome::Cancelled => State::Cancelled,
            Outcome::Aborted => State::Aborted,
        };
    }

    fn slot(&mut self, shot: ShotIndex) -> Option<&mut ShotState> {
        if shot.0 as usize >= self.shots.len() {
            self.anomalies.push(Anomaly::UnknownShot(shot));
        }
        self.shots.get_mut(shot.0 as usize)
    }
}
