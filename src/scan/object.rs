//! Where an image shows the object: in the tiles that are not as bright as those of the empty rig, seen from the same place.
//!
//! Detail and light of those tiles alone are compared then: a busy background, which is as sharp as ever when the object is
//! not, would hide it.

use std::collections::BTreeMap;

use crate::plan::ShotIndex;

use super::measured::{COLUMNS, Luma, Measured, ROWS, TILES, TileDetail, detail_of};
use super::record::FrameFacts;

/// Mean luma of a tile differs by more than this where something else is in it.
const DIFFERENT: u8 = 8;
/// Fewer tiles with the object inside tell nothing of it.
const FEWEST: usize = 2;
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
    /// Exposure times gain; none if the camera does not say.
    light: Option<f64>,
}

/// A few of the tiles of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles(u64);

/// Where an image shows the object, and how much detail it has there.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// At least a part of each shows it.
    tiles: Tiles,
    /// Of those that show nothing else, if there are some.
    pub(super) detail: [f64; 4],
}

impl References {
    /// Those that show with these facts what is behind the object of each shot.
    pub fn new<'a>(empty: impl IntoIterator<Item = (ShotIndex, &'a FrameFacts)>) -> Self {
        let empty = empty.into_iter().filter_map(|(shot, facts)| {
            let luma = facts.measured.as_deref()?.luma;
            Some((shot, Empty { luma, light: light(facts) }))
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
        let measured = facts.measured.as_deref()?;
        Object::of(measured, measured.tiles.as_deref()?, &empty.luma)
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
    fn of(measured: &Measured, detail: &TileDetail, empty: &Luma) -> Option<Self> {
        let differ = (0..TILES).filter(|tile| measured.luma.0[*tile].abs_diff(empty.0[*tile]) > DIFFERENT);
        let tiles = Tiles::of(differ);
        // At its edge, a tile shows the background as well, and has its detail.
        let inside = tiles.inside();
        let judged = if inside.count() >= FEWEST { inside } else { tiles };
        let details = (0..TILES).filter(|tile| judged.has(*tile)).map(|tile| detail.of(tile));
        (FEWEST..=MOST).contains(&tiles.count()).then(|| Self { tiles, detail: detail_of(details) })
    }

    /// How many tiles show it.
    pub(super) fn count(&self) -> u32 {
        self.tiles.0.count_ones()
    }
}

/// The tiles in which both images show the object.
pub(super) fn shared(one: &Object, other: &Object) -> Tiles {
    Tiles(one.tiles.0 & other.tiles.0)
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
