//! Ways, whole and in parts.

use super::*;
use crate::model::{Shaper, Swing};
use crate::units::Hertz;
use proptest::prelude::*;

fn limits() -> impl Strategy<Value = Limits> {
    let jerk = proptest::option::of(1.0..50_000.0);
    (0.1..500.0, 0.1..2000.0, jerk).prop_map(|(speed, acceleration, jerk)| Limits {
        speed,
        acceleration,
        jerk,
    })
}

fn whole() -> impl Strategy<Value = Profile> {
    (-1000.0..1000.0_f64, limits()).prop_map(|(distance, limits)| Profile::new(distance, limits))
}

/// Whole, or in parts.
fn profiles() -> impl Strategy<Value = Profile> {
    let swing = (0.5..50.0_f64, 0.0..0.5_f64).prop_map(|(frequency, damping)| Swing {
        frequency: Hertz::new(frequency),
        damping,
        spread: 0.0,
    });
    let shaper = proptest::sample::select(&Shaper::ALL[..]);
    (-1000.0..1000.0_f64, limits(), shaper, swing).prop_map(|(distance, limits, shaper, swing)| {
        Profile::shaped(distance, limits, Impulses::of(shaper, &swing))
    })
}

/// `count` + 1 evenly spaced times from the start to the end.
fn times(profile: &Profile, count: u32) -> impl Iterator<Item = Duration> + use<> {
    let duration = profile.duration();
    (0..=count).map(move |i| duration.mul_f64(f64::from(i) / f64::from(count)))
}

#[test]
fn short_moves_are_triangles_and_long_ones_trapezoids() {
    let limits = Limits { speed: 90.0, acceleration: 180.0, jerk: None };
    // Full speed is reached and left again within exactly 45 degrees.
    assert_eq!(Profile::new(45.0, limits).duration(), Duration::from_secs(1));
    assert_eq!(Profile::new(90.0, limits).duration(), Duration::from_millis(1500));
    assert_eq!(Profile::new(-11.25, limits).duration(), Duration::from_millis(500));
    assert_eq!(Profile::new(0.0, limits).duration(), Duration::ZERO);
}

