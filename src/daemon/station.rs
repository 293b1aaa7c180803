//! The one place that constructs and wires.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{self, Config, NamedPlan};
use crate::dataset::{self, ScanId};
use crate::event::Told;
use crate::plan::{self, Axis, Plan, PlanCamera, Pose};
use crate::rig::Axes;
use crate::rig::axes::MotionError;
use crate::rig::camera::{Camera, Lease, Spawner};
use crate::rig::gpio;
use crate::rig::lights::Lights;
use crate::rig::panel::{Button, Panel};
use crate::run::{Command, OpenCamera, Progress, Pulse, Run, Storage, Summary, longest_silence};
use crate::scan::{Policy, Record, State};

use super::error::{PressError, StartError};
use super::idle_lights::IdleLights;
use super::opening::{close_cameras, focus_of, open_cameras};
use super::room;
use super::service::{PlanChoice, Work};
use super::strays;
use super::wiring::{
    Buttons, Moving, WiredPanel, create_folder, extra_options, fresh_fault_folder, io, lock_rig,
    longest_move, wire_motion, wire_panel,
};

/// For how long a simulated start button is held, as on pins by default.
const SIMULATED_HOLD: Duration = Duration::from_millis(1500);

/// A rig, wired up and locked for this process.
pub struct Station {
    config: Config,
    axes: Arc<dyn Axes>,
    lights: IdleLights,
    cameras: Vec<Camera>,
    panel: Option<WiredPanel>,
    pins: Option<gpio::Opened>,
    /// Scans that this process has begun or gone on with: their positions are those that the axes now have.
    own: Mutex<Vec<ScanId>>,
    /// Held for the life of the station.
    _lock: File,
}

/// What to do, decided.
#[derive(Debug, PartialEq)]
pub(super) enum Job {
    New { plan: PlanChoice, id: Option<ScanId> },
    Resume { scan: ScanId },
}

/// A scan that is about to begin: its folder exists, and nothing has moved.
pub(super) struct Prepared {
    pub(super) id: ScanId,
    plan: Arc<Plan>,
    state: State,
    dataset: dataset::Dataset,
    /// What the journal says of earlier runs.
    records: Vec<Record>,
}

impl Station {
    /// Locks the rig and wires it up. Opens no camera and moves nothing.
    pub fn open(config: Config) -> Result<Self, StartError> {
        let runtime = config.storage.runtime_directory.clone();
        create_folder(&runtime)?;
        let lock = lock_rig(&runtime)?;
        strays::clear(&config, &runtime);
        let pins = gpio::open(&config, &runtime)?;
        let Moving { axes, lights, world } = wire_motion(&config, pins.as_ref(), &runtime)?;
        let spawner = Spawner::new(&runtime).map_err(io("start processes from", &runtime))?;
        let faults = fresh_fault_folder(&runtime)?;
        let buffers = config.scan.queue_depth + 2;
        let cameras = config.cameras.iter().map(|camera| {
            let extra = extra_options(camera, &config, &world, &faults);
            Camera::new(camera, &config.recovery, buffers, extra, spawner.clone())
        });
        let cameras = cameras.collect();
        let panel = wire_panel(config.panel, pins.as_ref())?;
        let lights = IdleLights::new(lights);
        Ok(Self { axes, lights, cameras, panel, pins, own: Mutex::default(), _lock: lock, config })
    }

    /// What it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The daemon's ends of the cameras, in the order of the configuration.
    pub fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// Generates a plan.
    pub fn plan(&self, choice: &PlanChoice) -> Result<Plan, StartError> {
        let mut plan = match choice {
            PlanChoice::First => plan_from(&self.config, None, &self.axes.pose()),
            PlanChoice::Named(name) => plan_from(&self.config, Some(name), &self.axes.pose()),
            PlanChoice::Inline(plan) => generate(&self.config, plan, &self.axes.pose()),
        }?;
        for (planned, camera) in plan.cameras.iter_mut().zip(&self.cameras) {
            planned.intrinsics = camera.optics();
        }
        Ok(plan)
    }

