//! The object in front of a panel that shines behind it.
//!
//! Where the panel is, what is dark is the object. Where it is not, as before the table, a silhouette says nothing. So it
//! has to be known where the panel is: a silhouette of the empty rig shows it. Without one, those of a whole ring tell it
//! together, since the panel stays where it is while the object turns.

use super::colours::Photo;
use super::shape::Shape;

/// A panel is at least so much brighter than what stands before it, in levels, and so many times as bright.
const BRIGHTER: (f64, f64) = (40.0, 1.8);
/// And it has at least this part of the picture.
const LEAST: f64 = 0.01;
/// Fewer bright pixels in a piece are no panel.
const SPECK: usize = 12;

/// Where the panel shines in a silhouette, by the level that parts its pixels best (Otsu); none if it does not shine.
pub fn shining(photo: &Photo) -> Option<Shape> {
    // BT.601, full range.
    let luma = |[red, green, blue]: &[u8; 3]| {
        ((299 * u32::from(*red) + 587 * u32::from(*green) + 114 * u32::from(*blue) + 500) / 1000) as u8
    };
    let lumas: Vec<u8> = photo.pixels.iter().map(luma).collect();
    let mut counts = [0_u64; 256];
    for luma in &lumas {
        counts[usize::from(*luma)] += 1;
    }
    let level = parting(&counts)?;
    let inside = lumas.iter().map(|luma| usize::from(*luma) > level).collect();
    let shape = Shape { area: photo.area(), inside }.large_pieces(SPECK, 0.0);
    (shape.count() as f64 >= LEAST * lumas.len() as f64).then_some(shape)
}

/// The level up to which values are dark: the one for which those of either side are most alike. None if both are much the
/// same.
fn parting(counts: &[u64; 256]) -> Option<usize> {
    let sum = |range: std::ops::Range<usize>| {
        range.fold((0.0, 0.0), |(count, sum), level| {
            let here = counts[level] as f64;
            (count + here, sum + here * level as f64)
        })
    };
    let sides = |level: usize| {
        let above = level + 1;
        let ((dark, dark_sum), (bright, bright_sum)) = (sum(0..above), sum(above..256));
        (dark > 0.0 && bright > 0.0).then(|| (dark, dark_sum / dark, bright, bright_sum / bright))
    };
    let apart = |level: &usize| {
        sides(*level).map_or(0.0, |(dark, dark_mean, bright, bright_mean)| {
            dark * bright * (bright_mean - dark_mean).powi(2)
        })
    };
    let best = (0..255).max_by(|a, b| apart(a).total_cmp(&apart(b)))?;
    let (_, dark, _, bright) = sides(best)?;
    let (levels, times) = BRIGHTER;
    (bright - dark >= levels && bright >= times * dark).then(|| {
        // In the middle: where an edge is blurred, it is there.
        f64::midpoint(dark, bright) as usize
    })
}

/// Where the panel is, by `seen`: where it shone in any silhouette of a ring. What it did not shine through in any is the
/// core of the object where the panel is to the left and to the right of it, but not where the line of sight meets the
/// table before it gets to the panel. `to_table` is how far from the axis, in millimetres, a line of sight meets the plane
/// of the table: 0 before the axis, infinite if never; none where nobody said where the camera is.
pub fn behind(seen: &Shape, to_table: Option<&[f32]>) -> Shape {
    let width = seen.area.width;
    let mut inside = Vec::with_capacity(seen.inside.len());
    for row in seen.inside.chunks_exact(width.max(1)) {
        let first = row.iter().position(|shines| *shines).unwrap_or(width);
        let last = row.iter().rposition(|shines| *shines).unwrap_or(0);
        inside.extend((0..row.len()).map(|column| (first..=last).contains(&column)));
    }
    if let Some(to_table) = to_table {
        // The panel is seen past the table: it ends before the nearest place over which the panel shone.
        let shone = || seen.inside.iter().zip(to_table).filter(|(shone, _)| **shone).map(|(_, away)| *away);
        let edge = shone().filter(|away| *away > 0.0).fold(f32::INFINITY, f32::min);
        for ((inside, shone), away) in inside.iter_mut().zip(&seen.inside).zip(to_table) {
            let is_table = away.is_finite() && (*away < edge || edge.is_infinite());
            *inside = *inside && (*shone || !is_table);
        }
    }
    Shape { area: seen.area, inside }
}

