//! Where lines of sight meet the table, which is the plane at z = 0.

use crate::Area;
use crate::sight::Sight;

/// Of each pixel of a picture of this size, which need not be that of `sight`, whether its line of sight meets the table, on
/// which shadows fall, no farther from the axis than the camera.
pub fn on_table(sight: &Sight, area: Area) -> Vec<bool> {
    let [east, north, height] = sight.centre;
    let away = east.hypot(north).hypot(height);
    places(sight, area).map(|place| place.is_some_and(|[x, y]| x.hypot(y) < away)).collect()
}

/// Of each pixel of a picture of this size, how far from the axis its line of sight meets the plane of the table, in
/// millimetres: 0 before the axis, infinite if never.
pub fn away_on_table(sight: &Sight, area: Area) -> Vec<f32> {
    let [east, north, _] = sight.centre;
    let distance = |[x, y]: [f64; 2]| if x * east + y * north > 0.0 { 0.0 } else { x.hypot(y) as f32 };
    places(sight, area).map(|place| place.map_or(f32::INFINITY, distance)).collect()
}

/// Where the line of sight of each pixel meets the plane of the table, if it does.
fn places(sight: &Sight, area: Area) -> impl Iterator<Item = Option<[f64; 2]>> {
    let [across, down] = [(sight.area.width, area.width), (sight.area.height, area.height)]
        .map(|(of, to)| of as f64 / to as f64);
    let [east, north, height] = sight.centre;
    (0..area.pixels()).map(move |at| {
        let (column, row) = ((at % area.width) as f64 + 0.5, (at / area.width) as f64 + 0.5);
        let direction = sight.ray(column * across, row * down);
        let along = -height / direction[2];
        (along > 0.0).then(|| [east + along * direction[0], north + along * direction[1]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_below_the_horizon_and_no_farther_than_the_camera() {
        // From 100 mm away and 100 mm above, 45 degrees down.
        let slant = 0.5_f64.sqrt();
        let sight = Sight {
            area: Area { width: 200, height: 200 },
            centre: [100.0, 0.0, 100.0],
            rotation: [[0.0, 1.0, 0.0], [slant, 0.0, -slant], [-slant, 0.0, -slant]],
            focal: [50.0, 50.0],
            middle: [100.0, 100.0],
        };
        let area = Area { width: 1, height: 9 };
        let away = away_on_table(&sight, area);
        assert!(away[0].is_infinite() && away[1].is_infinite(), "above the horizon: {away:?}");
        // The middle looks at the axis, what is above it behind that, and what is below it before.
        assert!((away[2] - 1600.0).abs() < 2.0 && (away[3] - 160.0).abs() < 2.0, "{away:?}");
        assert!(away[4..].iter().all(|away| *away < 1e-3), "{away:?}");
        let mut table = [true; 9];
        table[..4].fill(false);
        assert_eq!(on_table(&sight, area), table);
    }
}
