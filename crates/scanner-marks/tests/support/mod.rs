//! A rig that is known, what its cameras see, and pictures of it.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "each test binary uses its own part"
)]

use scanner_marks::detect::{Corner, Which};
use scanner_marks::geometry::{Axes, Lens, Lift, Lying, LyingRing, Stand, Turntable};
use scanner_marks::solve::{Camera, Request, View};
use scanner_pixels::target::{Board, Ring};

mod picture;
mod vectors;

pub use vectors::*;

#[derive(Debug, Clone)]
pub struct Eye {
    pub name: String,
    pub width: u32,
    pub height: u32,
    pub lens: Lens,
    pub stand: Stand,
}

#[derive(Debug, Clone)]
pub struct Placement {
    /// Its columns are the board's right, up and outward in the table's frame.
    pub rotation: M,
    pub origin: V,
}

#[derive(Debug, Clone)]
pub struct Rig {
    pub eyes: Vec<Eye>,
    pub turntable: Turntable,
    pub lift: Lift,
    pub board: Board,
    pub placements: Vec<Placement>,
    pub ring: Ring,
    pub lying: LyingRing,
}

/// A camera at this distance, height and azimuth that looks at (0, 0, `look_at`).
pub fn stand(distance: f64, height: f64, azimuth: f64, look_at: f64) -> Stand {
    let (sin, cos) = azimuth.to_radians().sin_cos();
    let centre = [distance * cos, distance * sin, height];
    let forward = unit(sub([0.0, 0.0, look_at], centre));
    let right = [-sin, cos, 0.0];
    Stand { rotation: [right, cross(forward, right), forward], centre_mm: centre }
}

pub fn nominal_lens(width: u32, height: u32, focal: f64) -> Lens {
    let (cx, cy) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    Lens { fx: focal, fy: focal, cx, cy, k1: 0.0, k2: 0.0, p1: 0.0, p2: 0.0 }
}

/// A board that stands on its long edge, leaning back by `lean` degrees, turned by `heading`, with its middle near the axis.
pub fn leaning(board: &Board, lean: f64, heading: f64, shift: V) -> Placement {
    // Right along y, up along z, outward along x.
    let upright = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let rotation = times(&turn([0.0, 0.0, heading]), &times(&turn([0.0, -lean, 0.0]), &upright));
    let [width, height] = board.size();
    let middle = apply(&rotation, [width / 2.0, height / 2.0, 0.0]);
    let lowest = apply(&rotation, [0.0, -board.margin(), 0.0])[2];
    Placement { rotation, origin: add([-middle[0], -middle[1], 1.0 - lowest], shift) }
}

impl Rig {
    /// As configured: cameras at different heights around the table.
    pub fn nominal(cameras: usize) -> Self {
        let (width, height) = (2304, 1296);
        let eyes = (0..cameras).map(|index| {
            let azimuth = [0.0, 25.0, -30.0, 60.0][index % 4];
            let (distance, up, look_at) =
                [(420.0, 240.0, 60.0), (430.0, 120.0, 70.0), (300.0, 420.0, 40.0), (450.0, 330.0, 50.0)]
                    [index % 4];
            Eye {
                name: format!("c{index}"),
                width,
                height,
                lens: nominal_lens(width, height, 1700.0),
                stand: stand(distance, up, azimuth, look_at),
            }
        });
        let board = Board::new(9, 6, 18.0, 13.5).unwrap();
        let ring = Ring::default();
        let marks = ring.marks().into_iter().map(|mark| Lying {
            id: mark.id,
            x_mm: mark.middle[0],
            y_mm: mark.middle[1],
            heading_deg: mark.heading.to_degrees(),
        });
        Self {
            eyes: eyes.collect(),
            turntable: Turntable::default(),
            lift: Lift::default(),
            board,
            placements: vec![
                leaning(&board, 20.0, 15.0, [-20.0, 5.0, 0.0]),
                leaning(&board, 50.0, 100.0, [10.0, -15.0, 5.0]),
            ],
            ring,
            lying: LyingRing { tilt_deg: [0.0; 2], side_mm: ring.mark_side(), marks: marks.collect() },
        }
    }

