//! Writes a model of the simulated owl, for programs that read GLB: `cargo run -p scanner-hull --example model -- owl.glb
//! [IMAGES [WIDTH]]`. Prints what it took.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "an example for whoever develops")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use scanner_hull::{Bound, Carver, Look, Mesh, Outline, Station, Survey, Volume, glb};
use scanner_pixels::Area;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().unwrap_or_else(|| "owl.glb".into());
    let images: u32 = arguments.next().map_or(72, |count| count.parse().unwrap());
    let width: usize = arguments.next().map_or(1280, |width| width.parse().unwrap());
    let sights = support::rings(Area { width, height: width * 3 / 4 }, &[2.0, 22.0, 45.0, 68.0], images / 4);
    let (mut outlines, mut carving) = (Duration::ZERO, Duration::ZERO);
    let mut volume = Volume::seen_by(&sights).unwrap();
    let carver = loop {
        let mut carver = Carver::new(volume, Bound::PREVIEW);
        for sight in &sights {
            let mask = support::owl(sight);
            let start = Instant::now();
            let outline = Outline::of(sight.area, &mask).unwrap();
            outlines += start.elapsed();
            carver.carve(sight, &outline);
            carving += start.elapsed();
        }
        match carver.tighter(&Mesh::of(&carver).unwrap()) {
            Some(tighter) => volume = tighter,
            None => break carver,
        }
    };
    let start = Instant::now();
    let mesh = Mesh::of(&carver).unwrap();
    let meshing = start.elapsed();
    let start = Instant::now();
    let mut survey = Survey::new(&mesh);
    for sight in &sights {
        survey.look(&Look { sight, sharpness: 1.0, picture: None });
    }
    let covered = survey.end();
    let surveying = start.elapsed();
    let names: Vec<String> = (0..sights.len()).map(|number| format!("images/cam0/{number}.jpg")).collect();
    let stations: Vec<Station<'_>> =
        sights.iter().zip(&names).map(|(sight, name)| Station { name, sight: *sight }).collect();
    let bytes = glb(&mesh, &covered, &stations);
    std::fs::write(&out, &bytes).unwrap();
    println!(
        "{} voxels of {:.3} mm, {} vertices, {} triangles, {} bytes; {:.1} % well covered",
        carver.voxels(),
        carver.voxel(),
        mesh.positions.len(),
        mesh.triangles.len(),
        bytes.len(),
        covered.summary.well_covered
    );
    println!("outlines {outlines:?}, with carving {carving:?}; mesh {meshing:?}; survey {surveying:?}");
}
