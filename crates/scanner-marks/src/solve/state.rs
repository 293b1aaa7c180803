//! The rig while it is solved for, its parameters, and how what is seen changes with them.

use nalgebra::{DVector, Matrix2x3, Matrix3, Vector2, Vector3};

use crate::geometry::{Lens, Lying, about_z, turn_slopes, turned_by};
use crate::normal::{Normal, Problem};

/// Where something is: `rotation * point + origin` leads out of its frame; for a camera, see [`Stand`](crate::geometry::Stand).
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) rotation: Matrix3<f64>,
    pub(super) origin: Vector3<f64>,
}

/// All that is solved for.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) lenses: Vec<Lens>,
    /// Rotations have the camera's directions as rows; origins are centres.
    pub(super) cameras: Vec<Placed>,
    pub(super) lift: Vector3<f64>,
    pub(super) scale: f64,
    /// In radians.
    pub(super) backlash: f64,
    /// Of each placement of the board, in the table's frame.
    pub(super) boards: Vec<Placed>,
    pub(super) tilt: Matrix3<f64>,
    pub(super) side: f64,
    pub(super) marks: Vec<Lying>,
}

/// What is free, with the number of its first parameter.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) lenses: Vec<[Option<usize>; 8]>,
    /// Six each: turn in the camera's frame, centre.
    pub(super) cameras: Option<usize>,
    pub(super) lift: Option<usize>,
    pub(super) scale: Option<usize>,
    pub(super) backlash: Option<usize>,
    /// Six each: turn in the table's frame, origin.
    pub(super) boards: Option<usize>,
    pub(super) tilt: Option<usize>,
    pub(super) side: Option<usize>,
    /// Three each: x, y, heading in radians.
    pub(super) marks: Option<usize>,
    pub(super) size: usize,
}

/// What is seen of a target.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// A point of a board.
    Board { placement: usize, point: Vector3<f64> },
    /// A corner of a mark.
    Ring { mark: usize, corner: usize },
}

/// A corner that was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) view: usize,
    pub(super) camera: usize,
    pub(super) lens: usize,
    /// In radians, as commanded.
    pub(super) turn: f64,
    pub(super) lift: f64,
    /// Whether the turntable came from above.
    pub(super) back: bool,
    pub(super) part: Part,
    pub(super) pixel: Vector2<f64>,
}

/// What has no effect on anything seen, and is therefore agreed on.
#[derive(Debug, Clone)]
pub(super) struct Gauge {
    /// The camera that it is about.
    pub(super) camera: usize,
    /// What fixes x.
    pub(super) across: Across,
    /// The camera's height, where nothing else says where z is 0.
    pub(super) height: Option<f64>,
}

/// What fixes x.
#[derive(Debug, Clone, Copy)]
pub(super) enum Across {
    /// The camera stands in this direction from the axis: x, y.
    Azimuth([f64; 2]),
    /// The camera, which looks along the axis, has its right in this direction.
    Heading([f64; 2]),
}

/// How tightly what is agreed on is held, in mm.
const AGREED: f64 = 1e-3;

/// Pixels that a corner counts as off that cannot be seen at all.
const FAR: f64 = 1e4;

/// A sum of squares over what was seen.
pub(super) struct Bundle<'a> {
    pub(super) base: &'a State,
    pub(super) layout: &'a Layout,
    pub(super) seen: &'a [Seen],
    /// One over each corner's standard deviation; 0 leaves it out.
    pub(super) weights: &'a [f64],
    pub(super) gauge: &'a Gauge,
}

