//! Whether the table stands as commanded and the camera where it was measured, by the ring's marks in one image.

mod fit;

use serde::{Deserialize, Serialize};

use crate::detect::{Corner, Which};
use crate::geometry::{Axes, Lens, Lift, LyingRing, Stand, Turntable};
use fit::{Moved, Scene};

/// How much better a model has to fit, in squares of the noise, for what it adds to be believed: for one parameter,
const MEANT_BY_ONE: f64 = 25.0;
/// and for several more.
const MEANT_BY_MORE: f64 = 45.0;
/// Noise of corners that is taken if nobody says, in pixels.
const NOISE: f64 = 0.1;
/// A camera that has moved by less, in millimetres,
const LEAST_MM: f64 = 0.5;
/// and turned by less, in degrees, is where it was: a rig is not measured better than that by paper and glue.
const LEAST_TURN_DEG: f64 = 0.1;
/// Marks by which a camera's place can be told.
const MARKS_FOR_CAMERA: usize = 2;
/// Marks by which one that is wrong can be told.
const MARKS_FOR_ODD: usize = 4;

/// A rig as it was measured, and what one of its cameras sees now.
#[derive(Debug, Clone)]
pub struct Request {
    /// The camera's lens.
    pub lens: Lens,
    /// Where the camera was.
    pub stand: Stand,
    /// What the turntable does.
    pub turntable: Turntable,
    /// What the lift does.
    pub lift: Lift,
    /// The ring as it lies.
    pub ring: LyingRing,
    /// What was commanded.
    pub axes: Axes,
    /// What is seen; those of other targets count for nothing.
    pub corners: Vec<Corner>,
    /// How noisy corners are, in x and in y, in pixels: `ring_noise_px` of the solver's answer.
    pub noise_px: Option<f64>,
    /// Degrees that the table may be off without being said to stand elsewhere.
    pub tolerance_deg: f64,
    /// Pixels that corners may be off, as the table is said to stand, without the camera being said to have moved.
    pub tolerance_px: f64,
}

/// What is tolerated of the table if nobody says, in degrees.
pub const TOLERANCE_DEG: f64 = 0.05;
/// What is tolerated of corners if nobody says, in pixels.
pub const TOLERANCE_PX: f64 = 0.3;

/// What explains an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is where it should be.
    AsCommanded,
    /// The table stands elsewhere, and the camera where it was.
    TableElsewhere,
    /// The camera is not where it was.
    CameraMoved,
    /// Too few marks are seen to say.
    Unknown,
}

/// What an image says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// What explains it with the least.
    pub verdict: Verdict,
    /// The same in words.
    pub says: String,
    /// Marks that count.
    pub marks: usize,
    /// Marks that were left out, since they do not fit the others.
    pub dropped: usize,
    /// How far corners are off with everything as commanded (root mean square of the distance, in pixels).
    pub rms_px: f64,
    /// If only the table stands elsewhere.
    pub table: Option<Table>,
    /// If the camera was moved.
    pub camera: Option<Camera>,
}

/// How far the table is from where it was commanded to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Measured angle minus commanded, in degrees.
    pub offset_deg: f64,
    /// Its standard deviation.
    pub deviation_deg: f64,
    /// How far corners are off then.
    pub rms_px: f64,
}

/// How far the camera is from where it was, if the table stands as commanded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Camera {
    /// In the rig's frame, in mm.
    pub moved_mm: [f64; 3],
    /// Standard deviations.
    pub moved_deviation_mm: [f64; 3],
    /// About its right, down and forward, by the right hand, in degrees.
    pub turned_deg: [f64; 3],
    /// Standard deviations.
    pub turned_deviation_deg: [f64; 3],
    /// How far corners are off then.
    pub rms_px: f64,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// The camera's numbers make no sense.
    #[error("the camera cannot be so: {0}")]
    Camera(String),
    /// Some number is none.
    #[error("the request has {0} that is no finite number")]
    NoNumber(&'static str),
}

/// What the image says.
pub fn locate(request: &Request) -> Result<Answer, LocateError> {
    if let Some(fault) = request.lens.fault().or_else(|| request.stand.fault()) {
        return Err(LocateError::Camera(fault));
    }
    let finite = request.corners.iter().all(|corner| corner.x.is_finite() && corner.y.is_finite());
    if !finite || !request.axes.turntable_deg.is_finite() || !request.axes.lift_mm.is_finite() {
        return Err(LocateError::NoNumber("a corner or an axis"));
    }
    let mut scene = Scene::of(request);
    if scene.marks() == 0 {
        return Ok(unknown("no mark of the ring is seen", 0));
    }
    let dropped = if scene.marks() >= MARKS_FOR_ODD { scene.drop_odd() } else { 0 };
    Ok(judged(request, &scene, dropped))
}

