//! Where an image shows the object: in the tiles that are not as bright as those of the empty rig, seen from the same place.
//!
//! Detail and light of those tiles alone are compared then: a busy background, which is as sharp as ever when the object is
//! not, would hide it.

use std::collections::BTreeMap;

use scanner_pixels::tiles::{COLUMNS, ROWS, TILES};

use crate::plan::ShotIndex;

use super::measured::{Luma, Measured, TileDetail, detail_of};
use super::record::FrameFacts;

/// Mean luma of a tile differs by more than this where something else is in it.
const DIFFERENT: u8 = 8;
/// Fewer tiles tell nothing of the object.
const FEWEST: usize = 2;
/// A background with less than this part of a tile's detail does not count in it.
const PLAIN: f64 = 0.25;
/// Where more tiles differ, it is the light that differs, or the rig.
const MOST: usize = TILES * 3 / 4;
/// Factor between the exposures of two images from which on their luma cannot be compared.
const OTHER_EXPOSURE: f64 = 1.1;

/// The images of the empty rig from where the shots of a scan are taken.
#[derive(Debug, Clone, Default)]
pub struct References(BTreeMap<ShotIndex, Empty>);

/// What the empty rig looks like.
#[derive(Debug, Clone)]
struct Empty {
    luma: Luma,
    detail: TileDetail,
    /// Exposure times gain; none if the camera does not say.
    light: Option<f64>,
}

/// A few of the tiles of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles(u64);

/// Where an image shows the object, and how much detail there is, with it and without.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// At least a part of each shows it.
    tiles: Tiles,
    detail: TileDetail,
    empty: TileDetail,
}

impl References {
    /// Those that show with these facts what is behind the object of each shot.
    pub fn new<'a>(empty: impl IntoIterator<Item = (ShotIndex, &'a FrameFacts)>) -> Self {
        let empty = empty.into_iter().filter_map(|(shot, facts)| {
            let measured = facts.measured.as_deref()?;
            let detail = **measured.tiles.as_ref()?;
            Some((shot, Empty { luma: measured.luma, detail, light: light(facts) }))
        });
        Self(empty.collect())
    }

    /// Whether there is one for an image with these facts, but with other settings.
    pub(super) fn has_other_settings(&self, shot: ShotIndex, facts: &FrameFacts) -> bool {
        self.0.get(&shot).is_some_and(|empty| !empty.is_alike(facts))
    }

    /// Where an image shows the object; none if that cannot be told.
    pub(super) fn object(&self, shot: ShotIndex, facts: &FrameFacts) -> Option<Object> {
        let empty = self.0.get(&shot).filter(|empty| empty.is_alike(facts))?;
        Object::of(facts.measured.as_deref()?, empty)
    }
}

impl Empty {
    fn is_alike(&self, facts: &FrameFacts) -> bool {
        self.light
            .zip(light(facts))
            .is_none_or(|(empty, image)| (OTHER_EXPOSURE.recip()..=OTHER_EXPOSURE).contains(&(image / empty)))
    }
}

fn light(facts: &FrameFacts) -> Option<f64> {
    Some(facts.exposure.get() * facts.gain).filter(|light| *light > 0.0)
}

impl Object {
    fn of(measured: &Measured, empty: &Empty) -> Option<Self> {
        let differ = |tile: &usize| measured.luma.0[*tile].abs_diff(empty.luma.0[*tile]) > DIFFERENT;
        let tiles = Tiles::of((0..TILES).filter(differ));
        let detail = **measured.tiles.as_ref()?;
        (FEWEST..=MOST).contains(&tiles.count()).then_some(Self { tiles, detail, empty: empty.detail })
    }

    /// How many tiles show it.
    pub(super) fn count(&self) -> u32 {
        self.tiles.0.count_ones()
    }

    /// The tiles in which both images show it.
    pub(super) fn shared(&self, other: &Self) -> Tiles {
        Tiles(self.tiles.0 & other.tiles.0)
    }

    /// Detail of it, and of `good`, an image in which it is sharp, in the same tiles; none if they show too little of it.
    pub(super) fn details_beside(&self, good: &Self) -> Option<([f64; 4], [f64; 4])> {
        let shared = self.shared(good);
        // A tile at its edge has the detail of the background as well, which may be none to speak of.
        let inside = shared.inside();
        let sum = |detail: &TileDetail, tile| detail.of(tile).iter().sum::<f64>();
        let judged = |tile: &usize| {
            let plain = || sum(&good.empty, *tile) < PLAIN * sum(&good.detail, *tile);
            inside.has(*tile) || (shared.has(*tile) && plain())
        };
        let judged = Tiles::of((0..TILES).filter(judged));
        let detail =
            |of: &TileDetail| detail_of((0..TILES).filter(|tile| judged.has(*tile)).map(|tile| of.of(tile)));
        (judged.count() >= FEWEST).then(|| (detail(&self.detail), detail(&good.detail)))
    }
}

impl Tiles {
    fn of(tiles: impl Iterator<Item = usize>) -> Self {
        Self(tiles.fold(0, |all, tile| all | 1 << tile))
    }

    pub(super) fn has(self, tile: usize) -> bool {
        self.0 >> tile & 1 == 1
    }

    fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Those with none beside them that is not one of them. What is beyond the picture is not beside them.
    fn inside(self) -> Self {
        let is_inside = |tile: &usize| {
            let (row, column) = (tile / COLUMNS, tile % COLUMNS);
            let rows = row.saturating_sub(1)..=(row + 1).min(ROWS - 1);
            let columns = column.saturating_sub(1)..=(column + 1).min(COLUMNS - 1);
            rows.map(|row| row * COLUMNS + column)
                .chain(columns.map(|column| row * COLUMNS + column))
                .all(|beside| self.has(beside))
        };
        Self::of((0..TILES).filter(is_inside))
    }
}
