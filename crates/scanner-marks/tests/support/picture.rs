//! Pictures of a rig that is known.

use scanner_marks::geometry::{Axes, Lens};
use scanner_marks::image::Grey;

use super::*;

/// Rays across a pixel, and as many down.
const SAMPLES: usize = 5;

impl Rig {
    /// A picture that camera `eye` takes: 3 x 3 rays a pixel, then blurred by 0.7 pixels, with noise of 2 shades.
    pub fn picture(&self, eye: usize, axes: &Axes, placement: usize, random: &mut Random) -> Grey {
        let camera = &self.eyes[eye];
        let (width, height) = (camera.width as usize, camera.height as usize);
        let to_rig = transposed(&camera.stand.rotation);
        let to_table = turn([0.0, 0.0, -self.table(axes)]);
        let centre = apply(&to_table, add(camera.stand.centre_mm, scale(self.lift.mm_per_mm, axes.lift_mm)));
        let placed = &self.placements[placement];
        let to_board = transposed(&placed.rotation);
        let on_board = apply(&to_board, sub(centre, placed.origin));
        let to_ring = transposed(&self.tilt());
        let on_ring = apply(&to_ring, centre);
        let at = |x: f64, y: f64| {
            let ray = apply(&to_table, apply(&to_rig, straight(&camera.lens, [x, y])));
            self.shade(on_board, apply(&to_board, ray), on_ring, apply(&to_ring, ray))
        };
        // Where the corners of a pixel have one shade, so has all of it: nothing is smaller than a pixel.
        let corner_row =
            |row: usize| -> Vec<f32> { (0..=width).map(|column| at(column as f64, row as f64)).collect() };
        let mut shades = Vec::with_capacity(width * height);
        let mut above = corner_row(0);
        for row in 0..height {
            let below = corner_row(row + 1);
            for column in 0..width {
                let corners = [above[column], above[column + 1], below[column], below[column + 1]];
                if corners.iter().all(|shade| *shade == corners[0]) {
                    shades.push(corners[0]);
                    continue;
                }
                let part = |index: usize| (index as f64 + 0.5) / SAMPLES as f64;
                let rays = (0..SAMPLES * SAMPLES).map(|sample| {
                    at(column as f64 + part(sample % SAMPLES), row as f64 + part(sample / SAMPLES))
                });
                shades.push(rays.sum::<f32>() / (SAMPLES * SAMPLES) as f32);
            }
            above = below;
        }
        blur(&mut shades, width, height, 0.7);
        let pixels = shades
            .iter()
            .map(|shade| (f64::from(*shade) + random.normal() * 2.0).round().clamp(0.0, 255.0) as u8);
        Grey { width, height, pixels: pixels.collect() }
    }

    fn shade(&self, on_board: V, board_ray: V, on_ring: V, ring_ray: V) -> f32 {
        let hit = |from: V, ray: V| {
            let along = -from[2] / ray[2];
            (along > 0.0 && from[2] > 0.0)
                .then(|| (along, from[0] + ray[0] * along, from[1] + ray[1] * along))
        };
        let printed = |black: bool| if black { 25.0 } else { 215.0 };
        let board =
            hit(on_board, board_ray).and_then(|(along, x, y)| Some((along, self.board.is_black(x, y)?)));
        let ring = hit(on_ring, ring_ray).map(|(along, x, y)| (along, self.ring_black(x, y)));
        match (board, ring) {
            (Some((near, black)), Some((far, _))) if near < far => printed(black),
            (Some((_, black)), None) => printed(black),
            (_, Some((_, Some(black)))) => printed(black),
            (_, Some((_, None)) | None) => 90.0,
        }
    }

    /// Where marks lie as they lie.
    fn ring_black(&self, x: f64, y: f64) -> Option<bool> {
        // Beside the ring, with the white around its marks.
        let radius = x.hypot(y);
        if radius <= 78.0 || radius >= 104.5 {
            return None;
        }
        for mark in &self.lying.marks {
            let (dx, dy) = (x - mark.x_mm, y - mark.y_mm);
            // Farther than from a mark's middle to its corners: most marks, for each of millions of rays.
            if dx.abs().max(dy.abs()) > self.lying.side_mm {
                continue;
            }
            let (sin, cos) = mark.heading_deg.to_radians().sin_cos();
            let size = self.ring.mark_side() / self.lying.side_mm;
            let (right, up) = ((dx * sin - dy * cos) * size, (dx * cos + dy * sin) * size);
            if right.abs() < self.ring.mark_side() / 2.0 && up.abs() < self.ring.mark_side() / 2.0 {
                // As mark 100, at +x, would have it; others by where they are printed.
                let printed = self.ring.mark_with_id(mark.id)?;
                let (sin, cos) = printed.heading.sin_cos();
                return self.ring.is_black(
                    printed.middle[0] + up * cos + right * sin,
                    printed.middle[1] + up * sin - right * cos,
                );
            }
        }
        Some(false)
    }
}

/// The line of sight of a pixel, 1 forward, by the lens's own formula turned round.
pub fn straight(lens: &Lens, pixel: [f64; 2]) -> V {
    let (bent_x, bent_y) = ((pixel[0] - lens.cx) / lens.fx, (pixel[1] - lens.cy) / lens.fy);
    let (mut x, mut y) = (bent_x, bent_y);
    for _ in 0..5 {
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (lens.k1 + r2 * lens.k2);
        (x, y) = (
            (bent_x - 2.0 * lens.p1 * x * y - lens.p2 * (r2 + 2.0 * x * x)) / radial,
            (bent_y - lens.p1 * (r2 + 2.0 * y * y) - 2.0 * lens.p2 * x * y) / radial,
        );
    }
    [x, y, 1.0]
}

fn blur(shades: &mut [f32], width: usize, height: usize, sigma: f32) {
    let kernel: Vec<f32> = (-3_i32..=3).map(|x| (-(x * x) as f32 / (2.0 * sigma * sigma)).exp()).collect();
    let total: f32 = kernel.iter().sum();
    for vertical in [false, true] {
        let before = shades.to_vec();
        for y in 0..height {
            for x in 0..width {
                let at = |by: i32| {
                    let (x, y) = if vertical {
                        (x, (y as i32 + by).clamp(0, height as i32 - 1) as usize)
                    } else {
                        ((x as i32 + by).clamp(0, width as i32 - 1) as usize, y)
                    };
                    before[y * width + x]
                };
                shades[y * width + x] =
                    (-3..=3).zip(&kernel).map(|(by, weight)| at(by) * weight).sum::<f32>() / total;
            }
        }
    }
}
