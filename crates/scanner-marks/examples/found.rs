//! How far corners that are found in the pictures of the example `views` are from where they are:
//! `cargo run -p scanner-marks --example found -- FOLDER`. Writes them to `found.json` there, as a request to solve.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "an example, which ends at the first fault")]

use std::fs::File;
use std::path::PathBuf;

use scanner_marks::detect::{Corner, Detector, Which};
use scanner_marks::image::Grey;
use scanner_marks::solve::Request;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let mut request: Request =
        serde_json::from_reader(File::open(folder.join("truth.json")).unwrap()).unwrap();
    let board = request.board.unwrap().try_into().unwrap();
    let mut detector = Detector::new().unwrap();
    for (index, view) in request.views.iter_mut().enumerate() {
        let picture = Grey::read(&folder.join(format!("{index:03}.png"))).unwrap();
        let found = detector.detect(&picture, Some(&board), |id| id >= 100).unwrap();
        for of_board in [true, false] {
            let is = |corner: &&Corner| matches!(corner.which, Which::Board { .. }) == of_board;
            let there = view.corners.iter().filter(is).count();
            let mut off: Vec<f64> = found
                .iter()
                .filter(is)
                .filter_map(|corner| {
                    let at = view.corners.iter().find(|known| known.which == corner.which)?;
                    Some((corner.x - at.x).hypot(corner.y - at.y))
                })
                .collect();
            off.sort_by(f64::total_cmp);
            let square = off.iter().map(|off| off * off).sum::<f64>() / off.len().max(1) as f64 / 2.0;
            let at = |part: f64| off.get((off.len() as f64 * part) as usize).copied().unwrap_or(0.0);
            print!("{index:3} {}: {:3} of {there:3}, ", if of_board { "board" } else { "ring" }, off.len());
            print!(
                "rms {:.3}, median {:.3}, 90 % {:.3}, most {:.3};  ",
                square.sqrt(),
                at(0.5),
                at(0.9),
                at(0.9999)
            );
        }
        println!();
        view.corners = found;
    }
    serde_json::to_writer(File::create(folder.join("found.json")).unwrap(), &request).unwrap();
}
