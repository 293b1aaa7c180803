//! How many images see each part of the surface, how well, and in which colour.

use scanner_pixels::mask::Photo;
use scanner_pixels::sight::{Sight, Vec3};

use crate::cover::{Cover, Covered};
use crate::depth::Depths;
use crate::mesh::Mesh;
use crate::vector::{dot, double, in_camera, in_picture, length, minus, plus};

/// A surface that is seen from farther aside than this is not seen: cosine of 80 degrees.
const ASIDE: f64 = 0.174;
/// What another part of the surface may stand before one and not hide it, in voxels.
const THICK: f64 = 2.0;
/// So many images give a vertex its colour: the best.
const BEST: usize = 3;

/// An image that looks at the surface.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Where it was taken from, and the size of the whole image.
    pub sight: &'a Sight,
    /// How sharp it is, as a part of the sharpest of its kind: 0 to 1.
    pub sharpness: f64,
    /// The image, which may be smaller; none if only the geometry counts.
    pub picture: Option<&'a Photo>,
}

/// What is known of a surface so far. Takes the same memory for each image: a bit a vertex.
#[derive(Debug)]
pub struct Survey<'a> {
    mesh: &'a Mesh,
    /// Of each image that looked: where it was taken from, and which vertices it saw.
    looks: Vec<(Vec3, Vec<u64>)>,
    /// Pixels a millimetre, the best.
    sampling: Vec<f32>,
    /// Cosine of the angle between the surface and the straightest view of it.
    straightest: Vec<f32>,
    colours: Vec<[Colour; BEST]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Colour {
    weight: f32,
    of: [u8; 3],
}

impl<'a> Survey<'a> {
    /// Nobody has looked at `mesh` yet.
    pub fn new(mesh: &'a Mesh) -> Self {
        let count = mesh.positions.len();
        Self {
            mesh,
            looks: Vec::new(),
            sampling: vec![0.0; count],
            straightest: vec![0.0; count],
            colours: vec![[Colour::default(); BEST]; count],
        }
    }

    /// An image looks at the surface.
    pub fn look(&mut self, look: &Look<'_>) {
        let Look { sight, sharpness, picture } = *look;
        let depths = Depths::of(self.mesh, sight);
        let (width, height) = (sight.area.width as f64, sight.area.height as f64);
        let mut seen = vec![0_u64; self.mesh.positions.len().div_ceil(64)];
        for vertex in 0..self.mesh.positions.len() {
            let position = double(self.mesh.positions[vertex]);
            let point = in_camera(sight, position);
            let Some([u, v]) = in_picture(sight, point) else { continue };
            if !((0.0..width).contains(&u) && (0.0..height).contains(&v)) {
                continue;
            }
            let to_camera = minus(sight.centre, position);
            let facing = dot(to_camera, double(self.mesh.normals[vertex])) / length(to_camera);
            if facing < ASIDE {
                continue;
            }
            // A slanting surface goes farther away within a pixel.
            let slope = (1.0 - facing * facing).max(0.0).sqrt() / facing;
            let room = THICK * self.mesh.voxel + depths.pixel(point[2]) * (1.0 + slope);
            if depths.at(u / width, v / height).is_some_and(|depth| depth + room < point[2]) {
                continue;
            }
            seen[vertex / 64] |= 1 << (vertex % 64);
            let focal = sight.focal[0].min(sight.focal[1]);
            let sampling = focal / point[2] * facing * sharpness.clamp(0.0, 1.0);
            self.sampling[vertex] = self.sampling[vertex].max(sampling as f32);
            self.straightest[vertex] = self.straightest[vertex].max(facing as f32);
            if let Some(colour) = picture.and_then(|picture| pixel(picture, u / width, v / height)) {
                keep(&mut self.colours[vertex], Colour { weight: (sampling * facing) as f32, of: colour });
            }
        }
        self.looks.push((sight.centre, seen));
    }

    /// Whether any image that looked saw this vertex.
    pub(crate) fn has_seen(&self, vertex: usize) -> bool {
        self.looks.iter().any(|(_, seen)| seen[vertex / 64] >> (vertex % 64) & 1 == 1)
    }

    /// What came of it.
    pub fn end(self) -> Covered {
        let vertices = 0..self.mesh.positions.len();
        let covers = vertices.map(|vertex| {
            let position = double(self.mesh.positions[vertex]);
            let directions: Vec<Vec3> = self
                .looks
                .iter()
                .filter(|(_, seen)| seen[vertex / 64] >> (vertex % 64) & 1 == 1)
                .map(|(centre, _)| {
                    let to = minus(*centre, position);
                    let per_length = length(to).recip();
                    to.map(|component| component * per_length)
                })
                .collect();
            Cover {
                images: directions.len() as u32,
                angle: if directions.is_empty() {
                    90.0
                } else {
                    degrees(f64::from(self.straightest[vertex])) as f32
                },
                spread: spread(&directions) as f32,
                sampling: self.sampling[vertex],
            }
        });
        Covered::new(self.mesh, covers.collect(), self.colours.iter().map(mean).collect())
    }
}

fn degrees(cosine: f64) -> f64 {
    cosine.clamp(-1.0, 1.0).acos().to_degrees()
}

/// The widest angle between two of these directions, in degrees.
fn spread(directions: &[Vec3]) -> f64 {
    let mut least = 1.0_f64;
    for (index, one) in directions.iter().enumerate() {
        for other in &directions[index + 1..] {
            least = least.min(dot(*one, *other));
        }
    }
    degrees(least)
}

fn pixel(picture: &Photo, u: f64, v: f64) -> Option<[u8; 3]> {
    let area = picture.area();
    let (column, row) = ((u * area.width as f64) as usize, (v * area.height as f64) as usize);
    picture.pixels.get(row * area.width + column.min(area.width.saturating_sub(1))).copied()
}

/// Keeps the best, the best one first.
fn keep(best: &mut [Colour; BEST], mut colour: Colour) {
    for kept in best {
        if colour.weight > kept.weight {
            std::mem::swap(kept, &mut colour);
        }
    }
}

/// The mean, in linear light; none of a vertex that no image shows.
fn mean(colours: &[Colour; BEST]) -> Option<[f32; 3]> {
    let weight: f32 = colours.iter().map(|colour| colour.weight).sum();
    (weight > 0.0).then(|| {
        let sum = colours.iter().fold([0.0; 3], |sum, colour| {
            plus(sum, colour.of.map(linear), f64::from(colour.weight / weight))
        });
        sum.map(|channel| channel as f32)
    })
}

/// sRGB's value as light.
fn linear(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}
