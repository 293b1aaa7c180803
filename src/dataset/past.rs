//! What is kept of the lines of a journal besides how the shots stand: as much as its shots need, however long it is. A
//! journal has two lines a shot if all goes well, and any number if a camera fails again and again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::journal::Entry;
use super::opening::Opening;
use super::tally::{ShotState, Tally, changes_state};
use crate::config::MOST_RETAKES_PER_SHOT;
use crate::plan::ShotIndex;
use crate::scan::{Description, ExtendedBy, Record, RetakenFor, Stored, Verdict, WaitsFor};

/// As much is kept of what people want to know, in bytes of the journal: thousands of lines.
const MOST_NOTES: usize = 4 << 20;

/// What is kept of a journal.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// None if the first record does not open a scan.
    opening: Option<Opening>,
    /// When its state last changed.
    changed: Option<Timestamp>,
    /// What a person calls it.
    description: Description,
    /// What it waited for when it last stopped.
    waits_for: Option<WaitsFor>,
    shots: Vec<ShotPast>,
    /// Whether it has points that nobody asked for.
    extended_unasked: bool,
    /// How often it was paused or gone on with.
    breaks: u64,
    /// The last ones: as many as fit into [`MOST_NOTES`].
    notes: VecDeque<Note>,
    /// The sum of these.
    notes_bytes: usize,
}

/// What people want to know of.
#[derive(Debug, Clone)]
struct Note {
    /// Of its line.
    bytes: usize,
    entry: Entry,
    /// What the gate had found of an image that is taken again.
    verdict: Option<Box<Verdict>>,
}

/// What is kept of a shot.
#[derive(Debug, Clone, Default)]
struct ShotPast {
    /// The last one that was made of it, as a resumed scan counts them.
    attempts: u32,
    /// The number of the line by which it was last stored.
    stored_by: u64,
    /// When its first attempt began, and after how many breaks, if it is not stored since.
    begun: Option<(Timestamp, u64)>,
    /// From the first attempt to the record by which it was last stored, without a break; none if that is not known.
    took: Option<Duration>,
    /// What was stored of it and counts no more.
    gone: Option<Box<Stored>>,
    /// Whether a person wanted it again, and it is not stored anew.
    wanted_again: bool,
    /// How often the gate had it taken again.
    gate_retakes: u32,
    /// What the gate found of its image after it was stored, and of which attempt that is.
    flagged: Option<Box<(u32, Verdict)>>,
}

impl Past {
    /// Before the first line of a journal.
    pub(super) fn new(shots: u32) -> Self {
        Self { shots: vec![ShotPast::default(); shots as usize], ..Self::default() }
    }

    /// Adds the next entry, whose line has so many bytes, to what `before` says of those before it.
    pub(super) fn add(&mut self, before: &Tally, entry: &Entry, bytes: usize) {
        if entry.seq == 0 {
            self.opening = Opening::of(entry);
        }
        if changes_state(&entry.record) {
            self.changed = Some(entry.at);
        }
        let breaks = self.breaks;
        let mut verdict = None;
        match &entry.record {
            Record::Opened { .. } => return,
            Record::Described(description) => {
                self.description = description.clone();
                return;
            }
            Record::Attempted { shot, attempt } => {
                if let Some(past) = self.shot(*shot)
                    && !is_done(before, *shot)
                {
                    past.attempts = past.attempts.max(*attempt);
                    if past.begun.is_none_or(|(_, after)| after != breaks) {
                        past.begun = Some((entry.at, breaks));
                    }
                }
                return;
            }
            Record::Stored(stored) => {
                if let Some(past) = self.shot(stored.shot) {
                    let (attempts, stored_by) = (stored.attempt, entry.seq);
                    let begun = past.begun.filter(|(_, after)| *after == breaks);
                    // A clock that was set meanwhile says nothing.
                    let took = begun.and_then(|(at, _)| entry.at.duration_since(at).try_into().ok());
                    let gate_retakes = past.gate_retakes;
                    *past = ShotPast { attempts, stored_by, took, gate_retakes, ..ShotPast::default() };
                }
                return;
            }
            Record::Lost { shot, .. } => self.is_gone(before, *shot, false),
            Record::Retake { shot, by } => {
                if let Some(ShotState::Done(stored)) = before.shot(*shot) {
                    verdict = self.verdict(stored).cloned().map(Box::new);
                }
                self.is_gone(before, *shot, true);
                if let (RetakenFor::Gate, Some(past)) = (by, self.shot(*shot)) {
                    // Further ones change nothing: none is allowed.
                    past.gate_retakes = (past.gate_retakes + 1).min(MOST_RETAKES_PER_SHOT);
                }
            }
            Record::Flagged { shot, attempt, verdict } => {
                if let Some(past) = self.shot(*shot) {
                    past.flagged = Some(Box::new((*attempt, verdict.clone())));
                }
            }
            Record::Extended { by, .. } => {
                let planned = self.shots.len() + before.shots_added(&entry.record);
                self.shots.resize_with(planned, ShotPast::default);
                self.extended_unasked |= *by == ExtendedBy::Proposer;
            }
            Record::Paused { waits_for, .. } => {
                self.waits_for = Some(*waits_for);
                self.breaks += 1;
            }
            Record::Resumed => self.breaks += 1,
            // It has ended, and goes on if a person wants a shot again.
            Record::Finished { .. } => self.waits_for = Some(WaitsFor::Person),
            Record::AttemptFailed { .. } | Record::ShotFailed { .. } => {}
        }
        self.notes.push_back(Note { bytes, entry: entry.clone(), verdict });
        self.notes_bytes += bytes;
        while self.notes_bytes > MOST_NOTES
            && let Some(Note { bytes, .. }) = self.notes.pop_front()
        {
            self.notes_bytes -= bytes;
        }
    }

