//! Synthetic textures, displaced by what is known.

use super::*;
use crate::Area;
use crate::object::{Light, OnPlate, Renderer, Viewpoint};
use crate::picture::{Picture, Response};
use crate::random::Random;
use crate::sight::Sight;

/// A texture that can be looked at anywhere: waves of random directions, lengths and phases.
struct Waves(Vec<[f64; 4]>);

impl Waves {
    /// Of lengths from `shortest` to ten times that, in pixels, together with `contrast` levels of standard deviation.
    fn new(seed: u64, shortest: f64, contrast: f64) -> Self {
        let mut random = Random::new(seed);
        let count = 40;
        let each = contrast * (2.0 / f64::from(count)).sqrt();
        let wave = |_| {
            let (direction, phase) =
                (random.unit() * std::f64::consts::TAU, random.unit() * std::f64::consts::TAU);
            let number = std::f64::consts::TAU / (shortest * 10.0_f64.powf(random.unit()));
            [number * direction.cos(), number * direction.sin(), phase, each]
        };
        Self((0..count).map(wave).collect())
    }

    fn at(&self, [x, y]: [f64; 2]) -> f64 {
        self.0
            .iter()
            .map(|[right, down, phase, contrast]| contrast * (right * x + down * y + phase).sin())
            .sum()
    }
}

const WIDTH: usize = 320;
const HEIGHT: usize = 240;

