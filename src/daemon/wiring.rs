//! What the configuration names, constructed.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::FlockOperation;
use serde_json::json;

use crate::config::{self, Config, MotionBackend};
use crate::motion::travel_time;
use crate::plan::{Axis, Plan, Pose};
use crate::rig::Axes;
use crate::rig::lights::Lights;
use crate::rig::panel::Panel;
use crate::rig::sim::{SimAxes, SimButtons, SimLights, SimPanel, World, WorldFile};

use super::error::StartError;

pub(super) type Motion = (Arc<dyn Axes>, Arc<dyn Lights>, Arc<WorldFile>);

pub(super) fn wire_motion(config: &Config, runtime: &Path) -> Result<Motion, StartError> {
    let axes = &config.motion.axes;
    match config.motion.backend {
        MotionBackend::Sim { time_scale } => {
            let path = runtime.join("world.json");
            let world = WorldFile::create(path.clone(), World::new(SimAxes::home(axes)));
            let world = Arc::new(world.map_err(io("write", &path))?);
            let sim = SimAxes::new(axes.clone(), time_scale, world.clone());
            let sim = sim.map_err(io("start the thread that follows moves in", runtime))?;
            let lights = SimLights::new(config.lights.clone(), world.clone())?;
            Ok((Arc::new(sim), Arc::new(lights), world))
        }
    }
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
    match motion.backend {
        MotionBackend::Sim { time_scale } => {
            Duration::try_from_secs_f64(time.as_secs_f64() / time_scale).unwrap_or(Duration::MAX)
        }
    }
}

pub(super) fn wire_panel(panel: config::Panel) -> Option<(Arc<dyn Panel>, SimButtons)> {
    match panel {
        config::Panel::None => None,
        config::Panel::Sim => {
            let (panel, buttons) = SimPanel::new();
            Some((Arc::new(panel), buttons))
        }
    }
}

/// What a simulated camera has to know of the simulated rig; other drivers are told nothing that their
/// configuration does not say.
pub(super) fn extra_options(
    camera: &config::Camera,
    config: &Config,
    world: &WorldFile,
    faults: &Path,
) -> serde_json::Map<String, serde_json::Value> {
    let MotionBackend::Sim { time_scale } = config.motion.backend;
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

pub(super) fn create_folder(path: &Path) -> Result<(), StartError> {
    fs::create_dir_all(path).map_err(io("create", path))
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |source| StartError::Io { action, path, source }
}
