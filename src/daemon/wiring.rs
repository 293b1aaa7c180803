//! What the configuration names, constructed.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::FlockOperation;
use serde_json::json;

use crate::config::gpio::PanelPins;
use crate::config::{self, Config, MotionBackend};
use crate::motion::travel_time;
use crate::plan::{Axis, Plan, Pose};
use crate::rig::Axes;
use crate::rig::gpio::{self, GpioAxes, GpioLights, GpioPanel, SimBoard};
use crate::rig::lights::Lights;
use crate::rig::panel::Panel;
use crate::rig::sim::{SimAxes, SimButtons, SimLights, SimPanel, World, WorldFile};

use super::error::StartError;

/// Axes and lights, and the file in which simulated cameras see them.
pub(super) struct Moving {
    pub(super) axes: Arc<dyn Axes>,
    pub(super) lights: Arc<dyn Lights>,
    pub(super) world: Arc<WorldFile>,
}

/// From one end of what the plan asks of the axes to the other.
pub(super) fn longest_move(motion: &config::Motion, plan: &Plan) -> Duration {
    let mut ends = (Pose::default(), Pose::default());
    for axis in Axis::ALL {
        let positions = || plan.points.iter().map(|point| point.pose.get(axis));
        // The shortest way round is half a turn at most.
        let (low, high) = if axis == Axis::Turntable {
            (0.0, 180.0)
        } else {
            (positions().fold(0.0, f64::min), positions().fold(0.0, f64::max))
        };
        ends = (ends.0.with(axis, low), ends.1.with(axis, high));
    }
    let time = travel_time(&ends.0, &ends.1, &motion.axes);
    match &motion.backend {
        MotionBackend::Sim { time_scale } => {
            Duration::try_from_secs_f64(time.as_secs_f64() / time_scale).unwrap_or(Duration::MAX)
        }
        MotionBackend::Gpio(_) => time,
    }
}

pub(super) fn wire_motion(
    config: &Config,
    pins: Option<&gpio::Opened>,
    runtime: &Path,
) -> Result<Moving, StartError> {
    let axes = &config.motion.axes;
    let path = runtime.join("world.json");
    let world =
        WorldFile::create(path.clone(), World::new(SimAxes::home(axes)).trembling(config.motion.tremble));
    let world = Arc::new(world.map_err(io("write", &path))?);
    let seen = SimLights::new(config.lights.clone(), world.clone())?;
    let lights: Arc<dyn Lights> = match pins {
        Some(pins) => Arc::new(GpioLights::open(pins.board.as_ref(), &config.lights, seen)?),
        None => Arc::new(seen),
    };
    let axes: Arc<dyn Axes> = match (&config.motion.backend, pins) {
        (MotionBackend::Sim { time_scale }, _) => {
            let sim = SimAxes::new(axes.clone(), *time_scale, world.clone());
            Arc::new(sim.map_err(io("start the thread that follows moves in", runtime))?)
        }
        (MotionBackend::Gpio(motion), Some(pins)) => {
            Arc::new(GpioAxes::open(pins.board.as_ref(), axes.clone(), motion, world.clone(), runtime)?)
        }
        (MotionBackend::Gpio(_), None) => return Err(no_pins()),
    };
    Ok(Moving { axes, lights, world })
}

/// A panel, and what presses its buttons.
pub(super) type WiredPanel = (Arc<dyn Panel>, Buttons);

pub(super) fn wire_panel(
    panel: config::Panel,
    pins: Option<&gpio::Opened>,
) -> Result<Option<WiredPanel>, StartError> {
    Ok(match (panel, pins) {
        (config::Panel::None, _) => None,
        (config::Panel::Sim, _) => {
            let (panel, buttons) = SimPanel::new();
            Some((Arc::new(panel), Buttons::Sim(buttons)))
        }
        (config::Panel::Gpio(panel), Some(pins)) => {
            let buttons = pins.sim.clone().map_or(Buttons::Real, |sim| Buttons::Pins(sim, panel));
            Some((Arc::new(GpioPanel::open(pins.board.as_ref(), &panel)?), buttons))
        }
        (config::Panel::Gpio(_), None) => return Err(no_pins()),
    })
}

/// The configuration refuses pins without [gpio].
fn no_pins() -> StartError {
    StartError::Defect("a configuration names pins, and has no [gpio]".into())
}

/// What presses the buttons of a panel.
pub(super) enum Buttons {
    /// The program, at a simulated panel.
    Sim(SimButtons),
    /// The program, at simulated pins.
    Pins(Arc<SimBoard>, PanelPins),
    /// A person only.
    Real,
}

/// What a simulated camera has to know of the simulated rig; other drivers are told nothing that their
/// configuration does not say.
pub(super) fn extra_options(
    camera: &config::Camera,
    config: &Config,
    world: &WorldFile,
    faults: &Path,
) -> serde_json::Map<String, serde_json::Value> {
    let time_scale = match config.motion.backend {
        MotionBackend::Sim { time_scale } => time_scale,
        MotionBackend::Gpio(_) => 1.0,
    };
    let driver = camera.driver.file_name().and_then(|name| name.to_str());
    let options = match driver {
        Some("scanner-sim") => json!({
            "world": world.path(), "time_scale": time_scale, "fault_state": faults.join(&camera.name),
            "intrinsics": camera.optics, "mount": camera.mount,
        }),
        Some("scanner-replay") => {
            json!({ "time_scale": time_scale, "fault_state": faults.join(&camera.name) })
        }
        Some(_) | None => json!({}),
    };
    options.as_object().cloned().unwrap_or_default()
}

/// Scripted faults happen once in the life of a station, however often their driver starts anew.
pub(super) fn fresh_fault_folder(runtime: &Path) -> Result<PathBuf, StartError> {
    let folder = runtime.join("faults");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("empty", &folder)(error)),
        Ok(()) | Err(_) => create_folder(&folder).map(|()| folder),
    }
}

pub(super) fn lock_rig(runtime: &Path) -> Result<File, StartError> {
    let path = runtime.join("rig.lock");
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).map_err(io("open", &path))?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        file.read_to_string(&mut pid).map_err(io("read", &path))?;
        let pid = pid.trim().to_owned();
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
        return Err(StartError::RigInUse { pid, name, lock: path });
    }
    let pid = format!("{}\n", std::process::id());
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(pid.as_bytes()));
    written.map_err(io("write", &path))?;
    Ok(file)
}

/// The pins of the rig alone, with its lock, if nobody else has it; none if it has no pins.
pub fn open_pins(config: &Config) -> Result<Option<(gpio::Opened, File)>, StartError> {
    let runtime = &config.storage.runtime_directory;
    create_folder(runtime)?;
    let lock = lock_rig(runtime)?;
    Ok(gpio::open(config, runtime)?.map(|pins| (pins, lock)))
}

/// The pins of the rig alone, whoever has its lock.
pub fn open_pins_by_force(config: &Config) -> Result<Option<gpio::Opened>, StartError> {
    let runtime = &config.storage.runtime_directory;
    create_folder(runtime)?;
    Ok(gpio::open(config, runtime)?)
}

pub(super) fn create_folder(path: &Path) -> Result<(), StartError> {
    fs::create_dir_all(path).map_err(io("create", path))
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |source| StartError::Io { action, path, source }
}