proptest! {
    #[test]
    fn limits_hold_at_every_moment(profile in profiles()) {
        let moments: Vec<_> = times(&profile, 500).collect();
        for pair in moments.windows(2) {
            let dt = pair[1].saturating_sub(pair[0]).as_secs_f64();
            if dt < 1e-6 {
                continue; // Rounding to nanoseconds would show.
            }
            let speed = (profile.position(pair[1]) - profile.position(pair[0])).abs() / dt;
            let change = (profile.velocity(pair[1]) - profile.velocity(pair[0])).abs() / dt;
            prop_assert!(speed <= profile.limits.speed * (1.0 + 1e-3), "speed {speed}");
            prop_assert!(change <= profile.limits.acceleration * (1.0 + 1e-2), "acceleration {change}");
        }
    }

    #[test]
    fn velocity_is_the_slope_of_position(profile in profiles(), at in 0.01..0.99_f64) {
        let (time, step) = (profile.duration().mul_f64(at), Duration::from_micros(10));
        prop_assume!(time > step && profile.duration() > 3 * step);
        let slope = (profile.position(time + step) - profile.position(time.saturating_sub(step))) / (2.0 * step.as_secs_f64());
        let tolerance = profile.limits.acceleration * step.as_secs_f64() + 1e-6;
        prop_assert!((slope - profile.velocity(time)).abs() <= tolerance);
    }

    #[test]
    fn it_never_turns_back(profile in profiles()) {
        let positions: Vec<_> = times(&profile, 500).map(|time| profile.position(time).abs()).collect();
        prop_assert!(positions.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9));
    }

    #[test]
    fn it_ends_exactly(profile in profiles(), later in 0..1_000_000_000_u64) {
        for time in [profile.duration(), profile.duration() + Duration::from_nanos(later)] {
            prop_assert_eq!(profile.position(time).to_bits(), profile.distance.to_bits());
            prop_assert_eq!(profile.velocity(time).to_bits(), 0.0_f64.to_bits());
        }
    }

    #[test]
    fn the_second_half_mirrors_the_first(profile in whole(), at in 0.0..1.0_f64) {
        let time = profile.duration().mul_f64(at);
        let mirrored = profile.distance - profile.position(profile.duration().saturating_sub(time));
        prop_assert!((profile.position(time) - mirrored).abs() < 1e-5 * (1.0 + profile.limits.speed));
    }

    #[test]
    fn no_way_is_faster(length in 0.0..1000.0_f64, limits in limits()) {
        // The area under the highest speed that is reachable from rest at both ends, integrated over the
        // profile's time, is the distance: none of that time can be saved.
        // Of S-curves, see there.
        let limits = Limits { jerk: None, ..limits };
        let profile = Profile::new(length, limits);
        let (end, steps) = (profile.seconds(), 10_000);
        let area: f64 = (0..steps)
            .map(|i| end * (f64::from(i) + 0.5) / f64::from(steps))
            .map(|t| (limits.acceleration * t.min(end - t)).min(limits.speed) * end / f64::from(steps))
            .sum();
        prop_assert!((area - length).abs() <= 1e-4 * (1.0 + length), "{area} for {length}");
    }

    #[test]
    fn a_stop_keeps_to_the_course_and_ends_sooner(profile in profiles(), at in 0.0..1.2_f64, before in 0.0..1.0_f64) {
        let stop = profile.duration().mul_f64(at);
        let stopped = profile.stopped_at(stop);
        let earlier = stop.mul_f64(before);
        prop_assert!((stopped.position(earlier) - profile.position(earlier)).abs() < 1e-6 * (1.0 + profile.limits.speed));
        prop_assert!(stopped.duration() <= profile.duration() + Duration::from_nanos(10));
        prop_assert!(stopped.distance.abs() <= profile.distance.abs());
        if profile.limits.jerk.is_none() {
            let braking = Duration::from_secs_f64(profile.velocity(stop).abs() / profile.limits.acceleration);
            let parts = Duration::from_secs_f64(profile.impulses.span());
            // Of a part that began earlier, the speed was another one.
            let braking = if profile.impulses.span() > 0.0 {
                Duration::from_secs_f64(profile.limits.speed / profile.limits.acceleration)
            } else {
                braking
            };
            prop_assert!(stopped.duration() <= stop + braking + parts + Duration::from_micros(1));
        }
    }

    #[test]
    fn time_at_is_the_inverse_of_position(profile in profiles(), part in 0.0..1.0_f64) {
        let length = profile.distance.abs() * part;
        let time = Duration::from_secs_f64(profile.time_at(length));
        let off = (profile.position(time).abs() - length).abs();
        prop_assert!(off < 1e-6 * (1.0 + profile.limits.speed), "{off}");
    }

    /// Between two parts a way may nearly rest, and then go on.
    #[test]
    fn each_place_of_a_way_is_passed_when_it_is_said(profile in profiles()) {
        for place in 1..100 {
            let length = profile.distance.abs() * f64::from(place) / 100.0;
            let (position, _) = profile.at(profile.time_at(length));
            prop_assert!((position - length).abs() < 1e-9 * (1.0 + profile.limits.speed), "{length}: {position}");
        }
    }

    #[test]
    fn parts_take_as_much_longer_and_go_as_far(profile in profiles()) {
        let whole = Profile::new(profile.distance, profile.limits);
        let longer = profile.seconds() - whole.seconds();
        prop_assert!((longer - profile.impulses.span()).abs() < 1e-9);
        prop_assert_eq!(profile.distance.to_bits(), whole.distance.to_bits());
    }

    #[test]
    fn jumps_add_up_to_the_motion(profile in profiles(), at in 0.0..1.2_f64) {
        let time = profile.duration().mul_f64(at).as_secs_f64();
        let sign = 1.0_f64.copysign(profile.distance);
        let (mut velocity, mut position) = (0.0, 0.0);
        for jump in profile.jumps().filter(|jump| jump.time < time) {
            let since = time - jump.time;
            velocity += since * (jump.acceleration + since * jump.jerk / 2.0);
            position += since * since * (jump.acceleration / 2.0 + since * jump.jerk / 6.0);
        }
        let time = Duration::from_secs_f64(time);
        // What jerk makes of a nanosecond, and of rounding over the whole time.
        let scale = 1.0 + profile.limits.speed + profile.distance.abs();
        let rounding = profile.limits.jerk.unwrap_or(0.0) * profile.seconds().powi(3) * 1e-13;
        prop_assert!((profile.velocity(time) - velocity).abs() <= 1e-6 * scale + rounding, "{velocity}");
        prop_assert!((profile.position(time) - position).abs() <= 1e-6 * scale + rounding, "{position}");
        prop_assert!((position - profile.position(time)) * sign <= 1e-6 * scale + rounding);
    }

    #[test]
    fn the_peak_is_within_the_limit_and_is_that_of_the_motion(profile in profiles()) {
        let peak = profile.peak_acceleration();
        prop_assert!(peak <= profile.limits.acceleration * (1.0 + 1e-6), "{peak}");
        let moments: Vec<_> = times(&profile, 300).collect();
        for pair in moments.windows(2) {
            let dt = pair[1].saturating_sub(pair[0]).as_secs_f64();
            if dt > 1e-4 {
                let change = (profile.velocity(pair[1]) - profile.velocity(pair[0])).abs() / dt;
                prop_assert!(change <= peak * (1.0 + 1e-3) + 1e-3, "{change} of {peak}");
            }
        }
    }

    #[test]
    fn jerk_is_within_its_limit(profile in profiles()) {
        let mut jumps: Vec<Jump> = profile.jumps().collect();
        jumps.sort_by(|a, b| a.time.total_cmp(&b.time));
        let (mut jerk, mut time) = (0.0_f64, 0.0);
        for jump in jumps {
            if jump.time > time + 1e-9 {
                prop_assert!(jerk.abs() <= profile.limits.jerk.unwrap_or(0.0) * (1.0 + 1e-9), "{jerk}");
                time = jump.time;
            }
            jerk += jump.jerk;
        }
    }

    #[test]
    fn a_stop_in_parts_keeps_the_limits(profile in profiles(), at in 0.0..1.1_f64) {
        let stopped = profile.stopped_at(profile.duration().mul_f64(at));
        prop_assert!(stopped.peak_acceleration() <= profile.limits.acceleration * (1.0 + 1e-6));
        let positions: Vec<_> = times(&stopped, 300).map(|time| stopped.position(time).abs()).collect();
        prop_assert!(positions.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9));
        let speeds = times(&stopped, 300).map(|time| stopped.velocity(time).abs());
        prop_assert!(speeds.fold(0.0, f64::max) <= profile.limits.speed * (1.0 + 1e-6));
    }
}
