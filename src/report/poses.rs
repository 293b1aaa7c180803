//! Where the cameras stood around the object, from above and from the side, in millimetres.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::plot::{Scale, colour, number};
use super::shots::{Shot, State};
use crate::plan::Plan;
use crate::plan::geometry::{CameraPose, Vec3};

/// Side of a drawing, which is square.
const SIDE: f64 = 420.0;
/// What is kept free around it.
const MARGIN: f64 = 30.0;
/// Scans with more shots get dots instead of pyramids.
const MOST_PYRAMIDS: usize = 1500;

/// A shot whose place is known.
struct Placed<'a, 'b> {
    shot: &'a Shot<'b>,
    pose: CameraPose,
    /// Half the width and half the height of what it sees, at distance 1.
    half: [f64; 2],
}

/// The sphere around a point of the turntable's axis that is in every image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Common {
    pub(super) height: f64,
    pub(super) radius: f64,
}

/// The direction from which one looks.
#[derive(Clone, Copy)]
enum From {
    Above,
    Side,
}

impl From {
    const fn title(self) -> &'static str {
        match self {
            Self::Above => "From above",
            Self::Side => "From the side",
        }
    }

    /// Right and up in the drawing.
    const fn flat(self, [x, y, z]: Vec3) -> [f64; 2] {
        match self {
            Self::Above => [x, y],
            Self::Side => [x, z],
        }
    }
}

