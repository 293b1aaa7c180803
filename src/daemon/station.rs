//! The one place that constructs and wires.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use serde_json::json;
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{info, warn};

use crate::config::{self, Config, MotionBackend, Rung};
use crate::dataset::{self, ScanId};
use crate::event::Event;
use crate::plan::{self, Plan, PlanCamera, Pose};
use crate::rig::camera::{Camera, CameraError, Lease, Spawner};
use crate::rig::lights::Lights;
use crate::rig::sim::{SimAxes, SimLights, World, WorldFile};
use crate::rig::{Axes, camera::RecoverError};
use crate::run::{Command, OpenCamera, Progress, Run, Storage};
use crate::scan::{Policy, Record, State};

use super::error::StartError;

/// A rig, wired up and locked for this process.
pub struct Station {
    config: Config,
    axes: Arc<dyn Axes>,
    lights: Arc<dyn Lights>,
    cameras: Vec<Camera>,
    /// Held for the life of the station.
    _lock: File,
}

/// A scan that is about to begin: its folder exists, and nothing has moved.
pub(super) struct Prepared {
    pub(super) id: ScanId,
    pub(super) plan: Arc<Plan>,
    state: State,
    dataset: dataset::Dataset,
    resumed: bool,
}

impl Station {
    /// Locks the rig and wires it up. Opens no camera and moves nothing.
    pub fn open(config: Config) -> Result<Self, StartError> {
        let runtime = config.storage.runtime_directory.clone();
        create_folder(&runtime)?;
        let lock = lock_rig(&runtime)?;
        let (axes, lights, world) = wire_motion(&config, &runtime)?;
        let spawner = Spawner::new(&runtime).map_err(io("start processes from", &runtime))?;
        let faults = fresh_fault_folder(&runtime)?;
        let buffers = config.scan.queue_depth + 2;
        let cameras = config.cameras.iter().map(|camera| {
            let extra = extra_options(camera, &config, &world, &faults);
            Camera::new(camera, &config.recovery, buffers, extra, spawner.clone())
        });
        let cameras = cameras.collect();
        Ok(Self { axes, lights, cameras, _lock: lock, config })
    }

    /// What it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The daemon's ends of the cameras, in the order of the configuration.
    pub fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// Generates the plan of that name; the first one without a name.
    pub fn plan(&self, name: Option<&str>) -> Result<Plan, StartError> {
        plan_from(&self.config, name, &self.axes.pose())
    }

    /// Takes and opens every camera, trying again as often as a shot would be.
    pub(super) async fn open_cameras(&self, holder: &str) -> Result<Vec<OpenCamera>, StartError> {
        let mut leases = Vec::new();
        for camera in &self.cameras {
            leases.push(camera.lease(holder)?);
        }
        let attempts = self.config.recovery.attempts;
        let opening = leases.into_iter().map(|lease| tokio::spawn(open_camera(lease, attempts)));
        let mut opened = Vec::new();
        let mut failed = None;
        for task in opening.collect::<Vec<_>>() {
            match task.await {
                Ok(Ok(camera)) => opened.push(camera),
                Ok(Err(error)) => failed = Some(StartError::Camera(error)),
                Err(error) => failed = Some(StartError::Pipeline(error.to_string())),
            }
        }
        let Some(error) = failed else { return Ok(opened) };
        close_cameras(opened.into_iter().map(|camera| camera.lease)).await;
        Err(error)
    }

    /// Checks all that can be checked, then creates the dataset.
    pub(super) fn prepare_new(
        &self,
        plan_name: Option<&str>,
        id: Option<ScanId>,
    ) -> Result<Prepared, StartError> {
        let plan = self.plan(plan_name)?;
        let root = &self.config.storage.directory;
        create_folder(root)?;
        self.make_room(&plan)?;
        let id = id.unwrap_or_else(ScanId::now);
        let dataset = dataset::create(root, &id, plan)?;
        let plan = Arc::new(dataset.plan().clone());
        let state = State::new(plan.clone(), self.policy());
        Ok(Prepared { id, plan, state, dataset, resumed: false })
    }

