//! How far apart in time the cameras of a rig saw the same point.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scan::FrameFacts;

/// How far apart in time the cameras of a point took their images, by `sensor_timestamp_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShutterSpread {
    /// Points of which several cameras have an image, all taken in one run of the scan.
    pub points: u32,
    /// Points whose images were taken in several runs, so that these are minutes or days apart. They count for nothing here: a
    /// machine that was started anew has another clock.
    pub apart: u32,
    /// From the first image of a point to its last one, in microseconds, of the median point.
    pub median_us: u64,
    /// The same of the point with the greatest one. An image that took several attempts counts, too.
    pub most_us: u64,
    /// How far either may be off, in microseconds, since clocks of several machines took part. 0 if none did.
    pub uncertainty_us: u64,
}

/// An image of a point, and the run of the scan in which it was taken.
pub(super) type Seen<'a> = (u32, &'a FrameFacts);

impl ShutterSpread {
    /// Of the images of each point. None if no point has images of several cameras.
    pub(super) fn of<'a>(points: impl IntoIterator<Item = Vec<Seen<'a>>>) -> Option<Self> {
        let (mut spreads, mut apart, mut uncertainty_us) = (Vec::new(), 0, 0);
        for images in points {
            let Some(((run, _), others)) = images.split_first() else { continue };
            if others.is_empty() {
                continue;
            }
            if others.iter().any(|(other, _)| other != run) {
                apart += 1;
                continue;
            }
            let times = || images.iter().map(|(_, facts)| facts.sensor_timestamp_ns);
            let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
            spreads.push((last - first) / 1000);
            let mut unsure: Vec<_> =
                images.iter().map(|(_, facts)| facts.clock_uncertainty_us.unwrap_or_default()).collect();
            unsure.sort_unstable();
            // Whichever two were first and last.
            uncertainty_us = unsure.iter().rev().take(2).sum::<u64>().max(uncertainty_us);
        }
        spreads.sort_unstable();
        let most_us = spreads.last().copied().or((apart > 0).then_some(0))?;
        let median_us = spreads.get(spreads.len() / 2).copied().unwrap_or_default();
        Some(Self { points: spreads.len() as u32, apart, median_us, most_us, uncertainty_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::tests::facts;

    fn at(us: u64, unsure: Option<u64>) -> FrameFacts {
        FrameFacts { sensor_timestamp_ns: us * 1000, clock_uncertainty_us: unsure, ..facts() }
    }

    #[test]
    fn it_is_from_the_first_image_of_a_point_to_the_last() {
        let points = [
            [at(5_000, None), at(12_000, Some(100)), at(9_000, Some(300))],
            [at(90_000, None), at(90_000, None), at(90_001, Some(20))],
            [at(700_000, None), at(2_700_000, None), at(701_000, None)],
        ];
        let seen = points.iter().map(|images| images.iter().map(|facts| (1, facts)).collect());
        let spread = ShutterSpread::of(seen).unwrap();
        assert_eq!((spread.points, spread.apart), (3, 0));
        assert_eq!((spread.median_us, spread.most_us, spread.uncertainty_us), (7_000, 2_000_000, 400));
    }

    #[test]
    fn what_was_taken_in_several_runs_is_not_compared() {
        // The machine was started anew between: its clock began again.
        let (before, after, alone) = (at(9_000_000_000, None), at(1_000, None), at(5, None));
        let points = [vec![(1, &before), (2, &after)], vec![(2, &after), (2, &alone)], vec![(2, &alone)]];
        let spread = ShutterSpread::of(points).unwrap();
        assert_eq!((spread.points, spread.apart, spread.most_us), (1, 1, 995));
        assert_eq!(ShutterSpread::of([vec![(2, &alone)], vec![]]), None, "one camera");
    }
}
