//! What moved, by least squares.

use nalgebra::{DMatrix, DVector, Matrix3, Vector2, Vector3};

use super::Request;
use crate::geometry::{Lens, about_z, as_rotation, turn_slopes, turned_by};
use crate::normal::{Normal, Problem, Until, minimise};

/// How many times the median a mark may be off.
const MOST_MEDIANS: f64 = 4.0;
/// Marks that are off by less than this fit, in pixels.
const FITS: f64 = 0.15;

/// A mark that is seen.
#[derive(Debug, Clone)]
struct Mark {
    /// On the table.
    corners: [Vector3<f64>; 4],
    pixels: [Vector2<f64>; 4],
}

/// What is seen, and from where.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    lens: Lens,
    rotation: Matrix3<f64>,
    centre: Vector3<f64>,
    /// Where the table should stand.
    angle: f64,
    marks: Vec<Mark>,
}

/// What moved.
#[derive(Debug, Clone, Default)]
pub(super) struct Moved {
    /// The table, in radians.
    pub(super) angle: f64,
    /// The camera turned about its own directions, in radians.
    pub(super) turn: Vector3<f64>,
    /// Its centre.
    pub(super) centre: Vector3<f64>,
}

/// A model that was fitted.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) by: Moved,
    /// Sum of squares in pixels.
    pub(super) cost: f64,
    /// For a variance of 1.
    pub(super) covariance: DMatrix<f64>,
}

/// What may have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    Table,
    Camera,
}

impl Model {
    fn moved(self, by: &DVector<f64>) -> Moved {
        match self {
            Self::Table => Moved { angle: by[0], ..Moved::default() },
            Self::Camera => Moved {
                angle: 0.0,
                turn: Vector3::new(by[0], by[1], by[2]),
                centre: Vector3::new(by[3], by[4], by[5]),
            },
        }
    }
}

impl Scene {
    pub(super) fn of(request: &Request) -> Self {
        let back = if request.axes.direction < 0 { request.turntable.backlash_deg } else { 0.0 };
        let angle = (request.turntable.scale * request.axes.turntable_deg + back).to_radians();
        let lean = request.ring.tilt_deg.map(f64::to_radians);
        let tilt = turned_by(&Vector3::new(lean[0], lean[1], 0.0));
        let mut pixels = vec![[None; 4]; request.ring.marks.len()];
        for corner in &request.corners {
            if let Some((mark, place)) = request.place(corner) {
                pixels[mark][place] = Some(Vector2::new(corner.x, corner.y));
            }
        }
        let marks = request.ring.marks.iter().zip(pixels).filter_map(|(mark, pixels)| {
            let [Some(a), Some(b), Some(c), Some(d)] = pixels else { return None };
            let corners = mark.corners(request.ring.side_mm).map(|corner| tilt * corner);
            Some(Mark { corners, pixels: [a, b, c, d] })
        });
        Self {
            lens: request.lens,
            rotation: as_rotation(&request.stand.matrix()),
            centre: request.stand.centre() + Vector3::from(request.lift.mm_per_mm) * request.axes.lift_mm,
            angle,
            marks: marks.collect(),
        }
    }

    pub(super) fn marks(&self) -> usize {
        self.marks.len()
    }

    /// The sum of squares if so much moved; none if a mark cannot be seen then.
    pub(super) fn cost(&self, moved: &Moved) -> Option<f64> {
        self.marks.iter().map(|mark| self.cost_of(mark, moved)).sum()
    }

    fn cost_of(&self, mark: &Mark, moved: &Moved) -> Option<f64> {
        let turn = about_z(self.angle + moved.angle);
        let rotation = turned_by(&moved.turn) * self.rotation;
        let off = mark.corners.iter().zip(&mark.pixels).map(|(corner, pixel)| {
            let in_camera = rotation * (turn * corner - self.centre - moved.centre);
            let found = self.lens.project([in_camera.x, in_camera.y, in_camera.z])?;
            Some((Vector2::from(found) - pixel).norm_squared())
        });
        off.sum()
    }

    /// Leaves out marks that do not fit the others wherever the camera is: how many.
    pub(super) fn drop_odd(&mut self) -> usize {
        let before = self.marks.len();
        for _ in 0..before {
            let Some(table) = self.table() else { break };
            let Some(fit) = self.camera(&table) else { break };
            let off: Vec<f64> = self
                .marks
                .iter()
                .map(|mark| self.cost_of(mark, &fit.by).map_or(f64::MAX, |cost| (cost / 4.0).sqrt()))
                .collect();
            let mut sorted = off.clone();
            sorted.sort_by(f64::total_cmp);
            let limit = (sorted[sorted.len() / 2] * MOST_MEDIANS).max(FITS);
            // The worst only: it has pulled the others along.
            let worst = (0..off.len()).max_by(|a, b| off[*a].total_cmp(&off[*b]));
            match worst.filter(|worst| off[*worst] > limit && self.marks.len() > super::MARKS_FOR_ODD) {
                Some(worst) => drop(self.marks.remove(worst)),
                None => break,
            }
        }
        before - self.marks.len()
    }