    /// Built wrong, in everything that is measured. The turntable's axis stays z.
    pub fn wrong(&self, seed: u64, much: f64) -> Self {
        let mut random = Random(seed);
        let mut rig = self.clone();
        for eye in &mut rig.eyes {
            let focal = 1.0 + 0.03 * much * random.within(1.0).signum();
            let w = f64::from(eye.width);
            eye.lens = Lens {
                fx: eye.lens.fx * focal,
                fy: eye.lens.fy * focal * (1.0 + random.within(0.002)),
                cx: eye.lens.cx + random.within(0.01) * w,
                cy: eye.lens.cy + random.within(0.01) * w,
                k1: -0.08,
                k2: 0.02,
                p1: random.within(0.0005),
                p2: random.within(0.0005),
            };
            // The axis leans by a degree against the cameras' frame: all cameras lean together, and each a little more.
            let centre = add(eye.stand.centre_mm, scale(unit(random.vector(1.0)), 8.0 * much));
            let lean = times(&turn(random.vector(0.8 * much)), &turn([0.7 * much, 0.7 * much, 0.0]));
            eye.stand = Stand {
                rotation: times(&eye.stand.rotation, &lean),
                centre_mm: apply(&transposed(&turn([0.7 * much, 0.7 * much, 0.0])), centre),
            };
        }
        // The first camera's azimuth is agreed on.
        let [x, y, _] = rig.eyes[0].stand.centre_mm;
        let [nx, ny, _] = self.eyes[0].stand.centre_mm;
        let back = turn([0.0, 0.0, (ny.atan2(nx) - y.atan2(x)).to_degrees()]);
        for eye in &mut rig.eyes {
            eye.stand.centre_mm = apply(&back, eye.stand.centre_mm);
            eye.stand.rotation = times(&eye.stand.rotation, &transposed(&back));
        }
        let lean = turn([random.within(0.5), random.within(0.5), 0.0]);
        rig.lift = Lift {
            mm_per_mm: scale(apply(&lean, [0.0, 0.0, 1.0]), 1.0 + 0.01 * random.within(1.0).signum()),
        };
        rig.turntable = Turntable { scale: 1.0 + random.within(0.002), backlash_deg: 0.3 };
        rig.lying.tilt_deg = [random.within(0.3), random.within(0.3)];
        rig.lying.side_mm *= 1.0 + random.within(0.004);
        for mark in &mut rig.lying.marks {
            mark.x_mm += random.within(0.5);
            mark.y_mm += random.within(0.5);
            mark.heading_deg += random.within(1.0);
        }
        for placement in &mut rig.placements {
            placement.rotation = times(&turn(random.vector(8.0)), &placement.rotation);
            placement.origin = add(placement.origin, random.vector(10.0));
        }
        rig
    }

    /// Where the table stands, in degrees.
    pub fn table(&self, axes: &Axes) -> f64 {
        self.turntable.scale * axes.turntable_deg
            + if axes.direction < 0 { self.turntable.backlash_deg } else { 0.0 }
    }

    fn tilt(&self) -> M {
        let [x, y] = self.lying.tilt_deg;
        turn([x, y, 0.0])
    }

    /// `point` of the table's frame in that of camera `eye`.
    pub fn in_camera(&self, eye: usize, axes: &Axes, point: V) -> V {
        let in_rig = apply(&turn([0.0, 0.0, self.table(axes)]), point);
        let stand = &self.eyes[eye].stand;
        let lift = scale(self.lift.mm_per_mm, axes.lift_mm);
        apply(&stand.rotation, sub(sub(in_rig, stand.centre_mm), lift))
    }

