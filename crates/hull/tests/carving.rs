//! What holds of carving whatever the object and wherever the cameras.

mod support;

use proptest::prelude::*;
use scanner_hull::{Bound, Carver, Mesh, Outline, Volume};
use scanner_pixels::Area;
use scanner_pixels::sight::{Sight, Vec3};

use support::sight;

const AREA: Area = Area { width: 160, height: 120 };
const SMALL: Bound = Bound { memory: 4 << 20, side: 48 };

/// An object whose lines of sight are known.
#[derive(Debug, Clone, Copy)]
enum Object {
    Ball { middle: Vec3, radius: f64 },
    Box { middle: Vec3, half: Vec3 },
}

impl Object {
    fn is_hit(&self, from: Vec3, direction: Vec3) -> bool {
        match *self {
            Self::Ball { middle, radius } => {
                let to: Vec3 = std::array::from_fn(|axis| middle[axis] - from[axis]);
                let along: f64 = (0..3).map(|axis| to[axis] * direction[axis]).sum();
                along > 0.0 && to.iter().map(|x| x * x).sum::<f64>() - along * along <= radius * radius
            }
            Self::Box { middle, half } => {
                let (mut enter, mut leave) = (0.0_f64, f64::INFINITY);
                for axis in 0..3 {
                    let [near, far] = [-1.0, 1.0]
                        .map(|side| (middle[axis] + side * half[axis] - from[axis]) / direction[axis]);
                    enter = enter.max(near.min(far));
                    leave = leave.min(near.max(far));
                }
                enter <= leave
            }
        }
    }

    /// How far inside `point` is; less than 0 outside.
    fn depth(&self, point: Vec3) -> f64 {
        match *self {
            Self::Ball { middle, radius } => {
                radius - (0..3).map(|axis| (point[axis] - middle[axis]).powi(2)).sum::<f64>().sqrt()
            }
            Self::Box { middle, half } => (0..3)
                .map(|axis| half[axis] - (point[axis] - middle[axis]).abs())
                .fold(f64::INFINITY, f64::min),
        }
    }

    /// A pixel of which any part may show the object is inside, as it is in a mask.
    fn outline(&self, sight: &Sight) -> Option<Outline> {
        let mask: Vec<u8> = (0..AREA.pixels())
            .map(|at| {
                let (column, row) = ((at % AREA.width) as f64, (at / AREA.width) as f64);
                let corners = [(0.5, 0.5), (0.05, 0.05), (0.95, 0.05), (0.05, 0.95), (0.95, 0.95)];
                let is_hit = |(u, v)| self.is_hit(sight.centre, sight.ray(column + u, row + v));
                if corners.into_iter().any(is_hit) { 255 } else { 0 }
            })
            .collect();
        Outline::of(AREA, &mask)
    }
}

fn objects() -> impl Strategy<Value = Object> {
    let middle = [-20.0..20.0, -20.0..20.0, 30.0..50.0_f64];
    prop_oneof![
        (middle.clone(), 8.0..28.0).prop_map(|(middle, radius)| Object::Ball { middle, radius }),
        (middle, [6.0..25.0, 6.0..25.0, 6.0..25.0_f64])
            .prop_map(|(middle, half)| Object::Box { middle, half }),
    ]
}

fn sights() -> impl Strategy<Value = Vec<Sight>> {
    let one = (0.0..360.0, -5.0..90.0, 200.0..350.0, 20.0..60.0, 90.0..260.0).prop_map(
        |(heading, elevation, distance, height, field)| {
            sight(AREA, heading, elevation, distance, height, field)
        },
    );
    prop::collection::vec(one, 1..14)
}

fn carved<'a>(sights: impl Iterator<Item = &'a Sight>, object: &Object) -> Carver {
    let volume = Volume::between([-60.0, -60.0, 0.0], [60.0, 60.0, 100.0]);
    let mut carver = Carver::new(volume, SMALL);
    for sight in sights {
        if let Some(outline) = object.outline(sight) {
            carver.carve(sight, &outline);
        }
    }
    carver
}

/// Edges of triangles that have not exactly one neighbour, the other way round.
fn open_edges(mesh: &Mesh) -> usize {
    let mut edges: Vec<(u32, u32)> =
        mesh.triangles.iter().flat_map(|[a, b, c]| [(*a, *b), (*b, *c), (*c, *a)]).collect();
    let count = edges.len();
    edges.sort_unstable();
    edges.dedup();
    let lonely = edges.iter().filter(|(a, b)| edges.binary_search(&(*b, *a)).is_err()).count();
    lonely + count - edges.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_object_is_never_cut_into_by_more_than_a_voxel(object in objects(), sights in sights()) {
        let carver = carved(sights.iter(), &object);
        let voxel = carver.voxel();
        let mesh = Mesh::of(&carver).unwrap();
        for position in &mesh.positions {
            let depth = object.depth(position.map(f64::from));
            prop_assert!(depth <= voxel, "{} voxels deep at {:?}", depth / voxel, position);
        }
        for at in 0..40_usize.pow(3) {
            let point = [at % 40, at / 40 % 40, at / 1600].map(|n| n as f64 * 2.5);
            let point = [point[0] - 50.0, point[1] - 50.0, point[2]];
            prop_assert!(object.depth(point) <= voxel || carver.has(point), "{point:?} is missing");
        }
    }

    #[test]
    fn the_order_does_not_matter_and_the_surface_is_closed(object in objects(), sights in sights(), turn in 0_usize..14) {
        let carver = carved(sights.iter(), &object);
        let turned = sights.iter().cycle().skip(turn).take(sights.len()).collect::<Vec<_>>();
        let other = carved(turned.into_iter().rev(), &object);
        let (mesh, other) = (Mesh::of(&carver).unwrap(), Mesh::of(&other).unwrap());
        prop_assert_eq!(&mesh, &other);
        prop_assert_eq!(open_edges(&mesh), 0);
        prop_assert!(mesh.volume() > 0.0);
    }
}

#[test]
fn what_a_picture_does_not_show_stays() {
    let ball = Object::Ball { middle: [0.0, 0.0, 40.0], radius: 25.0 };
    // So near that it sees no more than a part of the ball.
    let near = sight(AREA, 0.0, 0.0, 120.0, 40.0, 30.0);
    let carver = carved([near].iter(), &ball);
    assert!(carver.has([0.0, 0.0, 80.0]) && carver.has([0.0, 50.0, 40.0]) && carver.has([0.0, 0.0, 40.0]));
    let far = sight(AREA, 0.0, 0.0, 300.0, 40.0, 200.0);
    let carver = carved([near, far].iter(), &ball);
    assert!(!carver.has([0.0, 0.0, 80.0]) && !carver.has([0.0, 50.0, 40.0]) && carver.has([0.0, 0.0, 40.0]));
}

#[test]
fn a_grid_keeps_to_its_bound() {
    for memory in [1 << 16, 1 << 20, 1 << 24] {
        let volume = Volume::between([-100.0, -90.0, 0.0], [100.0, 90.0, 250.0]);
        let carver = Carver::new(volume, Bound { memory, side: 400 });
        assert!(carver.voxels() * 6 <= memory && carver.voxels() * 7 > memory, "{}", carver.voxels());
    }
}