    /// The buttons and the LED, if the rig has a panel.
    pub fn panel(&self) -> Option<Arc<dyn Panel>> {
        self.panel.as_ref().map(|(panel, _)| panel.clone())
    }

    /// For how long the start button is to be held for it to mean more than a short press; none where there is none.
    pub fn hold(&self) -> Option<Duration> {
        let long = match &self.config.panel {
            config::Panel::None => return None,
            config::Panel::Sim => SIMULATED_HOLD,
            config::Panel::Gpio(pins) => pins.start.map(|_| pins.long_press)?,
        };
        // In whole seconds, and well beyond.
        Some(Duration::from_secs((long.as_secs_f64() + 0.5).ceil() as u64))
    }

    /// Presses a button of a simulated panel.
    pub fn press(&self, button: Button) -> Result<(), PressError> {
        let heard = match self.panel.as_ref().map(|(_, buttons)| buttons) {
            Some(Buttons::Sim(buttons)) => buttons.press(button),
            Some(Buttons::Pins(sim, pins)) => gpio::press(sim, pins, button)?,
            Some(Buttons::Real) | None => return Err(PressError::NoPanel),
        };
        if heard { Ok(()) } else { Err(PressError::NotHeard { button }) }
    }

    /// Gives a simulated pin a level from outside; none: its own.
    pub fn set_level(&self, pin: u32, level: Option<bool>) -> Result<(), PressError> {
        let sim = self.pins.as_ref().and_then(|pins| pins.sim.as_ref()).ok_or(PressError::NoSimulatedPins)?;
        Ok(sim.set_level(pin, level)?)
    }

    /// The lights.
    pub fn lights(&self) -> &Arc<dyn Lights> {
        self.lights.lights()
    }

    /// The axes.
    pub fn axes(&self) -> &Arc<dyn Axes> {
        &self.axes
    }

    /// Switches the lights on and opens every camera, trying again as often as a shot would be. If anything
    /// fails or `stop` is cancelled, all is as before when this returns.
    pub(super) async fn open_all(
        &self,
        holder: &str,
        stop: &CancellationToken,
    ) -> Result<Vec<OpenCamera>, StartError> {
        // Until they are closed.
        self.axes.hold(true);
        let attempts = self.config.recovery.attempts;
        let warming_up = async {
            let steady_after = self.lights.switch_on()?;
            stop.run_until_cancelled(tokio::time::sleep(steady_after)).await;
            Ok(())
        };
        let opening = open_cameras(&self.cameras, holder, attempts, stop);
        let (lights, cameras, ready) = tokio::join!(warming_up, opening, self.make_axes_ready(stop));
        match (lights.and(ready), cameras) {
            (Ok(()), Ok(cameras)) => Ok(cameras),
            (Err(error), Ok(cameras)) => {
                self.close(cameras.into_iter().map(|camera| camera.lease)).await;
                Err(error)
            }
            (_, Err(error)) => {
                self.close([]).await;
                Err(error)
            }
        }
    }

    /// Brings axes and lights into their safe state, for good, even if something else still holds on to the station.
    pub fn end(&self) {
        self.axes.end();
        self.lights.end();
    }

    /// Homes the axes that have to be; braked if `stop` is cancelled.
    async fn make_axes_ready(&self, stop: &CancellationToken) -> Result<(), StartError> {
        let mut ready = self.axes.make_ready();
        let answer = tokio::select! {
            answer = &mut ready => answer,
            () = stop.cancelled() => {
                self.axes.stop();
                ready.await
            }
        };
        Ok(answer.unwrap_or(Err(MotionError::Ended))?)
    }

    /// Closes the cameras and leaves the lights to their idle times; motors may be released.
    pub(super) async fn close(&self, leases: impl IntoIterator<Item = Lease>) {
        self.axes.hold(false);
        self.lights.leave();
        close_cameras(leases).await;
    }