impl State {
    /// With the parameters moved on by `by`.
    pub(super) fn moved(&self, layout: &Layout, by: &DVector<f64>) -> Self {
        let mut state = self.clone();
        let vector = |at: usize| Vector3::new(by[at], by[at + 1], by[at + 2]);
        for (lens, free) in state.lenses.iter_mut().zip(&layout.lenses) {
            let mut numbers = lens.numbers();
            for (number, at) in numbers.iter_mut().zip(free) {
                *number += at.map_or(0.0, |at| by[at]);
            }
            *lens = Lens::from_numbers(numbers);
        }
        let place = |placed: &mut [Placed], at: Option<usize>| {
            let Some(first) = at else { return };
            for (index, placed) in placed.iter_mut().enumerate() {
                placed.rotation = turned_by(&vector(first + 6 * index)) * placed.rotation;
                placed.origin += vector(first + 6 * index + 3);
            }
        };
        place(&mut state.cameras, layout.cameras);
        place(&mut state.boards, layout.boards);
        state.lift += layout.lift.map_or_else(Vector3::zeros, vector);
        state.scale += layout.scale.map_or(0.0, |at| by[at]);
        state.backlash += layout.backlash.map_or(0.0, |at| by[at]);
        if let Some(at) = layout.tilt {
            state.tilt = turned_by(&Vector3::new(by[at], by[at + 1], 0.0)) * state.tilt;
        }
        state.side += layout.side.map_or(0.0, |at| by[at]);
        if let Some(first) = layout.marks {
            for (index, mark) in state.marks.iter_mut().enumerate() {
                let at = first + 3 * index;
                mark.x_mm += by[at];
                mark.y_mm += by[at + 1];
                mark.heading_deg += by[at + 2].to_degrees();
            }
        }
        state
    }

    /// Where the table stands, in radians.
    pub(super) fn turned(&self, seen: &Seen) -> f64 {
        self.scale * seen.turn + if seen.back { self.backlash } else { 0.0 }
    }

    /// Where it is in the table's frame.
    pub(super) fn on_table(&self, part: &Part) -> Vector3<f64> {
        match *part {
            Part::Board { placement, point } => {
                self.boards[placement].rotation * point + self.boards[placement].origin
            }
            Part::Ring { mark, corner } => self.tilt * self.marks[mark].corners(self.side)[corner],
        }
    }

    /// How far it is seen from where it should be, in pixels; none if it cannot be seen.
    pub(super) fn residual(&self, seen: &Seen) -> Option<Vector2<f64>> {
        let in_rig = about_z(self.turned(seen)) * self.on_table(&seen.part);
        let camera = &self.cameras[seen.camera];
        let in_camera = camera.rotation * (in_rig - camera.origin - self.lift * seen.lift);
        let pixel = self.lenses[seen.lens].project([in_camera.x, in_camera.y, in_camera.z])?;
        Some(Vector2::from(pixel) - seen.pixel)
    }
}

/// The slopes of both residuals of a corner.
struct Rows {
    across: Vec<(usize, f64)>,
    down: Vec<(usize, f64)>,
}

impl Rows {
    fn put(&mut self, at: usize, slopes: [f64; 2]) {
        self.across.push((at, slopes[0]));
        self.down.push((at, slopes[1]));
    }

    fn put_all(&mut self, first: usize, slopes: &Matrix2x3<f64>) {
        for column in 0..3 {
            self.put(first + column, [slopes[(0, column)], slopes[(1, column)]]);
        }
    }
}

