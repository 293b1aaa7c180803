//! A grid of voxels, carved by one silhouette at a time.

use scanner_pixels::sight::{Sight, Vec3};

use crate::outline::Outline;
use crate::vector::{in_camera, in_picture, plus, resized};
use crate::volume::Volume;

/// Levels to the side of a voxel.
const STEPS: f32 = 32.0;
/// The lowest level: a voxel that is carved for good, as what comes later only lowers it.
const NOTHING: i8 = i8::MIN;
/// So many voxels from the edge a level is the highest or the lowest.
const REACH: f64 = 4.0;
/// Voxels along a side of a block, which is looked at as a whole first.
const BLOCK: usize = 8;
/// Bytes that a voxel takes, at most, until there is a mesh: its level, its copy for the mesh, and where its vertex is.
const BYTES_A_VOXEL: usize = 6;

/// How fine a grid may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Memory for the grid and what is made of it, in bytes.
    pub memory: usize,
    /// Voxels along its longest side, at most: more make a model larger than a page wants to load.
    pub side: usize,
}

impl Bound {
    /// For a model that is looked at: at most 128 voxels along a side, and 16 MiB.
    pub const PREVIEW: Self = Self { memory: 16 << 20, side: 128 };
}

/// A grid of voxels over a volume, each with its distance to the surface of what is left: the least that any silhouette said.
/// So the order of the silhouettes does not matter.
#[derive(Debug, Clone)]
pub struct Carver {
    pub(crate) volume: Volume,
    /// Voxels along x, y, z; those at the borders are outside.
    pub(crate) size: [usize; 3],
    /// The length of a voxel's side, in millimetres.
    pub(crate) voxel: f64,
    /// Of each voxel, along x first: steps from the surface, below 0 outside. Half a step more is meant, so that none is 0.
    pub(crate) levels: Vec<i8>,
    carved_by: usize,
}

impl Carver {
    /// A grid over `volume` as fine as `bound` allows.
    pub fn new(volume: Volume, bound: Bound) -> Self {
        let sides: Vec3 = std::array::from_fn(|axis| (volume.to[axis] - volume.from[axis]).max(1e-3));
        let longest = sides.into_iter().fold(0.0, f64::max);
        let mut voxel = longest / bound.side.max(BLOCK) as f64;
        let size = |voxel: f64| sides.map(|side| (side / voxel - 1e-6).ceil() as usize + 2);
        let bytes = |voxel: f64| size(voxel).into_iter().product::<usize>() * BYTES_A_VOXEL;
        while bytes(voxel) > bound.memory && voxel < longest {
            voxel *= 1.02;
        }
        let size = size(voxel);
        let mut carver = Self { volume, size, voxel, levels: Vec::new(), carved_by: 0 };
        carver.levels = (0..size.into_iter().product()).map(|index| carver.untouched(index)).collect();
        carver
    }

    /// Where the first voxel's middle is: half a voxel outside of the volume.
    pub(crate) fn origin(&self) -> Vec3 {
        self.volume.from.map(|from| from - self.voxel / 2.0)
    }

    /// The length of a voxel's side, in millimetres.
    pub fn voxel(&self) -> f64 {
        self.voxel
    }

    /// How many voxels there are.
    pub fn voxels(&self) -> usize {
        self.levels.len()
    }

    /// By how many silhouettes it was carved.
    pub fn carved_by(&self) -> usize {
        self.carved_by
    }

    /// Whether what is left has the voxel that `point` is in.
    pub fn has(&self, point: Vec3) -> bool {
        let origin = self.origin();
        let mut index = 0;
        for axis in (0..3).rev() {
            let at = ((point[axis] - origin[axis]) / self.voxel).round();
            if !(0.0..self.size[axis] as f64).contains(&at) {
                return false;
            }
            index = index * self.size[axis] + at as usize;
        }
        self.levels[index] >= 0
    }

