//! Pictures of a simulated rig that was built wrong, with where its corners are, for comparison with other programs:
//! `cargo run -p scanner-marks --example views -- FOLDER [CAMERAS VIEWS]`.

#![expect(clippy::unwrap_used, reason = "an example, which ends at the first fault")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::path::PathBuf;

use scanner_marks::geometry::Axes;
use support::{Random, Rig};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().unwrap());
    let number = |at: usize, or: usize| arguments.get(at).map_or(or, |number| number.parse().unwrap());
    let (cameras, views) = (number(1, 2), number(2, 24));
    std::fs::create_dir_all(&folder).unwrap();
    let configured = Rig::nominal(cameras);
    let rig = configured.wrong(3, 1.0);
    let mut random = Random(1);
    let mut truth = rig.request(&configured, views, 0.0, &mut random);
    for (index, view) in truth.views.iter_mut().enumerate() {
        let Axes { .. } = view.axes;
        let picture = rig.picture(index / views, &view.axes, view.placement as usize, &mut random);
        let file = File::create(folder.join(format!("{index:03}.png"))).unwrap();
        let mut encoder = png::Encoder::new(file, picture.width as u32, picture.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&picture.pixels).unwrap();
    }
    serde_json::to_writer(File::create(folder.join("truth.json")).unwrap(), &truth).unwrap();
    let lenses: Vec<_> = rig.eyes.iter().map(|eye| eye.lens).collect();
    serde_json::to_writer(File::create(folder.join("lenses.json")).unwrap(), &lenses).unwrap();
}