    /// Finds out what `work` is, and that it can be found.
    pub(super) fn decide(&self, work: Work) -> Result<Job, StartError> {
        match work {
            Work::New { plan, id } => Ok(Job::New { plan, id }),
            Work::Resume { scan } => self.find(&scan).map(|_| Job::Resume { scan }),
            Work::Next => {
                let newest =
                    dataset::newest(&self.config.storage.directory).map_err(dataset::OpenError::from)?;
                let newest = newest.filter(dataset::Listed::is_resumable);
                Ok(if let Some(newest) = newest {
                    info!(scan = %newest.id, "start: going on with scan {}, the last one, which did not end", newest.id);
                    Job::Resume { scan: newest.id }
                } else {
                    let plan = self.config.plans.first().map_or("", |plan| &plan.name);
                    info!("start: beginning a new scan with the plan {plan:?}");
                    Job::New { plan: PlanChoice::First, id: None }
                })
            }
        }
    }

    /// Finds out whether a new scan can begin, as far as can be told without cameras. Removes nothing.
    pub(super) fn check_new(&self, plan: &PlanChoice, id: Option<&ScanId>) -> Result<(), StartError> {
        let plan = self.plan(plan)?;
        let storage = &self.config.storage;
        create_folder(&storage.directory)?;
        if let Some(id) = id
            && storage.directory.join(id.as_str()).exists()
        {
            return Err(dataset::OpenError::Exists { id: id.to_string() }.into());
        }
        room::check(storage, dataset::needed_bytes(&plan, storage.jpeg_quality))
    }

    /// Checks all that can be checked, then creates the dataset.
    pub(super) fn prepare_new(&self, plan: &PlanChoice, id: Option<ScanId>) -> Result<Prepared, StartError> {
        let plan = self.plan(plan)?;
        self.check_focus(&plan)?;
        let root = &self.config.storage.directory;
        create_folder(root)?;
        let storage = &self.config.storage;
        room::make_room(storage, dataset::needed_bytes(&plan, storage.jpeg_quality))?;
        let id = id.unwrap_or_else(ScanId::now);
        let dataset = dataset::create(root, &id, plan)?;
        let plan = Arc::new(dataset.plan().clone());
        let state = State::new(plan.clone(), self.policy());
        Ok(Prepared { id, plan, state, dataset, records: Vec::new() })
    }

