//! A solid texture: random values throughout space, at any scale.

use crate::random::hash;

/// Cells of the lattice along each side; it repeats beyond, but octaves of different scales together do not.
const SIDE: usize = 32;
/// Makes coordinates positive, for which rounding down is but a conversion.
const BIAS: f32 = 2048.0;

/// Random values at the corners of a lattice, smooth between them.
#[derive(Debug)]
pub(super) struct Noise {
    values: Box<[f32; SIDE * SIDE * SIDE]>,
}

impl Noise {
    /// The one of `seed`.
    pub(super) fn new(seed: u64) -> Self {
        let value = |index| (hash(seed ^ index as u64) >> 40) as f32 / (1 << 24) as f32;
        Self { values: Box::new(std::array::from_fn(value)) }
    }

    /// The value at `point`, from 0 to 1; cells are 1 wide. Takes points within [`BIAS`] of the origin.
    #[inline]
    pub(super) fn at(&self, point: [f32; 3]) -> f32 {
        let biased = point.map(|coordinate| coordinate + BIAS);
        let cell = biased.map(|coordinate| coordinate as i32);
        let [x, y, z] = cell.map(|coordinate| coordinate as usize % SIDE);
        let [fx, fy, fz] = std::array::from_fn(|axis| {
            let part = biased[axis] - cell[axis] as f32;
            part * part * (3.0 - 2.0 * part)
        });
        let (x1, y1, z1) = ((x + 1) % SIDE, (y + 1) % SIDE, (z + 1) % SIDE);
        let value = |x: usize, y: usize, z: usize| self.values[(z * SIDE + y) * SIDE + x];
        let row = |y: usize, z: usize| mix(value(x, y, z), value(x1, y, z), fx);
        let slice = |z: usize| mix(row(y, z), row(y1, z), fy);
        mix(slice(z), slice(z1), fz)
    }
}

/// From `a` to `b` as `part` goes from 0 to 1.
#[inline]
pub(super) fn mix(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}

/// 0 below `from`, 1 above `to`, smooth between.
#[inline]
pub(super) fn step(from: f32, to: f32, value: f32) -> f32 {
    let part = ((value - from) * (1.0 / (to - from))).clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_continuous_and_spread_and_the_same_again() {
        let noise = Noise::new(1);
        let mut total = 0.0;
        for index in -500..500_i16 {
            let x = f32::from(index) * 3.07;
            let value = noise.at([x, x * 0.3 + 0.1, -x]);
            assert!((0.0..=1.0).contains(&value));
            assert!((value - noise.at([x + 1e-3, x * 0.3 + 0.1, -x])).abs() < 5e-3, "at {x}");
            total += value;
        }
        assert!((total / 1000.0 - 0.5).abs() < 0.05);
        assert!((Noise::new(1).at([3.3, 1.2, 9.9]) - noise.at([3.3, 1.2, 9.9])).abs() < 1e-6);
    }
}
