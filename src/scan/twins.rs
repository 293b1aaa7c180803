//! Pictures that are the same to the bit.

use std::collections::{BTreeMap, VecDeque};

use crate::plan::ShotIndex;

use super::record::Stored;

/// How many images of a camera are remembered: they are not stored in the order in which they were taken.
const REMEMBERED: usize = 4;

/// The last images of each camera.
#[derive(Debug, Clone, Default)]
pub(super) struct Twins(BTreeMap<u16, VecDeque<Taken>>);

/// An image that another one may be the same picture as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) shot: ShotIndex,
    pub(super) attempt: u32,
    /// When it was read out: the later one of two is the duplicate, whichever is stored first.
    at_ns: u64,
    luma_crc32c: u32,
}

impl Twins {
    /// Of which earlier images of `camera` one with these numbers may be the duplicate, the last one first.
    pub(super) fn originals(
        &self,
        camera: u16,
        at_ns: u64,
        luma_crc32c: u32,
    ) -> impl Iterator<Item = ShotIndex> {
        let same = self.same(camera, luma_crc32c).rev();
        same.filter(move |other| other.at_ns < at_ns).map(|other| other.shot)
    }

    /// Which images of `camera` are duplicates of one that was taken before them, but is stored after them.
    pub(super) fn duplicates(&self, camera: u16, stored: &Stored) -> Vec<Taken> {
        let Some(measured) = &stored.facts.measured else { return Vec::new() };
        let same = self.same(camera, measured.luma_crc32c);
        same.filter(|other| other.at_ns > stored.facts.sensor_timestamp_ns).copied().collect()
    }

    /// Remembers an image, as one of the last few of its camera.
    pub(super) fn add(&mut self, camera: u16, stored: &Stored) {
        let Some(measured) = &stored.facts.measured else { return };
        let last = self.0.entry(camera).or_default();
        last.push_back(Taken {
            shot: stored.shot,
            attempt: stored.attempt,
            at_ns: stored.facts.sensor_timestamp_ns,
            luma_crc32c: measured.luma_crc32c,
        });
        if last.len() > REMEMBERED {
            last.pop_front();
        }
    }

    fn same(&self, camera: u16, luma_crc32c: u32) -> impl DoubleEndedIterator<Item = &Taken> {
        self.0.get(&camera).into_iter().flatten().filter(move |other| other.luma_crc32c == luma_crc32c)
    }
}