    /// Brings an interrupted scan's dataset back to where its journal says it stands.
    pub(super) fn prepare_resumed(&self, id: &ScanId) -> Result<Prepared, StartError> {
        let directory = self.find(id)?;
        let recovered = dataset::recover(&directory)?;
        let plan = Arc::new(recovered.dataset.plan().clone());
        self.same_cameras(id, &plan)?;
        let state = State::replay(plan.clone(), self.policy(), &recovered.records)?;
        Ok(Prepared { id: id.clone(), plan, state, dataset: recovered.dataset, resumed: true })
    }

    /// The folder of a scan, which exists.
    pub(super) fn find(&self, id: &ScanId) -> Result<PathBuf, StartError> {
        find_scan(&self.config, id)
    }

    /// Runs a prepared scan to its end. Gives the cameras back, still open.
    pub(super) async fn run(
        &self,
        prepared: Prepared,
        cameras: Vec<OpenCamera>,
        commands: mpsc::Receiver<Command>,
        listeners: broadcast::Sender<Event>,
        progress: watch::Sender<Progress>,
    ) -> Result<(crate::run::Summary, Vec<Lease>), StartError> {
        self.switch_lights(true).await?;
        let quality = self.config.storage.jpeg_quality;
        let storage = Storage::start(prepared.dataset, quality)
            .map_err(|error| StartError::Pipeline(error.to_string()))?;
        if prepared.resumed {
            storage.note(Record::Resumed);
        }
        let run = Run {
            scan: prepared.id.to_string(),
            state: prepared.state,
            axes: self.axes.clone(),
            settle: self.config.motion.settle,
            cameras,
            queue_depth: self.config.scan.queue_depth,
            storage,
            commands,
            listeners,
            progress,
        };
        let ended = run.perform().await;
        if let Err(error) = self.switch_lights(false).await {
            warn!("{error}");
        }
        Ok(ended)
    }

    async fn switch_lights(&self, on: bool) -> Result<(), StartError> {
        let steady_after = self.lights.switch(on)?;
        if on {
            tokio::time::sleep(steady_after).await;
        }
        Ok(())
    }

    fn make_room(&self, plan: &Plan) -> Result<(), StartError> {
        let storage = &self.config.storage;
        dataset::sweep(&storage.directory)?;
        if storage.keep_scans.is_some() {
            let scans = dataset::list(&storage.directory).map_err(dataset::OpenError::from)?;
            for id in dataset::removable(&scans, storage.keep_scans) {
                match dataset::remove(&storage.directory, &id) {
                    Ok(()) => info!(scan = %id, "removed scan {id}: storage.keep_scans is reached"),
                    Err(error) => warn!(scan = %id, "cannot remove scan {id}: {error}"),
                }
            }
        }
        let needed = dataset::needed_bytes(plan, storage.jpeg_quality);
        dataset::preflight(&storage.directory, needed, storage.keep_free)?;
        Ok(())
    }

    fn policy(&self) -> Policy {
        Policy { scan: self.config.scan.clone(), recovery: self.config.recovery.clone() }
    }

