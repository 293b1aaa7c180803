//! A journal read against its plan: the one way in which lines become a scan, for whoever resumes, checks, lists or shows
//! it.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crate::plan::Plan;

use super::error::{Context, DiskError, OpenError};
use super::inspect::read_plan;
use super::journal::{self, Entry, Extent};
use super::layout::JOURNAL;
use super::open::{self, Unread};
use super::opening::Opening;
use super::past::Past;
use super::{Impossible, Manifest, Tally};
use crate::scan::Record;

/// What a journal tells, up to the first line that does not count. However long it is, this has what shots need.
#[derive(Debug)]
pub(super) struct History {
    /// What the scan is of: the plan with which it began, and behind it the points that were added since.
    pub(super) plan: Arc<Plan>,
    /// How far it counts.
    pub(super) extent: Extent,
    /// How many bytes stand behind that.
    pub(super) tail: u64,
    /// What the lines add up to.
    pub(super) tally: Tally,
    /// What else is kept of them.
    pub(super) past: Past,
    /// None if there is no journal.
    file: Option<File>,
}

impl History {
    /// Of the scan at `dir`, and the bytes of its plan's file. The history is empty if there is no journal.
    pub(super) fn read(dir: &Path) -> Result<(Self, Vec<u8>), OpenError> {
        let (plan, plan_json) = read_plan(dir)?;
        Ok((Self::of(dir, plan)?, plan_json))
    }

    /// Of the scan at `dir` that began with `plan`.
    pub(super) fn of(dir: &Path, plan: Plan) -> Result<Self, DiskError> {
        let path = dir.join(JOURNAL);
        let mut history = Self {
            tally: Tally::new(&plan),
            past: Past::new(plan.shot_count()),
            plan: Arc::new(plan),
            extent: Extent::default(),
            tail: 0,
            file: None,
        };
        let file = match open::file(dir, JOURNAL) {
            Err(Unread::Missing) => return Ok(history),
            file => file.context("read", &path)?,
        };
        let length = file.metadata().context("read", &path)?.len();
        if length > open::JOURNAL {
            return Err(too_long()).context("read", &path);
        }
        // It may grow meanwhile: it is read as it was.
        let (tally, past, plan) = (&mut history.tally, &mut history.past, &mut history.plan);
        let read =
            journal::read_while((&file).take(length), |entry, bytes| add(tally, past, plan, &entry, bytes));
        history.extent = read.context("read", &path)?;
        history.tail = length - history.extent.bytes;
        history.file = Some(file);
        Ok(history)
    }

    /// What the manifest must say; none if the journal does not begin with the record that opens a scan.
    pub(super) fn manifest(&self) -> Option<Manifest> {
        Manifest::derive(&self.plan, &self.past, &self.tally)
    }

    /// The record that has to be the first; none if it is not.
    pub(super) fn opening(&self) -> Option<&Opening> {
        self.past.opening()
    }

    /// The good lines, to be read once more.
    pub(super) fn good(&self) -> io::Result<Box<dyn Read + '_>> {
        self.part(0, self.extent.bytes)
    }

    /// What stands behind them.
    pub(super) fn tail(&self) -> io::Result<Box<dyn Read + '_>> {
        self.part(self.extent.bytes, self.tail)
    }

    fn part(&self, from: u64, bytes: u64) -> io::Result<Box<dyn Read + '_>> {
        let Some(mut file) = self.file.as_ref() else { return Ok(Box::new(io::empty())) };
        file.seek(SeekFrom::Start(from))?;
        Ok(Box::new(file.take(bytes)))
    }
}

/// Adds the next record, if it can follow.
fn add(
    tally: &mut Tally,
    past: &mut Past,
    plan: &mut Arc<Plan>,
    entry: &Entry,
    bytes: usize,
) -> Result<(), Impossible> {
    tally.check(plan, &entry.record)?;
    past.add(tally, entry, bytes);
    tally.apply(&entry.record);
    grow(plan, &entry.record);
    Ok(())
}

/// The plan after `record`, which was [checked](Tally::check).
pub(super) fn grow(plan: &mut Arc<Plan>, record: &Record) {
    if !record.added().is_empty() {
        Arc::make_mut(plan).add(record.added());
    }
}

fn too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "it has more than {} bytes, which the journal of no scan has: somebody else has written to it. Keep a copy, cut it \
             off (truncate --size={}), and resume the scan",
            open::JOURNAL,
            open::JOURNAL
        ),
    )
}