fn unknown(says: &str, marks: usize) -> Answer {
    let (verdict, says) = (Verdict::Unknown, says.to_owned());
    Answer { verdict, says, marks, dropped: 0, rms_px: 0.0, table: None, camera: None }
}

/// What explains `scene` with the least.
fn judged(request: &Request, scene: &Scene, dropped: usize) -> Answer {
    let marks = scene.marks();
    let Some(still) = scene.cost(&Moved::default()) else {
        return unknown("with everything as commanded, the marks would be behind the camera", marks);
    };
    let Some(table) = scene.table() else {
        return unknown("no angle of the table explains the marks", marks);
    };
    let camera = if marks >= MARKS_FOR_CAMERA { scene.camera(&table) } else { None };
    let corners = 4.0 * marks as f64;
    let rms = |cost: f64| (cost / corners).sqrt();

    // What is left with everything free is noise, and marks that lie a little beside where they were measured.
    let least = request.noise_px.filter(|noise| *noise > 0.0).unwrap_or(NOISE);
    let left = camera.as_ref().map_or(0.0, |camera| camera.cost / (2.0 * corners - 6.0));
    let variance = left.max(least * least);
    let angle = table.by.angle.to_degrees();
    let by_table = (still - table.cost) / variance;
    let by_camera = camera.as_ref().map_or(0.0, |camera| (still - camera.cost) / variance);
    let more = camera.as_ref().map_or(0.0, |camera| (table.cost - camera.cost) / variance);

    let deviation = |fit: &fit::Fit, at: usize| (fit.covariance[(at, at)] * variance).sqrt();
    let table_answer = Table {
        offset_deg: angle,
        deviation_deg: deviation(&table, 0).to_degrees(),
        rms_px: rms(table.cost),
    };
    let camera_answer = camera.as_ref().map(|camera| Camera {
        moved_mm: camera.by.centre.into(),
        moved_deviation_mm: [3, 4, 5].map(|at| deviation(camera, at)),
        turned_deg: camera.by.turn.map(f64::to_degrees).into(),
        turned_deviation_deg: [0, 1, 2].map(|at| deviation(camera, at).to_degrees()),
        rms_px: rms(camera.cost),
    });
    let matters = camera.as_ref().is_some_and(|camera| {
        camera.by.centre.norm() > LEAST_MM || camera.by.turn.norm().to_degrees() > LEAST_TURN_DEG
    });
    let camera_moved = matters && more > MEANT_BY_MORE && rms(table.cost) > request.tolerance_px;
    let unsaid = matters && by_camera > MEANT_BY_MORE && rms(still) > request.tolerance_px;
    let verdict = if camera_moved {
        Verdict::CameraMoved
    } else if by_table > MEANT_BY_ONE && angle.abs() > request.tolerance_deg {
        Verdict::TableElsewhere
    } else if unsaid && more > by_camera / 2.0 {
        Verdict::CameraMoved
    } else {
        Verdict::AsCommanded
    };
    let says = match verdict {
        Verdict::AsCommanded => format!("the table stands as commanded ({angle:+.3}°) by {marks} marks"),
        Verdict::TableElsewhere => {
            format!("the table stands {angle:+.2}° from where it was commanded to be, by {marks} marks")
        }
        Verdict::CameraMoved => {
            let moved = camera.as_ref().map_or(0.0, |camera| camera.by.centre.norm());
            let turned = camera.as_ref().map_or(0.0, |camera| camera.by.turn.norm().to_degrees());
            format!(
                "the camera is not where it was ({moved:.1} mm off, turned by {turned:.2}°), by {marks} marks"
            )
        }
        Verdict::Unknown => String::new(),
    };
    Answer {
        verdict,
        says,
        marks,
        dropped,
        rms_px: rms(still),
        table: Some(table_answer),
        camera: camera_answer,
    }
}

impl Request {
    /// The mark's number in the ring, and the corner's in the mark.
    fn place(&self, corner: &Corner) -> Option<(usize, usize)> {
        match corner.which {
            Which::Board { .. } => None,
            Which::Ring { id, corner } => {
                let mark = self.ring.marks.iter().position(|mark| mark.id == id)?;
                (corner < 4).then_some((mark, corner.into()))
            }
        }
    }
}
