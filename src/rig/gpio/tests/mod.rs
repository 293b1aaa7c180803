//! Axes, lights and panel on simulated pins.

mod faults;
mod homing;
mod moves;
mod outputs;
mod standing;
mod uart;

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::config::MotionBackend;
use crate::config::gpio::GpioMotion;
use crate::model::{Axis, Pose};
use crate::sim::{SimAxes, World, WorldFile, WorldReader};

/// Pins of the rig below.
const TABLE_STEP: u32 = 4;
const TABLE_DIRECTION: u32 = 5;
const TABLE_ENABLE: u32 = 6;
const LIFT_STEP: u32 = 12;
const LIFT_DIRECTION: u32 = 17;
const LIFT_ENABLE: u32 = 13;
const LIFT_SWITCH: u32 = 16;
const EMERGENCY_STOP: u32 = 26;

/// A turntable of 40 steps a degree, put by hand, and a lift of 100 steps a millimetre with an endstop.
const RIG: &str = r#"
[gpio]
backend = "sim"
[gpio.simulation]
# SIMULATION
[motion]
backend = "gpio"
emergency_stop = "^GPIO26"
max_step_delay = "60 s"
max_late_steps = 1000000    # the machine of a test has other things to do
[motion.turntable]
speed = "90 deg/s"
acceleration = "900 deg/s2"
[motion.turntable.stepper]
driver = "drv8825"
step = "GPIO4"
direction = "GPIO5"
enable = "!GPIO6"
rotation_distance = "80 deg"
# TABLE
[motion.turntable.homing]
method = "by_hand"
[motion.lift]
speed = "100 mm/s"
acceleration = "2000 mm/s2"
travel = ["0 mm", "100 mm"]
[motion.lift.stepper]
driver = "a4988"
step = "GPIO12"
direction = "!GPIO17"
enable = "!GPIO13"
rotation_distance = "32 mm"
# LIFT
[motion.lift.homing]
method = "endstop"
switch = "^!GPIO16"
[[light]]
name = "ring"
pin = "GPIO20"
[[light]]
name = "back"
pin = "!GPIO21"
safe_on = true
[panel]
backend = "gpio"
start = "^!GPIO22"
stop = "^!GPIO23"
led = "GPIO24"
long_press = "300 ms"
[plan.ring]
shape = "ring"
angles = 4
[[camera]]
name = "cam0"
driver = "scanner-sim"
id = "0"
width = 64
height = 48
focal_length = "4.74 mm"
pixel_pitch = "70 um"
[camera.mount]
distance = "300 mm"
height = "60 mm"
"#;

/// A rig on simulated pins in a folder of its own.
struct Bench {
    folder: tempfile::TempDir,
    config: Config,
    pins: Opened,
    sim: Arc<SimBoard>,
}

impl Bench {
    fn new() -> Self {
        Self::with(&[])
    }

    /// Lines put in at the marks of [`RIG`].
    fn with(additions: &[(&str, &str)]) -> Self {
        let config = config(additions);
        let folder = tempfile::tempdir().unwrap();
        let pins = open(&config, folder.path()).unwrap().unwrap();
        let sim = pins.sim.clone().unwrap();
        Self { folder, config, pins, sim }
    }

    fn motion(&self) -> &GpioMotion {
        motion_of(&self.config)
    }

    fn axes(&self) -> GpioAxes {
        self.try_axes(self.pins.board.as_ref()).unwrap()
    }

    fn try_axes(&self, board: &dyn Board) -> Result<GpioAxes, OpenError> {
        let world = World::new(SimAxes::home(&self.config.motion.axes));
        let world = Arc::new(WorldFile::create(self.folder.path().join("world.json"), world).unwrap());
        GpioAxes::open(board, self.config.motion.axes.clone(), self.motion(), world, self.folder.path())
    }

    /// The axes, opened and homed.
    fn homed(&self) -> GpioAxes {
        use crate::rig::Axes as _;
        let axes = self.axes();
        axes.make_ready().blocking_recv().unwrap().unwrap();
        axes
    }

    /// When a pin rose, was to rise, in order: nanoseconds.
    fn rises(&self, pin: u32) -> Vec<Change> {
        self.sim.changes().into_iter().filter(|change| change.pin == pin && change.high).collect()
    }

    /// The level of a pin, as the file says.
    fn level(&self, pin: u32) -> char {
        level(&self.folder.path().join("pins"), pin)
    }
}

fn level(pins: &PathBuf, pin: u32) -> char {
    std::fs::read(pins).unwrap()[pin as usize].into()
}

fn config(additions: &[(&str, &str)]) -> Config {
    let text = additions.iter().fold(RIG.to_owned(), |text, (mark, lines)| text.replace(mark, lines));
    Config::from_text("rig.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn motion_of(config: &Config) -> &GpioMotion {
    match &config.motion.backend {
        MotionBackend::Gpio(motion) => motion,
        MotionBackend::Sim { .. } => panic!("not on pins"),
    }
}

fn at(turntable: f64, lift: f64) -> Pose {
    Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift)
}
