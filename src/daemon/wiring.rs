//! What the configuration names, constructed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::config::gpio::PanelPins;
use crate::config::{self, Computed, Config, MotionBackend};
use crate::model::{Axis, Pose};
use crate::motion::{longest_span, travel_time};
use crate::ownership;
use crate::plan::Plan;
use crate::rig::Axes;
use crate::rig::gpio::{self, GpioAxes, GpioLights, GpioPanel, SimBoard};
use crate::rig::lights::Lights;
use crate::rig::panel::Panel;
use crate::sim::{OnTable, SimAxes, SimButtons, SimLights, SimPanel, World, WorldFile};

use super::error::StartError;
use super::folder::{create_folder, io};
use super::rig_lock::RigLock;

/// Set, it says that nothing stands on the simulated turntable.
const EMPTY: &str = "SCANNER_SIM_EMPTY";
/// Set, it says that the calibration board stands there.
const BOARD: &str = "SCANNER_SIM_BOARD";
/// In which moves the simulated turntable slips, and by how many degrees: `17:1.8,40:-0.5`.
const SLIPS: &str = "SCANNER_SIM_SLIPS";
/// How many times as high the true frequencies of the simulated axes are, as under a heavier object: `0.8`;
/// from a move on: `5:0.8`.
const HEAVIER: &str = "SCANNER_SIM_HEAVIER";
/// What the names of their folders begin with.
const FAULTS: &str = "faults";

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
    // A shorter move may be in more parts than the longest one.
    let time = travel_time(&ends.0, &ends.1, &motion.axes) + longest_span(&motion.axes);
    match &motion.backend {
        MotionBackend::Sim { time_scale } => {
            Duration::try_from_secs_f64(time.as_secs_f64() / time_scale).unwrap_or(Duration::MAX)
        }
        MotionBackend::Gpio(_) => time,
    }
}

fn on_table() -> OnTable {
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set(EMPTY) {
        OnTable::Nothing
    } else if is_set(BOARD) {
        OnTable::Board
    } else {
        OnTable::Object
    }
}

fn slips() -> Result<BTreeMap<u32, f64>, StartError> {
    let Some(told) = std::env::var_os(SLIPS) else { return Ok(BTreeMap::new()) };
    let told = told.to_string_lossy();
    let slip = |slip: &str| -> Option<(u32, f64)> {
        let (number, degrees) = slip.split_once(':')?;
        Some((
            number.trim().parse().ok()?,
            degrees.trim().parse().ok().filter(|degrees: &f64| degrees.is_finite())?,
        ))
    };
    told.split(',')
        .map(slip)
        .collect::<Option<_>>()
        .ok_or_else(|| StartError::Slips { told: told.into_owned() })
}

/// How heavy the object is, and from which move on.
fn heavier() -> Result<(u32, f64), StartError> {
    let Some(told) = std::env::var_os(HEAVIER) else { return Ok((0, 1.0)) };
    let told = told.to_string_lossy();
    let (number, factor) = told.split_once(':').unwrap_or(("0", &told));
    let factor = factor.trim().parse().ok().filter(|factor: &f64| (0.01..=100.0).contains(factor));
    let heavier = number.trim().parse().ok().zip(factor);
    heavier.ok_or_else(|| StartError::Heavier { told: told.into_owned() })
}