    /// Cuts away what `outline`, which a camera with this sight saw, shows beside the object. The outline may be of a smaller
    /// picture. What the picture does not show stays.
    pub fn carve(&mut self, sight: &Sight, outline: &Outline) {
        let view = View::new(sight, outline, self.voxel);
        let origin = self.origin();
        let [columns, rows, layers] = self.size;
        for first_z in (0..layers).step_by(BLOCK) {
            for first_y in (0..rows).step_by(BLOCK) {
                for first_x in (0..columns).step_by(BLOCK) {
                    let first = [first_x, first_y, first_z];
                    let last = std::array::from_fn(|axis| (first[axis] + BLOCK).min(self.size[axis]));
                    match view.of_block(origin, first, last) {
                        Block::Inside => {}
                        Block::Outside => self.rows_of(first, last, |row, _| row.fill(NOTHING)),
                        Block::Edge => self.rows_of(first, last, |row, start| view.lower(row, origin, start)),
                    }
                }
            }
        }
        self.carved_by += 1;
    }

    /// The level of a voxel that no silhouette has said anything of.
    fn untouched(&self, index: usize) -> i8 {
        let [columns, rows, _] = self.size;
        let at = [index % columns, index / columns % rows, index / columns / rows];
        let inside = |axis: usize| at[axis].min(self.size[axis] - 1 - at[axis]) as f32 - 0.5;
        let middle = plus(self.origin(), at.map(|at| at as f64), self.voxel);
        let is_wall = (0..3).any(|axis| at[axis] == 0 || at[axis] + 1 == self.size[axis]);
        if is_wall || self.volume.is_common(middle) {
            level(inside(0).min(inside(1)).min(inside(2)))
        } else {
            NOTHING
        }
    }

    /// Each row of a block along x, with the voxel at which it starts.
    fn rows_of(&mut self, first: [usize; 3], last: [usize; 3], mut on: impl FnMut(&mut [i8], [usize; 3])) {
        let [columns, rows, _] = self.size;
        for z in first[2]..last[2] {
            for y in first[1]..last[1] {
                let start = (z * rows + y) * columns;
                on(&mut self.levels[start + first[0]..start + last[0]], [first[0], y, z]);
            }
        }
    }
}

fn level(voxels: f32) -> i8 {
    // Beyond the ends it is the last level.
    (voxels * STEPS).floor() as i8
}

/// What a silhouette says of a block.
enum Block {
    /// It is so far inside, or out of the picture, that nothing changes.
    Inside,
    Outside,
    Edge,
}

/// A silhouette, as the carver looks at it.
struct View<'a> {
    sight: Sight,
    outline: &'a Outline,
    voxel: f64,
    /// The mean of both focal lengths, in pixels.
    focal: f64,
}

impl<'a> View<'a> {
    fn new(sight: &Sight, outline: &'a Outline, voxel: f64) -> Self {
        let sight = resized(sight, outline.area);
        Self { sight, outline, voxel, focal: f64::midpoint(sight.focal[0], sight.focal[1]) }
    }

    /// Of the block of voxels from `first` to before `last`.
    fn of_block(&self, origin: Vec3, first: [usize; 3], last: [usize; 3]) -> Block {
        let middle = std::array::from_fn(|axis| {
            origin[axis] + (first[axis] + last[axis] - 1) as f64 / 2.0 * self.voxel
        });
        let seen = in_camera(&self.sight, middle);
        let radius = 3.0_f64.sqrt() / 2.0 * (BLOCK - 1) as f64 * self.voxel;
        let nearest = seen[2] - radius;
        if seen[2] + radius <= 0.0 {
            return Block::Inside;
        }
        let Some([u, v]) = in_picture(&self.sight, seen).filter(|_| nearest > radius) else {
            return Block::Edge;
        };
        let longest = self.sight.focal[0].max(self.sight.focal[1]);
        let aslant = (1.0 + (seen[0].powi(2) + seen[1].powi(2)) / seen[2].powi(2)).sqrt();
        // No voxel's middle is seen farther than this from the block's.
        let pixels = longest * radius / nearest * aslant * 1.05 + 2.0;
        let (width, height) = (self.outline.area.width as f64, self.outline.area.height as f64);
        if u + pixels < 0.0 || v + pixels < 0.0 || u - pixels >= width || v - pixels >= height {
            return Block::Inside;
        }
        let is_whole = u - pixels > 0.0 && v - pixels > 0.0 && u + pixels < width && v + pixels < height;
        let Some(away) = self.outline.at(u as f32, v as f32).filter(|_| is_whole) else { return Block::Edge };
        let reach = REACH * self.voxel * longest / nearest;
        // Distances change by a pixel from one to the next at most, and by half a one more at the edge.
        let (away, most) = (f64::from(away), pixels * 1.05 + 1.0 + reach);
        if away >= most {
            Block::Inside
        } else if away <= -most {
            Block::Outside
        } else {
            Block::Edge
        }
    }