/// A picture of which each place shows what `from` says, with noise of a standard deviation of `noise` levels.
fn picture(look: impl Fn([f64; 2]) -> f64, noise: f64, seed: u64) -> Luma {
    let mut random = Random::new(seed);
    let mut pixel = |x: usize, y: usize| {
        // Twelve numbers from 0 to 1 add up to a variance of one.
        let normal = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
        (look([x as f64, y as f64]) + noise * normal).round().clamp(0.0, 255.0) as u8
    };
    let rows: Vec<Vec<u8>> = (0..HEIGHT).map(|y| (0..WIDTH).map(|x| pixel(x, y)).collect()).collect();
    Luma::of(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// How the texture is displaced at a place.
type Way = fn([f64; 2]) -> [f64; 2];

fn displaced(waves: &Waves, by: f64, way: Way, noise: f64, seed: u64) -> Luma {
    let look = |[x, y]: [f64; 2]| {
        let [right, down] = way([x, y]);
        128.0 + waves.at([x - by * right, y - by * down])
    };
    picture(look, noise, seed)
}

fn sideways(_: [f64; 2]) -> [f64; 2] {
    [0.8, 0.6]
}

/// As on a turntable seen obliquely: what is low is near and goes right, what is high is far and goes left.
fn turning([_, y]: [f64; 2]) -> [f64; 2] {
    [(y - HEIGHT as f64 / 2.0) / (HEIGHT as f64 / 2.0), 0.0]
}

/// The root of the mean square of the blocks' errors, and the largest one in standard errors.
fn errors(field: &Field, by: f64, way: Way) -> (f64, f64) {
    let (mut squares, mut most_sigma, mut count) = (0.0, 0.0_f64, 0);
    for block in &field.blocks {
        let Seen::Moved(moved) = block.seen else { continue };
        let truth = way(block.middle).map(|part| part * by);
        let error = (moved.way[0] - truth[0]).hypot(moved.way[1] - truth[1]);
        let expected = moved.errors();
        squares += error * error;
        most_sigma = most_sigma.max(error / expected[0].hypot(expected[1]));
        count += 1;
    }
    assert!(count > 0, "nothing has texture");
    ((squares / f64::from(count)).sqrt(), most_sigma)
}

/// Steps of less than a pixel to one of eight.
const STEPS: [f64; 8] = [0.0, 0.1, 0.25, 0.5, 0.8, 1.3, 1.9, 8.0];

#[test]
fn shifts_are_found_to_hundredths_of_a_pixel() {
    let waves = Waves::new(7, 5.0, 25.0);
    // Without noise, what interpolation leaves. With it, blocks of 24 pixels have no more in them: by what they say themselves,
    // 0.025 pixels with noise of two levels, and 0.06 with five.
    for (noise, limit) in [(0.0, 0.015), (2.0, 0.03), (5.0, 0.065)] {
        let from = displaced(&waves, 0.0, sideways, noise, 1);
        for (seed, by) in STEPS.into_iter().enumerate() {
            let field = between(&from, &displaced(&waves, by, sideways, noise, 2 + seed as u64));
            let (rms, sigma) = errors(&field, by, sideways);
            assert!(rms < limit, "noise {noise}, by {by}: {rms} px");
            assert!(sigma < 3.0, "noise {noise}, by {by}: {sigma} standard errors");
            assert!(field.moved().count() > 120, "noise {noise}, by {by}: {}", field.moved().count());
            let farthest = field.farthest(0.9).unwrap().pixels;
            assert!((farthest - by).abs() < 0.01 + 1.5 * limit, "noise {noise}, by {by}: {farthest} px");
        }
    }
}

#[test]
fn what_turns_swings_by_one_number_a_picture() {
    let waves = Waves::new(9, 6.0, 20.0);
    for (noise, limit) in [(0.0, 0.02), (2.0, 0.02), (5.0, 0.03)] {
        let from = displaced(&waves, 0.0, turning, noise, 1);
        let sizes = [1.8, -1.2, 0.6, -0.3, 0.1, 0.0];
        let fields: Vec<Field> = sizes
            .iter()
            .enumerate()
            .map(|(seed, by)| between(&from, &displaced(&waves, *by, turning, noise, 2 + seed as u64)))
            .collect();
        // Learned from some, and then good for all.
        let swing = Swing::of(&fields[..3]).unwrap();
        let along: Vec<Along> = fields.iter().map(|field| swing.along(field).unwrap()).collect();
        // The lowest and highest rows of blocks, a fifth of them, move by more than the nine tenths of a picture's number.
        let unit = along[0].pixels / sizes[0];
        assert!((0.85..0.98).contains(&unit.abs()), "{along:?}");
        for (along, by) in along.iter().zip(sizes) {
            let error = (along.pixels - by * unit).abs();
            assert!(error < limit, "noise {noise}, by {by}: {error} px, {along:?}");
            assert!(along.error < 0.01, "{along:?}");
        }
    }
}

#[test]
fn pictures_without_texture_show_no_displacement() {
    for noise in [0.0, 2.0, 5.0] {
        let field = between(&picture(|_| 128.0, noise, 1), &picture(|_| 131.0, noise, 2));
        assert!(!field.blocks.is_empty());
        assert!(field.blocks.iter().all(|block| block.seen == Seen::Flat), "noise {noise}: {field:?}");
        assert_eq!((field.farthest(0.9), Swing::of(&[field])), (None, None));
    }
}

#[test]
fn light_that_flickers_displaces_nothing() {
    let waves = Waves::new(5, 6.0, 30.0);
    let from = displaced(&waves, 0.0, sideways, 2.0, 1);
    for (brighter, contrast) in [(6.0, 1.0), (-5.0, 1.04), (3.0, 0.95)] {
        // Brighter below than above, as with lamps that flicker while rows are read.
        let look =
            |[x, y]: [f64; 2]| 128.0 + contrast * waves.at([x, y]) + brighter * (1.0 + y / HEIGHT as f64);
        let field = between(&from, &picture(look, 2.0, 2));
        let (rms, _) = errors(&field, 0.0, sideways);
        assert!(rms < 0.03, "by {brighter} levels, {contrast}: {rms} px");
    }
}

#[test]
fn an_edge_says_how_far_it_is_displaced_across_it() {
    let stripes = |by: f64| move |[x, _]: [f64; 2]| 128.0 + 60.0 * ((x - by) / 6.0).sin();
    let field = between(&picture(stripes(0.0), 2.0, 1), &picture(stripes(0.7), 2.0, 2));
    assert!(field.moved().count() > 120, "{}", field.moved().count());
    for moved in field.moved() {
        assert!(
            (moved.way[0] - 0.7).abs() < 4.0 * moved.errors()[0] && moved.way[1].abs() < 0.02,
            "{moved:?}"
        );
        assert!(moved.errors()[0] < 0.05 && moved.errors()[1].is_infinite(), "{moved:?}");
    }
}

#[test]
fn what_shows_something_else_is_not_displaced() {
    let (one, other) = (Waves::new(1, 5.0, 25.0), Waves::new(2, 5.0, 25.0));
    let field = between(&displaced(&one, 0.0, sideways, 2.0, 1), &displaced(&other, 0.0, sideways, 2.0, 2));
    let moved = field.moved().count();
    assert!(10 * moved < field.blocks.len(), "{moved}");
    let small = Luma::of(&[&[1, 2, 3], &[1, 2, 3]]);
    assert_eq!(between(&small, &small).blocks, []);
    assert_eq!(between(&Luma::of(&[]), &displaced(&one, 0.0, sideways, 0.0, 1)).blocks, []);
}

#[test]
fn a_part_that_moves_is_seen_however_small_and_noise_is_none() {
    let waves = Waves::new(3, 6.0, 25.0);
    // Only what is in the middle moves, a fiftieth of the picture.
    let look = |by: f64| {
        let waves = &waves;
        move |[x, y]: [f64; 2]| {
            let inside = (x - 160.0).abs() < 24.0 && (y - 120.0).abs() < 16.0;
            128.0 + waves.at([if inside { x - by } else { x }, y])
        }
    };
    for noise in [0.0, 2.0, 5.0] {
        let from = picture(look(0.0), noise, 1);
        let still = between(&from, &picture(look(0.0), noise, 2)).most().unwrap();
        assert!(still.pixels.abs() < 1e-9 && still.seen_from < 0.15, "noise {noise}: {still:?}");
        let moved = between(&from, &picture(look(0.6), noise, 3)).most().unwrap();
        assert!(moved.pixels > 0.2, "noise {noise}: {moved:?}");
    }
    let gone =
        between(&picture(look(0.0), 2.0, 1), &displaced(&Waves::new(4, 5.0, 25.0), 0.0, sideways, 2.0, 2));
    assert!(gone.most().unwrap().pixels.is_infinite());
    assert_eq!(between(&picture(|_| 128.0, 2.0, 1), &picture(|_| 128.0, 2.0, 2)).most(), None);
}

/// Five by five blocks that are known to `error` pixels and at rest, but for those of `displaced`, which go right.
fn blocks(error: f64, displaced: &[(usize, f64)]) -> Field {
    let block = |index: usize| {
        let by = displaced.iter().find(|(which, _)| *which == index).map_or(0.0, |(_, by)| *by);
        let error = if by > 0.0 { 0.02 } else { error };
        let information = Symmetric::along([1.0, 0.0], [error.powi(-2); 2]);
        let moved = Moved { way: [by, 0.0], information, errors: [error; 2] };
        let middle = [index % 5, index / 5].map(|at| 12.0 + 24.0 * at as f64);
        let seen = if error.is_finite() { Seen::Moved(moved) } else { Seen::Flat };
        Block { middle, seen }
    };
    Field { blocks: (0..25).map(block).collect() }
}

#[test]
fn a_block_is_displaced_as_far_as_a_neighbour_may_be() {
    let pixels = |error, displaced: &[(usize, f64)]| blocks(error, displaced).most().unwrap().pixels;
    let alone = pixels(0.02, &[(12, 0.9)]);
    assert!(alone < 0.15, "{alone}");
    // Beside it, and two blocks away.
    assert!((pixels(0.02, &[(12, 0.9), (18, 0.8)]) - 0.89).abs() < 0.01);
    assert!(pixels(0.02, &[(12, 0.9), (14, 0.9)]) < 0.25);
    // Of others nothing is known, or little.
    for unknown in [f64::INFINITY, 0.2] {
        let seen = pixels(unknown, &[(12, 0.9)]);
        assert!((seen - 0.9).abs() < 0.01, "{unknown}: {seen}");
    }
}

/// What a camera sees of a turntable that was turned by `turn` degrees. What is nearest goes by five pixels for each.
fn turned(renderer: &mut Renderer, turn: f64) -> Picture {
    let (distance, height, look_at) = (300.0, 200.0, 50.0);
    let away = f64::hypot(distance, height - look_at);
    let (sin, cos) = (-turn).to_radians().sin_cos();
    let (near, low) = (distance / away, (look_at - height) / away);
    let rotation = [[-sin, cos, 0.0], [-low * cos, -low * sin, -near], [-near * cos, -near * sin, low]];
    let sight = Sight {
        area: Area { width: 480, height: 360 },
        centre: [distance * cos, distance * sin, height],
        rotation,
        focal: [677.0; 2],
        middle: [240.0, 180.0],
    };
    let viewpoint = Viewpoint { sight, heading: -turn, distance: away };
    renderer.render(&viewpoint, Light { brightness: 1.0, panel: None, on_plate: OnPlate::Owl })
}

#[test]
fn what_hardly_turns_is_not_taken_to_be_far_off() {
    let (mut renderer, mut response) = (Renderer::default(), Response::noisy(3));
    let mut number = 0;
    let mut seen = |picture: &Picture| {
        number += 1;
        response.begin(number);
        let width = picture.area.width;
        let mut luma = vec![0; picture.y.len()];
        for (row, (seen, shown)) in luma.chunks_mut(width).zip(picture.y.chunks(width)).enumerate() {
            response.luma(shown, seen, row);
        }
        Luma::of(&luma.chunks(width).collect::<Vec<_>>())
    };
    let mut far = [0, 0];
    for angle in (0..12).map(|step| f64::from(step) * 30.0 + 3.0) {
        let from = seen(&turned(&mut renderer, angle));
        for (far, by) in far.iter_mut().zip([0.006, 0.1]) {
            let most = between(&from, &seen(&turned(&mut renderer, angle + by))).most().unwrap();
            *far += usize::from(most.pixels > 0.2);
        }
    }
    // By a thirtieth of a pixel and by half a one. Edges that are rendered in whole pixels jump.
    assert_eq!(far, [0, 12]);
}
