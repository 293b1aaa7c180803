//! A standard object, by which views can be judged before there is any object.

use std::f64::consts::{PI, TAU};

use scanner_pixels::sight::Vec3;

use crate::mesh::Mesh;

/// Parts around it, and half as many from the bottom to the top.
const AROUND: u32 = 96;

impl Mesh {
    /// A ball of this radius around `middle`, in millimetres, in triangles that are small to any camera.
    pub fn ball(middle: Vec3, radius: f64) -> Self {
        let rings = AROUND / 2;
        let (mut positions, mut normals, mut triangles) = (Vec::new(), Vec::new(), Vec::new());
        for ring in 0..=rings {
            let (sin, cos) = (PI * f64::from(ring) / f64::from(rings)).sin_cos();
            for part in 0..AROUND {
                let (across, along) = (TAU * f64::from(part) / f64::from(AROUND)).sin_cos();
                let normal = [sin * along, sin * across, -cos];
                let position: [f64; 3] = std::array::from_fn(|axis| middle[axis] + radius * normal[axis]);
                positions.push(position.map(|part| part as f32));
                normals.push(normal.map(|part| part as f32));
                if ring < rings {
                    let next = (part + 1) % AROUND;
                    let at = |ring: u32, part: u32| ring * AROUND + part;
                    triangles.push([at(ring, part), at(ring, next), at(ring + 1, next)]);
                    triangles.push([at(ring, part), at(ring + 1, next), at(ring + 1, part)]);
                }
            }
        }
        Self { positions, normals, triangles, voxel: radius * TAU / f64::from(AROUND) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ball_is_closed_faces_outwards_and_has_its_volume() {
        let ball = Mesh::ball([1.0, 2.0, 50.0], 40.0);
        let true_volume = 4.0 / 3.0 * PI * 40.0_f64.powi(3);
        let off = ball.volume() / true_volume - 1.0;
        assert!((-0.01..0.0).contains(&off), "{off}");
        assert!(ball.positions.iter().all(|position| (9.9..90.1).contains(&f64::from(position[2]))));
    }
}