    /// Lowers the levels of a row of voxels along x from `start` on.
    #[inline]
    fn lower(&self, row: &mut [i8], origin: Vec3, start: [usize; 3]) {
        let first = in_camera(&self.sight, plus(origin, start.map(|at| at as f64), self.voxel));
        let step = self.sight.rotation.map(|row| (row[0] * self.voxel) as f32);
        let first = first.map(|component| component as f32);
        let [focal_x, focal_y] = self.sight.focal.map(|focal| focal as f32);
        let [middle_x, middle_y] = self.sight.middle.map(|middle| middle as f32);
        let per_pixel = (self.focal * self.voxel).recip() as f32;
        for (number, old) in row.iter_mut().enumerate() {
            if *old == NOTHING {
                continue;
            }
            let number = number as f32;
            let [x, y, depth] = [0, 1, 2].map(|axis: usize| first[axis] + step[axis] * number);
            if depth <= 1e-3 {
                continue;
            }
            let per_depth = depth.recip();
            let (u, v) = (focal_x * x * per_depth + middle_x, focal_y * y * per_depth + middle_y);
            if let Some(away) = self.outline.at(u, v) {
                *old = (*old).min(level(away * depth * per_pixel));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scanner_pixels::Area;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_block_as_a_whole_is_what_its_voxels_are_one_by_one(
            heading in 0.0..std::f64::consts::TAU, elevation in -0.3..1.57_f64, away in 40.0..400.0, focal in 60.0..400.0, radius in 2.0..60.0,
            aside in -40.0..40.0_f64,
        ) {
            let ((sin, cos), (up, level)) = (f64::sin_cos(heading), f64::sin_cos(elevation));
            let area = Area { width: 120, height: 90 };
            let sight = Sight {
                area,
                centre: [cos * level * away, sin * level * away, 40.0 + up * away],
                rotation: [[-sin, cos, 0.0], [cos * up, sin * up, -level], [-cos * level, -sin * level, -up]],
                focal: [focal, focal * 1.1],
                middle: [60.0, 45.0],
            };
            let mask: Vec<u8> = (0..area.pixels()).map(|at| {
                let (x, y) = ((at % 120) as f64 - 60.0 - aside, (at / 120) as f64 - 45.0);
                if x.hypot(y) <= radius { 255 } else { 0 }
            }).collect();
            let Some(outline) = Outline::of(area, &mask) else { return Ok(()) };
            let volume = Volume::between([-50.0, -50.0, 0.0], [50.0, 50.0, 80.0]);
            let mut carver = Carver::new(volume, Bound { memory: 1 << 20, side: 40 });
            let mut one_by_one = carver.clone();
            carver.carve(&sight, &outline);
            let view = View::new(&sight, &outline, carver.voxel);
            let (origin, size) = (carver.origin(), carver.size);
            one_by_one.rows_of([0; 3], size, |row, start| view.lower(row, origin, start));
            let (both, all) = (carver.levels.iter().zip(&one_by_one.levels), carver.levels.len());
            // A row that is begun elsewhere may be rounded otherwise, by a step; and a voxel that is seen on the border of two pixels may
            // be seen on the other one. A block of which the wrong thing is said has hundreds.
            let differing = both.clone().filter(|(a, b)| a != b).count();
            let far = both.filter(|(a, b)| a.abs_diff(**b) > 1).count();
            prop_assert!(far * 10_000 <= all && differing * 50 <= all, "{far} and {differing} of {all}");
        }
    }
}
