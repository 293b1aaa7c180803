//! The search: first where things stand, then what lenses and axes do, then how lenses bend; corners that do not fit are left out.

use nalgebra::{DMatrix, DVector, Matrix3, Vector3};

use super::SolveError;
use super::index::Index;
use super::request::Request;
use super::state::{Bundle, Layout, Part, Seen, State};
use crate::geometry::{about_z, as_rotation, turned_by};
use crate::normal::{Problem, Until, minimise};

/// From how many standard deviations on a corner counts for less than its square, while it is not yet clear what fits.
const DOUBTFUL: f64 = 2.5;
/// How many times the median a corner may be off.
const MOST_MEDIANS: f64 = 5.0;
/// Pixels that a corner of the board, and one of the ring, may be off in any case: those of the ring are more exact in large marks
/// than in small ones.
const MAY_BE_OFF: [f64; 2] = [0.05, 0.25];
/// The median of the distance of points scattered in a plane, in standard deviations of x or y.
const MEDIAN_PER_DEVIATION: f64 = 1.1774;
/// The least noise that is believed, in pixels.
const LEAST_NOISE: f64 = 0.005;
/// Degrees over which the turntable has to be turned for its scale to show.
const LEAST_TURN: f64 = 20.0;
/// Millimetres over which the lift has to be moved for its direction to show.
const LEAST_LIFT: f64 = 5.0;
/// Marks of which a leaning ring can be told.
const LEAST_MARKS: usize = 4;

/// What is free, by kind.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is free or not")]
pub(super) struct Free {
    pub(super) lenses: Vec<[bool; 8]>,
    pub(super) lift: bool,
    pub(super) scale: bool,
    pub(super) backlash: bool,
    pub(super) tilt: bool,
    pub(super) side: bool,
}

/// The search.
pub(super) struct Rounds<'a> {
    index: &'a Index,
    seen: &'a [Seen],
    used: Vec<bool>,
    /// Noise of the board's and of the ring's corners, in pixels.
    noise: [f64; 2],
    widths: Vec<f64>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Solved {
    pub(super) state: State,
    pub(super) layout: Layout,
    pub(super) covariance: DMatrix<f64>,
    pub(super) used: Vec<bool>,
    pub(super) noise: [f64; 2],
}

impl<'a> Rounds<'a> {
    pub(super) fn new(request: &Request, index: &'a Index) -> Self {
        let widths =
            index.lenses.iter().map(|(camera, _)| f64::from(request.cameras[*camera].width)).collect();
        Self { index, seen: &index.seen, used: vec![true; index.seen.len()], noise: [1.0; 2], widths }
    }

    pub(super) fn solve(mut self) -> Result<Solved, SolveError> {
        let nothing = [false; 8];
        let mut free = Free {
            lenses: vec![nothing; self.index.lenses.len()],
            lift: false,
            scale: false,
            backlash: false,
            tilt: false,
            side: false,
        };
        let mut state = self.index.start.clone();
        self.rounds(&mut state, &free, 5)?;

        let focal = [true, true, false, false, false, false, false, false];
        free = Free { lenses: vec![focal; self.index.lenses.len()], ..self.shown() };
        self.rounds(&mut state, &free, 5)?;

        let plain = state.clone();
        free.lenses.fill([true; 8]);
        // Each time without what is determined least: that it was free may have spoiled the rest.
        for _ in 0..=6 * free.lenses.len() {
            state = plain.clone();
            self.rounds(&mut state, &free, 4)?;
            for _ in 0..6 {
                let changed = self.drop_odd(&state);
                self.settle(&mut state, &free)?;
                if !changed {
                    break;
                }
            }
            let layout = layout(&state, &free);
            let covariance = self.covariance(&state, &layout);
            let Some((lens, numbers)) = self.least_determined(&free, &layout, covariance.as_ref()) else {
                let covariance = covariance.ok_or_else(|| self.undetermined())?;
                return Ok(Solved { state, layout, covariance, used: self.used, noise: self.noise });
            };
            for number in numbers {
                free.lenses[lens][*number] = false;
            }
        }
        Err(self.undetermined())
    }

    /// What the views show of the axes and the ring.
    fn shown(&self) -> Free {
        let spread = |of: fn(&Seen) -> f64| {
            let (least, most) =
                self.seen.iter().map(of).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
            most - least
        };
        let count = |is: fn(&Seen) -> bool| self.seen.iter().filter(|seen| is(seen)).count();
        let back = count(|seen| seen.back);
        let marks = self.index.start.marks.len();
        Free {
            lenses: Vec::new(),
            lift: spread(|seen| seen.lift) >= LEAST_LIFT,
            scale: spread(|seen| seen.turn).to_degrees() >= LEAST_TURN,
            backlash: back > 0 && back < self.seen.len(),
            tilt: marks >= LEAST_MARKS,
            side: marks > 0 && !self.index.placements.is_empty(),
        }
    }

