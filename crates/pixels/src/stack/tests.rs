//! Pictures of the simulated object, sharp here and there, and of colours by chance.

use proptest::prelude::*;

use super::*;
use crate::blur::defocus_each;
use crate::object::{Light, OnPlate, Renderer, Viewpoint, depths};
use crate::random::Random;
use crate::sight::Sight;

/// A picture by chance, in which neighbours are alike.
fn by_chance(area: Area, seed: u64) -> Picture {
    let mut random = Random::new(seed);
    let mut plane = |area: Area| -> Vec<u8> {
        let mut value = 128.0;
        let mut next = || {
            value = (value + 60.0 * (random.unit() - 0.5)).clamp(0.0, 255.0);
            value as u8
        };
        (0..area.pixels()).map(|_| next()).collect()
    };
    let chroma = area.chroma();
    Picture { area, y: plane(area), u: plane(chroma), v: plane(chroma) }
}

fn merged(kind: Kind, pictures: &[&Picture], scale: impl Fn(usize) -> f64) -> Picture {
    let mut stack = Stack::new(pictures[0].area, kind);
    for (index, picture) in pictures.iter().enumerate() {
        stack.weigh(picture, scale(index));
    }
    for (index, picture) in pictures.iter().enumerate() {
        stack.blend(picture, scale(index));
    }
    stack.finish()
}

/// The greatest difference of two pictures in any byte.
fn apart(a: &Picture, b: &Picture) -> u8 {
    let planes = [(&a.y, &b.y), (&a.u, &b.u), (&a.v, &b.v)];
    let bytes = planes.into_iter().flat_map(|(a, b)| a.iter().zip(b));
    bytes.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// In decibels, of the luma where `counts`.
fn psnr(a: &Picture, b: &Picture, counts: impl Fn(usize) -> bool) -> f64 {
    let squares = a.y.iter().zip(&b.y).enumerate().filter(|(place, _)| counts(*place));
    let (sum, count) = squares.fold((0.0, 0.0), |(sum, count), (_, (a, b))| {
        (sum + (f64::from(*a) - f64::from(*b)).powi(2), count + 1.0)
    });
    10.0 * (255.0 * 255.0 * count / sum).log10()
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Focus), Just(Kind::Exposure)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pictures_that_are_the_same_give_that_picture(
        width in 1..70_usize, height in 1..50_usize, count in 1..9_usize, seed: u64, kind in kinds(),
    ) {
        let picture = by_chance(Area { width, height }, seed);
        let merged = merged(kind, &vec![&picture; count], |_| 1.0);
        prop_assert!(apart(&merged, &picture) <= 1, "{}", apart(&merged, &picture));
    }

    #[test]
    fn their_order_does_not_matter(
        width in 8..70_usize, height in 8..50_usize, seed: u64, kind in kinds(), turn in 1..4_usize,
    ) {
        let area = Area { width, height };
        let pictures: Vec<_> = (0..4).map(|index| by_chance(area, seed ^ index)).collect();
        let scale = |index: usize| 1.0 + 0.02 * index as f64;
        let forward: Vec<_> = pictures.iter().collect();
        let turned: Vec<_> = (0..4).map(|index| &pictures[(index + turn) % 4]).collect();
        let reversed: Vec<_> = pictures.iter().rev().collect();
        let first = merged(kind, &forward, scale);
        prop_assert!(first == merged(kind, &turned, |index| scale((index + turn) % 4)));
        prop_assert!(first == merged(kind, &reversed, |index| scale(3 - index)));
    }

    #[test]
    fn what_is_merged_of_even_pictures_lies_between_them(
        width in 1..70_usize, height in 1..50_usize, a: u8, b: u8, kind in kinds(),
    ) {
        let area = Area { width, height };
        let even = [a, b].map(|luma| Picture::plain(area, luma, 128, 128));
        let merged = merged(kind, &[&even[0], &even[1]], |_| 1.0);
        let between = a.min(b).saturating_sub(1)..=a.max(b).saturating_add(1);
        prop_assert!(merged.y.iter().all(|luma| between.contains(luma)), "{:?} of {a} and {b}", &merged.y[..1]);
    }
}

/// The camera of the simulated rig, whose lens makes everything so many times as large.
fn viewpoint(area: Area, larger: f64) -> Viewpoint {
    let (distance, height, to) = (400.0, 160.0, 65.0);
    let away = f64::hypot(distance, height - to);
    let forward = [-distance / away, 0.0, (to - height) / away];
    let (right, down) = ([0.0, 1.0, 0.0], [forward[2], 0.0, -forward[0]]);
    let focal = area.width as f64 * larger;
    let middle = [area.width as f64 / 2.0, area.height as f64 / 2.0];
    let centre = [distance, 0.0, height];
    let sight = Sight { area, centre, rotation: [right, down, forward], focal: [focal; 2], middle };
    Viewpoint { sight, heading: 0.0, distance: away }
}

const LIGHT: Light = Light { brightness: 1.0, panel: None, on_plate: OnPlate::Owl };

