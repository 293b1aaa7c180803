//! What is linear in a fit of swings: amplitudes, phases and where moves come to rest, for a frequency and a damping.

use std::f64::consts::TAU;

use super::seen::{Sample, Seen};

/// By this part, frequency and damping are changed to see what that does.
const NUDGE: f64 = 1e-4;

/// All samples of all moves, in one list.
#[derive(Debug, Clone)]
pub(super) struct Times {
    pub(super) at_s: Vec<f64>,
    px: Vec<f64>,
    /// Which move each is of, and which kind that is of.
    moves: Vec<usize>,
    pub(super) kind_of: Vec<usize>,
    pub(super) kinds: usize,
}

/// What is left once the linear part is fitted.
#[derive(Debug, Clone)]
pub(super) struct Folded {
    /// The sum of the squares of what is left.
    pub(super) squares: f64,
    /// Sine and cosine, by kind.
    pub(super) amplitudes: Vec<[f64; 2]>,
    /// By move.
    pub(super) rests: Vec<f64>,
    /// By sample.
    pub(super) left: Vec<f64>,
}

/// A frequency and a damping, and what is left with them.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) frequency: f64,
    pub(super) damping: f64,
    pub(super) folded: Folded,
}

/// Sums over the samples of one move, or of all moves of a kind.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: f64,
    s: f64,
    c: f64,
    y: f64,
    ss: f64,
    sc: f64,
    cc: f64,
    sy: f64,
    cy: f64,
    yy: f64,
}

impl Sums {
    fn add(&mut self, [s, c]: [f64; 2], y: f64) {
        self.count += 1.0;
        self.s += s;
        self.c += c;
        self.y += y;
        self.ss += s * s;
        self.sc += s * c;
        self.cc += c * c;
        self.sy += s * y;
        self.cy += c * y;
        self.yy += y * y;
    }

    /// Adds a move, from whose samples its mean is taken away: it comes to rest somewhere.
    fn add_centred(&mut self, of: &Self) {
        if of.count == 0.0 {
            return;
        }
        self.count += of.count;
        self.ss += of.ss - of.s * of.s / of.count;
        self.sc += of.sc - of.s * of.c / of.count;
        self.cc += of.cc - of.c * of.c / of.count;
        self.sy += of.sy - of.s * of.y / of.count;
        self.cy += of.cy - of.c * of.y / of.count;
        self.yy += of.yy - of.y * of.y / of.count;
    }

    fn amplitudes(&self) -> [f64; 2] {
        let determinant = self.ss * self.cc - self.sc * self.sc;
        if determinant.is_nan() || determinant <= 1e-12 * self.ss * self.cc {
            return [0.0; 2];
        }
        [
            (self.cc * self.sy - self.sc * self.cy) / determinant,
            (self.ss * self.cy - self.sc * self.sy) / determinant,
        ]
    }
}

impl Times {
    pub(super) fn of(seen: &[Seen]) -> Self {
        let kinds = seen.iter().map(|seen| seen.kind + 1).max().unwrap_or_default();
        let kind_of = seen.iter().map(|seen| seen.kind).collect();
        let mut times = Self { at_s: Vec::new(), px: Vec::new(), moves: Vec::new(), kind_of, kinds };
        for (number, seen) in seen.iter().enumerate() {
            for Sample { at_s, px } in &seen.samples {
                if at_s.is_finite() && px.is_finite() {
                    times.at_s.push(*at_s);
                    times.px.push(*px);
                    times.moves.push(number);
                }
            }
        }
        times
    }

    pub(super) fn remove(&mut self, off: &[usize]) {
        for index in off.iter().rev() {
            self.at_s.remove(*index);
            self.px.remove(*index);
            self.moves.remove(*index);
        }
    }

    /// The same with each move of a kind of its own.
    pub(super) fn apart(&self) -> Self {
        let moves = self.kind_of.len();
        Self { kind_of: (0..moves).collect(), kinds: moves, ..self.clone() }
    }

    /// Samples beyond what is fitted: frequency, damping, two amplitudes a kind, a place a move.
    pub(super) fn freedom(&self) -> usize {
        self.at_s.len().saturating_sub(2 + 2 * self.kinds + self.kind_of.len())
    }

    /// The squares that are left if nothing swings.
    pub(super) fn unexplained(&self) -> f64 {
        self.squares(|_| [0.0; 2])
    }

    /// How far samples are from where their move comes to rest.
    pub(super) fn spread(&self) -> f64 {
        let freedom = self.at_s.len().saturating_sub(self.kind_of.len()).max(1);
        (self.unexplained() / freedom as f64).sqrt()
    }