    /// Several steps while it is not clear yet how much noise there is.
    fn rounds(&mut self, state: &mut State, free: &Free, most: usize) -> Result<(), SolveError> {
        for _ in 0..most {
            let before = self.noise;
            self.noise = self.medians(state).map(|median| (median / MEDIAN_PER_DEVIATION).max(LEAST_NOISE));
            let weights = self.weights(state, DOUBTFUL);
            *state = self.step(state, free, &weights, Until::Rough)?;
            if self.noise.iter().zip(before).all(|(now, before)| (now / before - 1.0).abs() < 0.01) {
                break;
            }
        }
        Ok(())
    }

    /// The last step: everything that is used counts by its square.
    fn settle(&mut self, state: &mut State, free: &Free) -> Result<(), SolveError> {
        for _ in 0..2 {
            let weights = self.weights(state, f64::INFINITY);
            *state = self.step(state, free, &weights, Until::Exact)?;
            let mut sums = [(0.0, 0.0); 2];
            for (seen, used) in self.seen.iter().zip(&self.used) {
                if let Some(off) = state.residual(seen).filter(|_| *used) {
                    let (sum, count) = &mut sums[kind(seen)];
                    *sum += off.norm_squared();
                    *count += 2.0;
                }
            }
            self.noise = sums
                .map(|(sum, count)| if count > 0.0 { (sum / count).sqrt().max(LEAST_NOISE) } else { 1.0 });
        }
        Ok(())
    }

    fn step(&self, state: &State, free: &Free, weights: &[f64], until: Until) -> Result<State, SolveError> {
        let layout = layout(state, free);
        let bundle =
            Bundle { base: state, layout: &layout, seen: self.seen, weights, gauge: &self.index.gauge };
        let by = minimise(&bundle, DVector::zeros(layout.size), until).ok_or(SolveError::Lost)?;
        Ok(upright(state.moved(&layout, &by)))
    }

    fn covariance(&self, state: &State, layout: &Layout) -> Option<DMatrix<f64>> {
        let weights = self.weights(state, f64::INFINITY);
        let bundle =
            Bundle { base: state, layout, seen: self.seen, weights: &weights, gauge: &self.index.gauge };
        let normal = bundle.normal(&DVector::zeros(layout.size))?;
        let determined = normal.squares.diagonal().iter().filter(|square| **square > 0.0).count();
        let free = (2 * self.used.iter().filter(|used| **used).count()).saturating_sub(determined);
        let covariance = normal.covariance()?;
        (free > 0).then(|| covariance * (normal.cost / free as f64))
    }

    /// Of the board and of the ring, the median of how far corners are off.
    fn medians(&self, state: &State) -> [f64; 2] {
        let mut off: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for (seen, used) in self.seen.iter().zip(&self.used) {
            if *used {
                off[kind(seen)].push(state.residual(seen).map_or(f64::MAX, |off| off.norm()));
            }
        }
        off.map(|mut off| {
            let middle = off.len() / 2;
            if off.is_empty() { LEAST_NOISE } else { *off.select_nth_unstable_by(middle, f64::total_cmp).1 }
        })
    }

    fn weights(&self, state: &State, doubtful: f64) -> Vec<f64> {
        let weight = |(seen, used): (&Seen, &bool)| {
            let noise = self.noise[kind(seen)];
            match state.residual(seen) {
                Some(off) if *used => (doubtful * noise / off.norm().max(1e-12)).min(1.0).sqrt() / noise,
                Some(_) | None => 0.0,
            }
        };
        self.seen.iter().zip(&self.used).map(weight).collect()
    }

    /// Leaves out what does not fit, and takes in again what does; of marks, all four corners. Whether that changed anything.
    fn drop_odd(&mut self, state: &State) -> bool {
        let medians = self.medians(state);
        let limits = [0, 1].map(|kind| (medians[kind] * MOST_MEDIANS).max(MAY_BE_OFF[kind]));
        let fits = |seen: &Seen| state.residual(seen).is_some_and(|off| off.norm() <= limits[kind(seen)]);
        let mut used: Vec<bool> = self.seen.iter().map(fits).collect();
        let mut at = 0;
        for mark in
            self.seen.chunk_by(|a, b| a.view == b.view && mark_of(a).is_some() && mark_of(a) == mark_of(b))
        {
            let part = &mut used[at..at + mark.len()];
            if mark_of(&mark[0]).is_some() && part.contains(&false) {
                part.fill(false);
            }
            at += mark.len();
        }
        let changed = used != self.used;
        self.used = used;
        changed
    }

