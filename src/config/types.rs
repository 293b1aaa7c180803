//! The checked configuration: every value in range, every reference resolved, every default filled in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::deliver::Deliver;
use super::gate::Gate;
use super::gpio::{Gpio, GpioMotion, LightPin, PanelPins};
use super::marks::Marks;
use super::mqtt::Mqtt;
use super::notify::Notify;
use super::scanning::{NamedPlan, Recovery, Scan};
use crate::model::{
    Axis, AxisConfig, Controls, ExportFormat, Lighting, MergeProgram, Mount, Optics, Orientation,
    PixelFormat, Size, Tremble,
};
use crate::schedule::Schedule;
use crate::units::{Bytes, FramesPerSecond};

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
    /// The lights, in the order of the files.
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
    /// Which images are good enough.
    pub gate: Gate,
    /// What is done when table or camera is elsewhere.
    pub marks: Marks,
    /// What is done when a capture fails.
    pub recovery: Recovery,
    /// What is made of a scan at its end.
    pub export: Export,
    /// What becomes of stacks.
    pub merge: Merge,
    /// Who is told how a scan stands.
    pub notify: Vec<Notify>,
    /// Where finished scans are brought.
    pub deliver: Vec<Deliver>,
    /// Where it is published how the scanner stands; nowhere if absent.
    pub mqtt: Option<Mqtt>,
}

impl Config {
    /// How long the lights of `lighting` take, once they are on, until their light is steady.
    pub fn warm_up(&self, lighting: Lighting) -> Duration {
        let lit = self.lights.iter().filter(|light| light.role == lighting && light.brightness > 0.0);
        lit.map(|light| light.warm_up).max().unwrap_or_default()
    }
}

/// What becomes of stacks: `[merge]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merge {
    /// Whether those of a scan that has ended by itself are merged.
    pub after_scan: bool,
    /// With what.
    pub program: MergeProgram,
}

/// What is made of a scan, behind it and at its end: `[export]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Export {
    /// For which programs; each once.
    pub formats: Vec<ExportFormat>,
    /// Whether a model is made of it, behind it.
    pub hull: bool,
}

/// Where scans and what belongs to them are kept: `[storage]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Folder of the datasets.
    pub directory: PathBuf,
    /// Scratch files of the running daemon: locks, control socket, the simulated rig's state.
    pub runtime_directory: PathBuf,
    /// What has to outlive the program and the scans: tokens, counts, which disk the scans are on.
    pub state_directory: PathBuf,
    /// Free space to keep on the file system beyond what a scan needs.
    pub keep_free: Bytes,
    /// Complete scans beyond this number are removed, the oldest first, before a new scan; none if absent.
    pub keep_scans: Option<u32>,
    /// Whether complete scans are removed, the oldest first, when a new one would not fit otherwise.
    pub make_room: bool,
    /// JPEG quality, 1 to 100.
    pub jpeg_quality: u8,
}

/// How the rig is reached over HTTP: `[api]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Where it listens; nowhere if absent.
    pub listen: Option<SocketAddr>,
    /// Names of this machine beside those that it knows of itself, in lower case.
    pub hosts: Vec<String>,
    /// The file of the tokens' hashes.
    pub tokens: PathBuf,
    /// Where that file was kept before there was a state directory, if it may still be there.
    pub former_tokens: Option<PathBuf>,
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
    /// The certificate's private key.
    pub key: PathBuf,
}

/// A camera of the rig: `[[camera]]`.
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
    /// Raw images beside the stills.
    pub raw: Raw,
    /// What is fixed: exposure, gain, white balance, focus, and so on.
    pub controls: Controls,
    /// For how long what is not fixed, but found automatically, is held.
    pub hold: HoldSettings,
    /// Handed to the driver as they are (`[camera.options]`), as JSON.
    pub options: serde_json::Value,
}

/// `live` of a `[[camera]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// A small size of the same shape, where the camera has a second stream.
    Auto,
    /// No low-resolution frames: a live view then shows stills.
    Off,
    /// This size; the camera may choose one near it.
    Size(Size),
}

/// `raw` of a `[[camera]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// A shot is an image.
    Off,
    /// Beside its image, a shot has what the sensor saw, as a DNG.
    Beside,
}

/// `hold` of a `[[camera]]`: images that fit together have the same exposure and colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldSettings {
    /// For the whole scan.
    Scan,
    /// As long as only the turntable moves.
    Ring,
    /// Not at all: images are as the camera takes them.
    Never,
}

/// `[motion]` and its `[motion.AXIS]` tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// What makes the axes move.
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

/// What tells that the rig has settled: `motion.settle_by`.
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

/// A light of the rig: `[[light]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Light {
    /// What it is called, which no other light is.
    pub name: String,
    /// In which lighting it is on.
    pub role: Lighting,
    /// 0 (off) to 1 (full).
    pub brightness: f64,
    /// Wait after switching on.
    pub warm_up: Duration,
    /// How long it stays on after a scan: the next one does not have to wait for it.
    pub idle_off: Duration,
    /// What switches it; a light without a pin is simulated.
    pub pin: Option<LightPin>,
}

/// Buttons and LED of the rig: `[panel]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// Neither buttons nor an LED.
    None,
    /// Buttons pressed through the control socket (`scanner press start`).
    Sim,
    /// Buttons and LED on GPIO pins.
    Gpio(PanelPins),
}
