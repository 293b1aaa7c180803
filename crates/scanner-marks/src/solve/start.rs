//! Where the search begins: the board and the marks on the table, from cameras as they are configured.

use nalgebra::{DMatrix, DVector, Matrix3, Vector2, Vector3};

use super::state::{Part, Placed, Seen, State};
use crate::geometry::{Lens, Lying, about_z, as_rotation, turn_slopes, turned_by};
use crate::normal::{Normal, Problem, Until, minimise};

/// Views of one placement from which the board's place is tried.
const TRIED: usize = 40;
/// No corner counts for more than this many pixels in the choice of a start.
const MOST_OFF: f64 = 800.0;

/// Puts the board's placements where they fit the views best, with cameras as they are in `state`.
pub(super) fn boards(state: &mut State, seen: &[Seen]) {
    for placement in 0..state.boards.len() {
        let of_it: Vec<Seen> = seen
            .iter()
            .filter(|seen| matches!(seen.part, Part::Board { placement: found, .. } if found == placement))
            .copied()
            .collect();
        let mut views: Vec<&[Seen]> =
            of_it.chunk_by(|a, b| a.view == b.view).filter(|view| view.len() >= 6).collect();
        let every = views.len().div_ceil(TRIED).max(1);
        views = views.into_iter().step_by(every).collect();
        let sample: Vec<&Seen> = of_it.iter().step_by((of_it.len() / 1500).max(1)).collect();
        let mut best: Option<(f64, Placed)> = None;
        for view in views {
            for board in from_view(state, view) {
                state.boards[placement] = board;
                let off =
                    |seen: &&Seen| state.residual(seen).map_or(MOST_OFF, |off| off.norm().min(MOST_OFF));
                let cost: f64 = sample.iter().map(off).sum();
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, board));
                }
            }
        }
        if let Some((_, board)) = best {
            state.boards[placement] = board;
        }
    }
}

/// Where the board is on the table by one view. What is flat and seen from afar looks nearly the same leaning to the other side:
/// both are answered.
fn from_view(state: &State, view: &[Seen]) -> Vec<Placed> {
    let Some(first) = view.first() else { return Vec::new() };
    let camera = &state.cameras[first.camera];
    let lens = state.lenses[first.lens];
    let points: Vec<(Vector3<f64>, Vector2<f64>)> = view
        .iter()
        .filter_map(|seen| match seen.part {
            Part::Board { point, .. } => Some((point, seen.pixel)),
            Part::Ring { .. } => None,
        })
        .collect();
    let Some(rough) = flat_pose(&lens, &points) else { return Vec::new() };
    let middle = points.iter().map(|(point, _)| point).sum::<Vector3<f64>>() / points.len() as f64;
    let mirrored = other_lean(&rough, &middle);
    let to_table = about_z(-state.turned(first));
    [rough, mirrored]
        .into_iter()
        .filter_map(|pose| refined(&lens, &points, pose))
        .map(|pose| {
            let to_rig = camera.rotation.transpose();
            let in_rig = to_rig * pose.origin + camera.origin + state.lift * first.lift;
            Placed { rotation: to_table * to_rig * pose.rotation, origin: to_table * in_rig }
        })
        .collect()
}

/// Leaning to the other side of the line of sight.
fn other_lean(pose: &Placed, middle: &Vector3<f64>) -> Placed {
    let at = pose.rotation * middle + pose.origin;
    let sight = at.normalize();
    let normal: Vector3<f64> = pose.rotation.column(2).into_owned();
    let across = sight.cross(&normal);
    if across.norm() < 1e-6 {
        return *pose;
    }
    let lean = across.norm().atan2(sight.dot(&normal));
    // What looks at the camera has its normal against the sight.
    let turn = turned_by(&(across.normalize() * (2.0 * (std::f64::consts::PI - lean))));
    let rotation = turn * pose.rotation;
    Placed { rotation, origin: at - rotation * middle }
}

/// A flat target's pose in the camera's frame, from four of its points or more.
fn flat_pose(lens: &Lens, points: &[(Vector3<f64>, Vector2<f64>)]) -> Option<Placed> {
    let count = points.len() as f64;
    let middle = points.iter().map(|(point, _)| point).sum::<Vector3<f64>>() / count;
    let size = points.iter().map(|(point, _)| (point - middle).norm()).sum::<f64>() / count;
    if size <= 0.0 {
        return None;
    }
    let mut squares = DMatrix::<f64>::zeros(9, 9);
    for (point, pixel) in points {
        let flat = (point - middle) / size;
        let ray = lens.ray((*pixel).into());
        let (x, y) = (flat.x, flat.y);
        for row in [
            [x, y, 1.0, 0.0, 0.0, 0.0, -ray.x * x, -ray.x * y, -ray.x],
            [0.0, 0.0, 0.0, x, y, 1.0, -ray.y * x, -ray.y * y, -ray.y],
        ] {
            let row = DVector::from_row_slice(&row);
            squares += &row * row.transpose();
        }
    }
    let eigen = squares.symmetric_eigen();
    let least = eigen.eigenvalues.imin();
    let h = eigen.eigenvectors.column(least);
    let column = |index: usize| Vector3::new(h[index], h[3 + index], h[6 + index]);
    let (mut right, mut up, mut origin) = (column(0), column(1), column(2));
    let length = (right.norm() * up.norm()).sqrt();
    // In front of the camera.
    let sign = if origin.z < 0.0 { -1.0 } else { 1.0 };
    if length <= 1e-9 {
        return None;
    }
    for vector in [&mut right, &mut up, &mut origin] {
        *vector *= sign / length;
    }
    let rotation = as_rotation(&Matrix3::from_columns(&[right, up, right.cross(&up)]));
    Some(Placed { rotation, origin: origin * size - rotation * middle })
}

