//! Where to look once more: views that show what was seen too little.

use scanner_pixels::sight::{Sight, Vec3};

use crate::cover::Covered;
use crate::mesh::Mesh;
use crate::survey::{Look, Survey};
use crate::vector::{dot, double, length, minus};

/// Images that a part of the surface needs to be well covered,
const IMAGES: u32 = 3;
/// which look at it no farther aside than this: cosine of 60 degrees.
const ASIDE: f64 = 0.5;
/// A view is worth it if it shows at least this part of the surface that needs it.
const WORTH: f64 = 0.002;

/// The best of `places`, each seen by one camera or more at once, at most `most` of them, the best first: those that
/// show most of what `covered` says is seen by too few images, or too much aside.
pub fn propose(mesh: &Mesh, covered: &Covered, places: &[Vec<Sight>], most: usize) -> Vec<usize> {
    let (areas, all) = areas(mesh);
    let mut needs: Vec<u32> = covered
        .covers
        .iter()
        .zip(&areas)
        .map(|(cover, area)| {
            let aside = f64::from(cover.angle) > 60.0;
            let missing = IMAGES.saturating_sub(cover.images);
            // The object stands on what has no area here.
            if *area <= 0.0 { 0 } else { missing.max(u32::from(aside) * 2) }
        })
        .collect();
    let shown: Vec<Vec<Vec<u32>>> =
        places.iter().map(|sights| sights.iter().map(|sight| shown(mesh, &needs, sight)).collect()).collect();
    let mut chosen = Vec::new();
    while chosen.len() < most {
        let gain = |place: &Vec<Vec<u32>>| {
            let vertices = place.iter().flatten();
            vertices
                .filter(|vertex| needs[**vertex as usize] > 0)
                .map(|vertex| areas[*vertex as usize])
                .sum::<f64>()
        };
        let best = shown
            .iter()
            .enumerate()
            .filter(|(index, _)| !chosen.contains(index))
            .map(|(index, place)| (index, gain(place)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((index, _)) = best.filter(|(_, gain)| *gain > WORTH * all) else { break };
        for vertex in shown[index].iter().flatten() {
            let need = &mut needs[*vertex as usize];
            *need = need.saturating_sub(1);
        }
        chosen.push(index);
    }
    chosen
}

/// The area that belongs to each vertex, and of all of them. What the object stands on has none.
fn areas(mesh: &Mesh) -> (Vec<f64>, f64) {
    let mut areas = vec![0.0; mesh.positions.len()];
    for triangle in &mesh.triangles {
        if crate::cover::stands(mesh, triangle) {
            continue;
        }
        let third = length(mesh.area(triangle)) / 3.0;
        for corner in triangle {
            areas[*corner as usize] += third;
        }
    }
    let all = areas.iter().sum();
    (areas, all)
}

/// Vertices with needs that a camera sees, and not too much aside.
fn shown(mesh: &Mesh, needs: &[u32], sight: &Sight) -> Vec<u32> {
    let mut survey = Survey::new(mesh);
    survey.look(&Look { sight, sharpness: 1.0, picture: None });
    let straight = |vertex: usize| {
        let to_camera: Vec3 = minus(sight.centre, double(mesh.positions[vertex]));
        dot(to_camera, double(mesh.normals[vertex])) >= ASIDE * length(to_camera)
    };
    let vertices = 0..mesh.positions.len();
    vertices
        .filter(|vertex| needs[*vertex] > 0 && survey.has_seen(*vertex) && straight(*vertex))
        .map(|vertex| vertex as u32)
        .collect()
}
