//! The model of the simulated owl, against the owl.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use scanner_hull::{Bound, Carver, Look, Mesh, Survey, Volume};
use scanner_pixels::Area;
use scanner_pixels::sight::Sight;

use support::{inside_owl, owl_outline, rings};

const AREA: Area = Area { width: 640, height: 480 };

/// Carved as the scanner does it: once coarsely to find the object, then finely around it.
fn carved(sights: &[Sight]) -> Carver {
    let outlines: Vec<_> = sights.iter().map(owl_outline).collect();
    let mut volume = Volume::seen_by(sights).unwrap();
    loop {
        let mut carver = Carver::new(volume, Bound::PREVIEW);
        for (sight, outline) in sights.iter().zip(&outlines) {
            carver.carve(sight, outline);
        }
        match carver.tighter(&Mesh::of(&carver).unwrap()) {
            Some(tighter) => volume = tighter,
            None => return carver,
        }
    }
}

fn true_volume() -> f64 {
    let step = 0.75;
    let mut count = 0_u32;
    for z in 0..180 {
        for y in -70..70 {
            for x in -70..70 {
                let point = [f64::from(x), f64::from(y), f64::from(z)].map(|n| (n + 0.5) * step);
                count += u32::from(inside_owl(point) > 0.0);
            }
        }
    }
    f64::from(count) * step.powi(3)
}

#[test]
fn the_model_has_the_owls_volume_and_is_nowhere_cut_into() {
    let sights = rings(AREA, &[2.0, 22.0, 45.0, 68.0], 18);
    let carver = carved(&sights);
    let mesh = Mesh::of(&carver).unwrap();
    let (volume, truth) = (mesh.volume(), true_volume());
    let deepest = mesh
        .positions
        .iter()
        .filter(|position| position[2] > 0.01)
        .map(|position| inside_owl(position.map(f64::from)))
        .fold(0.0, f64::max);
    println!(
        "{} voxels of {:.3} mm, {} vertices; {volume:.0} mm3, {:+.2} % of the owl's; cut in by {:.2} voxels at most",
        carver.voxels(),
        carver.voxel(),
        mesh.positions.len(),
        100.0 * (volume / truth - 1.0),
        deepest / mesh.voxel,
    );
    assert!((volume / truth - 1.0).abs() < 0.03, "{volume} of {truth}");
    assert!(deepest <= mesh.voxel, "{deepest}");
    for z in 1..128 {
        for y in -50..50 {
            for x in -50..50 {
                let point = [x, y, z].map(f64::from);
                assert!(inside_owl(point) <= carver.voxel() || carver.has(point), "{point:?}");
            }
        }
    }
}

#[test]
fn what_few_images_see_is_told_from_what_many_see() {
    // Nobody looks at the owl's back from near by: a half ring before it, and one image from behind.
    let sights: Vec<Sight> = rings(AREA, &[10.0, 40.0], 24)
        .into_iter()
        .filter(|sight| sight.centre[0] > 0.0)
        .chain([support::sight(AREA, 180.0, 20.0, 300.0, 60.0, 240.0)])
        .collect();
    let all = carved(&rings(AREA, &[10.0, 40.0], 24));
    let mesh = Mesh::of(&all).unwrap();
    let mut survey = Survey::new(&mesh);
    for sight in &sights {
        survey.look(&Look { sight, sharpness: 1.0, picture: None });
    }
    let covered = survey.end();
    println!("{:?}", covered.summary);
    let mean = |wanted: &dyn Fn([f32; 3]) -> bool| {
        let of: Vec<f64> = mesh
            .positions
            .iter()
            .zip(&mesh.normals)
            .zip(&covered.scores)
            .filter(|((position, normal), _)| position[2] > 5.0 && wanted(**normal))
            .map(|(_, score)| f64::from(*score))
            .collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    let (front, back) = (mean(&|normal| normal[0] > 0.8), mean(&|normal| normal[0] < -0.8));
    assert!(front > 0.7 && back < 0.25, "{front} {back}");
    assert!((40.0..70.0).contains(&covered.summary.well_covered), "{:?}", covered.summary);
    // All around it is better.
    let all_round = rings(AREA, &[10.0, 40.0], 24);
    let mut survey = Survey::new(&mesh);
    for sight in &all_round {
        survey.look(&Look { sight, sharpness: 1.0, picture: None });
    }
    let whole = survey.end();
    assert!(whole.summary.well_covered > covered.summary.well_covered + 15.0, "{:?}", whole.summary);
    assert!(whole.summary.well_covered > 80.0, "{:?}", whole.summary);
    assert!(whole.covers.iter().all(|cover| cover.images <= 48 && cover.spread <= 180.0));
}

#[test]
fn what_hangs_where_no_image_looks_is_no_part_of_it() {
    // Half of the images of level cameras on two heights: of what is above the owl, hardly any is seen.
    let sights: Vec<Sight> = [60.0, 180.0]
        .into_iter()
        .flat_map(|height| {
            (0..12).map(move |n| support::sight(AREA, f64::from(n) * 30.0, 0.0, 300.0, height, 240.0))
        })
        .collect();
    let mut carver = Carver::new(Volume::seen_by(&sights).unwrap(), Bound::PREVIEW);
    for sight in sights.iter().filter(|sight| sight.centre[2] < 100.0) {
        carver.carve(sight, &owl_outline(sight));
    }
    assert!(carver.has([0.0, 0.0, 190.0]), "no image has shown it");
    let mesh = Mesh::of(&carver).unwrap();
    let top = mesh.positions.iter().map(|position| position[2]).fold(0.0, f32::max);
    assert!((120.0..131.0).contains(&top), "{top}");
}
