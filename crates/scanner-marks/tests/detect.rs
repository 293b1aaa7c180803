//! Marks are where they are found, in pictures with noise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::cell::RefCell;

use scanner_marks::detect::{Corner, Detector, Which};
use scanner_marks::geometry::Axes;
use scanner_marks::image::Grey;
use scanner_pixels::target::{IDS, MODULES, Mark};
use support::*;

fn detect(rig: &Rig, picture: &Grey) -> Vec<Corner> {
    thread_local!(static DETECTOR: RefCell<Detector> = RefCell::new(Detector::new().unwrap()));
    let ids = |id| rig.ring.mark_with_id(id).is_some();
    DETECTOR.with_borrow_mut(|detector| detector.detect(picture, Some(&rig.board), ids).unwrap())
}

fn of_board(corner: &Corner) -> bool {
    matches!(corner.which, Which::Board { .. })
}

/// How far the board's corners, or the ring's, are off.
fn off(found: &[Corner], truth: &[Corner], board: bool) -> Vec<[f64; 2]> {
    let of_kind = found.iter().filter(|corner| of_board(corner) == board);
    let known =
        of_kind.filter_map(|corner| Some((corner, truth.iter().find(|known| known.which == corner.which)?)));
    known.map(|(corner, at)| [corner.x - at.x, corner.y - at.y]).collect()
}

fn length([x, y]: &[f64; 2]) -> f64 {
    x.hypot(*y)
}

/// The one of which this part is smaller.
fn ranked(off: &[[f64; 2]], part: f64) -> f64 {
    let mut lengths: Vec<f64> = off.iter().map(length).collect();
    lengths.sort_by(f64::total_cmp);
    lengths[((lengths.len() as f64 * part) as usize).min(lengths.len() - 1)]
}

fn mean(off: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|axis| off.iter().map(|off| off[axis]).sum::<f64>() / off.len() as f64)
}

/// A rig with smaller pictures: marks of the ring are 20 to 40 pixels high.
fn small() -> Rig {
    let mut rig = Rig::nominal(4).wrong(3, 1.0);
    for eye in &mut rig.eyes {
        let lens = &mut eye.lens;
        for number in [&mut lens.fx, &mut lens.fy, &mut lens.cx, &mut lens.cy] {
            *number *= 2.0 / 3.0;
        }
        (eye.width, eye.height) = (eye.width * 2 / 3, eye.height * 2 / 3);
    }
    rig
}

#[test]
fn corners_are_where_they_are_found() {
    let rig = small();
    let mut random = Random(5);
    let (mut board, mut ring) = (Vec::new(), Vec::new());
    for (eye, placement, turntable_deg) in [(0, 0, 10.0), (1, 0, 40.0), (2, 0, 300.0), (3, 1, 320.0)] {
        let axes = Axes { turntable_deg, lift_mm: 10.0, direction: 1 };
        let picture = rig.picture(eye, &axes, placement, &mut random);
        let truth = rig.view(eye, axes, placement, 0.0, &mut random).corners;
        let found = detect(&rig, &picture);
        let of_view = off(&found, &truth, true);
        assert!(of_view.len() >= 38, "camera {eye} has {} corners of the board", of_view.len());
        assert!(ranked(&of_view, 0.9) < 0.05, "camera {eye}: {of_view:?}");
        board.extend(of_view);
        let of_view = off(&found, &truth, false);
        assert!(of_view.len() >= 32, "camera {eye} has {} corners of the ring", of_view.len());
        ring.extend(of_view);
        // Nothing is found that is not there.
        assert!(found.iter().all(|corner| truth.iter().any(|known| known.which == corner.which)));
    }
    for (name, off, typical, nearly_all) in [("board", &board, 0.02, 0.05), ("ring", &ring, 0.05, 0.2)] {
        let [x, y] = mean(off);
        println!("{name}: median {:.4}, 90 % {:.4}, mean {x:.4} {y:.4}", ranked(off, 0.5), ranked(off, 0.9));
        assert!(ranked(off, 0.5) < typical && ranked(off, 0.9) < nearly_all, "{name}: {off:?}");
        // A library that counts from another corner of the pixel would have half a pixel here.
        assert!(x.abs() < 0.03 && y.abs() < 0.03, "{name}: {x}, {y}");
    }
}

