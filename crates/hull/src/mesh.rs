//! The surface of what is left.

use fast_surface_nets::ndshape::RuntimeShape;
use fast_surface_nets::{SurfaceNetsBuffer, surface_nets};
use scanner_pixels::sight::Vec3;

use crate::carve::Carver;
use crate::solid::Solid;
use crate::vector::{cross, dot, double, length, minus, plus};
use crate::volume::Volume;

/// A piece with less than this part of the vertices of the largest is left out: crumbs that no silhouette happened to show. If
/// any piece stands on the table, as objects do, all that float are: they hang where no image looks.
const CRUMB: f64 = 0.005;
/// What stands on the table is lower than this somewhere, in voxels.
const STANDS: f64 = 3.0;

/// A grid that holds what is left is worth the carving once more if its longest side is at most this part.
const TIGHTER: f64 = 0.8;
/// Room that is left around what is left, in voxels.
const ROOM: f64 = 2.0;

/// A closed surface of triangles.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    /// Millimetres in the object's frame.
    pub positions: Vec<[f32; 3]>,
    /// Away from the object at each of them, of length 1.
    pub normals: Vec<[f32; 3]>,
    /// Corners of each, counter-clockwise as seen from outside.
    pub triangles: Vec<[u32; 3]>,
    /// The side of a voxel that it was made from, in millimetres.
    pub voxel: f64,
}

impl Mesh {
    /// That of what is left of `carver`; none if nothing is.
    pub fn of(carver: &Carver) -> Option<Self> {
        let solid = Solid::of(carver)?;
        let size = solid.size.map(|length| length as u32);
        let mut nets = SurfaceNetsBuffer::default();
        let shape = RuntimeShape::<u32, 3>::new(size);
        surface_nets(&solid.levels, &shape, [0; 3], size.map(|length| length - 1), &mut nets);
        let origin = plus(carver.origin(), solid.first.map(|at| at as f64), carver.voxel);
        let place = |point: &[f32; 3]| plus(origin, double(*point), carver.voxel).map(|at| at as f32);
        let mut mesh = Self {
            positions: nets.positions.iter().map(place).collect(),
            normals: Vec::new(),
            triangles: nets.indices.as_chunks().0.to_vec(),
            voxel: carver.voxel,
        };
        drop(nets);
        mesh.without_crumbs();
        mesh.normals = mesh.normals_of_triangles();
        (!mesh.triangles.is_empty()).then_some(mesh)
    }

    /// Cubic millimetres inside.
    pub fn volume(&self) -> f64 {
        let sum: f64 = self
            .triangles
            .iter()
            .map(|triangle| {
                let [a, b, c] = self.corners(triangle);
                dot(a, cross(b, c))
            })
            .sum();
        sum / 6.0
    }

    /// Square millimetres of a triangle, and its direction: as a vector.
    pub(crate) fn area(&self, triangle: &[u32; 3]) -> Vec3 {
        let [a, b, c] = self.corners(triangle);
        cross(minus(b, a), minus(c, a)).map(|component| component / 2.0)
    }

    fn corners(&self, triangle: &[u32; 3]) -> [Vec3; 3] {
        triangle.map(|corner| double(self.positions[corner as usize]))
    }

    /// At each vertex the mean of the triangles there, by their area.
    fn normals_of_triangles(&self) -> Vec<[f32; 3]> {
        let mut sums = vec![[0.0; 3]; self.positions.len()];
        for triangle in &self.triangles {
            let area = self.area(triangle);
            for corner in triangle {
                let sum = &mut sums[*corner as usize];
                *sum = plus(*sum, area, 1.0);
            }
        }
        let normal = |sum: &Vec3| {
            let long = length(*sum);
            if long > 0.0 { sum.map(|component| (component / long) as f32) } else { [0.0, 0.0, 1.0] }
        };
        sums.iter().map(normal).collect()
    }

    fn without_crumbs(&mut self) {
        let mut pieces = Pieces((0..self.positions.len() as u32).collect());
        for [a, b, c] in &self.triangles {
            pieces.join(*a, *b);
            pieces.join(*a, *c);
        }
        let mut counts = vec![0_usize; self.positions.len()];
        let mut lowest = vec![f32::INFINITY; self.positions.len()];
        for (vertex, position) in self.positions.iter().enumerate() {
            let piece = pieces.of(vertex as u32) as usize;
            counts[piece] += 1;
            lowest[piece] = lowest[piece].min(position[2]);
        }
        let stands = |piece: usize| f64::from(lowest[piece]) < STANDS * self.voxel;
        let largest = |wanted: &dyn Fn(usize) -> bool| {
            (0..counts.len()).filter(|piece| wanted(*piece)).map(|piece| counts[piece]).max().unwrap_or(0)
                as f64
        };
        let (standing, all) = (largest(&stands), largest(&|_| true));
        let any_stands = standing >= CRUMB * all;
        let least = CRUMB * if any_stands { standing } else { all };
        let is_kept = |piece: usize| counts[piece] as f64 >= least && (stands(piece) || !any_stands);
        let mut place = vec![u32::MAX; self.positions.len()];
        let mut kept = Vec::with_capacity(self.positions.len());
        for (vertex, position) in self.positions.iter().enumerate() {
            if is_kept(pieces.of(vertex as u32) as usize) {
                place[vertex] = kept.len() as u32;
                kept.push(*position);
            }
        }
        self.positions = kept;
        self.triangles.retain_mut(|triangle| {
            *triangle = triangle.map(|corner| place[corner as usize]);
            triangle[0] != u32::MAX
        });
    }
}

impl Carver {
    /// The volume of `mesh`, the surface of what is left, with some room, if a grid over that would be clearly finer: what comes
    /// later only takes away from it, so such a grid can be carved instead, from the beginning.
    pub fn tighter(&self, mesh: &Mesh) -> Option<Volume> {
        let (mut from, mut to) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for position in &mesh.positions {
            for axis in 0..3 {
                from[axis] = from[axis].min(f64::from(position[axis]) - ROOM * self.voxel);
                to[axis] = to[axis].max(f64::from(position[axis]) + ROOM * self.voxel);
            }
        }
        let tight = self.volume.within(from, to);
        let side = tight.longest_side();
        (side > 0.0 && side <= TIGHTER * self.volume.longest_side()).then_some(tight)
    }
}

/// Which vertices hang together: each has the number of another one of its piece, the first of a piece its own.
struct Pieces(Vec<u32>);

impl Pieces {
    fn of(&mut self, mut vertex: u32) -> u32 {
        let Self(parents) = self;
        while parents[vertex as usize] != vertex {
            let above = parents[parents[vertex as usize] as usize];
            parents[vertex as usize] = above;
            vertex = above;
        }
        vertex
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