    /// Which numbers of which lens are determined least, of those that are not determined enough to be measured.
    fn least_determined(
        &self,
        free: &Free,
        layout: &Layout,
        covariance: Option<&DMatrix<f64>>,
    ) -> Option<(usize, &'static [usize])> {
        // Each with how much it may be uncertain.
        const GROUPS: [(&[usize], f64); 4] = [(&[2, 3], 0.005), (&[4], 0.02), (&[5], 0.1), (&[6, 7], 0.002)];
        let mut worst: Option<(f64, usize, &'static [usize])> = None;
        for lens in 0..free.lenses.len() {
            for (numbers, most) in GROUPS {
                if !free.lenses[lens][numbers[0]] {
                    continue;
                }
                let most = if numbers[0] == 2 { most * self.widths[lens] } else { most };
                let deviation = |number: &usize| match (layout.lenses[lens][*number], covariance) {
                    (Some(at), Some(covariance)) if covariance[(at, at)] > 0.0 => {
                        covariance[(at, at)].sqrt() / most
                    }
                    // Nothing is known: first without what matters least.
                    (Some(_) | None, Some(_) | None) => 1e3 + *number as f64,
                };
                let share = numbers.iter().map(deviation).fold(0.0, f64::max);
                if share > 1.0 && worst.is_none_or(|(most, ..)| share > most) {
                    worst = Some((share, lens, numbers));
                }
            }
        }
        worst.map(|(_, lens, numbers)| (lens, numbers))
    }

    fn undetermined(&self) -> SolveError {
        let views = self.seen.chunk_by(|a, b| a.view == b.view).count();
        let mut angles: Vec<i64> =
            self.seen.iter().map(|seen| (seen.turn.to_degrees() * 10.0).round() as i64).collect();
        angles.sort_unstable();
        angles.dedup();
        let corners = self.used.iter().filter(|used| **used).count();
        SolveError::Undetermined(format!(
            "{corners} corners in {views} views at {} angles of the turntable",
            angles.len()
        ))
    }
}

/// 0 for the board, 1 for the ring.
pub(super) fn kind(seen: &Seen) -> usize {
    usize::from(mark_of(seen).is_some())
}

fn mark_of(seen: &Seen) -> Option<usize> {
    match seen.part {
        Part::Board { .. } => None,
        Part::Ring { mark, .. } => Some(mark),
    }
}

/// Which parameters there are if so much is free.
fn layout(state: &State, free: &Free) -> Layout {
    let mut size = 0;
    let mut take = |count: usize, wanted: bool| {
        let first = size;
        size += if wanted { count } else { 0 };
        wanted.then_some(first)
    };
    let lenses = free.lenses.iter().map(|lens| lens.map(|number| take(1, number))).collect();
    Layout {
        lenses,
        cameras: take(6 * state.cameras.len(), true),
        lift: take(3, free.lift),
        scale: take(1, free.scale),
        backlash: take(1, free.backlash),
        boards: take(6 * state.boards.len(), true),
        tilt: take(2, free.tilt),
        side: take(1, free.side),
        marks: take(3 * state.marks.len(), true),
        size,
    }
}

/// With rotations that are exactly some, and a ring whose tilt has no turn about z in it.
fn upright(mut state: State) -> State {
    for placed in state.cameras.iter_mut().chain(&mut state.boards) {
        placed.rotation = as_rotation(&placed.rotation);
    }
    let normal = state.tilt.column(2).into_owned();
    let across = Vector3::z().cross(&normal);
    let lean = across.norm().atan2(normal.z);
    let tilt =
        if across.norm() < 1e-12 { Matrix3::identity() } else { turned_by(&(across.normalize() * lean)) };
    let rest = tilt.transpose() * state.tilt;
    let turn = rest[(1, 0)].atan2(rest[(0, 0)]);
    for mark in &mut state.marks {
        let middle = about_z(turn) * Vector3::new(mark.x_mm, mark.y_mm, 0.0);
        (mark.x_mm, mark.y_mm) = (middle.x, middle.y);
        mark.heading_deg += turn.to_degrees();
    }
    state.tilt = tilt;
    state
}
