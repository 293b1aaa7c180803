//! Polynomials along a row of pixels.

use std::ops::Range;

/// `a + b x + c x²`
#[derive(Clone, Copy)]
pub(super) struct Quadratic(pub(super) f64, pub(super) f64, pub(super) f64);

impl Quadratic {
    pub(super) fn at(self, x: f64) -> f64 {
        self.0 + x * (self.1 + x * self.2)
    }

    /// Its square, if it is linear.
    pub(super) fn squared(self) -> Self {
        Self(self.0 * self.0, 2.0 * self.0 * self.1, self.1 * self.1)
    }

    pub(super) fn times(self, factor: f64) -> Self {
        Self(self.0 * factor, self.1 * factor, self.2 * factor)
    }

    pub(super) fn plus(self, other: Self, factor: f64) -> Self {
        Self(self.0 + other.0 * factor, self.1 + other.1 * factor, self.2 + other.2 * factor)
    }

    /// The same with `x` counted from `origin`.
    pub(super) fn from(self, origin: f64) -> Self {
        Self(self.at(origin), self.1 + 2.0 * self.2 * origin, self.2)
    }

    pub(super) fn single(self) -> impl Fn(f32) -> f32 {
        let (a, b, c) = (self.0 as f32, self.1 as f32, self.2 as f32);
        move |x| a + x * (b + x * c)
    }

    /// The columns of 0 to `width` in which it is positive, if that is a span between two roots.
    pub(super) fn positive(self, width: usize) -> Option<Range<usize>> {
        let discriminant = self.1 * self.1 - 4.0 * self.0 * self.2;
        if self.2 >= 0.0 || discriminant <= 0.0 {
            return None;
        }
        let root = discriminant.sqrt();
        let first = ((-self.1 + root) / (2.0 * self.2)).ceil().max(0.0);
        let last = ((-self.1 - root) / (2.0 * self.2)).floor().min(width as f64 - 1.0);
        (first <= last).then(|| first as usize..last as usize + 1)
    }
}
