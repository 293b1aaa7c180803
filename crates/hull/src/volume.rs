//! The part of space in which the object can be.

use scanner_pixels::Area;
use scanner_pixels::sight::{Sight, Vec3};

use crate::vector::{dot, in_camera, in_picture, length, minus, plus};

/// Cells along each side of the space that is searched for what the cameras see in common.
const CELLS: usize = 32;
/// What a camera sees farther away than this is not what it looks at but what is behind that: as a part of the way to the
/// turntable's axis.
const BEHIND: f64 = 1.3;
/// A cell counts if it is in this part of those pictures that show the best-seen cell of its height.
const IN_COMMON: f64 = 0.5;
/// A height counts if its best-seen cell is in this part of those pictures that show the best-seen one of all: a camera on a lift
/// shows each height to few.
const HEIGHT: f64 = 0.3;
/// No more cameras than this are asked: those of a ring tell much the same.
const ASKED: usize = 96;
/// How far the search goes, as a part of the way from what the cameras look at to the nearest of them.
const REACH: f64 = 0.9;

/// The part of space in which the object can be: a box, and in it the cells that enough cameras see.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    pub(crate) from: Vec3,
    pub(crate) to: Vec3,
    common: Option<Common>,
}

#[derive(Debug, Clone, PartialEq)]
struct Common {
    origin: Vec3,
    cell: f64,
    /// Of each cell along x first: how many cameras see it, as a part of enough.
    shares: Vec<f32>,
}

impl Volume {
    /// The box between two corners, all of which counts. What is below the table does not.
    pub fn between(from: Vec3, to: Vec3) -> Self {
        Self { from: [from[0], from[1], from[2].max(0.0)], to, common: None }
    }

    /// What these cameras see in common, above the table; none without a camera, or if they look at nothing above it.
    pub fn seen_by(sights: &[Sight]) -> Option<Self> {
        let looks: Vec<Looking<'_>> = sights.iter().map(Looking::of).collect();
        let target = target(&looks)?;
        let reach =
            sights.iter().map(|sight| length(minus(sight.centre, target))).fold(f64::INFINITY, f64::min);
        let half = reach * REACH;
        if !(half.is_finite() && half > 0.0) {
            return None;
        }
        let cell = 2.0 * half / CELLS as f64;
        let origin = [target[0] - half, target[1] - half, (target[2] - half).max(0.0)];
        let asked: Vec<&Looking<'_>> = looks.iter().step_by(looks.len().div_ceil(ASKED)).collect();
        let count = |index: usize| {
            let at = cell_of(index);
            let middle = std::array::from_fn(|axis| origin[axis] + (at[axis] as f64 + 0.5) * cell);
            asked.iter().filter(|look| look.shows(middle)).count()
        };
        let counts: Vec<usize> = (0..CELLS.pow(3)).map(count).collect();
        let most = counts.iter().copied().max().filter(|most| *most > 0)? as f64;
        let shares: Vec<f32> = counts
            .chunks_exact(CELLS.pow(2))
            .flat_map(|height| {
                let at_height = height.iter().copied().max().unwrap_or(0) as f64;
                let enough = if at_height >= HEIGHT * most { IN_COMMON * at_height } else { f64::INFINITY };
                height.iter().map(move |count| (*count as f64 / enough) as f32)
            })
            .collect();
        let (mut from, mut to) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for index in (0..shares.len()).filter(|index| shares[*index] >= 1.0) {
            let at = cell_of(index);
            for axis in 0..3 {
                from[axis] = from[axis].min(origin[axis] + (at[axis] as f64 - 0.5) * cell);
                to[axis] = to[axis].max(origin[axis] + (at[axis] as f64 + 1.5) * cell);
            }
        }
        Some(Self {
            from: [from[0], from[1], from[2].max(0.0)],
            to,
            common: Some(Common { origin, cell, shares }),
        })
    }

    /// The same without what is outside of the box between these corners.
    pub(crate) fn within(&self, from: Vec3, to: Vec3) -> Self {
        Self {
            from: std::array::from_fn(|axis| self.from[axis].max(from[axis])),
            to: std::array::from_fn(|axis| self.to[axis].min(to[axis])),
            common: self.common.clone(),
        }
    }

    /// Its longest side, in millimetres.
    pub fn longest_side(&self) -> f64 {
        (0..3).map(|axis| self.to[axis] - self.from[axis]).fold(0.0, f64::max)
    }

