//! The object in one picture.

use super::colours::{Photo, gains};
use super::difference::{self, Pair};
use super::shape::Shape;
use crate::Area;

/// Gaps and bays up to twice as wide, in pixels, are noise.
const GAP: usize = 2;
/// Specks of fewer pixels are noise.
const SPECK: usize = 6;
/// A piece is part of the object if it has this part of the picture's pixels, and this part of the largest piece's.
const PIECE: (f64, f64) = (0.0002, 0.01);
/// Larger holes, as a part of the object, are no gaps in what was found: one can look through the object there.
const HOLE: f64 = 0.02;
/// An object has at least this part of the picture, or there is none,
const LEAST: f64 = 0.0005;
/// and at most this one, or the reference shows something else.
const MOST: f64 = 0.9;

/// Why a picture has no mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// It shows nothing but the empty rig.
    Nothing,
    /// It shows nothing of the empty rig.
    Everything,
}

/// Each pixel of `shot` that shows what `reference` does not, which has the same size; `table` says where the line of sight
/// meets the table.
pub fn differs(reference: &Photo, shot: &Photo, table: &[bool]) -> Result<Vec<bool>, Blank> {
    let area = shot.area();
    let before = reference.colours(gains(reference, shot));
    let now = shot.colours([1.0; 3]);
    let contrast = difference::contrasts(area, &before);
    let noise = difference::noise(&before, &now).ok_or(Blank::Everything)?;
    Ok(Pair { area, before: &before, now: &now, noise, contrast: &contrast, table }.differs())
}

