//! Many swings, with noise, sampled by a camera.

use super::*;
use std::f64::consts::TAU;

/// So many swings; 40 of them by `make test-crash`.
fn swings() -> u64 {
    std::env::var("SCANNER_TEST_SWINGS").map_or(20, |swings| swings.parse().unwrap())
}

const FRAME_S: f64 = 1.0 / 30.0;
const EXPOSURE_S: f64 = 0.01;

/// A generator of numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.next().max(1e-300), self.next());
        (-2.0 * a.ln()).sqrt() * (TAU * b).cos()
    }
}

/// A rig that swings, and how it is looked at.
#[derive(Debug)]
struct Rig {
    frequency: f64,
    damping: f64,
    noise: f64,
    amplitude: f64,
}

const KINDS: usize = 6;
const REPEATS: usize = 3;

impl Rig {
    fn of(random: &mut Random) -> Self {
        let frequency = (random.within(4.0_f64.ln(), 40.0_f64.ln())).exp();
        let damping = (random.within(0.01_f64.ln(), 0.15_f64.ln())).exp();
        let noise = random.within(0.02, 0.1);
        Self { frequency, damping, noise, amplitude: random.within(1.5, 6.0) }
    }

    /// Where the picture is, on average over an exposure.
    fn at(&self, at_s: f64, phase: f64) -> f64 {
        let natural = TAU * self.frequency;
        let damped = natural * (1.0 - self.damping * self.damping).sqrt();
        let parts = 20;
        let sum: f64 = (0..parts)
            .map(|part| {
                let t = at_s + EXPOSURE_S * ((f64::from(part) + 0.5) / f64::from(parts) - 0.5);
                (-self.damping * natural * t).exp() * (damped * t + phase).sin()
            })
            .sum();
        sum / f64::from(parts)
    }

    fn seen(&self, random: &mut Random) -> Vec<Seen> {
        let mut seen = Vec::new();
        for kind in 0..KINDS {
            let (phase, amplitude) = (random.within(0.0, TAU), self.amplitude * random.within(0.5, 1.0));
            for repeat in 0..REPEATS {
                // As the mover does: frames of each repeat fall elsewhere after the move.
                let first = EXPOSURE_S * 0.5 + FRAME_S * (repeat as f64 + random.next()) / REPEATS as f64;
                let rest = random.normal() * self.noise;
                let samples =
                    (0..).map(|frame| first + FRAME_S * f64::from(frame)).take_while(|at| *at < 1.2);
                let samples = samples.map(|at_s| {
                    let px = amplitude * self.at(at_s, phase) + rest + self.noise * random.normal();
                    Sample { at_s, px }
                });
                seen.push(Seen { kind, samples: samples.collect() });
            }
        }
        seen
    }
}

#[test]
fn frequency_and_damping_are_found() {
    let swings = swings();
    let mut wrong = Vec::new();
    let (mut f_z, mut d_z) = (Vec::new(), Vec::new());
    for seed in 0..swings {
        let mut random = Random(seed);
        let rig = Rig::of(&mut random);
        let found = fit(&rig.seen(&mut random));
        let Fit::Swing(swing) = &found else {
            wrong.push(format!("{seed}: {rig:?}: {found:?}"));
            continue;
        };
        let (f, d) = (swing.frequency / rig.frequency - 1.0, swing.damping / rig.damping - 1.0);
        f_z.push(f * rig.frequency / swing.frequency_deviation);
        d_z.push(d * rig.damping / swing.damping_deviation);
        if f.abs() > 0.03 || d.abs() > 0.2 {
            wrong.push(format!(
                "{seed}: {rig:?}: {f:+.4} {d:+.4} within {:.4} {:.4}",
                swing.frequency_deviation / swing.frequency,
                swing.damping_deviation / swing.damping
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {swings}: {wrong:#?}", wrong.len());
    // Errors are as large as they are said to be: the seeds are always the same.
    let rms = |z: &[f64]| (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt();
    let [f, d] = [&f_z, &d_z].map(|z| rms(z));
    assert!((0.7..1.4).contains(&f) && (0.7..1.4).contains(&d), "{f} and {d} standard deviations");
}

#[test]
fn noise_alone_is_no_swing() {
    for seed in 0..swings() {
        let mut random = Random(seed);
        let rig = Rig { amplitude: 0.0, ..Rig::of(&mut random) };
        let found = fit(&rig.seen(&mut random));
        assert!(matches!(found, Fit::Nothing { .. }), "{seed}: {found:?}");
    }
}

#[test]
fn a_swing_that_lasts_into_the_next_move_is_found() {
    let mut random = Random(7);
    let rig = Rig { frequency: 4.0, damping: 0.01, noise: 0.05, amplitude: 1.0 };
    let kinds: Vec<(f64, f64)> =
        (0..KINDS).map(|_| (random.within(0.0, TAU), random.within(0.5, 4.0))).collect();
    // What each move began, and how long ago it ended when the present one does.
    let mut begun: Vec<(usize, f64)> = Vec::new();
    let seen: Vec<Seen> = (0..KINDS * REPEATS)
        .map(|number| {
            let kind = number % KINDS;
            begun.push((kind, 0.0));
            let first = EXPOSURE_S * 0.5 + FRAME_S * random.next();
            let at = (0..70).map(|frame| first + FRAME_S * f64::from(frame));
            let swings = |at_s: f64| {
                let one =
                    |(kind, ago_s): &(usize, f64)| kinds[*kind].1 * rig.at(at_s + ago_s, kinds[*kind].0);
                begun.iter().map(one).sum::<f64>()
            };
            let samples = at.map(|at_s| Sample { at_s, px: swings(at_s) + 0.05 * random.normal() }).collect();
            let next_s = 2.5 + random.within(0.2, 0.3);
            for (_, ago_s) in &mut begun {
                *ago_s += next_s;
            }
            Seen { kind, samples }
        })
        .collect();
    let Fit::Swing(swing) = fit(&seen) else { panic!("it swings") };
    assert!((swing.frequency / 4.0 - 1.0).abs() < 0.01, "{swing:?}");
    assert!((swing.damping / 0.01 - 1.0).abs() < 0.2, "{swing:?}");
}

#[test]
fn what_one_frame_shows_wrong_is_left_out() {
    let mut random = Random(11);
    let rig = Rig { frequency: 17.0, damping: 0.04, noise: 0.03, amplitude: 2.0 };
    let mut seen = rig.seen(&mut random);
    for number in [0, 3, 8, 15] {
        seen[number].samples[number + 5].px += 9.0;
    }
    let Fit::Swing(swing) = fit(&seen) else { panic!("it swings") };
    assert!((swing.frequency / 17.0 - 1.0).abs() < 0.005, "{swing:?}");
    assert!((swing.damping / 0.04 - 1.0).abs() < 0.1, "{swing:?}");
    assert!(swing.noise_px < 0.06, "{swing:?}");
}

#[test]
fn too_few_frames_tell_nothing() {
    assert_eq!(fit(&[]), Fit::TooFew);
    let sample = |frame: u32| Sample { at_s: f64::from(frame) * FRAME_S, px: 0.0 };
    assert_eq!(fit(&[Seen { kind: 0, samples: (0..8).map(sample).collect() }]), Fit::TooFew);
    assert!(matches!(fit(&[Seen { kind: 0, samples: (0..40).map(sample).collect() }]), Fit::Nothing { .. }));
}
