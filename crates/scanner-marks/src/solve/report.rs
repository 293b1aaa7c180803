//! The answer, from what was solved.

use nalgebra::Vector3;

use super::answer::{Answer, Board, Camera, FoundLens, View};
use super::index::Index;
use super::request::Request;
use super::rounds::{Solved, kind};
use super::state::Seen;
use super::warnings;
use crate::geometry::{Lens, Lift, Lying, LyingRing, Stand, Turntable, rows};

/// How far some corners are off.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    squares: f64,
    used: usize,
    dropped: usize,
}

impl Sum {
    fn rms(self) -> f64 {
        if self.used == 0 { 0.0 } else { (self.squares / self.used as f64).sqrt() }
    }
}

pub(super) fn answer(request: &Request, index: &Index, solved: &Solved) -> Answer {
    let Solved { state, layout, covariance, .. } = solved;
    let deviation = |at: Option<usize>, plus: usize| {
        at.map_or(0.0, |at| covariance[(at + plus, at + plus)].max(0.0).sqrt())
    };
    let three = |at: Option<usize>, plus: usize| [0, 1, 2].map(|axis| deviation(at, plus + axis));
    let sum = |of: &dyn Fn(&Seen) -> bool| sum(index, solved, of);

    let lens = |number: usize| {
        let (found, free) = (state.lenses[number], &layout.lenses[number]);
        let named = ["fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"].into_iter().zip(free);
        FoundLens {
            lens_position: index.lenses[number].1,
            lens: found,
            deviation: Lens::from_numbers(free.map(|at| deviation(at, 0))),
            measured: named.filter(|(_, at)| at.is_some()).map(|(name, _)| name.to_owned()).collect(),
        }
    };
    let cameras = request.cameras.iter().zip(&state.cameras).enumerate().map(|(camera, (asked, placed))| {
        let total = sum(&|seen| seen.camera == camera);
        let lenses = (0..index.lenses.len()).filter(|number| index.lenses[*number].0 == camera).map(lens);
        Camera {
            name: asked.name.clone(),
            lenses: lenses.collect(),
            stand: Stand { rotation: rows(&placed.rotation), centre_mm: placed.origin.into() },
            centre_deviation_mm: three(layout.cameras, 6 * camera + 3),
            turn_deviation_deg: three(layout.cameras, 6 * camera).map(f64::to_degrees),
            rms_px: total.rms(),
            used: total.used,
            dropped: total.dropped,
        }
    });
    let views = request.views.iter().enumerate().map(|(number, view)| {
        let total = sum_of_view(index, solved, number);
        View { camera: view.camera.clone(), rms_px: total.rms(), used: total.used, dropped: total.dropped }
    });
    let boards =
        index.placements.iter().zip(&state.boards).enumerate().map(|(number, (placement, placed))| Board {
            placement: *placement,
            rotation: rows(&placed.rotation),
            origin_mm: placed.origin.into(),
            origin_deviation_mm: three(layout.boards, 6 * number + 3),
        });
    let (ring, ring_deviation) = rings(solved).unzip();
    let measured = [(layout.scale, "scale"), (layout.backlash, "backlash_deg")];
    let total = sum(&|_| true);
    let of_kind = |wanted: usize| index.seen.iter().any(|seen| kind(seen) == wanted);
    let noise = |wanted: usize| if of_kind(wanted) { solved.noise[wanted] } else { 0.0 };
    let mut answer = Answer {
        cameras: cameras.collect(),
        turntable: Turntable { scale: state.scale, backlash_deg: state.backlash.to_degrees() },
        turntable_deviation: Turntable {
            scale: deviation(layout.scale, 0),
            backlash_deg: deviation(layout.backlash, 0).to_degrees(),
        },
        turntable_measured: measured.iter().filter_map(|(at, name)| at.map(|_| (*name).to_owned())).collect(),
        lift: Lift { mm_per_mm: state.lift.into() },
        lift_deviation: Lift { mm_per_mm: three(layout.lift, 0) },
        lift_measured: layout.lift.is_some(),
        boards: boards.collect(),
        ring,
        ring_deviation,
        rms_px: total.rms(),
        board_noise_px: noise(0),
        ring_noise_px: noise(1),
        views: views.collect(),
        used: total.used,
        dropped: total.dropped,
        warnings: Vec::new(),
    };
    answer.warnings = warnings::of(request, index, solved, &answer);
    answer
}

/// The ring as it lies, and its standard deviations.
fn rings(solved: &Solved) -> Option<(LyingRing, LyingRing)> {
    let Solved { state, layout, covariance, .. } = solved;
    if state.marks.is_empty() {
        return None;
    }
    let deviation = |at: Option<usize>, plus: usize| {
        at.map_or(0.0, |at| covariance[(at + plus, at + plus)].max(0.0).sqrt())
    };
    let normal = state.tilt.column(2).into_owned();
    let across = Vector3::z().cross(&normal);
    let lean = if across.norm() > 0.0 { across.normalize() * across.norm().asin() } else { across };
    let mut marks: Vec<(Lying, Lying)> = state
        .marks
        .iter()
        .enumerate()
        .map(|(number, mark)| {
            let of = |plus: usize| deviation(layout.marks, 3 * number + plus);
            let heading_deg = mark.heading_deg.rem_euclid(360.0);
            (
                Lying { heading_deg, ..*mark },
                Lying { id: mark.id, x_mm: of(0), y_mm: of(1), heading_deg: of(2).to_degrees() },
            )
        })
        .collect();
    marks.sort_by_key(|(mark, _)| mark.id);
    let (marks, deviations) = marks.into_iter().unzip();
    let tilt_deviation = [deviation(layout.tilt, 0), deviation(layout.tilt, 1)].map(f64::to_degrees);
    Some((
        LyingRing { tilt_deg: [lean.x.to_degrees(), lean.y.to_degrees()], side_mm: state.side, marks },
        LyingRing { tilt_deg: tilt_deviation, side_mm: deviation(layout.side, 0), marks: deviations },
    ))
}

fn sum(index: &Index, solved: &Solved, of: &dyn Fn(&Seen) -> bool) -> Sum {
    add(index.seen.iter().zip(&solved.used).filter(|(seen, _)| of(seen)), solved)
}

/// As [`sum`], but knows that the corners of a view are together.
fn sum_of_view(index: &Index, solved: &Solved, view: usize) -> Sum {
    let from = index.seen.partition_point(|seen| seen.view < view);
    let to = index.seen.partition_point(|seen| seen.view <= view);
    add(index.seen[from..to].iter().zip(&solved.used[from..to]), solved)
}

fn add<'a>(corners: impl Iterator<Item = (&'a Seen, &'a bool)>, solved: &Solved) -> Sum {
    let mut sum = Sum::default();
    for (seen, used) in corners {
        match solved.state.residual(seen).filter(|_| *used) {
            Some(off) => {
                sum.squares += off.norm_squared();
                sum.used += 1;
            }
            None => sum.dropped += 1,
        }
    }
    sum
}