    fn same_cameras(&self, id: &ScanId, plan: &Plan) -> Result<(), StartError> {
        let present = plan_cameras(&self.config);
        let same = plan.cameras.len() == present.len()
            && plan.cameras.iter().zip(&present).all(|(a, b)| {
                a.name == b.name
                    && a.intrinsics.width == b.intrinsics.width
                    && a.intrinsics.height == b.intrinsics.height
            });
        if same {
            return Ok(());
        }
        let names = |cameras: &[PlanCamera]| {
            let name = |camera: &PlanCamera| {
                format!("{} ({}x{})", camera.name, camera.intrinsics.width, camera.intrinsics.height)
            };
            cameras.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        Err(StartError::OtherRig { id: id.clone(), planned: names(&plan.cameras), present: names(&present) })
    }
}

/// Generates the plan of that name (the first one without a name) for axes that stand at `start`.
pub(crate) fn plan_from(config: &Config, name: Option<&str>, start: &Pose) -> Result<Plan, StartError> {
    let named = match name {
        None => config.plans.first(),
        Some(name) => config.plans.iter().find(|plan| plan.name == name),
    };
    let Some(named) = named else {
        let known = config.plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>();
        let known = if known.is_empty() { "none: add [plan.NAME]".to_owned() } else { known.join(", ") };
        return Err(StartError::UnknownPlan { name: name.unwrap_or_default().to_owned(), known });
    };
    let cameras = plan_cameras(config);
    Ok(plan::generate(&named.shape, cameras, named.order, &config.motion.axes, start)?)
}

/// The folder of a scan, which exists.
pub(crate) fn find_scan(config: &Config, id: &ScanId) -> Result<PathBuf, StartError> {
    let directory = config.storage.directory.join(id.as_str());
    if directory.is_dir() {
        return Ok(directory);
    }
    Err(StartError::UnknownScan { id: id.clone(), directory: config.storage.directory.clone() })
}

fn plan_cameras(config: &Config) -> Vec<PlanCamera> {
    let camera = |camera: &config::Camera| PlanCamera {
        name: camera.name.clone(),
        intrinsics: camera.intrinsics,
        mount: camera.mount,
    };
    config.cameras.iter().map(camera).collect()
}

async fn open_camera(mut lease: Lease, attempts: u32) -> Result<OpenCamera, CameraError> {
    let mut error = match lease.open().await {
        Ok(hello) => return Ok(OpenCamera { lease, hello }),
        Err(error) => error,
    };
    for _ in 1..attempts {
        if !error.may_pass() {
            break;
        }
        warn!(kind = %error.kind, "{error}; trying again");
        error = match lease.recover(Rung::Respawn).await {
            Ok(()) => match lease.open().await {
                Ok(hello) => return Ok(OpenCamera { lease, hello }),
                Err(error) => error,
            },
            Err(RecoverError::Failed(error)) => error,
            Err(RecoverError::Wedged(wedged)) => {
                lease.close().await;
                return Err(wedged.into());
            }
        };
    }
    lease.close().await;
    Err(error)
}

/// Closes cameras in order, all at once.
pub(super) async fn close_cameras(leases: impl IntoIterator<Item = Lease>) {
    let closing = leases.into_iter().map(|mut lease| tokio::spawn(async move { lease.close().await }));
    for task in closing.collect::<Vec<_>>() {
        if let Err(error) = task.await {
            warn!("closing a camera failed: {error}");
        }
    }
}

type Motion = (Arc<dyn Axes>, Arc<dyn Lights>, Arc<WorldFile>);

fn wire_motion(config: &Config, runtime: &Path) -> Result<Motion, StartError> {
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

/// What a simulated camera has to know of the simulated rig; other drivers are told nothing that their
/// configuration does not say.
fn extra_options(
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
            "intrinsics": camera.intrinsics, "mount": camera.mount,
        }),
        Some("scanner-replay") => {
            json!({ "time_scale": time_scale, "fault_state": faults.join(&camera.name) })
        }
        Some(_) | None => json!({}),
    };
    options.as_object().cloned().unwrap_or_default()
}

/// Scripted faults happen once in the life of a station, however often their driver starts anew.
fn fresh_fault_folder(runtime: &Path) -> Result<PathBuf, StartError> {
    let folder = runtime.join("faults");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("empty", &folder)(error)),
        Ok(()) | Err(_) => create_folder(&folder).map(|()| folder),
    }
}

fn lock_rig(runtime: &Path) -> Result<File, StartError> {
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

fn create_folder(path: &Path) -> Result<(), StartError> {
    fs::create_dir_all(path).map_err(io("create", path))
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |source| StartError::Io { action, path, source }
}
