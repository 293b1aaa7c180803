//! The swing in what was seen of an axis after its moves: its frequency and damping, by least squares.
//!
//! A camera takes frames more slowly than some rigs swing, so those of one move could be of several frequencies. But all moves
//! of one kind swing alike, and their frames fall at different moments after them: together they sample the swing densely.
//! Each kind has an amplitude and a phase of its own, and each move a place at which it comes to rest, since that is where its
//! last frame was seen to be. Those are linear, so only frequency and damping are searched for: on a grid first, then
//! by Levenberg and Marquardt's way. That frames are exposed for a while makes the amplitude smaller, and changes nothing else.

use std::f64::consts::TAU;

use super::linear::{Times, Trial, shape};
use super::seen::Seen;

/// What is looked for, in hertz.
const LOWEST: f64 = 2.0;
const HIGHEST: f64 = 60.0;
/// A swing that is over in 1.5 s shows frequencies this far apart as different ones.
const STEP: f64 = 0.2;
/// How fast a swing may die down, by the second: each is this often the one before.
const SLOWEST_DECAY: f64 = 0.3;
const FASTEST_DECAY: f64 = 80.0;
const DECAYS_RATIO: f64 = 2.4;
/// The damping that is looked for.
const LEAST_DAMPING: f64 = 0.0005;
const MOST_DAMPING: f64 = 0.6;
/// So many of the best frequencies of the grid are looked at more closely.
const CANDIDATES: usize = 4;
/// Steps of that look.
const STEPS: usize = 40;
/// Noise alone, of which the best among all those frequencies is taken, explains less than this, in squares of itself, beside
/// two for each amplitude, of which each kind has two.
const CHANCE: f64 = 45.0;
/// Frequencies known no better than this are none.
const VAGUE: f64 = 0.1;
/// A frame that is so many times the noise off was not looked at right.
const OUTLIER: f64 = 5.0;
/// How often that is looked for.
const ROUNDS: usize = 8;
/// Beside the farthest, those are left out that are this part as far off.
const FARTHEST: f64 = 0.7;
/// From the middle of what is off to the standard deviation.
const MEDIAN_TO_SIGMA: f64 = 1.4826;

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Fit {
    /// It swings.
    Swing(FittedSwing),
    /// It may swing, but by less than shows.
    Nothing {
        /// How far one frame is off by chance, in pixels.
        noise_px: f64,
    },
    /// Too few frames to tell.
    TooFew,
}

/// A swing, and how well it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedSwing {
    /// Of the swing if nothing damped it, in hertz.
    pub frequency: f64,
    /// Its standard deviation.
    pub frequency_deviation: f64,
    /// Of what would keep it from swinging at all.
    pub damping: f64,
    /// Its standard deviation.
    pub damping_deviation: f64,
    /// How far one frame is off by chance, in pixels.
    pub noise_px: f64,
    /// How far the picture swings after each move, in their order.
    pub moves: Vec<Swung>,
}

/// How far the picture swings after a move, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swung {
    /// Along the sine
    pub sine: f64,
    /// and the cosine, as the axis comes to rest.
    pub cosine: f64,
    /// Where it comes to rest, from its last frame.
    pub rest: f64,
}

impl Swung {
    /// Pixels to one side, as the axis comes to rest.
    pub fn amplitude(&self) -> f64 {
        self.sine.hypot(self.cosine)
    }
}

impl FittedSwing {
    /// Where the picture is `at_s` seconds after the axis came to rest, in pixels from where it comes to rest.
    pub fn at(&self, swung: &Swung, at_s: f64) -> f64 {
        let [sine, cosine] = shape(self.frequency, self.damping, at_s);
        swung.sine * sine + swung.cosine * cosine
    }

    /// By which part of it the frequency may be off.
    fn vague(&self) -> f64 {
        self.frequency_deviation / self.frequency
    }
}

/// Finds the swing that all of `seen` shows.
pub fn fit(seen: &[Seen]) -> Fit {
    let mut times = Times::of(seen);
    let Some(mut trial) = best(&times) else { return Fit::TooFew };
    // One that is far off hides others.
    for _ in 0..ROUNDS {
        let off = outliers(&times, &trial);
        if off.is_empty() {
            break;
        }
        times.remove(&off);
        let Some(again) = best(&times) else { return Fit::TooFew };
        trial = again;
    }
    let noise = trial.noise(&times);
    let explained = (times.unexplained() - trial.folded.squares) / (noise * noise).max(f64::MIN_POSITIVE);
    let chance = CHANCE + 4.0 * times.kinds as f64;
    let swing = swing(&times, &trial).filter(|swing| explained > chance && swing.vague() < VAGUE);
    let Some(swing) = swing else { return Fit::Nothing { noise_px: times.spread() } };
    // A swing that lasts into the next move adds to that one's: then moves of one kind differ. Which frequency it is, all
    // moves together have told.
    let apart = times.apart();
    let alone = (apart.freedom() >= 4).then(|| refine(&apart, swing.frequency, swing.damping));
    let alone = alone.and_then(|trial| self::swing(&apart, &trial));
    Fit::Swing(alone.filter(|alone| alone.vague() < swing.vague()).unwrap_or(swing))
}