    /// Whether enough cameras see `point`, which is in the box.
    pub(crate) fn is_common(&self, point: Vec3) -> bool {
        let Some(Common { origin, cell, shares }) = &self.common else { return true };
        let (mut first, mut part) = ([0; 3], [0.0; 3]);
        for axis in 0..3 {
            // Between the middles of cells.
            let at = ((point[axis] - origin[axis]) / cell - 0.5).clamp(0.0, (CELLS - 1) as f64);
            first[axis] = (at as usize).min(CELLS - 2);
            part[axis] = (at - first[axis] as f64) as f32;
        }
        let corner = |number: usize| {
            let (mut index, mut weight) = (0, 1.0);
            for axis in (0..3).rev() {
                let beyond = number >> axis & 1;
                index = index * CELLS + first[axis] + beyond;
                weight *= if beyond == 1 { part[axis] } else { 1.0 - part[axis] };
            }
            weight * shares[index]
        };
        (0..8).map(corner).sum::<f32>() >= 1.0
    }
}

fn cell_of(index: usize) -> [usize; 3] {
    [index % CELLS, index / CELLS % CELLS, index / CELLS / CELLS]
}

/// A camera, and how far away is what it looks at.
struct Looking<'a> {
    sight: &'a Sight,
    away: f64,
}

impl<'a> Looking<'a> {
    /// It looks at the turntable's axis, or straight down at the table.
    fn of(sight: &'a Sight) -> Self {
        let (forward, centre) = (sight.rotation[2], sight.centre);
        let level = forward[0].powi(2) + forward[1].powi(2);
        let away = if level > 1e-3 {
            -(forward[0] * centre[0] + forward[1] * centre[1]) / level
        } else {
            -centre[2] / forward[2]
        };
        Self { sight, away: away.max(0.0) }
    }

    fn shows(&self, point: Vec3) -> bool {
        let seen = in_camera(self.sight, point);
        let Some([u, v]) = in_picture(self.sight, seen) else { return false };
        let Area { width, height } = self.sight.area;
        seen[2] <= BEHIND * self.away && (0.0..width as f64).contains(&u) && (0.0..height as f64).contains(&v)
    }
}

/// The middle of what the cameras look at; none without a camera.
fn target(looks: &[Looking<'_>]) -> Option<Vec3> {
    let mut sum = [0.0; 3];
    for Looking { sight, away } in looks {
        let point = plus(sight.centre, sight.rotation[2], *away);
        sum = plus(sum, point, (looks.len() as f64).recip());
    }
    let target = [sum[0], sum[1], sum[2].max(0.0)];
    (!looks.is_empty() && dot(target, target).is_finite()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(turn: f64, height: f64) -> Sight {
        let (sin, cos) = turn.sin_cos();
        Sight {
            area: Area { width: 640, height: 480 },
            centre: [300.0 * cos, 300.0 * sin, height],
            rotation: [[-sin, cos, 0.0], [0.0, 0.0, -1.0], [-cos, -sin, 0.0]],
            focal: [640.0; 2],
            middle: [320.0, 240.0],
        }
    }

    #[test]
    fn cameras_around_the_axis_see_in_common_what_stands_at_it() {
        let sights: Vec<Sight> =
            (0..12).map(|n| level(f64::from(n) * std::f64::consts::FRAC_PI_6, 60.0)).collect();
        let volume = Volume::seen_by(&sights).unwrap();
        assert!(volume.from[2] == 0.0 && volume.to[2] > 120.0 && volume.to[2] < 260.0, "{:?}", volume.to);
        for axis in 0..2 {
            assert!((-190.0..-90.0).contains(&volume.from[axis]), "{:?}", volume.from);
            assert!((90.0..190.0).contains(&volume.to[axis]), "{:?}", volume.to);
        }
        assert!(volume.is_common([0.0, 0.0, 1.0]) && volume.is_common([60.0, -60.0, 60.0]));
        assert!(!volume.is_common([0.0, 0.0, 259.0]));
    }

    #[test]
    fn rings_at_several_heights_see_all_heights() {
        let sights: Vec<Sight> = (0..48)
            .map(|n| level(f64::from(n) * std::f64::consts::FRAC_PI_6, f64::from(n / 12) * 80.0 + 40.0))
            .collect();
        let volume = Volume::seen_by(&sights).unwrap();
        assert!(
            (1..33).all(|height| volume.is_common([0.0, 0.0, f64::from(height) * 10.0])),
            "{:?}",
            volume.to
        );
    }

    #[test]
    fn no_camera_sees_nothing() {
        assert_eq!(Volume::seen_by(&[]), None);
    }
}