#[test]
fn a_focus_stack_of_a_lens_that_breathes_is_sharp_everywhere() {
    let area = Area { width: 1600, height: 1200 };
    let mut renderer = Renderer::default();
    let sharp = renderer.render(&viewpoint(area, 1.0), LIGHT);
    let far = depths(&viewpoint(area, 1.0), false);
    let object = |place: usize| far[place].is_finite();
    let lenses = [2.05, 2.25, 2.45, 2.65, 2.85, 3.0];
    let larger = |lens: f64| 1.0 + 0.01 * (lens - lenses[3]);
    let pictures = lenses.map(|lens| {
        let viewpoint = viewpoint(area, larger(lens));
        let mut picture = renderer.render(&viewpoint, LIGHT);
        let spread = |depth: f32| ((1000.0 / f64::from(depth) - lens).abs() * 4.2).min(30.0) as f32;
        let diameters: Vec<f32> = depths(&viewpoint, false).into_iter().map(spread).collect();
        defocus_each(&mut picture, &diameters);
        picture
    });
    let aligner = Aligner::new(&pictures[3]);
    let scales: Vec<f64> = pictures.iter().map(|picture| aligner.scale_of(picture)).collect();
    for (found, lens) in scales.iter().zip(lenses) {
        assert!((found - larger(lens)).abs() < 2e-4, "{found} instead of {}", larger(lens));
    }
    let best = pictures.iter().map(|picture| psnr(picture, &sharp, object)).fold(0.0, f64::max);
    let all: Vec<_> = pictures.iter().collect();
    let found = psnr(&merged(Kind::Focus, &all, |index| scales[index]), &sharp, object);
    let unaligned = psnr(&merged(Kind::Focus, &all, |_| 1.0), &sharp, object);
    assert!(best < 37.0 && unaligned < 28.0, "one {best:.1} dB, not aligned {unaligned:.1} dB");
    // Details of this object are as small as a pixel here: resampled, they lose some of it. In 12 megapixels it is 42 dB.
    assert!(found > 38.5, "{found:.1} dB");
}

#[test]
fn a_bracket_shows_what_is_too_dark_and_what_is_too_bright_for_one_picture() {
    // Stripes on a slope from black to a light eight times as bright as white.
    let area = Area { width: 400, height: 40 };
    let seen = |stops: f64| {
        let light = |place: usize| {
            let column = place % 400;
            let stripe = if (column / 4).is_multiple_of(2) { 1.0 } else { 0.7 };
            stripe * 8.0_f64.powf(column as f64 / 133.0 - 2.0) * stops.exp2()
        };
        let byte = |light: f64| (light.powf(1.0 / 2.2) * 255.0).min(255.0) as u8;
        let mut picture = Picture::plain(area, 0, 128, 128);
        picture.y = (0..area.pixels()).map(|place| byte(light(place))).collect();
        picture
    };
    let pictures = [-3.0, 0.0, 3.0].map(seen);
    let merged = merged(Kind::Exposure, &pictures.iter().collect::<Vec<_>>(), |_| 1.0);
    let row = |picture: &Picture| picture.y[8000..8400].to_vec();
    // Columns in which a stripe differs visibly from the next one.
    let shown = |picture: &Picture| {
        let row = row(picture);
        (4..396).filter(|at| row[at - 4].abs_diff(row[*at]) >= 12).count()
    };
    let each = pictures.each_ref().map(shown);
    assert!(each.iter().all(|count| *count < 320), "{each:?}");
    assert!(shown(&merged) > 380, "{} of 392, each alone {each:?}", shown(&merged));
    assert!(merged.y.iter().all(|value| (3..=252).contains(value)));
}

#[test]
fn what_gets_blacker_than_black_has_no_colour_left() {
    // A dark spot on a yellow ground, which is white where there is light enough for the spot.
    let area = Area { width: 64, height: 64 };
    let seen = |ground: [u8; 3], spot: [u8; 3]| {
        let [y, u, v] = ground;
        let mut picture = Picture::plain(area, y, u, v);
        for place in 0..area.pixels() {
            if (28..36).contains(&(place % 64)) && (28..36).contains(&(place / 64)) {
                picture.y[place] = spot[0];
                let chroma = place / 64 / 2 * 32 + place % 64 / 2;
                (picture.u[chroma], picture.v[chroma]) = (spot[1], spot[2]);
            }
        }
        picture
    };
    let pictures = [seen([110, 70, 150], [3, 128, 128]), seen([250, 40, 140], [50, 128, 128])];
    let merged = merged(Kind::Exposure, &pictures.iter().collect::<Vec<_>>(), |_| 1.0);
    let spot = 16 * 32 + 16;
    assert!(merged.y[32 * 64 + 32] < 30);
    assert!(
        merged.u[spot].abs_diff(128) < 12 && merged.v[spot].abs_diff(128) < 12,
        "{} {}",
        merged.u[spot],
        merged.v[spot]
    );
}

#[test]
fn nothing_is_found_in_a_picture_that_shows_nothing() {
    let grey = Picture::plain(Area { width: 64, height: 48 }, 90, 128, 128);
    assert!((Aligner::new(&grey).scale_of(&grey) - 1.0).abs() < 1e-12);
    assert_eq!(merged(Kind::Focus, &[&grey, &grey, &grey], |index| 0.98 + 0.02 * index as f64), grey);
}