/// Both drawings; nothing where no mount is known.
pub(super) fn poses(plan: &Plan, shots: &[Shot<'_>]) -> Option<Markup> {
    let mut placed: Vec<_> = shots.iter().filter_map(|shot| placed(plan, shot)).collect();
    // What is drawn last is seen where rings lie above each other.
    placed.sort_by_key(|view| missing(view.shot));
    if placed.is_empty() {
        return None;
    }
    let common = common(plan, shots);
    Some(html! {
        div.grid {
            @for from in [From::Above, From::Side] { (drawing(from, &placed, common)) }
        }
        p.dim.small {
            "Millimetres in the object's frame: z is the turntable's axis, its surface at z = 0. The object turned; what is \
             drawn is how the cameras went around it. "
            @if let Some(Common { height, radius }) = common {
                "Dashed: what is in every image, a sphere of " (number(2.0 * radius)) " mm across, "
                (number(height)) " mm above the surface. "
            }
            @if shots.iter().any(|shot| shot.taken().is_none()) { "Red: where an image is missing." }
        }
    })
}

fn placed<'a, 'b>(plan: &Plan, shot: &'a Shot<'b>) -> Option<Placed<'a, 'b>> {
    let camera = plan.cameras.get(shot.camera)?;
    let pose = camera.pose(&plan.point(plan.point_of(shot.index)).pose)?;
    let half = camera
        .intrinsics
        .intrinsics()
        .filter(|known| known.fx > 0.0 && known.fy > 0.0)
        .map_or([0.4, 0.3], |known| {
            [f64::from(known.width) / 2.0 / known.fx, f64::from(known.height) / 2.0 / known.fy]
        });
    pose.centre().iter().all(|part| part.is_finite()).then_some(Placed { shot, pose, half })
}

/// None where a lens is not known, or where the cameras look past each other.
pub(super) fn common(plan: &Plan, shots: &[Shot<'_>]) -> Option<Common> {
    let mut looks_at = Vec::new();
    let mut views = Vec::new();
    for shot in shots {
        let camera = plan.cameras.get(shot.camera)?;
        let (mount, axes) = (camera.mount?, plan.point(plan.point_of(shot.index)).pose);
        looks_at.push(mount.look_at_height.get() + axes.lift.get());
        views.push((CameraPose::new(&mount, &axes), camera.intrinsics.intrinsics()?));
    }
    let height = looks_at.iter().sum::<f64>() / looks_at.len().max(1) as f64;
    let distances = views.iter().flat_map(|(pose, known)| {
        let [x, y, depth] = pose.to_camera([0.0, 0.0, height]);
        let (width, rows) = (f64::from(known.width), f64::from(known.height));
        // How far it is inside each edge of the image.
        let inside = |across: f64, slope: f64| (slope * depth - across) / slope.hypot(1.0);
        [
            inside(x, (width - known.cx) / known.fx),
            inside(-x, known.cx / known.fx),
            inside(y, (rows - known.cy) / known.fy),
            inside(-y, known.cy / known.fy),
        ]
    });
    let radius = distances.fold(f64::INFINITY, f64::min);
    (radius.is_finite() && radius > 0.0).then_some(Common { height, radius })
}

/// From millimetres to the drawing.
struct Map {
    middle: [f64; 2],
    scale: f64,
}

impl Map {
    fn around(points: impl Iterator<Item = [f64; 2]>) -> Self {
        let (mut low, mut high) = ([-1.0_f64; 2], [1.0_f64; 2]);
        for point in points {
            for side in 0..2 {
                low[side] = low[side].min(point[side]);
                high[side] = high[side].max(point[side]);
            }
        }
        let extent = (high[0] - low[0]).max(high[1] - low[1]);
        let middle = [0, 1].map(|side| f64::midpoint(low[side], high[side]));
        Self { middle, scale: (SIDE - 2.0 * MARGIN) / extent }
    }

    fn place(&self, [right, up]: [f64; 2]) -> (f64, f64) {
        let half = SIDE / 2.0;
        (half + (right - self.middle[0]) * self.scale, half - (up - self.middle[1]) * self.scale)
    }
}

fn drawing(from: From, placed: &[Placed<'_, '_>], common: Option<Common>) -> Markup {
    let map = Map::around(placed.iter().map(|view| from.flat(view.pose.centre())));
    let (x, y) = map.place([0.0, 0.0]);
    let millimetres = SIDE / map.scale;
    let step = Scale::reaching(millimetres / 2.0).step;
    let lines = |middle: f64| {
        let first = ((middle - millimetres / 2.0) / step).ceil();
        (0..=(millimetres / step) as u32)
            .map(move |index| (first + f64::from(index)) * step)
            .filter(move |at| *at <= middle + millimetres / 2.0)
    };
    let size = 16.0 / map.scale;
    html! {
        figure.pose {
            figcaption { b { (from.title()) } }
            svg viewBox=(format!("0 0 {SIDE} {SIDE}")) role="img" aria-label=(from.title()) {
                @for at in lines(map.middle[0]) {
                    @let across = format!("{:.1}", map.place([at, 0.0]).0);
                    line.rule x1=(across) x2=(across) y1="0" y2=(SIDE) {}
                    text x=(across) y=(SIDE - 4.0) text-anchor="middle" { (number(at)) }
                }
                @for at in lines(map.middle[1]) {
                    @let up = format!("{:.1}", map.place([0.0, at]).1);
                    line.rule x1="0" x2=(SIDE) y1=(up) y2=(up) {}
                    text x="4" y=(up) dy="-3" { (number(at)) }
                }
                @match from {
                    From::Above => {
                        path.table d=(format!("M{:.1} {y:.1}h16M{x:.1} {:.1}v16", x - 8.0, y - 8.0)) {}
                    }
                    From::Side => {
                        line.table x1="0" x2=(SIDE) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                        line.axis x1=(format!("{x:.1}")) x2=(format!("{x:.1}")) y1="0" y2=(SIDE) {}
                    }
                }
                @if let Some(Common { height, radius }) = common {
                    @let (x, y) = map.place(from.flat([0.0, 0.0, height]));
                    circle.common cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{:.1}", radius * map.scale)) {}
                }
                @for view in placed {
                    @let class = if missing(view.shot) { "missing" } else { colour(view.shot.camera) };
                    path.camera.(class) d=(mark(from, &map, view, placed.len(), size)) { title { (view.shot.name) } }
                }
            }
        }
    }
}

fn missing(shot: &Shot<'_>) -> bool {
    match shot.state {
        State::Pending | State::Failed(_) => true,
        State::Taken(_) => false,
    }
}

/// What a camera sees, as a pyramid of `size` millimetres with its tip where the camera was.
fn mark(from: From, map: &Map, view: &Placed<'_, '_>, count: usize, size: f64) -> String {
    let (pose, [wide, high]) = (view.pose, view.half);
    let centre = pose.centre();
    let (x, y) = map.place(from.flat(centre));
    if count > MOST_PYRAMIDS {
        return format!("M{x:.1} {y:.1}h.1");
    }
    let corner = |across: f64, down: f64| {
        let away = pose.to_object_direction([across * wide * size, down * high * size, size]);
        map.place(from.flat(std::array::from_fn(|index| centre[index] + away[index])))
    };
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(a, b)| corner(a, b));
    let mut path = String::new();
    for (index, (to_x, to_y)) in corners.into_iter().enumerate() {
        let (next_x, next_y) = corners[(index + 1) % 4];
        let _ = write!(path, "M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}L{next_x:.1} {next_y:.1}");
    }
    path
}
