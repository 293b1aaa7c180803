//! What was asked, by numbers.

use nalgebra::{Matrix3, Vector2, Vector3};
use scanner_pixels::target;

use super::request::Request;
use super::state::{Across, Gauge, Part, Placed, Seen, State};
use super::{SolveError, start};
use crate::detect::Which;
use crate::geometry::{Lying, rows};

/// Corners of the board from which one placement can be told.
const LEAST_OF_PLACEMENT: usize = 12;
/// Corners that are taken in one request.
const MOST_CORNERS: usize = 500_000;
/// How far from the axis a camera has to stand for its azimuth to mean something, in mm.
const LEAST_DISTANCE: f64 = 20.0;

/// What was asked, by numbers.
#[derive(Debug)]
pub(super) struct Index {
    /// Camera and position of each lens.
    pub(super) lenses: Vec<(usize, Option<f64>)>,
    /// The placements that can be told, as they were numbered.
    pub(super) placements: Vec<u32>,
    /// Placements with too few corners.
    pub(super) lost: Vec<u32>,
    /// All corners, those of a view together.
    pub(super) seen: Vec<Seen>,
    pub(super) gauge: Gauge,
    pub(super) start: State,
}

impl Index {
    pub(super) fn of(request: &Request) -> Result<Self, SolveError> {
        let camera_of = cameras(request)?;
        let corners: usize = request.views.iter().map(|view| view.corners.len()).sum();
        if corners > MOST_CORNERS {
            return Err(SolveError::TooMany(corners, MOST_CORNERS));
        }
        let board = request.board.map(target::Board::try_from).transpose()?;
        let ring = request.ring.map(target::Ring::try_from).transpose()?;
        let (placements, lost) = placements(request);

        let mut lenses: Vec<(usize, Option<f64>)> = Vec::new();
        let mut marks: Vec<Lying> = Vec::new();
        let mut seen: Vec<Seen> = Vec::new();
        for (number, view) in request.views.iter().enumerate() {
            let camera =
                camera_of(&view.camera).ok_or_else(|| SolveError::NoCamera(number, view.camera.clone()))?;
            let numbers = [view.axes.turntable_deg, view.axes.lift_mm, view.lens_position.unwrap_or(0.0)];
            let finite = |number: &f64| number.is_finite();
            if !numbers.iter().all(finite)
                || !view.corners.iter().all(|corner| finite(&corner.x) && finite(&corner.y))
            {
                return Err(SolveError::NoNumber(number));
            }
            let lens = position_of(
                &mut lenses,
                |lens| *lens == (camera, view.lens_position),
                || (camera, view.lens_position),
            );
            for corner in &view.corners {
                let part = match corner.which {
                    Which::Board { id } => {
                        let Some(placement) = placements.iter().position(|known| *known == view.placement)
                        else {
                            continue;
                        };
                        let point = board
                            .and_then(|board| board.corner(id))
                            .ok_or(SolveError::NoBoardCorner(number, id))?;
                        Part::Board { placement, point: Vector3::from(point) }
                    }
                    Which::Ring { id, corner } => {
                        let printed = ring.and_then(|ring| ring.mark_with_id(id)).filter(|_| corner < 4);
                        let printed = printed.ok_or(SolveError::NoMark(number, id, corner))?;
                        let mark = position_of(&mut marks, |mark| mark.id == id, || Lying::of(&printed));
                        Part::Ring { mark, corner: corner.into() }
                    }
                };
                seen.push(Seen {
                    view: number,
                    camera,
                    lens,
                    turn: view.axes.turntable_deg.to_radians(),
                    lift: view.axes.lift_mm,
                    back: view.axes.direction < 0,
                    part,
                    pixel: Vector2::new(corner.x, corner.y),
                });
            }
        }
        let first = seen.iter().map(|seen| seen.camera).min().ok_or(SolveError::NothingSeen)?;
        let cameras: Vec<Placed> = request
            .cameras
            .iter()
            .map(|camera| Placed {
                rotation: crate::geometry::as_rotation(&camera.stand.matrix()),
                origin: camera.stand.centre(),
            })
            .collect();
        let gauge = gauge(first, &cameras[first], marks.is_empty());
        let mut state = State {
            lenses: lenses.iter().map(|(camera, _)| request.cameras[*camera].lens).collect(),
            cameras,
            lift: Vector3::z(),
            scale: 1.0,
            backlash: 0.0,
            boards: vec![
                Placed { rotation: Matrix3::identity(), origin: Vector3::zeros() };
                placements.len()
            ],
            tilt: Matrix3::identity(),
            side: ring.map_or(1.0, |ring| ring.mark_side()),
            marks,
        };
        start::boards(&mut state, &seen);
        start::marks(&mut state, &seen);
        Ok(Self { lenses, placements, lost, seen, gauge, start: state })
    }
}

/// Which number a camera has, by its name; all are looked through.
fn cameras(request: &Request) -> Result<impl Fn(&str) -> Option<usize>, SolveError> {
    for (number, camera) in request.cameras.iter().enumerate() {
        if request.cameras[..number].iter().any(|other| other.name == camera.name) {
            return Err(SolveError::TwoCameras(camera.name.clone()));
        }
        if let Some(fault) = camera.lens.fault().or_else(|| camera.stand.fault()) {
            return Err(SolveError::Camera(camera.name.clone(), fault));
        }
    }
    let names: Vec<String> = request.cameras.iter().map(|camera| camera.name.clone()).collect();
    Ok(move |name: &str| names.iter().position(|known| known == name))
}

/// The placements of the board that can be told, and those that cannot.
fn placements(request: &Request) -> (Vec<u32>, Vec<u32>) {
    let mut counts: Vec<(u32, usize)> = Vec::new();
    for view in &request.views {
        let of_board = |corner: &&crate::detect::Corner| matches!(corner.which, Which::Board { .. });
        let corners = view.corners.iter().filter(of_board).count();
        let at = position_of(&mut counts, |(known, _)| *known == view.placement, || (view.placement, 0));
        counts[at].1 += corners;
    }
    let (told, lost): (Vec<_>, Vec<_>) = counts
        .into_iter()
        .filter(|(_, corners)| *corners > 0)
        .partition(|(_, corners)| *corners >= LEAST_OF_PLACEMENT);
    let numbers = |counts: Vec<(u32, usize)>| counts.into_iter().map(|(placement, _)| placement).collect();
    (numbers(told), numbers(lost))
}

/// Where in `list` the one is that `is` it, which is put there if need be.
fn position_of<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> usize {
    list.iter().position(is).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    })
}

fn gauge(camera: usize, placed: &Placed, no_ring: bool) -> Gauge {
    let Placed { rotation, origin } = placed;
    let distance = origin.x.hypot(origin.y);
    let across = if distance >= LEAST_DISTANCE {
        Across::Azimuth([origin.x / distance, origin.y / distance])
    } else {
        let [right, ..] = rows(rotation);
        let length = right[0].hypot(right[1]).max(1e-9);
        Across::Heading([right[0] / length, right[1] / length])
    };
    Gauge { camera, across, height: no_ring.then_some(origin.z) }
}
