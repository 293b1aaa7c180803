//! Vectors, rotations and chance.

use scanner_pixels::random::hash;

pub type V = [f64; 3];
/// Rows.
pub type M = [V; 3];

pub fn dot(a: V, b: V) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
pub fn add(a: V, b: V) -> V {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}
pub fn scale(a: V, by: f64) -> V {
    a.map(|part| part * by)
}
pub fn sub(a: V, b: V) -> V {
    add(a, scale(b, -1.0))
}
pub fn cross(a: V, b: V) -> V {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
pub fn unit(a: V) -> V {
    scale(a, dot(a, a).sqrt().recip())
}
pub fn apply(m: &M, v: V) -> V {
    m.map(|row| dot(row, v))
}
pub fn transposed(m: &M) -> M {
    [0, 1, 2].map(|row| [m[0][row], m[1][row], m[2][row]])
}
pub fn times(a: &M, b: &M) -> M {
    let b = transposed(b);
    a.map(|row| [dot(row, b[0]), dot(row, b[1]), dot(row, b[2])])
}
/// The rotation about `axis` by its length in degrees.
pub fn turn(axis: V) -> M {
    let angle = dot(axis, axis).sqrt();
    if angle == 0.0 {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let [x, y, z] = scale(axis, 1.0 / angle);
    let (s, c) = angle.to_radians().sin_cos();
    let d = 1.0 - c;
    [
        [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
        [y * x * d + z * s, c + y * y * d, y * z * d - x * s],
        [z * x * d - y * s, z * y * d + x * s, c + z * z * d],
    ]
}

/// Numbers that look random.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// From 0 to 1.
    pub fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (hash(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }
    pub fn within(&mut self, most: f64) -> f64 {
        (self.part() * 2.0 - 1.0) * most
    }
    pub fn vector(&mut self, most: f64) -> V {
        [self.within(most), self.within(most), self.within(most)]
    }
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.part().max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * self.part()).cos()
    }
}
