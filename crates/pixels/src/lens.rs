//! Pictures through a lens that bends lines, out of finer ones through a lens that does not.

use crate::Area;
use crate::picture::Picture;
use crate::sight::Sight;

/// Steps to what a lens bends to a point: each leaves less than a tenth of the error of real lenses.
const STEPS: usize = 12;

/// A lens with distortion, and how finely its picture is rendered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// Where it looks from and to, and the size of its pictures.
    sight: Sight,
    /// k1, k2, p1 and p2 as `OpenCV` has them.
    distortion: [f64; 4],
    /// So many samples across and down make a pixel.
    samples: usize,
    /// What there is in the fine picture left of and above what an undistorted picture shows, in pixels of the lens.
    margin: [f64; 2],
    fine: Area,
}

impl Lens {
    /// A lens of which each pixel is the mean of `samples` by `samples` (> 0) points.
    pub fn new(sight: Sight, distortion: [f64; 4], samples: usize) -> Self {
        let mut lens = Self { sight, distortion, samples, margin: [0.0; 2], fine: sight.area };
        // What it shows farthest out is at its edges.
        let (width, height) = (sight.area.width as f64, sight.area.height as f64);
        let (mut low, mut high) = ([0.0_f64; 2], [width, height]);
        for step in 0..=32 {
            let part = f64::from(step) / 32.0;
            for (u, v) in
                [(part * width, 0.0), (part * width, height), (0.0, part * height), (width, part * height)]
            {
                let seen = lens.straight(u, v);
                for axis in 0..2 {
                    low[axis] = low[axis].min(seen[axis]);
                    high[axis] = high[axis].max(seen[axis]);
                }
            }
        }
        lens.margin = low.map(|low| -low.floor() + 1.0);
        let side = |axis: usize| ((high[axis] - low[axis]).ceil() as usize + 3) * samples;
        lens.fine = Area { width: side(0), height: side(1) };
        lens
    }

    /// What is to be rendered: without distortion, with more pixels, and more around it.
    pub fn fine(&self) -> Sight {
        let samples = self.samples as f64;
        let Sight { area: _, centre, rotation, focal, middle } = self.sight;
        Sight {
            area: self.fine,
            centre,
            rotation,
            focal: focal.map(|focal| focal * samples),
            middle: std::array::from_fn(|axis| (middle[axis] + self.margin[axis]) * samples),
        }
    }

    /// The picture that the lens makes of what [`fine`](Self::fine) shows.
    pub fn picture(&self, fine: &Picture) -> Picture {
        let Area { width, height } = self.sight.area;
        let chroma = self.sight.area.chroma();
        let mut picture = Picture::plain(self.sight.area, 0, 128, 128);
        let (fine_width, fine_chroma) = (fine.area.width, fine.area.chroma().width);
        let step = (self.samples as f64).recip();
        let mut places = Vec::with_capacity(self.samples * self.samples);
        // Corners of pixels, each of which is of two rows: finding them is most of the work.
        let corners = |row: usize| (0..=width).map(move |column| self.straight(column as f64, row as f64));
        let mut below: Vec<_> = corners(0).collect();
        for row in 0..height {
            let above = std::mem::replace(&mut below, corners(row + 1).collect());
            for column in 0..width {
                // Within a pixel, a lens is as good as linear.
                let (corner, right, below) = (above[column], above[column + 1], below[column]);
                places.clear();
                for number in 0..self.samples * self.samples {
                    let across = ((number % self.samples) as f64 + 0.5) * step;
                    let down = ((number / self.samples) as f64 + 0.5) * step;
                    let at = |axis: usize| {
                        let straight = corner[axis]
                            + across * (right[axis] - corner[axis])
                            + down * (below[axis] - corner[axis]);
                        // A pixel's value is that of its middle.
                        (straight + self.margin[axis]) * self.samples as f64 - 0.5
                    };
                    places.push([at(0), at(1)]);
                }
                let luma: f64 = places.iter().map(|place| between(&fine.y, fine_width, *place)).sum();
                picture.y[row * width + column] = (luma / places.len() as f64 + 0.5) as u8;
                if row % 2 == 0 && column % 2 == 0 {
                    let to = row / 2 * chroma.width + column / 2;
                    // Of a colour, nobody sees half a pixel.
                    let [x, y] = corner;
                    let place = |at: f64, margin: f64| ((at + margin) * self.samples as f64 / 2.0) as usize;
                    let from = place(y, self.margin[1]) * fine_chroma + place(x, self.margin[0]);
                    (picture.u[to], picture.v[to]) = (fine.u[from], fine.v[from]);
                }
            }
        }
        picture
    }

