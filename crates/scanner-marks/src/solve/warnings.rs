//! What makes an answer doubtful, in words.

use super::answer::Answer;
use super::index::Index;
use super::request::Request;
use super::rounds::{Solved, kind};
use super::state::{Part, Seen};

/// Views of the board that each camera should have.
const FEW_VIEWS: usize = 8;
/// Degrees over which the board's directions should differ for a camera.
const ONE_SIDE: f64 = 25.0;
/// Part of an image's width and height over which corners should be.
const COVERED: f64 = 0.5;
/// Share of corners left out that is many.
const MANY_DROPPED: f64 = 0.1;
/// Pixels that corners are off if the marks are sharp, and the rig is one.
const POOR_FIT: f64 = 1.0;
/// Millimetres from where it is configured that a camera may stand without being mistaken for another.
const FAR_OFF: f64 = 50.0;

pub(super) fn of(request: &Request, index: &Index, solved: &Solved, answer: &Answer) -> Vec<String> {
    let mut warnings = Vec::new();
    let used: Vec<&Seen> =
        index.seen.iter().zip(&solved.used).filter(|(_, used)| **used).map(|(seen, _)| seen).collect();
    for (camera, asked) in request.cameras.iter().enumerate() {
        let seen: Vec<&Seen> = used.iter().copied().filter(|seen| seen.camera == camera).collect();
        of_camera(asked, &seen, solved, &mut warnings);
        let (found, configured) = (&answer.cameras[camera].stand, &asked.stand);
        let off = (found.centre() - configured.centre()).norm();
        if off > FAR_OFF {
            warnings.push(format!("camera {:?} stands {off:.0} mm from where it is configured", asked.name));
        }
        for lens in &answer.cameras[camera].lenses {
            let kept: Vec<&str> = ["cx", "cy", "k1", "k2", "p1", "p2"]
                .into_iter()
                .filter(|name| !lens.measured.iter().any(|measured| measured == name))
                .collect();
            if !kept.is_empty() {
                let kept = kept.join(", ");
                warnings.push(format!(
                    "the views do not determine {kept} of camera {:?}: kept as given",
                    asked.name
                ));
            }
        }
    }
    for placement in &index.lost {
        warnings.push(format!(
            "placement {placement} of the board has too few corners to be told: its views count for nothing"
        ));
    }
    if index.placements.is_empty() {
        warnings
            .push("there is no board in the views: lengths are only as true as the ring's marks".to_owned());
    }
    if index.start.marks.is_empty() {
        warnings.push(
            "there is no ring in the views: heights are counted from where the first camera is configured"
                .to_owned(),
        );
    }
    let turned = spread(used.iter().map(|seen| seen.turn.to_degrees()));
    if turned < 180.0 {
        warnings.push(format!("the turntable was turned over {turned:.0}° only: take views all around"));
    }
    if !answer.lift_measured {
        warnings
            .push("the lift was not moved: it is taken to go straight up, as far as commanded".to_owned());
    }
    let all = answer.used + answer.dropped;
    if answer.dropped as f64 > MANY_DROPPED * all as f64 {
        warnings.push(format!(
            "{} of {all} corners do not fit and were left out: was anything moved in between?",
            answer.dropped
        ));
    }
    if answer.rms_px > POOR_FIT {
        warnings.push(format!(
            "corners are off by {:.2} pixels: are the images sharp, the board flat and at rest?",
            answer.rms_px
        ));
    }
    warnings
}

fn of_camera(asked: &super::Camera, seen: &[&Seen], solved: &Solved, warnings: &mut Vec<String>) {
    let name = &asked.name;
    if seen.is_empty() {
        warnings.push(format!("camera {name:?} saw nothing: it is as configured"));
        return;
    }
    let of_board: Vec<&Seen> = seen.iter().copied().filter(|seen| kind(seen) == 0).collect();
    let views: Vec<&Seen> = of_board.chunk_by(|a, b| a.view == b.view).map(|view| view[0]).collect();
    if views.len() < FEW_VIEWS {
        let count = views.len();
        warnings.push(format!("camera {name:?} has the board in {count} views: take {FEW_VIEWS} or more"));
    }
    let normals: Vec<_> = views
        .iter()
        .filter_map(|seen| match seen.part {
            Part::Board { placement, .. } => {
                let on_table = solved.state.boards[placement].rotation.column(2).into_owned();
                let in_rig = crate::geometry::about_z(solved.state.turned(seen)) * on_table;
                Some(solved.state.cameras[seen.camera].rotation * in_rig)
            }
            Part::Ring { .. } => None,
        })
        .collect();
    let apart = normals
        .iter()
        .flat_map(|a| normals.iter().map(move |b| a.dot(b).clamp(-1.0, 1.0).acos().to_degrees()));
    let widest = apart.fold(0.0, f64::max);
    if !views.is_empty() && widest < ONE_SIDE {
        warnings.push(format!(
            "camera {name:?} saw the board from one side only (within {widest:.0}°): turn the table, and lean the board"
        ));
    }
    let across = spread(seen.iter().map(|seen| seen.pixel.x)) / f64::from(asked.width.max(1));
    let down = spread(seen.iter().map(|seen| seen.pixel.y)) / f64::from(asked.height.max(1));
    if across.min(down) < COVERED {
        let percent = across.min(down) * 100.0;
        warnings.push(format!(
            "corners cover {percent:.0} % of the images of camera {name:?} across or down: what its lens does beyond is not known"
        ));
    }
}

fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let (least, most) =
        values.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    (most - least).max(0.0)
}
