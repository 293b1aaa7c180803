//! A mask as the distance of each pixel to the object's edge.

use scanner_pixels::Area;

/// As far as there is nothing of the kind in the whole picture.
const FAR: f32 = 1e9;

/// How far each pixel of a picture is from the object's edge, in pixels: more than 0 inside the object, which has its edge
/// pixels as a whole, less outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    pub(crate) area: Area,
    distances: Vec<f32>,
}

impl Outline {
    /// Of a mask whose pixels are inside of the object from 128 on, row by row; none if it has not `area` pixels, or none
    /// inside.
    pub fn of(area: Area, mask: &[u8]) -> Option<Self> {
        if mask.len() != area.pixels() || area.pixels() == 0 {
            return None;
        }
        let is_inside = |value: &u8| *value >= 128;
        if !mask.iter().any(is_inside) {
            return None;
        }
        let mut inside: Vec<f32> =
            mask.iter().map(|value| if is_inside(value) { FAR } else { 0.0 }).collect();
        let mut outside: Vec<f32> = inside.iter().map(|value| FAR - value).collect();
        squared_distances(area, &mut inside);
        squared_distances(area, &mut outside);
        for (inside, outside) in inside.iter_mut().zip(&outside) {
            // From the middle of a pixel to the middle of the next one of the other kind: the edge is half a pixel nearer.
            *inside = if *inside > 0.0 { inside.sqrt() - 0.5 } else { 0.5 - outside.sqrt() };
        }
        Some(Self { area, distances: inside })
    }

    /// At (`u`, `v`) of the picture, between the middles of pixels; none outside of it.
    #[inline]
    pub(crate) fn at(&self, u: f32, v: f32) -> Option<f32> {
        let Area { width, height } = self.area;
        if !(u >= 0.0 && v >= 0.0 && u < width as f32 && v < height as f32) {
            return None;
        }
        let (column, right, across) = between(u, width);
        let (row, below, down) = between(v, height);
        let (above, below) = (row * width, below * width);
        let distance = |at: usize| self.distances[at];
        let upper = distance(above + column) * (1.0 - across) + distance(above + right) * across;
        let lower = distance(below + column) * (1.0 - across) + distance(below + right) * across;
        Some(upper * (1.0 - down) + lower * down)
    }
}

/// The two pixels between whose middles `at` is, and how far it is to the second.
#[inline]
fn between(at: f32, length: usize) -> (usize, usize, f32) {
    let from = (at - 0.5).max(0.0);
    let first = (from as usize).min(length - 1);
    (first, (first + 1).min(length - 1), from - first as f32)
}

/// Squared distance of each pixel to the next that is 0: first down the columns, then along the rows, as the lower envelope of
/// parabolas (Felzenszwalb and Huttenlocher, 2012).
fn squared_distances(area: Area, values: &mut [f32]) {
    let Area { width, height } = area;
    // Down a column a distance counts up from the last 0, which goes row by row.
    for row in 1..height {
        for column in 0..width {
            let at = row * width + column;
            values[at] = values[at].min(values[at - width] + 1.0);
        }
    }
    for row in (0..height - 1).rev() {
        for column in 0..width {
            let at = row * width + column;
            values[at] = values[at].min(values[at + width] + 1.0);
        }
    }
    let mut squares = vec![0.0; width];
    let mut envelope = Envelope { places: vec![0; width], from: vec![0.0; width + 1] };
    for row in values.chunks_exact_mut(width) {
        for (square, value) in squares.iter_mut().zip(&*row) {
            *square = (value * value).min(FAR);
        }
        envelope.along(&squares, row);
    }
}

/// The parabolas that are lowest somewhere, and from where on.
struct Envelope {
    places: Vec<usize>,
    from: Vec<f32>,
}

impl Envelope {
    fn along(&mut self, squares: &[f32], row: &mut [f32]) {
        let Self { places, from } = self;
        let meet = |a: usize, b: usize| {
            let (x, y) = (a as f32, b as f32);
            ((squares[b] + y * y) - (squares[a] + x * x)) / (2.0 * (y - x))
        };
        let mut last = 0;
        places[0] = 0;
        (from[0], from[1]) = (f32::NEG_INFINITY, f32::INFINITY);
        for at in 1..squares.len() {
            let mut meeting = meet(places[last], at);
            while last > 0 && meeting <= from[last] {
                last -= 1;
                meeting = meet(places[last], at);
            }
            if meeting <= from[last] {
                // The very first one is nowhere the lowest.
                places[0] = at;
                from[1] = f32::INFINITY;
                continue;
            }
            last += 1;
            places[last] = at;
            from[last] = meeting;
            from[last + 1] = f32::INFINITY;
        }
        let mut current = 0;
        for (at, value) in row.iter_mut().enumerate() {
            while from[current + 1] < at as f32 {
                current += 1;
            }
            let away = at as f32 - places[current] as f32;
            *value = away * away + squares[places[current]];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distances_are_those_to_the_nearest_pixel_of_the_other_kind(
            width in 1_usize..14, height in 1_usize..14, seed in any::<u64>(), rare in 1_u64..9,
        ) {
            let area = Area { width, height };
            let mut state = seed | 1;
            let mask: Vec<u8> = (0..area.pixels()).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if (state >> 33) % 9 < rare { 255 } else { 0 }
            }).collect();
            let outline = Outline::of(area, &mask);
            prop_assert_eq!(outline.is_some(), mask.contains(&255));
            let Some(outline) = outline else { return Ok(()) };
            for at in 0..area.pixels() {
                let other = (0..area.pixels()).filter(|to| mask[*to] != mask[at]).map(|to| {
                    let away = |a: usize, b: usize| (a as f32 - b as f32).powi(2);
                    (away(at % width, to % width) + away(at / width, to / width)).sqrt()
                }).fold(FAR, f32::min);
                let wanted = if mask[at] == 255 { other - 0.5 } else { 0.5 - other };
                let (u, v) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
                let found = outline.at(u, v).unwrap();
                prop_assert!((found - wanted).abs() < 1e-3 || found > 1e4 && wanted > 1e4, "{} {}", found, wanted);
            }
        }
    }

    #[test]
    fn nothing_is_known_outside_of_the_picture_nor_of_a_mask_without_an_object() {
        let area = Area { width: 4, height: 3 };
        let outline = Outline::of(area, &[255; 12]).unwrap();
        assert!(outline.at(0.0, 0.0).is_some() && outline.at(3.99, 2.99).is_some());
        assert!(
            [(4.0, 1.0), (-0.01, 1.0), (1.0, 3.0), (f32::NAN, 1.0)]
                .iter()
                .all(|(u, v)| outline.at(*u, *v).is_none())
        );
        assert_eq!(Outline::of(area, &[0; 12]), None);
        assert_eq!(Outline::of(area, &[255; 11]), None);
    }
}
