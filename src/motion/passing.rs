//! When a position is passed, by one that moves forward.

/// A step after which more would change nothing that matters, in seconds.
const SURE: f64 = 1e-8;
/// Each halves a step, or what is between the bounds: more make no difference to a number.
const MOST: usize = 128;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    /// Between these times, in seconds,
    pub(super) bounds: (f64, f64),
    /// probably about then,
    pub(super) near: f64,
    /// to so many seconds.
    pub(super) precision: f64,
    /// The most by which the velocity changes in a second.
    pub(super) acceleration: f64,
}

impl Passing {
    /// The time at which `at`, which says how far beyond the position one is at a time and how fast, is not before it any more.
    ///
    /// Newton's way, held between two bounds. It is left where it does not halve its steps: along a way whose velocity rises again it
    /// can go to and fro for ever, and near rest, where there is no velocity, nowhere.
    pub(super) fn find(self, at: impl Fn(f64) -> (f64, f64)) -> f64 {
        let Self { bounds: (mut low, mut high), near, precision, acceleration } = self;
        let mut time = near.clamp(low, high);
        // The last step, and the one before it.
        let (mut last, mut before) = (high - low, high - low);
        for _ in 0..MOST {
            let (beyond, velocity) = at(time);
            if beyond == 0.0 {
                break;
            }
            if beyond < 0.0 {
                low = time;
            } else {
                high = time;
            }
            let newton = time - beyond / velocity;
            let halves = (newton - time).abs() < before / 2.0;
            let is_newton = newton > low && newton < high && halves;
            let next = if is_newton { newton } else { f64::midpoint(low, high) };
            let step = (next - time).abs();
            (before, last) = (last, step);
            time = next;
            // Behind such a step it is off by its square times the acceleration, over twice the speed, at most.
            let near_enough = step < SURE && step * step * acceleration < 2.0 * precision * velocity;
            if step < precision || is_newton && near_enough {
                break;
            }
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(near: f64, wanted: f64, way: impl Fn(f64) -> (f64, f64)) -> f64 {
        let passing = Passing { bounds: (0.0, 10.0), near, precision: 1e-11, acceleration: 1e3 };
        passing.find(|time| {
            let (position, velocity) = way(time);
            (position - wanted, velocity)
        })
    }

    #[test]
    fn a_way_that_is_nearly_at_rest_in_between_is_no_trap() {
        // Newton's way alone goes to and fro between both sides of the place at which it nearly rests.
        let way = |time: f64| ((time - 5.0).powi(3) + 1e-3 * (time - 5.0), 3.0 * (time - 5.0).powi(2) + 1e-3);
        let turns =
            |time: f64| ((time - 5.0).signum() * (time - 5.0).abs().sqrt(), 0.5 / (time - 5.0).abs().sqrt());
        for part in 0..=1000 {
            let true_time = 0.01 * f64::from(part);
            for near in [0.0, 4.9, true_time, 10.0] {
                let time = found(near, way(true_time).0, way);
                assert!((time - true_time).abs() < 1e-7, "{time} {true_time}");
                let time = found(near, turns(true_time).0, turns);
                assert!((time - true_time).abs() < 1e-7, "{time} {true_time}");
            }
        }
    }

    #[test]
    fn where_it_is_at_once_it_stays() {
        assert!((found(3.0, 3.0, |time| (time, 1.0)) - 3.0).abs() < f64::EPSILON);
        assert!((found(7.0, 0.0, |time| (time, 1.0))).abs() < 1e-10);
    }
}
