//! Which moves show how an axis swings.
//!
//! Short ones, there and back, each several times: what is left of two pushes that cancel each other tells nothing, so they have
//! three lengths, of which at least one shows every frequency from 4 to 40 Hz. What stands high on a lift may swing more
//! slowly, so an axis that has ends is moved near both of them.

use crate::model::AxisConfig;

/// Seconds from pushing an axis to holding it back. At any frequency from 4 to 40 Hz the swings of both add up to half of what
/// they can at most, for one of them at least.
const APART_S: [f64; 3] = [0.06, 0.08, 0.10];
/// How often each move is made, its frames at other moments each time.
pub const REPEATS: usize = 3;
/// This part of the travel is left free at its ends.
const MARGIN: f64 = 0.02;
/// With less travel than so many of the longest moves, both ends are one place.
const FEW: f64 = 4.0;

/// A place near which an axis is moved to and fro.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where it stands before the first of `moves`, and after each second one.
    pub at: f64,
    /// One after the other.
    pub moves: Vec<Short>,
}

/// One move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Short {
    /// Where it goes.
    pub to: f64,
    /// Moves of one kind are the same one, made again.
    pub kind: usize,
    /// Those that end at the same position have the same.
    pub rest: usize,
    /// How often it was made before.
    pub repeat: usize,
}

/// The moves of `axis`, which stands at `stands`.
pub fn moves(axis: &AxisConfig, stands: f64) -> Vec<Place> {
    let speed = axis.limits.speed;
    let lengths = APART_S.map(|apart_s| (axis.limits.acceleration * apart_s).min(speed) * apart_s);
    let longest = lengths[APART_S.len() - 1];
    let near = |at: f64, sign: f64| Place { at, moves: to_and_fro(at, lengths.map(|length| sign * length)) };
    let Some((low, high)) = axis.travel else { return vec![near(stands, 1.0)] };
    let travel = high - low;
    let (low, high) = (low + MARGIN * travel, high - MARGIN * travel);
    if travel < FEW * longest {
        // Whatever is longer than the travel is made to fit.
        let part = ((high - low) / longest).min(1.0);
        return vec![Place { at: low, moves: to_and_fro(low, lengths.map(|length| part * length)) }];
    }
    vec![near(low, 1.0), near(high, -1.0)]
}

fn to_and_fro(at: f64, ways: [f64; 3]) -> Vec<Short> {
    let all = (0..REPEATS).flat_map(|repeat| ways.iter().enumerate().map(move |way| (repeat, way)));
    let there_and_back = all.flat_map(|(repeat, (index, way))| {
        let there = Short { to: at + way, kind: 2 * index, rest: index + 1, repeat };
        [there, Short { to: at, kind: 2 * index + 1, rest: 0, repeat }]
    });
    there_and_back.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Limits, Pose};
    use crate::motion::unreachable;

    fn plain(axis: Axis) -> AxisConfig {
        AxisConfig::new(axis, Limits { speed: 50.0, acceleration: 400.0, jerk: None }, None)
    }

    #[test]
    fn moves_stay_within_the_travel_and_begin_where_the_last_one_ended() {
        for travel in [(0.0, 200.0), (-3.0, 4.0), (10.0, 10.5), (0.0, 17.0), (0.0, 15.0)] {
            let lift = AxisConfig { travel: Some(travel), ..plain(Axis::Lift) };
            let places = moves(&lift, 5.0);
            for place in &places {
                let all = place.moves.iter().map(|short| short.to).chain([place.at]);
                for to in all {
                    let pose = Pose::default().with(Axis::Lift, to);
                    assert_eq!(
                        unreachable(&pose, std::slice::from_ref(&lift)).count(),
                        0,
                        "{travel:?}: {to}"
                    );
                }
                let ends = place.moves.last().map(|short| short.to);
                assert_eq!(ends, Some(place.at));
            }
            assert_eq!(places.len(), if travel.1 - travel.0 >= 16.0 { 2 } else { 1 }, "{travel:?}");
        }
    }

    #[test]
    fn each_kind_is_one_move_made_again() {
        let places = moves(&plain(Axis::Turntable), 350.0);
        assert_eq!(places.len(), 1);
        let moves = &places[0].moves;
        assert_eq!(moves.len(), 6 * REPEATS);
        for short in moves {
            let same: Vec<_> = moves.iter().filter(|other| other.kind == short.kind).collect();
            assert_eq!(same.len(), REPEATS);
            assert!(
                same.iter().all(|other| other.to.to_bits() == short.to.to_bits() && other.rest == short.rest)
            );
            assert!(same.iter().enumerate().all(|(repeat, other)| other.repeat == repeat));
        }
    }

    #[test]
    fn at_every_frequency_some_move_swings() {
        for hundredths in 400..=4000 {
            let frequency = f64::from(hundredths) / 100.0;
            let left = |apart_s: f64| (std::f64::consts::PI * frequency * apart_s).sin().powi(2);
            let most = APART_S.into_iter().map(left).fold(0.0, f64::max);
            assert!(most > 0.49, "{frequency} Hz: {most}");
        }
    }
}
