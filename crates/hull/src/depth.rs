//! How far away a camera sees the surface: a small picture of depths.

use scanner_pixels::Area;
use scanner_pixels::sight::Sight;

use crate::mesh::Mesh;
use crate::vector::{double, in_camera, in_picture, resized};

/// Longest side of the picture of depths.
const LONGEST_SIDE: usize = 320;

/// Of each pixel of a small picture, how far in front of the camera the surface is that it shows.
pub(crate) struct Depths {
    sight: Sight,
    /// One over the depth: 0 where there is no surface.
    nearness: Vec<f32>,
}

impl Depths {
    /// Those of `mesh` for the camera at `sight`.
    pub(crate) fn of(mesh: &Mesh, sight: &Sight) -> Self {
        let step = sight.area.width.max(sight.area.height).div_ceil(LONGEST_SIDE).max(1);
        let area = Area { width: sight.area.width.div_ceil(step), height: sight.area.height.div_ceil(step) };
        let sight = resized(sight, area);
        let seen: Vec<Option<[f32; 3]>> = mesh
            .positions
            .iter()
            .map(|position| {
                let point = in_camera(&sight, double(*position));
                in_picture(&sight, point).map(|[u, v]| [u as f32, v as f32, point[2].recip() as f32])
            })
            .collect();
        let mut depths = Self { sight, nearness: vec![0.0; area.pixels()] };
        for [a, b, c] in &mesh.triangles {
            // What reaches behind the camera is no object on a table.
            if let (Some(a), Some(b), Some(c)) = (seen[*a as usize], seen[*b as usize], seen[*c as usize]) {
                depths.draw([a, b, c]);
            }
        }
        depths
    }

    /// How far in front of the camera the nearest surface is at (`u`, `v`), parts of the picture's width and height; none if
    /// there is none.
    pub(crate) fn at(&self, u: f64, v: f64) -> Option<f64> {
        let Area { width, height } = self.sight.area;
        let (column, row) = ((u * width as f64) as usize, (v * height as f64) as usize);
        let nearness = self.nearness[row.min(height - 1) * width + column.min(width - 1)];
        (nearness > 0.0).then(|| f64::from(nearness).recip())
    }

    /// The side of one of its pixels at this depth, in millimetres.
    pub(crate) fn pixel(&self, depth: f64) -> f64 {
        depth / self.sight.focal[0].min(self.sight.focal[1])
    }

    /// One over the depth is linear in the picture.
    fn draw(&mut self, [a, b, c]: [[f32; 3]; 3]) {
        let Area { width, height } = self.sight.area;
        let doubled = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
        if doubled.abs() < 1e-9 {
            return;
        }
        let bounds = |axis: usize, length: usize| {
            let (least, most) = (a[axis].min(b[axis]).min(c[axis]), a[axis].max(b[axis]).max(c[axis]));
            // Pixels whose middles are between.
            (
                (least - 0.5).ceil().max(0.0) as usize,
                ((most - 0.5).floor() + 1.0).clamp(0.0, length as f32) as usize,
            )
        };
        let ((left, right), (top, bottom)) = (bounds(0, width), bounds(1, height));
        for row in top..bottom {
            let down = row as f32 + 0.5 - a[1];
            for column in left..right {
                let across = column as f32 + 0.5 - a[0];
                let at_b = (across * (c[1] - a[1]) - (c[0] - a[0]) * down) / doubled;
                let at_c = ((b[0] - a[0]) * down - across * (b[1] - a[1])) / doubled;
                let at_a = 1.0 - at_b - at_c;
                if at_a >= 0.0 && at_b >= 0.0 && at_c >= 0.0 {
                    let near = at_a * a[2] + at_b * b[2] + at_c * c[2];
                    let pixel = &mut self.nearness[row * width + column];
                    *pixel = pixel.max(near);
                }
            }
        }
    }
}