impl Bundle<'_> {
    /// The slopes of what depends on where the target is on the table; `by_table` is how the residuals change with that.
    fn target_slopes(
        &self,
        state: &State,
        by: &DVector<f64>,
        seen: &Seen,
        by_table: &Matrix2x3<f64>,
        rows: &mut Rows,
    ) {
        let layout = self.layout;
        match seen.part {
            Part::Board { placement, point } => {
                let Some(first) = layout.boards else { return };
                let at = first + 6 * placement;
                let turned = state.boards[placement].rotation * point;
                let turn = Vector3::new(by[at], by[at + 1], by[at + 2]);
                rows.put_all(at, &(by_table * -turned.cross_matrix() * turn_slopes(&turn)));
                rows.put_all(at + 3, by_table);
            }
            Part::Ring { mark, corner } => {
                let lying = &state.marks[mark];
                let flat = lying.corners(state.side)[corner];
                if let Some(at) = layout.tilt {
                    let turn = Vector3::new(by[at], by[at + 1], 0.0);
                    let slopes = by_table * -(state.tilt * flat).cross_matrix() * turn_slopes(&turn);
                    rows.put(at, [slopes[(0, 0)], slopes[(1, 0)]]);
                    rows.put(at + 1, [slopes[(0, 1)], slopes[(1, 1)]]);
                }
                let by_flat = by_table * state.tilt;
                let from_middle = flat - Vector3::new(lying.x_mm, lying.y_mm, 0.0);
                if let Some(at) = layout.side {
                    rows.put(at, (by_flat * from_middle / state.side).into());
                }
                if let Some(first) = layout.marks {
                    let at = first + 3 * mark;
                    rows.put(at, by_flat.column(0).into_owned().into());
                    rows.put(at + 1, by_flat.column(1).into_owned().into());
                    rows.put(at + 2, (by_flat * Vector3::new(-from_middle.y, from_middle.x, 0.0)).into());
                }
            }
        }
    }

    /// One corner's residuals and slopes; none if it cannot be seen so.
    fn corner(&self, state: &State, by: &DVector<f64>, seen: &Seen) -> Option<(Vector2<f64>, Rows)> {
        let layout = self.layout;
        let camera = &state.cameras[seen.camera];
        let turn = about_z(state.turned(seen));
        let in_rig = turn * state.on_table(&seen.part);
        let in_camera = camera.rotation * (in_rig - camera.origin - state.lift * seen.lift);
        let (pixel, by_camera, by_lens) = state.lenses[seen.lens].project_with_slopes(&in_camera)?;
        let mut rows = Rows { across: Vec::with_capacity(32), down: Vec::with_capacity(32) };
        for (at, slopes) in layout.lenses[seen.lens].iter().zip(by_lens) {
            if let Some(at) = at {
                rows.put(*at, slopes);
            }
        }
        let by_rig = by_camera * camera.rotation;
        if let Some(first) = layout.cameras {
            let at = first + 6 * seen.camera;
            let turn = Vector3::new(by[at], by[at + 1], by[at + 2]);
            rows.put_all(at, &(by_camera * -in_camera.cross_matrix() * turn_slopes(&turn)));
            rows.put_all(at + 3, &-by_rig);
        }
        if let Some(at) = layout.lift {
            rows.put_all(at, &(by_rig * -seen.lift));
        }
        let by_turn = by_rig * Vector3::new(-in_rig.y, in_rig.x, 0.0);
        if let Some(at) = layout.scale {
            rows.put(at, (by_turn * seen.turn).into());
        }
        if let Some(at) = layout.backlash.filter(|_| seen.back) {
            rows.put(at, by_turn.into());
        }
        self.target_slopes(state, by, seen, &(by_rig * turn), &mut rows);
        Some((pixel - seen.pixel, rows))
    }

    /// What holds the frame where it is agreed to be.
    fn agreed(&self, state: &State, by: &DVector<f64>, normal: &mut Normal) {
        let Some(first) = self.layout.cameras else { return };
        let first = first + 6 * self.gauge.camera;
        let camera = &state.cameras[self.gauge.camera];
        match self.gauge.across {
            Across::Azimuth([x, y]) => {
                let beside = camera.origin.y * x - camera.origin.x * y;
                normal.add(beside / AGREED, &[(first + 3, -y / AGREED), (first + 4, x / AGREED)]);
            }
            Across::Heading([x, y]) => {
                let turn = Vector3::new(by[first], by[first + 1], by[first + 2]);
                let right = camera.rotation.row(0).transpose();
                let beside = right.y * x - right.x * y;
                // The rows change as the columns of the turned rotation do.
                let slopes = [0, 1].map(|axis| {
                    let column = camera.rotation.column(axis).into_owned();
                    (-column.cross_matrix() * turn_slopes(&turn)).row(0).into_owned()
                });
                let slope = |index: usize| (slopes[1][index] * x - slopes[0][index] * y) * 1000.0 / AGREED;
                normal.add(
                    beside * 1000.0 / AGREED,
                    &[(first, slope(0)), (first + 1, slope(1)), (first + 2, slope(2))],
                );
            }
        }
        if let Some(height) = self.gauge.height {
            normal.add((camera.origin.z - height) / AGREED, &[(first + 5, 1.0 / AGREED)]);
        }
    }
}

impl Problem for Bundle<'_> {
    fn size(&self) -> usize {
        self.layout.size
    }

    fn normal(&self, by: &DVector<f64>) -> Option<Normal> {
        let state = self.base.moved(self.layout, by);
        let mut normal = Normal::new(self.layout.size);
        for (seen, weight) in self.seen.iter().zip(self.weights) {
            if *weight == 0.0 {
                continue;
            }
            let Some((residual, mut rows)) = self.corner(&state, by, seen) else {
                normal.add(FAR * weight, &[]);
                continue;
            };
            for slopes in [&mut rows.across, &mut rows.down] {
                for (_, slope) in slopes.iter_mut() {
                    *slope *= weight;
                }
            }
            normal.add(residual.x * weight, &rows.across);
            normal.add(residual.y * weight, &rows.down);
        }
        self.agreed(&state, by, &mut normal);
        Some(normal.whole())
    }
}