    fn is_gone(&mut self, before: &Tally, shot: ShotIndex, wanted_again: bool) {
        if let Some(ShotState::Done(stored)) = before.shot(shot)
            && let Some(past) = self.shot(shot)
        {
            past.gone = Some(Box::new(stored.clone()));
            past.begun = None;
            past.took = None;
            past.wanted_again = wanted_again;
        }
    }

    fn shot(&mut self, shot: ShotIndex) -> Option<&mut ShotPast> {
        self.shots.get_mut(shot.0 as usize)
    }

    /// What opened the scan; none if the journal does not begin with that.
    pub(super) fn opening(&self) -> Option<&Opening> {
        self.opening.as_ref()
    }

    /// When the state of the scan last changed.
    pub(super) fn changed(&self) -> Option<Timestamp> {
        self.changed
    }

    /// What a person calls it.
    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// What the scan waits for if it is paused.
    pub(super) fn waits_for(&self) -> WaitsFor {
        self.waits_for.unwrap_or_default()
    }

    /// Whether it has points that nobody asked for.
    pub(super) fn extended_unasked(&self) -> bool {
        self.extended_unasked
    }

    /// The last attempt that was made of `shot`; 0 if none was.
    pub(super) fn attempts(&self, shot: ShotIndex) -> u32 {
        self.shots.get(shot.0 as usize).map_or(0, |past| past.attempts)
    }

    /// How long `shot` took from its first attempt until it was stored; none if that is not known.
    pub(super) fn took(&self, shot: ShotIndex) -> Option<Duration> {
        self.shots.get(shot.0 as usize).and_then(|past| past.took)
    }

    /// What the gate found of the image of `attempt` of `shot` after it was stored.
    pub(super) fn flagged(&self, shot: ShotIndex, attempt: u32) -> Option<&Verdict> {
        let flagged = self.shots.get(shot.0 as usize)?.flagged.as_deref()?;
        (flagged.0 == attempt).then_some(&flagged.1)
    }

    /// As if no shot had taken a known time.
    #[cfg(test)]
    pub(super) fn forget_times(&mut self) {
        for past in &mut self.shots {
            past.took = None;
        }
    }

    /// What people want to know of, in order: failures, pauses and the like. Of a very long journal, the last of them.
    pub(super) fn notes(&self) -> impl Iterator<Item = &Entry> {
        self.notes.iter().map(|note| &note.entry)
    }

    /// What was wrong with the images that were taken again, as far as the gate found something: those of the
    /// [notes](Self::notes).
    pub(super) fn retakes(&self) -> impl Iterator<Item = (&Entry, Option<&Verdict>)> {
        let notes = self.notes.iter();
        let retakes = notes.filter(|note| matches!(note.entry.record, Record::Retake { .. }));
        retakes.map(|note| (&note.entry, note.verdict.as_deref()))
    }

    /// What the gate says of an image that is stored, at once or later.
    pub(super) fn verdict<'a>(&'a self, stored: &'a Stored) -> Option<&'a Verdict> {
        self.flagged(stored.shot, stored.attempt).or(stored.facts.verdict.as_deref())
    }

    /// What was stored of each shot that is wanted again and is not stored anew: its files may still be where they were.
    pub(super) fn wanted_again(&self) -> BTreeMap<ShotIndex, Stored> {
        let shots = (0..).map(ShotIndex).zip(&self.shots);
        let wanted = shots.filter(|(_, past)| past.wanted_again);
        wanted.filter_map(|(shot, past)| Some((shot, past.gone.as_deref()?.clone()))).collect()
    }

    /// A few records that come to the same as all of them, for a scan that goes on with the plan that it has now: what opened
    /// it, what was stored, in that order, and how often and with what outcome the rest was tried.
    pub(super) fn records(&self, tally: &Tally) -> Vec<Record> {
        let mut records: Vec<Record> = self.opening.iter().map(Opening::record).collect();
        let shots = || (0..).map(ShotIndex).zip(&self.shots);
        for (shot, past) in shots() {
            let retake = Record::Retake { shot, by: RetakenFor::Gate };
            records.extend(std::iter::repeat_n(retake, past.gate_retakes as usize));
        }
        let mut taken: Vec<_> = shots()
            .filter_map(|(shot, past)| match (tally.shot(shot), past.gone.as_deref()) {
                (Some(ShotState::Done(stored)), _) => Some((past.stored_by, stored, false)),
                (_, Some(gone)) => Some((past.stored_by, gone, true)),
                (_, None) => None,
            })
            .collect();
        taken.sort_unstable_by_key(|(stored_by, ..)| *stored_by);
        for (_, stored, is_gone) in taken {
            let (shot, attempt) = (stored.shot, stored.attempt);
            records.push(Record::Stored(stored.clone()));
            let flagged = self.flagged(shot, attempt).cloned();
            records.extend(flagged.map(|verdict| Record::Flagged { shot, attempt, verdict }));
            let by = RetakenFor::Person;
            records.extend(is_gone.then_some(Record::Retake { shot, by }));
        }
        for (shot, past) in shots() {
            let reason = match tally.shot(shot) {
                None | Some(ShotState::Done(_)) => continue,
                Some(ShotState::Pending) => None,
                Some(ShotState::Failed { reason }) => Some(reason.clone()),
            };
            records.extend((past.attempts > 0).then_some(Record::Attempted { shot, attempt: past.attempts }));
            records.extend(reason.map(|reason| Record::ShotFailed { shot, reason }));
        }
        records
    }
}

fn is_done(tally: &Tally, shot: ShotIndex) -> bool {
    matches!(tally.shot(shot), Some(ShotState::Done(_)))
}
