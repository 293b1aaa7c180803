//! How scans are made, checked: plans, `[scan]` and `[recovery]`.

use std::path::PathBuf;
use std::time::Duration;

use crate::units::{Degrees, Dioptres, Millimetres, Stops};

/// A plan of the configuration: `[plan.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPlan {
    /// What its table is called: NAME.
    pub name: String,
    /// Which poses it covers.
    pub shape: PlanShape,
    /// Order of the points.
    pub order: PlanOrder,
    /// Lens positions, each of which gives an image at every point; none for one image as configured.
    pub focus: Vec<Dioptres>,
    /// Exposures, each of which gives an image at every point and lens position; none for one, exposed as usual.
    pub bracket: Vec<Stops>,
}

/// The points of a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanShape {
    /// `angles` evenly spaced around the object at each height of the lift.
    Cylinder {
        /// Points a ring, at least 1.
        angles: u32,
        /// Positions of the lift, at least one.
        heights: Vec<Millimetres>,
    },
    /// One turn of the turntable.
    Ring {
        /// Points, at least 1.
        angles: u32,
        /// Position of the lift.
        height: Millimetres,
        /// Position of the tilt.
        tilt: Degrees,
    },
    /// Rings of equal tilt, with points in proportion to each ring's length.
    LatitudeSphere {
        /// Points in all, at least 1.
        points: u32,
        /// Number of rings, at least 1.
        rings: u32,
        /// Tilt of the lowest ring.
        min_tilt: Degrees,
        /// Tilt of the highest ring.
        max_tilt: Degrees,
    },
    /// Points of equal area each, on a Fibonacci spiral, or others that leave no larger gaps.
    FibonacciSphere {
        /// Points, at least 1.
        points: u32,
        /// Tilt of the lowest point.
        min_tilt: Degrees,
        /// Tilt of the highest point.
        max_tilt: Degrees,
        /// Whether the way through them decides where they are.
        travel: SphereTravel,
    },
    /// One point a line of a CSV file, with a header that names the axes (and, if wanted, `label`).
    List {
        /// The file, made absolute from the place of the configuration file.
        file: PathBuf,
    },
}

/// What decides where the evenly spread points of a sphere are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SphereTravel {
    /// The spiral.
    Given,
    /// The least travel time, with no larger gaps than those of the spiral.
    Least,
}

/// In which order points are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOrder {
    /// On the way that takes least time in all.
    Fastest,
    /// As generated or listed.
    Given,
}

/// How scans are made: `[scan]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// How the cameras of a point take turns.
    pub capture: CaptureOrder,
    /// What becomes of a scan when a shot has failed for good.
    pub on_failed_shot: OnFailedShot,
    /// What becomes of a scan when a camera's process cannot be ended.
    pub on_wedged_camera: OnWedgedCamera,
    /// A camera that fails this many shots in a row pauses the scan.
    pub max_failed_in_a_row: u32,
    /// Frames that may wait to be encoded and stored before captures wait.
    pub queue_depth: u32,
    /// Whether the service goes on with an interrupted scan when it starts.
    pub resume_after_crash: bool,
    /// How often it does so with one scan, without a person.
    pub max_automatic_resumes: u32,
    /// Whether every pose has a silhouette as well: never without a backlight.
    pub silhouettes: bool,
    /// What is done where a scan that is complete has seen too little.
    pub extend: Extend,
}

/// How the cameras of a point take turns: `scan.capture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureOrder {
    /// One camera after the other.
    Sequential,
    /// All at once, each with a frame of its own.
    Simultaneous,
}

/// What becomes of a scan when a shot has failed for good: `scan.on_failed_shot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailedShot {
    /// Mark it, go on, try once more at the end.
    Continue,
    /// Pause the scan until a person goes on with it.
    Pause,
    /// End the scan as aborted (resumable).
    Abort,
}

/// What is done about points that would show more of the surface: `scan.extend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extend {
    /// Nobody looks for them.
    Off,
    /// They are proposed, and a person adds them.
    Ask,
    /// They are added once to a scan that is complete, and it goes on with them.
    Auto,
}

/// What becomes of a scan when a camera's process cannot be ended: `scan.on_wedged_camera`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnWedgedCamera {
    /// Pause the scan until a person goes on with it.
    Pause,
    /// Finish the shots of the other cameras.
    Continue,
}

/// What is done about cameras that fail, and how long it may take: `[recovery]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Attempts a shot, at least 1.
    pub attempts: u32,
    /// Longest wait for one frame.
    pub capture_timeout: Duration,
    /// Frames whose time a stream has to be silent for to be given up before that; 0 if it never is.
    pub stalled_after_frames: u32,
    /// Wait between `stop` and `start` of a restart.
    pub restart_pause: Duration,
    /// Wait between `start` and the next attempt.
    pub start_pause: Duration,
    /// Longest `stop` or `start`.
    pub restart_timeout: Duration,
    /// Longest wait for a driver to end after SIGTERM, and again after SIGKILL.
    pub kill_timeout: Duration,
    /// Longest wait for a new driver's `hello` and configuration.
    pub start_timeout: Duration,
    /// Wait before the second attempt; doubled at each further one.
    pub backoff: Duration,
    /// Programs (names as in `/proc/PID/comm`) that may be ended when they hold a camera.
    pub may_end: Vec<String>,
}

/// A way to bring a camera back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Stop streaming, start again, in the same driver process.
    Restart,
    /// End the driver process and start a new one.
    Respawn,
    /// The same, and the new one resets the camera's port before it opens the camera.
    Reset,
}

impl Rung {
    /// As in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Respawn => "respawn",
            Self::Reset => "reset",
        }
    }
}

impl std::fmt::Display for Rung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