/// The object, by what each pixel says of itself.
pub fn shaped(area: Area, inside: Vec<bool>) -> Result<Shape, Blank> {
    let pixels = inside.len() as f64;
    let rough = Shape { area, inside }.large_pieces(SPECK, 0.0).closed(GAP);
    let (piece, part) = PIECE;
    let shape = rough
        .filled((rough.count() as f64 * HOLE) as usize)
        .opened(1)
        .large_pieces((piece * pixels) as usize, part);
    let covered = shape.count() as f64 / pixels;
    if covered < LEAST {
        Err(Blank::Nothing)
    } else if covered > MOST {
        Err(Blank::Everything)
    } else {
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(reference: &Photo, shot: &Photo, table: &[bool]) -> Result<Shape, Blank> {
        shaped(shot.area(), differs(reference, shot, table)?)
    }

    const WIDTH: usize = 160;
    const HEIGHT: usize = 120;

    /// Reproducible values, 0 to 1.
    fn random(seed: usize) -> f32 {
        let mut value = (seed as u32).wrapping_mul(0x9E37_79B9) ^ 0x85EB_CA6B;
        for shift in [15, 13, 16] {
            value = (value ^ (value >> shift)).wrapping_mul(0x2C1B_3C6D);
        }
        (value >> 8) as f32 / (1 << 24) as f32
    }

    /// A speckled table, its light and what stands on it by place, and noise.
    fn photo(
        seed: usize,
        light: impl Fn(usize, usize) -> f32,
        object: impl Fn(usize, usize) -> Option<[f32; 3]>,
    ) -> Photo {
        let pixel = |at: usize| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let stone = 120.0 + 60.0 * random((y / 3) * 1000 + x / 3);
            let lit = |channel: f32| channel * stone * light(x, y);
            let seen = object(x, y).unwrap_or([lit(1.0), lit(0.96), lit(0.9)]);
            let noise = 4.0 * (random(seed + 7 * at) + random(seed + 11 * at) - 1.0);
            seen.map(|channel| (channel + noise).round().clamp(0.0, 255.0) as u8)
        };
        Photo { width: WIDTH, pixels: (0..WIDTH * HEIGHT).map(pixel).collect() }
    }

    fn disc(x: usize, y: usize, radius: f32) -> bool {
        (x as f32 - 80.0).hypot(y as f32 - 60.0) < radius
    }

    fn bright(_: usize, _: usize) -> f32 {
        1.0
    }

    fn nothing(_: usize, _: usize) -> Option<[f32; 3]> {
        None
    }

    fn brown(x: usize, y: usize) -> [f32; 3] {
        let grain = random(y / 2 * 531 + x / 2);
        [150.0, 100.0, 60.0].map(|channel| channel * (0.6 + 0.6 * grain))
    }

    /// Intersection over union of what is found and `truth`.
    fn agreement(shape: &Shape, truth: impl Fn(usize, usize) -> bool) -> f64 {
        let (mut both, mut either) = (0, 0);
        for (at, inside) in shape.inside.iter().enumerate() {
            let truth = truth(at % WIDTH, at / WIDTH);
            both += usize::from(*inside && truth);
            either += usize::from(*inside || truth);
        }
        f64::from(u32::try_from(both).unwrap()) / f64::from(u32::try_from(either).unwrap())
    }

    static TABLE: [bool; WIDTH * HEIGHT] = [true; WIDTH * HEIGHT];

    #[test]
    fn an_object_is_found_and_its_shadow_is_not() {
        let empty = photo(1, bright, nothing);
        // To the right of it, soft at its edge.
        let shadow = |x: usize, y: usize| {
            let apart = ((x as f32 - 100.0) / 40.0).hypot((y as f32 - 60.0) / 25.0);
            0.3 + 0.7 * ((apart - 0.7) / 0.3).clamp(0.0, 1.0)
        };
        let shot = photo(2, shadow, |x, y| disc(x, y, 25.0).then(|| brown(x, y)));
        let shape = find(&empty, &shot, &TABLE).unwrap();
        let found = agreement(&shape, |x, y| disc(x, y, 25.0));
        assert!(found > 0.95, "{found}");
        // Where no shadow can fall, the same darkness is an object.
        let behind = find(&empty, &shot, &vec![false; WIDTH * HEIGHT]).unwrap();
        assert!(behind.count() > shape.count() * 3 / 2, "{} {}", behind.count(), shape.count());
    }

    #[test]
    fn another_exposure_and_white_balance_of_the_whole_picture_are_no_object() {
        let empty = photo(1, bright, nothing);
        let mut shot = photo(2, |_, _| 0.7, |x, y| disc(x, y, 30.0).then(|| brown(x, y)));
        for pixel in &mut shot.pixels {
            pixel[0] = (f32::from(pixel[0]) * 1.1) as u8;
            pixel[2] = (f32::from(pixel[2]) * 0.9) as u8;
        }
        let found = agreement(&find(&empty, &shot, &TABLE).unwrap(), |x, y| disc(x, y, 30.0));
        assert!(found > 0.95, "{found}");
    }

    #[test]
    fn gaps_are_filled_and_holes_that_one_can_look_through_stay() {
        let empty = photo(1, bright, nothing);
        let ring = |x: usize, y: usize| disc(x, y, 50.0) && !disc(x, y, 25.0);
        // A patch of the ring looks like the table.
        let patch = |x: usize, y: usize| (40..46).contains(&x) && (58..64).contains(&y);
        let shot = photo(2, bright, |x, y| (ring(x, y) && !patch(x, y)).then(|| brown(x, y)));
        let found = agreement(&find(&empty, &shot, &TABLE).unwrap(), ring);
        assert!(found > 0.97, "{found}");
    }

    #[test]
    fn the_same_again_is_nothing_and_another_place_is_everything() {
        let empty = photo(1, bright, nothing);
        let found = |shot: &Photo| find(&empty, shot, &TABLE).map(|shape| shape.count());
        assert_eq!(found(&photo(2, bright, nothing)), Err(Blank::Nothing));
        let elsewhere = photo(3, bright, |x, y| Some(brown(x, y)));
        assert_eq!(found(&elsewhere), Err(Blank::Everything));
    }
}