/// What is known of the swing of a trial; none if it says nothing of frequency or damping.
fn swing(times: &Times, trial: &Trial) -> Option<FittedSwing> {
    let [frequency_part, damping_part] = trial.known(times)?;
    let Trial { frequency, damping, folded } = trial;
    let swung = |(kind, rest): (usize, &f64)| {
        let [sine, cosine] = folded.amplitudes[kind];
        Swung { sine, cosine, rest: *rest }
    };
    Some(FittedSwing {
        frequency: *frequency,
        frequency_deviation: frequency * frequency_part,
        damping: *damping,
        damping_deviation: damping * damping_part,
        noise_px: trial.noise(times),
        moves: times.kind_of.iter().copied().zip(&folded.rests).map(swung).collect(),
    })
}

/// Frequency and damping that fit best; none if there are too few samples to tell.
fn best(times: &Times) -> Option<Trial> {
    if times.freedom() < 4 {
        return None;
    }
    let mut found = grid(times);
    found.sort_by(|a, b| a.squares.total_cmp(&b.squares));
    found.truncate(CANDIDATES);
    let refined = found.into_iter().map(|point| refine(times, point.frequency, point.damping));
    refined.min_by(|a, b| a.folded.squares.total_cmp(&b.folded.squares))
}

/// A frequency with the damping that fits best with it, and the squares that are left.
struct Point {
    frequency: f64,
    damping: f64,
    squares: f64,
}

/// Frequencies that are better than those beside them.
fn grid(times: &Times) -> Vec<Point> {
    let decays: Vec<(f64, Vec<f64>)> =
        std::iter::successors(Some(SLOWEST_DECAY), |decay| Some(decay * DECAYS_RATIO))
            .take_while(|decay| *decay < FASTEST_DECAY)
            .map(|decay| (decay, times.at_s.iter().map(|at_s| (-decay * at_s).exp()).collect()))
            .collect();
    let steps = ((HIGHEST - LOWEST) / STEP) as usize;
    let all: Vec<Point> = (0..=steps)
        .filter_map(|step| {
            let damped = TAU * (LOWEST + STEP * step as f64);
            let waves: Vec<[f64; 2]> =
                times.at_s.iter().map(|at_s| (damped * at_s).sin_cos().into()).collect();
            let points = decays.iter().map(|(decay, left)| {
                let natural = damped.hypot(*decay);
                let squares = times.squares(|index| waves[index].map(|wave| wave * left[index]));
                Point { frequency: natural / TAU, damping: decay / natural, squares }
            });
            points.filter(|point| point.damping < MOST_DAMPING).min_by(|a, b| a.squares.total_cmp(&b.squares))
        })
        .collect();
    let squares: Vec<f64> = all.iter().map(|point| point.squares).collect();
    let is_peak = |index: usize| {
        let beside = [index.checked_sub(1), Some(index + 1)];
        let lower = |other: usize| squares.get(other).is_none_or(|other| squares[index] <= *other);
        beside.into_iter().flatten().all(lower)
    };
    all.into_iter().enumerate().filter(|(index, _)| is_peak(*index)).map(|(_, point)| point).collect()
}

/// Goes downhill from there.
fn refine(times: &Times, frequency: f64, damping: f64) -> Trial {
    let mut now = Trial::at(times, frequency, damping);
    let mut stiffness = 1e-3;
    for _ in 0..STEPS {
        let (normal, slope) = now.normal(times);
        let [[a, b], [_, d]] = normal;
        let (a, d) = (a * (1.0 + stiffness), d * (1.0 + stiffness));
        let determinant = a * d - b * b;
        if determinant.is_nan() || determinant.abs() <= f64::MIN_POSITIVE {
            break;
        }
        let step = [(d * slope[0] - b * slope[1]) / determinant, (a * slope[1] - b * slope[0]) / determinant];
        let frequency = (now.frequency * step[0].clamp(-0.05, 0.05).exp()).clamp(LOWEST * 0.9, HIGHEST * 1.1);
        let damping = (now.damping * step[1].clamp(-0.7, 0.7).exp()).clamp(LEAST_DAMPING, MOST_DAMPING);
        let next = Trial::at(times, frequency, damping);
        if next.folded.squares < now.folded.squares {
            now = next;
            stiffness = (stiffness * 0.3).max(1e-9);
            if step[0].abs() < 1e-7 && step[1].abs() < 1e-6 {
                break;
            }
        } else {
            stiffness *= 4.0;
            if stiffness > 1e6 {
                break;
            }
        }
    }
    now
}

/// Samples that are off by far more than the others.
fn outliers(times: &Times, trial: &Trial) -> Vec<usize> {
    let off: Vec<f64> = trial.folded.left.iter().map(|left| left.abs()).collect();
    let mut sorted = off.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default() * MEDIAN_TO_SIGMA;
    // As many were fitted as there are unknowns.
    let sigma = middle * (times.at_s.len() as f64 / times.freedom().max(1) as f64).sqrt();
    // What is far off pulls others after it: those that are the farthest go first.
    let limit = (sigma * OUTLIER).max(sorted.last().copied().unwrap_or_default() * FARTHEST);
    (0..off.len()).filter(|index| off[*index] > limit).collect()
}