    /// The squares that are left if what swings is best fitted by `basis`, its sine and its cosine at each sample.
    pub(super) fn squares(&self, basis: impl Fn(usize) -> [f64; 2]) -> f64 {
        let (_, of_kinds) = self.sums(basis);
        let left = of_kinds.iter().map(|sums| {
            let [sine, cosine] = sums.amplitudes();
            sums.yy - sine * sums.sy - cosine * sums.cy
        });
        left.sum::<f64>().max(0.0)
    }

    /// As [`Self::squares`], with all that is fitted.
    fn fold(&self, basis: impl Fn(usize) -> [f64; 2]) -> Folded {
        let (of_moves, of_kinds) = self.sums(&basis);
        let amplitudes: Vec<[f64; 2]> = of_kinds.iter().map(Sums::amplitudes).collect();
        let rest = |(sums, kind): (&Sums, &usize)| {
            let [sine, cosine] = amplitudes[*kind];
            (sums.y - sine * sums.s - cosine * sums.c) / sums.count.max(1.0)
        };
        let rests: Vec<f64> = of_moves.iter().zip(&self.kind_of).map(rest).collect();
        let left = self.moves.iter().enumerate().map(|(index, number)| {
            let ([s, c], [sine, cosine]) = (basis(index), amplitudes[self.kind_of[*number]]);
            self.px[index] - rests[*number] - sine * s - cosine * c
        });
        let left: Vec<f64> = left.collect();
        let squares = left.iter().map(|left| left * left).sum();
        Folded { squares, amplitudes, rests, left }
    }

    /// Sums by move, and by kind.
    fn sums(&self, basis: impl Fn(usize) -> [f64; 2]) -> (Vec<Sums>, Vec<Sums>) {
        let mut of_moves = vec![Sums::default(); self.kind_of.len()];
        for (index, number) in self.moves.iter().enumerate() {
            of_moves[*number].add(basis(index), self.px[index]);
        }
        let mut of_kinds = vec![Sums::default(); self.kinds];
        for (sums, kind) in of_moves.iter().zip(&self.kind_of) {
            of_kinds[*kind].add_centred(sums);
        }
        (of_moves, of_kinds)
    }
}

impl Trial {
    pub(super) fn at(times: &Times, frequency: f64, damping: f64) -> Self {
        let folded = times.fold(|index| shape(frequency, damping, times.at_s[index]));
        Self { frequency, damping, folded }
    }

    /// How far one sample is off by chance.
    pub(super) fn noise(&self, times: &Times) -> f64 {
        (self.folded.squares / times.freedom().max(1) as f64).sqrt()
    }

    /// The normal equations of a step of the logarithms of frequency and damping: the matrix, and its right side.
    pub(super) fn normal(&self, times: &Times) -> ([[f64; 2]; 2], [f64; 2]) {
        let (up, down) = (NUDGE.exp(), (-NUDGE).exp());
        let slope = |frequency: [f64; 2], damping: [f64; 2]| {
            let [more, less] = [0, 1].map(|side| {
                Self::at(times, self.frequency * frequency[side], self.damping * damping[side]).folded.left
            });
            more.iter().zip(&less).map(|(more, less)| (more - less) / (2.0 * NUDGE)).collect::<Vec<f64>>()
        };
        let (f, d) = (slope([up, down], [1.0; 2]), slope([1.0; 2], [up, down]));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let across = dot(&f, &d);
        let left = &self.folded.left;
        ([[dot(&f, &f), across], [across, dot(&d, &d)]], [-dot(&f, left), -dot(&d, left)])
    }

    /// The standard deviations of frequency and damping, as parts of them; none if they say nothing at all.
    pub(super) fn known(&self, times: &Times) -> Option<[f64; 2]> {
        let ([[a, b], [_, d]], _) = self.normal(times);
        let determinant = a * d - b * b;
        let noise = self.noise(times);
        (determinant > 0.0).then(|| [(d / determinant).sqrt() * noise, (a / determinant).sqrt() * noise])
    }
}

/// What a swing of unit amplitude is at a time: its sine and its cosine.
pub(super) fn shape(frequency: f64, damping: f64, at_s: f64) -> [f64; 2] {
    let natural = TAU * frequency;
    let (decay, damped) = (damping * natural, natural * (1.0 - damping * damping).max(0.0).sqrt());
    let (sine, cosine) = (damped * at_s).sin_cos();
    let left = (-decay * at_s).exp();
    [left * sine, left * cosine]
}