    /// Where a lens without distortion would show what this one shows at (`u`, `v`).
    fn straight(&self, u: f64, v: f64) -> [f64; 2] {
        let [k1, k2, p1, p2] = self.distortion;
        let Sight { focal, middle, .. } = self.sight;
        let (seen_x, seen_y) = ((u - middle[0]) / focal[0], (v - middle[1]) / focal[1]);
        let (mut x, mut y) = (seen_x, seen_y);
        for _ in 0..STEPS {
            let square = x * x + y * y;
            let radial = 1.0 + square * (k1 + square * k2);
            let across = 2.0 * p1 * x * y + p2 * (square + 2.0 * x * x);
            let down = p1 * (square + 2.0 * y * y) + 2.0 * p2 * x * y;
            (x, y) = ((seen_x - across) / radial, (seen_y - down) / radial);
        }
        [x * focal[0] + middle[0], y * focal[1] + middle[1]]
    }
}

/// The value of a plane between the four pixels around `place`; nearer is not enough: small shifts would not be seen.
#[inline]
fn between(plane: &[u8], width: usize, place: [f64; 2]) -> f64 {
    let [x, y] = place.map(|part| part.max(0.0));
    let (column, row) = ((x as usize).min(width - 2), (y as usize).min(plane.len() / width - 2));
    let (right, below) = ((x - column as f64).min(1.0), (y - row as f64).min(1.0));
    let at = |row: usize, column: usize| f64::from(plane[row * width + column]);
    let across = |row: usize| at(row, column) * (1.0 - right) + at(row, column + 1) * right;
    across(row) * (1.0 - below) + across(row + 1) * below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(distortion: [f64; 4], samples: usize) -> Lens {
        let area = Area { width: 64, height: 48 };
        let rotation = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        Lens::new(
            Sight { area, centre: [0.0; 3], rotation, focal: [60.0, 61.0], middle: [31.0, 25.0] },
            distortion,
            samples,
        )
    }

    #[test]
    fn a_lens_that_bends_nothing_shows_what_was_rendered() {
        let lens = lens([0.0; 4], 1);
        let fine = lens.fine();
        let mut rendered = Picture::plain(fine.area, 0, 128, 128);
        for (index, luma) in rendered.y.iter_mut().enumerate() {
            *luma = (index % fine.area.width * 3) as u8;
        }
        let picture = lens.picture(&rendered);
        let shift = (fine.middle[0] - 31.0).round() as usize;
        let row: Vec<_> = (0..64).map(|column| ((column + shift) * 3) as u8).collect();
        assert!(picture.y.chunks_exact(64).all(|found| found == row));
    }

    #[test]
    fn what_is_straight_is_seen_where_the_lens_bends_it_to() {
        for distortion in [[-0.12, 0.03, 0.001, -0.002], [0.1, 0.0, 0.0, 0.0]] {
            let lens = lens(distortion, 3);
            let fine = lens.fine();
            for (u, v) in [(0.0, 0.0), (64.0, 48.0), (10.3, 40.7), (31.0, 25.0)] {
                let [x, y] = lens.straight(u, v);
                let (x, y) = ((x - 31.0) / 60.0, (y - 25.0) / 61.0);
                let [k1, k2, p1, p2] = distortion;
                let square = x * x + y * y;
                let radial = 1.0 + square * (k1 + square * k2);
                let seen = [
                    31.0 + 60.0 * (x * radial + 2.0 * p1 * x * y + p2 * (square + 2.0 * x * x)),
                    25.0 + 61.0 * (y * radial + p1 * (square + 2.0 * y * y) + 2.0 * p2 * x * y),
                ];
                assert!((seen[0] - u).abs() < 1e-6 && (seen[1] - v).abs() < 1e-6, "{seen:?} {u} {v}");
                // The fine picture has it.
                let at = [0, 1].map(|axis| (lens.straight(u, v)[axis] + lens.margin[axis]) * 3.0);
                assert!(at[0] >= 0.0 && at[0] < fine.area.width as f64);
                assert!(at[1] >= 0.0 && at[1] < fine.area.height as f64);
            }
        }
    }
}