    /// Its corners in the table's frame.
    pub fn mark_corners(&self, mark: &Lying) -> [V; 4] {
        let (sin, cos) = mark.heading_deg.to_radians().sin_cos();
        let half = self.lying.side_mm / 2.0;
        [[-half, half], [half, half], [half, -half], [-half, -half]].map(|[right, up]| {
            apply(&self.tilt(), [mark.x_mm + up * cos + right * sin, mark.y_mm + up * sin - right * cos, 0.0])
        })
    }

    /// Whether what lies at `point` of the table's frame and looks along `normal` turns to the camera, not too slanting.
    fn faces(&self, eye: usize, axes: &Axes, point: V, normal: V) -> bool {
        let at = self.in_camera(eye, axes, point);
        let tip = self.in_camera(eye, axes, add(point, normal));
        dot(sub(tip, at), unit(at)) < -0.2
    }

    /// What camera `eye` sees, with noise.
    pub fn view(&self, eye: usize, axes: Axes, placement: usize, noise: f64, random: &mut Random) -> View {
        let camera = &self.eyes[eye];
        let inside = |[x, y]: [f64; 2]| {
            x > 8.0 && y > 8.0 && x < f64::from(camera.width) - 8.0 && y < f64::from(camera.height) - 8.0
        };
        let mut corners = Vec::new();
        let mut see = |which: Vec<Which>, points: Vec<V>, noise: f64| {
            let pixels: Vec<[f64; 2]> = points
                .iter()
                .filter_map(|point| camera.lens.project(self.in_camera(eye, &axes, *point)))
                .filter(|pixel| inside(*pixel))
                .collect();
            if pixels.len() == points.len() {
                for (which, [x, y]) in which.into_iter().zip(pixels) {
                    corners.push(Corner {
                        which,
                        x: x + random.normal() * noise,
                        y: y + random.normal() * noise,
                    });
                }
            }
        };
        let placed = &self.placements[placement];
        let outward = transposed(&placed.rotation)[2];
        if self.faces(eye, &axes, placed.origin, outward) {
            for (id, point) in self.board.corners() {
                see(
                    vec![Which::Board { id }],
                    vec![add(placed.origin, apply(&placed.rotation, point))],
                    noise,
                );
            }
        }
        let up = apply(&self.tilt(), [0.0, 0.0, 1.0]);
        for mark in &self.lying.marks {
            let points = self.mark_corners(mark);
            if self.faces(eye, &axes, points[0], up) {
                see(
                    (0..4).map(|corner| Which::Ring { id: mark.id, corner }).collect(),
                    points.to_vec(),
                    noise * 1.5,
                );
            }
        }
        View { camera: camera.name.clone(), axes, lens_position: None, placement: placement as u32, corners }
    }

    /// Asks for this rig, as if it were built as `configured`, by views all around.
    pub fn request(&self, configured: &Self, views: usize, noise: f64, random: &mut Random) -> Request {
        let cameras = configured.eyes.iter().map(|eye| Camera {
            name: eye.name.clone(),
            width: eye.width,
            height: eye.height,
            lens: eye.lens,
            stand: eye.stand,
        });
        let mut seen = Vec::new();
        for eye in 0..self.eyes.len() {
            for number in 0..views {
                let part = number as f64 / views as f64;
                let axes = Axes {
                    turntable_deg: (part * 720.0).rem_euclid(360.0),
                    lift_mm: [0.0, 30.0, 60.0][number % 3],
                    direction: if number % 4 == 3 { -1 } else { 1 },
                };
                seen.push(self.view(eye, axes, number * self.placements.len() / views, noise, random));
            }
        }
        Request {
            board: Some(scanner_marks::geometry::Board {
                columns: self.board.columns(),
                rows: self.board.rows(),
                square_mm: self.board.square(),
                marker_mm: self.board.marker(),
            }),
            ring: Some(scanner_marks::geometry::Ring {
                count: self.ring.count(),
                radius_mm: self.ring.radius(),
                mark_mm: self.ring.mark_side(),
            }),
            cameras: cameras.collect(),
            views: seen,
        }
    }
}