    /// The table alone, wherever it stands.
    pub(super) fn table(&self) -> Option<Fit> {
        let starts = [Some(0.0), self.guess()];
        let fits = starts
            .into_iter()
            .flatten()
            .filter_map(|start| self.fit(Model::Table, DVector::from_element(1, start)));
        let mut fit = fits.min_by(|a, b| a.cost.total_cmp(&b.cost))?;
        let around = std::f64::consts::TAU;
        fit.by.angle -= (fit.by.angle / around).round() * around;
        Some(fit)
    }

    /// The camera, with the table as commanded: near where it was, or as if `table` had been turned about the other way.
    pub(super) fn camera(&self, table: &Fit) -> Option<Fit> {
        let turn = about_z(table.by.angle);
        let turned = self.rotation * turn * self.rotation.transpose();
        let turned = nalgebra::Rotation3::from_matrix_unchecked(turned).scaled_axis();
        let centre = turn.transpose() * self.centre - self.centre;
        let about = DVector::from_vec(vec![turned.x, turned.y, turned.z, centre.x, centre.y, centre.z]);
        let fits = [DVector::zeros(6), about].into_iter().filter_map(|start| self.fit(Model::Camera, start));
        fits.min_by(|a, b| a.cost.total_cmp(&b.cost))
    }

    fn fit(&self, model: Model, start: DVector<f64>) -> Option<Fit> {
        let problem = Fitting { scene: self, model };
        let by = minimise(&problem, start, Until::Exact)?;
        let normal = problem.normal(&by)?;
        Some(Fit { by: model.moved(&by), cost: normal.cost, covariance: normal.covariance()? })
    }

    /// By how much the table is turned, as the marks are seen on its plane.
    fn guess(&self) -> Option<f64> {
        let (mut sin, mut cos) = (0.0, 0.0);
        for mark in &self.marks {
            for (corner, pixel) in mark.corners.iter().zip(&mark.pixels) {
                let ray = self.rotation.transpose() * self.lens.ray((*pixel).into());
                let along = -self.centre.z / ray.z;
                if along.is_nan() || along <= 0.0 {
                    return None;
                }
                let (found, should) = (self.centre + ray * along, about_z(self.angle) * corner);
                sin += should.x * found.y - should.y * found.x;
                cos += should.x * found.x + should.y * found.y;
            }
        }
        Some(sin.atan2(cos))
    }
}

/// A model that is being fitted.
struct Fitting<'a> {
    scene: &'a Scene,
    model: Model,
}

impl Problem for Fitting<'_> {
    fn size(&self) -> usize {
        match self.model {
            Model::Table => 1,
            Model::Camera => 6,
        }
    }

    fn normal(&self, by: &DVector<f64>) -> Option<Normal> {
        let scene = self.scene;
        let moved = self.model.moved(by);
        let turn = about_z(scene.angle + moved.angle);
        let rotation = turned_by(&moved.turn) * scene.rotation;
        let by_turn = turn_slopes(&moved.turn);
        let mut normal = Normal::new(self.size());
        for (corner, pixel) in scene.marks.iter().flat_map(|mark| mark.corners.iter().zip(&mark.pixels)) {
            let in_rig = turn * corner;
            let in_camera = rotation * (in_rig - scene.centre - moved.centre);
            let (found, by_camera, _) = scene.lens.project_with_slopes(&in_camera)?;
            let off = found - pixel;
            let by_rig = by_camera * rotation;
            match self.model {
                Model::Table => {
                    let slopes = by_rig * Vector3::new(-in_rig.y, in_rig.x, 0.0);
                    normal.add(off.x, &[(0, slopes.x)]);
                    normal.add(off.y, &[(0, slopes.y)]);
                }
                Model::Camera => {
                    let turning = by_camera * -in_camera.cross_matrix() * by_turn;
                    for row in 0..2 {
                        let slope =
                            |at: usize| if at < 3 { turning[(row, at)] } else { -by_rig[(row, at - 3)] };
                        let slopes: [(usize, f64); 6] = std::array::from_fn(|at| (at, slope(at)));
                        normal.add(off[row], &slopes);
                    }
                }
            }
        }
        Some(normal.whole())
    }
}
