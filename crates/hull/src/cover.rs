//! How well a surface is covered by images, as numbers.

use scanner_pixels::sight::Vec3;

use crate::mesh::Mesh;
use crate::vector::length;

/// What counts as well covered: from this score on.
const WELL: f64 = 0.5;
/// Images that a part needs for a score of 1,
const IMAGES: f64 = 6.0;
/// degrees between two of them,
const SPREAD: f64 = 30.0;
/// and degrees by which the straightest may be aside; at [`NEVER`] the score is 0.
const ASIDE: f64 = 30.0;
const NEVER: f64 = 90.0;
/// The finest sampling is that of this part of the surface, so that one odd place does not spoil the scale.
const FINEST: f64 = 0.9;
/// The object stands on what is lower than this, in voxels, and looks down.
const ON_TABLE: f64 = 1.0;

/// What images see of one part of the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cover {
    /// How many see it.
    pub images: u32,
    /// By how many degrees the straightest of them looks aside: 0 is straight on, 90 if none sees it.
    pub angle: f32,
    /// The widest angle between two of them, in degrees.
    pub spread: f32,
    /// Pixels to a millimetre of the surface in the best of them, times how sharp it is.
    pub sampling: f32,
}

/// What images see of a surface.
#[derive(Debug, Clone, PartialEq)]
pub struct Covered {
    /// Of each vertex.
    pub covers: Vec<Cover>,
    /// Of each vertex from 0 to 1, the least of four: a sixth for each image that sees it; a thirtieth for each degree between
    /// the two that are farthest apart; 1 if the straightest looks aside by 30 degrees or less, 0 at 90; its sampling as a part of the
    /// finest. So 0.5 means that three images see it, over 15 degrees, one of them by 60 degrees aside at most, half as finely as the
    /// best-seen part.
    pub scores: Vec<f32>,
    /// Of each vertex in linear light; none if no image shows it.
    pub colours: Vec<Option<[f32; 3]>>,
    /// In all.
    pub summary: Summary,
}

/// A model in numbers. What the object stands on is left out: no image can show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The part of the surface with a score of at least 0.5, in percent.
    pub well_covered: f64,
    /// The part that no image shows, in percent.
    pub unseen: f64,
    /// The surface in square millimetres.
    pub area: f64,
    /// What it encloses in cubic millimetres.
    pub volume: f64,
    /// Its length along x, y and z in millimetres.
    pub size: Vec3,
    /// Pixels to a millimetre, where it is sampled finest.
    pub finest: f64,
}

impl Covered {
    pub(crate) fn new(mesh: &Mesh, covers: Vec<Cover>, colours: Vec<Option<[f32; 3]>>) -> Self {
        let finest = finest(&covers);
        let scores: Vec<f32> = covers.iter().map(|cover| score(cover, finest) as f32).collect();
        let (mut area, mut well, mut unseen) = (0.0, 0.0, 0.0);
        for triangle in &mesh.triangles {
            if stands(mesh, triangle) {
                continue;
            }
            let third = length(mesh.area(triangle)) / 3.0;
            for corner in triangle.map(|corner| corner as usize) {
                area += third;
                well += if f64::from(scores[corner]) >= WELL { third } else { 0.0 };
                unseen += if covers[corner].images == 0 { third } else { 0.0 };
            }
        }
        let percent = |part: f64| if area > 0.0 { 100.0 * part / area } else { 0.0 };
        let summary = Summary {
            well_covered: percent(well),
            unseen: percent(unseen),
            area,
            volume: mesh.volume(),
            size: size(mesh),
            finest,
        };
        Self { covers, scores, colours, summary }
    }
}

/// Whether the object stands on this triangle.
pub(crate) fn stands(mesh: &Mesh, triangle: &[u32; 3]) -> bool {
    let low = (mesh.voxel * ON_TABLE) as f32;
    triangle.iter().all(|corner| mesh.positions[*corner as usize][2] < low) && mesh.area(triangle)[2] < 0.0
}

fn score(cover: &Cover, finest: f64) -> f64 {
    let Cover { images, angle, spread, sampling } = *cover;
    let straight = (NEVER - f64::from(angle)) / (NEVER - ASIDE);
    let fine = if finest > 0.0 { f64::from(sampling) / finest } else { 0.0 };
    (f64::from(images) / IMAGES).min(f64::from(spread) / SPREAD).min(straight).min(fine).clamp(0.0, 1.0)
}

fn finest(covers: &[Cover]) -> f64 {
    let mut samplings: Vec<f32> =
        covers.iter().map(|cover| cover.sampling).filter(|sampling| *sampling > 0.0).collect();
    if samplings.is_empty() {
        return 0.0;
    }
    let at = ((samplings.len() - 1) as f64 * FINEST) as usize;
    let (_, finest, _) = samplings.select_nth_unstable_by(at, f32::total_cmp);
    f64::from(*finest)
}

fn size(mesh: &Mesh) -> Vec3 {
    std::array::from_fn(|axis| {
        let along = || mesh.positions.iter().map(|position| f64::from(position[axis]));
        along().fold(f64::NEG_INFINITY, f64::max) - along().fold(f64::INFINITY, f64::min)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_least_of_what_it_is_made_of() {
        let good = Cover { images: 9, angle: 20.0, spread: 60.0, sampling: 4.0 };
        let of = |cover: Cover| (score(&cover, 4.0) * 1000.0).round() / 1000.0;
        assert!((of(good) - 1.0).abs() < 1e-9);
        assert!((of(Cover { images: 3, ..good }) - 0.5).abs() < 1e-9);
        assert!((of(Cover { spread: 6.0, ..good }) - 0.2).abs() < 1e-9);
        assert!((of(Cover { angle: 60.0, ..good }) - 0.5).abs() < 1e-9);
        assert!((of(Cover { sampling: 1.0, ..good }) - 0.25).abs() < 1e-9);
        assert!(of(Cover { images: 0, angle: 90.0, spread: 0.0, sampling: 0.0 }).abs() < 1e-9);
    }
}
