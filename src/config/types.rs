//! The checked configuration: every value in range, every reference resolved, every default filled in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::gpio::{Gpio, GpioMotion, LightPin, PanelPins};
use crate::camera_driver::protocol::{Controls, Orientation, PixelFormat, Size};
use crate::motion::Limits;
use crate::motion::Tremble;
use crate::plan::{Axis, Mount, Optics};
use crate::schedule::Schedule;
use crate::units::{Bytes, Degrees, Dioptres, FramesPerSecond, Millimetres};

/// Everything that the configuration files say.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where scans are kept, and what may happen to old ones.
    pub storage: Storage,
    /// The cameras, in the order of their names' appearance. At least one.
    pub cameras: Vec<Camera>,
    /// How pins are reached; none if nothing hangs on pins.
    pub gpio: Option<Gpio>,
    /// The axes and what drives them.
    pub motion: Motion,
    /// The lights.
    pub lights: Vec<Light>,
    /// Start and stop buttons, status LED.
    pub panel: Panel,
    /// The plans by name; the first is the one that the start button starts.
    pub plans: Vec<NamedPlan>,
    /// How the rig is reached from a browser.
    pub api: Api,
    /// When cameras may be open.
    pub schedule: Schedule,
    /// How a scan is driven.
    pub scan: Scan,
    /// What is done when a capture fails.
    pub recovery: Recovery,
}

/// `[storage]`
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Folder of the datasets.
    pub directory: PathBuf,
    /// Scratch files of the running daemon: locks, control socket, the simulated rig's state.
    pub runtime_directory: PathBuf,
    /// Free space to keep on the file system beyond what a scan needs.
    pub keep_free: Bytes,
    /// Complete scans beyond this number are removed, the oldest first, before a new scan; none if absent.
    pub keep_scans: Option<u32>,
    /// Whether complete scans are removed, the oldest first, when a new one would not fit otherwise.
    pub make_room: bool,
    /// JPEG quality, 1 to 100.
    pub jpeg_quality: u8,
}

/// `[api]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Where it listens; nowhere if absent.
    pub listen: Option<SocketAddr>,
    /// Names of this machine beside those that it knows of itself, in lower case.
    pub hosts: Vec<String>,
    /// The file of the tokens' hashes.
    pub tokens: PathBuf,
    /// What HTTPS is done with; plain HTTP without it.
    pub tls: Option<CertificateFiles>,
    /// Whether a browser may be let in by who holds the start button.
    pub pairing: bool,
}

/// `api.certificate` and `api.key`, both in PEM. The service reads them; who else reads the configuration may not be able to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and behind it those that lead to its authority, if any.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// One `[[camera]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Unique; folder name in the dataset: letters, digits, `-` and `_`.
    pub name: String,
    /// The driver's executable: an absolute path, or a name looked up beside this program and in `PATH`.
    pub driver: PathBuf,
    /// Which camera, in the driver's own words.
    pub id: String,
    /// Format of still images.
    pub format: PixelFormat,
    /// Frame rate asked of the driver; its own choice if absent.
    pub frame_rate: Option<FramesPerSecond>,
    /// Size of the images and inner geometry; what is unknown, the camera says.
    pub optics: Optics,
    /// Place on the rig; without it the dataset has no poses for this camera.
    pub mount: Option<Mount>,
    /// How images are turned.
    pub orientation: Orientation,
    /// Low-resolution frames beside the stills.
    pub live: Live,
    /// What is fixed: exposure, gain, white balance, focus, and so on.
    pub controls: Controls,
    /// For how long what is not fixed, but found automatically, is held.
    pub hold: Hold,
    /// Handed to the driver as they are (`[camera.options]`), as JSON.
    pub options: serde_json::Value,
}

/// `live` of a `[[camera]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// A small size of the same shape, where the camera has a second stream.
    Auto,
    /// None.
    Off,
    /// This size; the camera may choose one near it.
    Size(Size),
}

/// `hold` of a `[[camera]]`: images that fit together have the same exposure and colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// For the whole scan.
    Scan,
    /// As long as only the turntable moves.
    Ring,
    /// Not at all.
    Never,
}