/// The pose near `start` that fits best.
fn refined(lens: &Lens, points: &[(Vector3<f64>, Vector2<f64>)], start: Placed) -> Option<Placed> {
    let problem = Pose { lens, points, start };
    minimise(&problem, DVector::zeros(6), Until::Rough).map(|by| problem.at(&by))
}

/// One target before one camera.
struct Pose<'a> {
    lens: &'a Lens,
    points: &'a [(Vector3<f64>, Vector2<f64>)],
    start: Placed,
}

impl Pose<'_> {
    fn at(&self, by: &DVector<f64>) -> Placed {
        let turn = Vector3::new(by[0], by[1], by[2]);
        Placed {
            rotation: turned_by(&turn) * self.start.rotation,
            origin: self.start.origin + Vector3::new(by[3], by[4], by[5]),
        }
    }
}

impl Problem for Pose<'_> {
    fn size(&self) -> usize {
        6
    }

    fn normal(&self, by: &DVector<f64>) -> Option<Normal> {
        let pose = self.at(by);
        let by_turn = turn_slopes(&Vector3::new(by[0], by[1], by[2]));
        let mut normal = Normal::new(6);
        for (point, pixel) in self.points {
            let turned = pose.rotation * point;
            let (found, by_camera, _) = self.lens.project_with_slopes(&(turned + pose.origin))?;
            let turning = by_camera * -turned.cross_matrix() * by_turn;
            for row in 0..2 {
                let slopes: [(usize, f64); 6] = std::array::from_fn(|at| {
                    (at, if at < 3 { turning[(row, at)] } else { by_camera[(row, at - 3)] })
                });
                normal.add(found[row] - pixel[row], &slopes);
            }
        }
        Some(normal.whole())
    }
}

/// Turns the ring, which `state` has as printed, to where the cameras as configured see its marks on the table's plane. Marks that
/// are far from where they then should be are put where they are seen: those that were cut out may lie anywhere.
pub(super) fn marks(state: &mut State, seen: &[Seen]) {
    let mut sums = vec![(0.0, [Vector3::zeros(); 2]); state.marks.len()];
    for seen in seen {
        let Part::Ring { mark, corner } = seen.part else { continue };
        let camera = &state.cameras[seen.camera];
        let ray = camera.rotation.transpose() * state.lenses[seen.lens].ray(seen.pixel.into());
        let centre = camera.origin + state.lift * seen.lift;
        // What looks along the plane says little of where on it.
        let along = -centre.z / ray.z;
        if along.is_nan() || along <= 0.0 || ray.z.abs() < 0.1 * ray.norm() {
            continue;
        }
        let on_table = about_z(-state.turned(seen)) * (centre + ray * along);
        let weight = (ray.z / ray.norm()).powi(2);
        let (total, [middle, top]) = &mut sums[mark];
        *total += weight;
        *middle += on_table * weight;
        *top += on_table * if corner < 2 { weight } else { -weight };
    }
    let found: Vec<Option<Lying>> = sums
        .iter()
        .zip(&state.marks)
        .map(|((total, [middle, top]), mark)| {
            (*total > 0.0 && top.norm() > 0.0).then(|| {
                let middle = middle / *total;
                Lying {
                    id: mark.id,
                    x_mm: middle.x,
                    y_mm: middle.y,
                    heading_deg: top.y.atan2(top.x).to_degrees(),
                }
            })
        })
        .collect();
    let pairs: Vec<(&Lying, &Lying)> =
        state.marks.iter().zip(&found).filter_map(|(a, b)| Some((a, b.as_ref()?))).collect();
    let (mut sin, mut cos) = (0.0, 0.0);
    for (printed, found) in &pairs {
        sin += printed.x_mm * found.y_mm - printed.y_mm * found.x_mm;
        cos += printed.x_mm * found.x_mm + printed.y_mm * found.y_mm;
    }
    let turn = sin.atan2(cos);
    let turned = |mark: &Lying| {
        let middle = about_z(turn) * Vector3::new(mark.x_mm, mark.y_mm, 0.0);
        Lying {
            id: mark.id,
            x_mm: middle.x,
            y_mm: middle.y,
            heading_deg: mark.heading_deg + turn.to_degrees(),
        }
    };
    let radius = state.marks.iter().map(|mark| mark.x_mm.hypot(mark.y_mm)).fold(0.0, f64::max);
    for (mark, found) in state.marks.iter_mut().zip(found) {
        let printed = turned(mark);
        let elsewhere =
            |found: &Lying| (printed.x_mm - found.x_mm).hypot(printed.y_mm - found.y_mm) > 0.5 * radius;
        *mark = found.filter(elsewhere).unwrap_or(printed);
    }
}
