//! What is left of a grid, cut out of it and made fit for a surface that closes.

use fast_surface_nets::SignedDistance;

use crate::carve::Carver;

/// The levels of the voxels around what is left, with at least one outside at each border.
pub(crate) struct Solid {
    pub(crate) size: [usize; 3],
    /// The carver's voxel that the first one of these is.
    pub(crate) first: [usize; 3],
    pub(crate) levels: Vec<Level>,
}

/// Steps from the surface; inside from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(pub(crate) i8);

impl Level {
    const fn is_inside(self) -> bool {
        self.0 >= 0
    }
}

impl From<Level> for f32 {
    fn from(level: Level) -> Self {
        // Signed distances are less than 0 inside.
        -(Self::from(level.0) + 0.5)
    }
}

impl SignedDistance for Level {
    fn is_negative(self) -> bool {
        self.is_inside()
    }
}

impl Solid {
    /// What is left of `carver`; none if nothing is.
    pub(crate) fn of(carver: &Carver) -> Option<Self> {
        let [columns, rows, _] = carver.size;
        let (mut first, mut last) = ([usize::MAX; 3], [0; 3]);
        for (index, _) in carver.levels.iter().enumerate().filter(|(_, level)| **level >= 0) {
            let at = [index % columns, index / columns % rows, index / columns / rows];
            for axis in 0..3 {
                first[axis] = first[axis].min(at[axis]);
                last[axis] = last[axis].max(at[axis]);
            }
        }
        if last[0] == 0 {
            return None;
        }
        // The grid's own borders are outside, so there is always one more.
        let first = first.map(|at| at - 1);
        let size: [usize; 3] = std::array::from_fn(|axis| last[axis] + 2 - first[axis]);
        let mut levels = Vec::with_capacity(size.into_iter().product());
        for z in first[2]..first[2] + size[2] {
            for y in first[1]..first[1] + size[1] {
                let start = (z * rows + y) * columns + first[0];
                levels.extend(carver.levels[start..start + size[0]].iter().map(|level| Level(*level)));
            }
        }
        let mut solid = Self { size, first, levels };
        while solid.fill_crossings() {}
        Some(solid)
    }

    /// Where two voxels touch at an edge alone, four faces would meet there: the better of the two beside them is filled.
    /// Whether there was any such place.
    fn fill_crossings(&mut self) -> bool {
        let [columns, rows, layers] = self.size;
        let along = [1, columns, columns * rows];
        let mut found = false;
        for z in 0..layers - 1 {
            for y in 0..rows - 1 {
                for x in 0..columns - 1 {
                    let at = (z * rows + y) * columns + x;
                    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                        let corners = [at, at + along[a], at + along[b], at + along[a] + along[b]];
                        let inside = corners.map(|corner| self.levels[corner].is_inside());
                        let filled = match inside {
                            [true, false, false, true] => [corners[1], corners[2]],
                            [false, true, true, false] => [corners[0], corners[3]],
                            _ => continue,
                        };
                        let [one, other] = filled;
                        let better = if self.levels[one].0 >= self.levels[other].0 { one } else { other };
                        self.levels[better] = Level(0);
                        found = true;
                    }
                }
            }
        }
        found
    }
}