pub(super) fn wire_motion(
    config: &Config,
    pins: Option<&gpio::Opened>,
    runtime: &Path,
) -> Result<Moving, StartError> {
    let axes = &config.motion.axes;
    let path = runtime.join("world.json");
    let world = World::new(SimAxes::home(axes)).trembling(config.motion.tremble);
    let (heavier_from, heavier) = heavier()?;
    let world = world.with(on_table()).slipping(slips()?).heavier(heavier).heavier_from(heavier_from);
    let world = WorldFile::create(path.clone(), world);
    let world = Arc::new(world.map_err(io("write", &path))?);
    let seen = SimLights::new(config.lights.clone(), world.clone())?;
    let lights: Arc<dyn Lights> = match pins {
        Some(pins) => Arc::new(GpioLights::open(pins.board.as_ref(), &config.lights, Box::new(seen))?),
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
    /// A person alone: they are real.
    Real,
}

/// What a simulated camera has to know of the simulated rig; other drivers are told nothing that their
/// configuration does not say.
pub(super) fn extra_options(
    camera: &config::Camera,
    config: &Config,
    world: &WorldFile,
    faults: Option<&Path>,
) -> Result<serde_json::Map<String, serde_json::Value>, StartError> {
    let time_scale = match config.motion.backend {
        MotionBackend::Sim { time_scale } => time_scale,
        MotionBackend::Gpio(_) => 1.0,
    };
    let fault_state = faults.map(|faults| faults.join(&camera.name));
    let fault_state = fault_state.as_deref().map(text).transpose()?;
    let options = match Computed::by(&camera.driver) {
        Some(Computed::Rig) => json!({
            "world": text(world.path())?, "time_scale": time_scale, "fault_state": fault_state,
            "intrinsics": camera.optics, "mount": camera.mount,
        }),
        Some(Computed::Photographs) => {
            json!({ "time_scale": time_scale, "fault_state": fault_state })
        }
        None => match simulated(camera) {
            Some(simulated) => {
                json!({ "simulated": with_rig(simulated, camera, text(world.path())?, fault_state) })
            }
            None => json!({}),
        },
    };
    Ok(options.as_object().cloned().unwrap_or_default())
}

/// What is configured of a camera that its driver simulates, though it is the driver of real ones: `[camera.options.simulated]`.
fn simulated(camera: &config::Camera) -> Option<serde_json::Map<String, serde_json::Value>> {
    camera.options.get("simulated")?.as_object().cloned()
}

/// The same, with what it has to know of the simulated rig, unless it has photographs of its own.
fn with_rig(
    mut simulated: serde_json::Map<String, serde_json::Value>,
    camera: &config::Camera,
    world: &str,
    state: Option<&str>,
) -> serde_json::Map<String, serde_json::Value> {
    let insert = |into: &mut serde_json::Map<_, _>, key: &str, value: serde_json::Value| {
        if !value.is_null() {
            into.entry(key).or_insert(value);
        }
    };
    insert(&mut simulated, "state", json!(state));
    if !simulated.contains_key("card") {
        let mut rig = simulated.get("rig").and_then(|rig| rig.as_object()).cloned().unwrap_or_default();
        insert(&mut rig, "world", json!(world));
        insert(&mut rig, "intrinsics", json!(camera.optics.intrinsics()));
        insert(&mut rig, "mount", json!(camera.mount));
        simulated.insert("rig".into(), rig.into());
    }
    simulated
}

/// A path as a driver is told it, in JSON.
fn text(path: &Path) -> Result<&str, StartError> {
    path.to_str().ok_or_else(|| {
        let source = std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "its name is not UTF-8 text; choose another folder as storage.runtime_directory",
        );
        io("tell a simulated camera of", path)(source)
    })
}

/// Where simulated cameras keep which of their faults have happened: once in the life of a station, however often a
/// driver starts anew. None for other cameras. What earlier lives left is removed, as far as that is allowed.
pub(super) fn fault_folder(config: &Config, runtime: &Path) -> Result<Option<TempDir>, StartError> {
    for entry in fs::read_dir(runtime).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(FAULTS) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let is_simulated =
        |camera: &config::Camera| Computed::by(&camera.driver).is_some() || simulated(camera).is_some();
    if !config.cameras.iter().any(is_simulated) {
        return Ok(None);
    }
    let folder =
        tempfile::Builder::new().prefix(FAULTS).tempdir_in(runtime).map_err(io("write into", runtime))?;
    ownership::hand_over_at(folder.path(), runtime);
    Ok(Some(folder))
}

/// The pins of the rig alone, with its lock, if nobody else has it; none if it has no pins.
pub fn open_pins(config: &Config) -> Result<Option<(gpio::Opened, RigLock)>, StartError> {
    let runtime = &config.storage.runtime_directory;
    create_folder(runtime)?;
    let lock = RigLock::take(runtime)?;
    Ok(gpio::open(config, runtime)?.map(|pins| (pins, lock)))
}

/// The pins of the rig alone, whoever has its lock.
pub fn open_pins_by_force(config: &Config) -> Result<Option<gpio::Opened>, StartError> {
    let runtime = &config.storage.runtime_directory;
    create_folder(runtime)?;
    Ok(gpio::open(config, runtime)?)
}