/// `[motion]` and its `[motion.AXIS]` tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// What moves.
    pub backend: MotionBackend,
    /// Wait between the end of a move and the first valid exposure; the longest one, if frames show when it is over.
    pub settle: Duration,
    /// What tells that the rig has settled.
    pub settle_by: SettleBy,
    /// How simulated cameras see the rig tremble when it has come to rest, if it does.
    pub tremble: Option<Tremble>,
    /// The axes present, each at most once, in the order of [`Axis::ALL`].
    pub axes: Vec<AxisConfig>,
}

/// `motion.settle_by`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleBy {
    /// The time that has passed.
    Time,
    /// Low-resolution frames that do not change any more, of each camera that has some.
    Frames,
}

/// What moves the axes.
#[derive(Debug, Clone, PartialEq)]
pub enum MotionBackend {
    /// Computed motion; simulated cameras see it.
    Sim {
        /// How many times faster than real time, > 0.
        time_scale: f64,
    },
    /// Stepper motors on GPIO pins.
    Gpio(GpioMotion),
}

impl MotionBackend {
    /// An axis that a hand has to put in its place before the program starts, if there is one. Where it stands is not
    /// known after a start in the middle of a scan.
    pub fn placed_by_hand(&self) -> Option<Axis> {
        match self {
            Self::Sim { .. } => None,
            Self::Gpio(motion) => {
                motion.steppers.iter().find(|stepper| stepper.homing.seek().is_none()).map(|found| found.axis)
            }
        }
    }
}

/// One axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxisConfig {
    /// Which one.
    pub axis: Axis,
    /// Speed and acceleration, in the axis' unit.
    pub limits: Limits,
    /// Lowest and highest position, in the axis' unit; a turntable has none.
    pub travel: Option<(f64, f64)>,
}

/// One `[[light]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Light {
    /// Unique name.
    pub name: String,
    /// 0 (off) to 1 (full).
    pub brightness: f64,
    /// Wait after switching on.
    pub warm_up: Duration,
    /// How long it stays on after a scan: the next one does not have to wait for it.
    pub idle_off: Duration,
    /// What switches it; a light without a pin is simulated.
    pub pin: Option<LightPin>,
}

/// `[panel]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// No buttons.
    None,
    /// Buttons pressed through the control socket (`scanner press start`).
    Sim,
    /// Buttons and LED on GPIO pins.
    Gpio(PanelPins),
}

/// `[plan.NAME]`
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPlan {
    /// Its table's name.
    pub name: String,
    /// What it covers.
    pub shape: PlanShape,
    /// Order of the points.
    pub order: PlanOrder,
    /// Lens positions, each of which gives an image at every point; none for one image as configured.
    pub focus: Vec<Dioptres>,
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
        /// Lowest tilt.
        min_tilt: Degrees,
        /// Highest tilt.
        max_tilt: Degrees,
    },
    /// Points of equal area each, on a Fibonacci spiral.
    FibonacciSphere {
        /// Points, at least 1.
        points: u32,
        /// Lowest tilt.
        min_tilt: Degrees,
        /// Highest tilt.
        max_tilt: Degrees,
    },
    /// One point a line of a CSV file, with a header that names the axes (and, if wanted, `label`).
    List {
        /// The file, made absolute from the place of the configuration file.
        file: PathBuf,
    },
}

/// In which order points are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOrder {
    /// Least travel time.
    Fastest,
    /// As generated or listed.
    Given,
}

/// `[scan]`
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
}

/// `scan.capture`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureOrder {
    /// One camera after the other.
    Sequential,
    /// All at once.
    Simultaneous,
}

/// `scan.on_failed_shot`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailedShot {
    /// Mark it, go on, try once more at the end.
    Continue,
    /// Pause the scan.
    Pause,
    /// End the scan as aborted (resumable).
    Abort,
}

/// `scan.on_wedged_camera`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnWedgedCamera {
    /// Pause the scan.
    Pause,
    /// Finish the shots of the other cameras.
    Continue,
}

/// `[recovery]`
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Attempts a shot, at least 1.
    pub attempts: u32,
    /// Longest wait for one frame.
    pub capture_timeout: Duration,
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
}

impl Rung {
    /// As in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Respawn => "respawn",
        }
    }
}

impl std::fmt::Display for Rung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