/// Which pixels show the object: those that are dark before the panel, and, where there is no panel, those that differ from
/// the empty rig, as far as that is known.
pub fn object(shining: &Shape, panel: &Shape, differs: Option<&[bool]>) -> Vec<bool> {
    // At its very edge the panel is half seen.
    let panel = panel.shrunk(1);
    let pixel = |at: usize| {
        if panel.inside[at] { !shining.inside[at] } else { differs.is_some_and(|differs| differs[at]) }
    };
    (0..shining.inside.len()).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Area;

    const WIDTH: usize = 120;
    const HEIGHT: usize = 90;

    /// A panel whose light falls off to the right, in a dark room, with noise; black where something stands before it.
    fn photo(brightness: f64, before: impl Fn(usize, usize) -> bool) -> Photo {
        let pixel = |at: usize| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let noise = f64::from((at as u32).wrapping_mul(0x9E37_79B9) >> 29) - 3.5;
            let panel = (10..110).contains(&x) && y < 70 && !before(x, y);
            let light = if panel { brightness * (1.0 - 0.3 * x as f64 / WIDTH as f64) } else { 18.0 };
            [(light + noise).clamp(0.0, 255.0) as u8; 3]
        };
        Photo { width: WIDTH, pixels: (0..WIDTH * HEIGHT).map(pixel).collect() }
    }

    fn disc(x: usize, y: usize) -> bool {
        (x as f64 - 60.0).hypot(y as f64 - 40.0) < 20.0
    }

    #[test]
    fn the_panel_is_what_shines_however_bright_it_is_and_none_where_nothing_does() {
        for brightness in [90.0, 220.0, 400.0] {
            let shape = shining(&photo(brightness, disc)).unwrap();
            let wrong = (0..WIDTH * HEIGHT).filter(|at| {
                let (x, y) = (at % WIDTH, at / WIDTH);
                shape.inside[*at] != ((10..110).contains(&x) && y < 70 && !disc(x, y))
            });
            assert_eq!(wrong.count(), 0, "{brightness}");
        }
        assert_eq!(shining(&photo(30.0, disc)), None, "switched off");
        assert_eq!(shining(&photo(220.0, |_, _| true)), None, "covered");
    }

    #[test]
    fn what_no_silhouette_shines_through_is_the_core_of_the_object_and_not_the_table() {
        // It turns, and shows an arm to either side; below is the table, seen from row 55 on.
        let table = |_: usize, y: usize| y >= 55;
        let arm = |x: usize, y: usize, left: bool| {
            (38..42).contains(&y) && if left { (20..60).contains(&x) } else { (60..100).contains(&x) }
        };
        let silhouette =
            |left| shining(&photo(200.0, |x, y| disc(x, y) || table(x, y) || arm(x, y, left))).unwrap();
        let [one, other] = [true, false].map(silhouette);
        let mut seen = one.clone();
        seen.inside.iter_mut().zip(&other.inside).for_each(|(seen, shines)| *seen |= shines);
        // Lines of sight meet the table's plane behind the axis from row 30 on, the farther the higher they are.
        let away = |at: usize| match at / WIDTH {
            0..30 => f32::INFINITY,
            row @ 30..75 => (75 - row) as f32 * 4.0,
            _ => 0.0,
        };
        let to_table: Vec<f32> = (0..WIDTH * HEIGHT).map(away).collect();
        let panel = behind(&seen, Some(&to_table));
        let expected = |at: usize| (10..110).contains(&(at % WIDTH)) && at / WIDTH < 55;
        let wrong = (0..WIDTH * HEIGHT).filter(|at| panel.inside[*at] != expected(*at)).count();
        assert_eq!(wrong, 0);
        // The object above the table, arm included; and the rest by what differs.
        let found = object(&one, &panel, None);
        assert!(found[40 * WIDTH + 25] && found[40 * WIDTH + 60] && !found[40 * WIDTH + 95]);
        assert!(!found[58 * WIDTH + 60], "before the table nothing is known");
        let differs: Vec<bool> = (0..WIDTH * HEIGHT).map(|at| disc(at % WIDTH, at / WIDTH)).collect();
        assert!(object(&one, &panel, Some(&differs))[58 * WIDTH + 60]);
        // Where the camera is not known, there is no table.
        assert!(behind(&seen, None).inside[40 * WIDTH + 60]);
    }

    #[test]
    fn a_panel_above_the_table_tells_nothing_of_where_that_ends() {
        let area = Area { width: 3, height: 2 };
        let seen = Shape { area, inside: vec![true, false, true, true, false, true] };
        let infinite = f32::INFINITY;
        let panel = behind(&seen, Some(&[infinite, 300.0, infinite, infinite, infinite, infinite]));
        assert_eq!(panel.inside, [true, false, true, true, true, true]);
    }
}