#[test]
fn marks_of_20_pixels_are_found() {
    let mut rig = small();
    let eye = &mut rig.eyes[0];
    eye.stand = stand(600.0, 640.0, 0.0, 0.0);
    // Far below: out of the way.
    rig.placements[0].origin = [0.0, 0.0, -900.0];
    let mut random = Random(2);
    let axes = Axes { turntable_deg: 77.0, lift_mm: 0.0, direction: 1 };
    let truth = rig.view(0, axes, 0, 0.0, &mut random).corners;
    let ring: Vec<Corner> = truth.iter().filter(|corner| !of_board(corner)).copied().collect();
    let sides: Vec<f64> = ring
        .chunks(4)
        .flat_map(|mark| {
            (0..4).map(|at| length(&[mark[at].x - mark[(at + 1) % 4].x, mark[at].y - mark[(at + 1) % 4].y]))
        })
        .collect();
    let mean_side = sides.iter().sum::<f64>() / sides.len() as f64;
    assert!(mean_side < 22.0, "marks are {mean_side} pixels large");
    let found = detect(&rig, &rig.picture(0, &axes, 0, &mut random));
    let ring = off(&found, &truth, false);
    println!(
        "{mean_side:.1} pixels: {} of 96 corners, median {:.4}, 90 % {:.4}",
        ring.len(),
        ranked(&ring, 0.5),
        ranked(&ring, 0.9)
    );
    assert!(ring.len() >= 88, "{} corners", ring.len());
    assert!(ranked(&ring, 0.5) < 0.1 && ranked(&ring, 0.9) < 0.3, "{ring:?}");
}

#[test]
fn what_is_half_hidden_is_found_by_the_rest() {
    let rig = small();
    let mut random = Random(9);
    let axes = Axes { turntable_deg: 10.0, lift_mm: 10.0, direction: 1 };
    let truth = rig.view(0, axes, 0, 0.0, &mut random).corners;
    let mut picture = rig.picture(0, &axes, 0, &mut random);
    let middle = truth.iter().filter(|corner| of_board(corner)).map(|corner| corner.x).sum::<f64>() / 40.0;
    for row in picture.pixels.chunks_mut(picture.width) {
        row[middle as usize..].fill(140);
    }
    let found = detect(&rig, &picture);
    let board = off(&found, &truth, true);
    let there = truth.iter().filter(|corner| of_board(corner) && corner.x < middle - 20.0).count();
    assert!(board.len() >= there && there > 10, "{} of {there}", board.len());
    assert!(ranked(&board, 1.0) < 0.3, "{board:?}");
}

/// All codes against the library of those who made them: ids, and which side is up.
#[test]
fn every_code_is_the_library_s() {
    const CELL: usize = 6;
    const SIDE: usize = (MODULES + 4) * CELL;
    const ACROSS: usize = 14;
    let rows = usize::from(IDS).div_ceil(ACROSS);
    let (width, height) = (ACROSS * SIDE, rows * SIDE);
    let mut pixels = vec![220; width * height];
    for id in 0..IDS {
        let (left, top) = (usize::from(id) % ACROSS * SIDE, usize::from(id) / ACROSS * SIDE);
        // Its top upwards: y is up in a target's plane.
        let side = (MODULES * CELL) as f64;
        let mark = Mark { id, middle: [0.0, 0.0], heading: std::f64::consts::FRAC_PI_2, side };
        for [[x0, y0], [x1, _], [_, y1], _] in mark.polygons() {
            for y in (y1.round() as i32)..(y0.round() as i32) {
                for x in (x0.round() as i32)..(x1.round() as i32) {
                    let (column, row) =
                        (left as i32 + SIDE as i32 / 2 + x, top as i32 + SIDE as i32 / 2 - 1 - y);
                    pixels[row as usize * width + column as usize] = 30;
                }
            }
        }
    }
    let picture = Grey { width, height, pixels };
    let found = Detector::new().unwrap().detect(&picture, None, |_| true).unwrap();
    assert_eq!(found.len(), usize::from(IDS) * 4);
    let margin = (2 * CELL) as f64;
    for corner in found {
        let Which::Ring { id, corner: number } = corner.which else { panic!("{corner:?}") };
        let (left, top) =
            ((usize::from(id) % ACROSS * SIDE) as f64, (usize::from(id) / ACROSS * SIDE) as f64);
        let far = SIDE as f64 - margin;
        let [x, y] = [[margin, margin], [far, margin], [far, far], [margin, far]][usize::from(number)];
        let apart = length(&[corner.x - left - x, corner.y - top - y]);
        assert!(apart < 0.1, "{corner:?} is {apart} off");
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let rig = small();
    let mut random = Random(1);
    let (width, height) = (900, 700);
    let blocks: Vec<u8> = (0..90 * 70).map(|_| if random.part() < 0.5 { 30 } else { 210 }).collect();
    let pixels =
        (0..width * height).map(|index| blocks[index / width / 10 * 90 + index % width / 10]).collect();
    assert_eq!(detect(&rig, &Grey { width, height, pixels }), []);
    for (width, height) in [(1, 1), (3, 2), (200, 1), (33, 33), (40, 500)] {
        assert_eq!(detect(&rig, &Grey { width, height, pixels: vec![128; width * height] }), []);
    }
}