    /// Brings an interrupted scan's dataset back to where its journal says it stands; before each image, `go_on` is asked.
    pub(super) fn prepare_resumed(
        &self,
        id: &ScanId,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Prepared, StartError> {
        let directory = self.find(id)?;
        let recovered = dataset::recover_on(Arc::new(dataset::OsDisk), &directory, go_on)?;
        let plan = Arc::new(recovered.dataset.plan().clone());
        self.same_cameras(id, &plan)?;
        let state = State::replay(plan.clone(), self.policy(), &recovered.records)?;
        let dataset = recovered.dataset;
        let prepared = Prepared { id: id.clone(), plan, state, dataset, records: recovered.records };
        if prepared.wants_cameras() {
            self.stands_as_before(id)?;
        }
        Ok(prepared)
    }

    /// Checks that positions now are positions of the scan `id`: an axis that is put by hand may have been turned while
    /// no program looked, and nothing would show it.
    fn stands_as_before(&self, id: &ScanId) -> Result<(), StartError> {
        let assumed = self.axes.assumed();
        if assumed.is_empty() || self.own.lock().unwrap_or_else(PoisonError::into_inner).contains(id) {
            return Ok(());
        }
        let list = |name: &dyn Fn(&(Axis, f64)) -> String, between: &str| {
            assumed.iter().map(name).collect::<Vec<_>>().join(between)
        };
        Err(StartError::Assumed {
            id: id.clone(),
            places: list(&|(axis, position)| format!("the {axis} to {position} {}", axis.unit()), ", "),
            axes: list(&|(axis, _)| axis.to_string(), " "),
        })
    }

    /// The folder of a scan, which exists.
    fn find(&self, id: &ScanId) -> Result<PathBuf, StartError> {
        find_scan(&self.config, id)
    }

    /// Runs a prepared scan to its end. Gives the cameras back, still open.
    pub(super) async fn run(
        &self,
        prepared: Prepared,
        cameras: Vec<OpenCamera>,
        commands: mpsc::Receiver<Command>,
        listeners: broadcast::Sender<Told>,
        progress: watch::Sender<Progress>,
        pulse: Pulse,
    ) -> (Result<Summary, StartError>, Vec<Lease>) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).push(prepared.id.clone());
        let storage = match Storage::start(prepared.dataset, self.config.storage.jpeg_quality) {
            Ok(storage) => storage,
            Err(error) => {
                let leases = cameras.into_iter().map(|camera| camera.lease).collect();
                return (Err(StartError::Pipeline(error)), leases);
            }
        };
        // A scan that was prepared anew has none.
        if !prepared.records.is_empty() {
            storage.note(Record::Resumed);
        }
        let longest_move = longest_move(&self.config.motion, &prepared.plan);
        let patience = longest_silence(&self.config.recovery, longest_move, self.config.motion.settle);
        let run = Run {
            scan: prepared.id.to_string(),
            state: prepared.state,
            records: prepared.records,
            axes: self.axes.clone(),
            settle: self.config.motion.settle,
            settle_by: self.config.motion.settle_by,
            cameras,
            queue_depth: self.config.scan.queue_depth,
            storage,
            commands,
            listeners,
            progress,
            pulse,
            patience,
        };
        let (summary, leases) = run.perform().await;
        (Ok(summary), leases)
    }

    fn policy(&self) -> Policy {
        Policy { scan: self.config.scan.clone(), recovery: self.config.recovery.clone() }
    }

    /// Checks that every camera that was open can take the lens positions of `plan`.
    pub(super) fn check_focus(&self, plan: &Plan) -> Result<(), StartError> {
        for camera in &self.cameras {
            if let Some(hello) = camera.hello() {
                focus_of(plan, camera.name(), &hello)?;
            }
        }
        Ok(())
    }

    /// Makes cameras whose size is not configured go on with the sizes of `plan`.
    pub(super) fn pin_sizes(&self, plan: &Plan) {
        for (planned, camera) in plan.cameras.iter().zip(&self.cameras) {
            if let Some(size) = planned.intrinsics.size() {
                camera.pin_size(size);
            }
        }
    }

    /// Checks that the rig has the cameras of `plan`, as far as they are known: again once they are open.
    pub(super) fn same_cameras(&self, id: &ScanId, plan: &Plan) -> Result<(), StartError> {
        let mut present = plan_cameras(&self.config);
        for (camera, handle) in present.iter_mut().zip(&self.cameras) {
            camera.intrinsics = handle.optics();
        }
        let same = plan.cameras.len() == present.len()
            && plan.cameras.iter().zip(&present).all(|(a, b)| {
                let (planned, present) = (a.intrinsics.size(), b.intrinsics.size());
                a.name == b.name && (present.is_none() || planned == present)
            });
        if same {
            return Ok(());
        }
        let names = |cameras: &[PlanCamera]| {
            let name = |camera: &PlanCamera| match camera.intrinsics.size() {
                Some(size) => format!("{} ({}x{})", camera.name, size.width, size.height),
                None => camera.name.clone(),
            };
            cameras.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        Err(StartError::OtherRig { id: id.clone(), planned: names(&plan.cameras), present: names(&present) })
    }
}

impl Prepared {
    /// Its plan.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether anything is left to be captured.
    pub(super) fn wants_cameras(&self) -> bool {
        self.state.counts().stored < self.plan.shot_count()
    }

    /// Where the scan stands before its first move.
    pub(super) fn progress(&self) -> Progress {
        let counts = self.state.counts();
        Progress {
            scan: self.id.to_string(),
            point: 0,
            points: self.plan.points.len() as u32,
            stored: counts.stored,
            failed: counts.failed,
            shots: self.plan.shot_count(),
            stopping: false,
        }
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
    generate(config, named, start)
}

fn generate(config: &Config, named: &NamedPlan, start: &Pose) -> Result<Plan, StartError> {
    let plan = plan::generate(&named.shape, plan_cameras(config), named.order, &config.motion.axes, start)?;
    Ok(plan.focus_stacked(&named.focus))
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
        intrinsics: camera.optics,
        mount: camera.mount,
    };
    config.cameras.iter().map(camera).collect()
}
