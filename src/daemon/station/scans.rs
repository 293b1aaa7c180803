//! Scans of this rig: prepared, so that nothing has moved yet if they cannot be, and run.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tracing::{info, warn};

use super::plans::plan_cameras;
use super::{Station, find_scan};
use crate::config::GatePolicy;
use crate::daemon::disk_space;
use crate::daemon::error::StartError;
use crate::daemon::folder::create_folder;
use crate::daemon::opening::stacks_of;
use crate::daemon::storage;
use crate::daemon::wiring::longest_move;
use crate::daemon::work::{PlanChoice, Work};
use crate::dataset::{self, ScanId};
use crate::event::Told;
use crate::mask::{self, EmptyRig};
use crate::model::{Axis, Lighting, Optics, is_near};
use crate::plan::{Plan, PlanCamera};
use crate::rig::camera::Lease;
use crate::run::{Command, OpenCamera, Progress, Pulse, Run, Storage, Summary, longest_silence};
use crate::scan::{Description, Policy, Record, References, State};

/// What to do, decided.
#[derive(Debug, PartialEq)]
pub(in crate::daemon) enum Job {
    New { plan: PlanChoice, id: Option<ScanId>, reference: bool, description: Description },
    Resume { scan: ScanId },
}

/// A scan that is about to begin: its folder exists, and nothing has moved.
pub(in crate::daemon) struct Prepared {
    pub(in crate::daemon) id: ScanId,
    plan: Arc<Plan>,
    state: State,
    dataset: dataset::Dataset,
    /// What the journal says of earlier runs.
    records: Vec<Record>,
    /// What is behind the object, as far as the empty rig was scanned.
    references: References,
}

impl Station {
    /// Finds out what `work` is, and that it can be found.
    pub(in crate::daemon) fn decide(&self, work: Work) -> Result<Job, StartError> {
        match work {
            Work::New { plan, id, description } => Ok(Job::New { plan, id, reference: false, description }),
            Work::Reference { plan, id, description } => {
                Ok(Job::New { plan, id, reference: true, description })
            }
            Work::Resume { scan } => self.find(&scan).map(|_| Job::Resume { scan }),
            Work::Next => {
                let storage = &self.config.storage;
                let rig = storage::rig(storage)?;
                let newest =
                    dataset::newest(&storage.directory, Some(&rig)).map_err(dataset::OpenError::from)?;
                let newest = newest.filter(dataset::Listed::is_resumable);
                Ok(if let Some(newest) = newest {
                    info!(scan = %newest.id, "start: going on with scan {}, the last one, which did not end", newest.id);
                    Job::Resume { scan: newest.id }
                } else {
                    let plan = self.config.plans.first().map_or("", |plan| &plan.name);
                    info!("start: beginning a new scan with the plan {plan:?}");
                    let description = Description::default();
                    Job::New { plan: PlanChoice::First, id: None, reference: false, description }
                })
            }
        }
    }

    /// Finds out whether a new scan can begin, as far as can be told without cameras. Removes nothing.
    pub(in crate::daemon) fn check_new(
        &self,
        plan: &PlanChoice,
        id: Option<&ScanId>,
    ) -> Result<(), StartError> {
        let plan = self.plan(plan)?;
        let storage = &self.config.storage;
        storage::look(storage)?;
        create_folder(&storage.directory)?;
        if let Some(id) = id
            && storage.directory.join(id.as_str()).exists()
        {
            return Err(dataset::OpenError::Exists { id: id.to_string() }.into());
        }
        Ok(disk_space::room(storage, dataset::needs(&plan, storage.jpeg_quality)).map(drop)?)
    }

    /// Checks all that can be checked, then creates the dataset.
    pub(in crate::daemon) fn prepare_new(
        &self,
        plan: &PlanChoice,
        id: Option<ScanId>,
        reference: bool,
        description: &Description,
    ) -> Result<Prepared, StartError> {
        let plan = self.plan(plan)?;
        self.check_stacks(&plan)?;
        let root = &self.config.storage.directory;
        let storage = &self.config.storage;
        storage::settle(storage)?;
        let rig = storage::rig(storage)?;
        disk_space::make_room(storage, &self.config.deliver, dataset::needs(&plan, storage.jpeg_quality))?;
        let new = dataset::New { rig: Some(&rig), reference, description: Some(description) };
        let dataset = match id {
            Some(id) => dataset::create_by(new, root, &id, plan)?,
            None => dataset::create_named_by_time(new, root, &plan)?,
        };
        let id = dataset.id().clone();
        let plan = dataset.plan();
        let state = State::new(plan.clone(), self.policy());
        let references = self.references(&dataset);
        Ok(Prepared { id, plan, state, dataset, records: Vec::new(), references })
    }

    /// Brings an interrupted scan's dataset back to where its journal says it stands; before each image, `go_on` is asked.
    pub(in crate::daemon) fn prepare_resumed(
        &self,
        id: &ScanId,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Prepared, StartError> {
        let directory = self.find(id)?;
        let recovered = dataset::recover_on(Arc::new(dataset::OsDisk), &directory, go_on)?;
        let plan = recovered.dataset.plan();
        self.same_cameras(id, &plan)?;
        let state = State::replay(plan.clone(), self.policy(), &recovered.records)?;
        let dataset = recovered.dataset;
        let (records, references) = (recovered.records, self.references(&dataset));
        let prepared = Prepared { id: id.clone(), plan, state, dataset, records, references };
        if prepared.wants_cameras() {
            self.stands_as_before(id)?;
        }
        Ok(prepared)
    }

    /// What the gate may know of the room behind the object. A scan goes on without.
    fn references(&self, dataset: &dataset::Dataset) -> References {
        if self.config.gate.policy == GatePolicy::Off {
            return References::default();
        }
        let empty = mask::empty_rig(dataset.dir(), &dataset.plan()).unwrap_or_else(|error| {
            warn!("the gate compares whole images: no reference scan can be read: {error}");
            EmptyRig::default()
        });
        for camera in &empty.other_cameras {
            warn!(
                "the gate compares whole images of {camera}: it stood elsewhere in the reference scan, or had images of \
                 another size; scan the empty rig again (scanner reference)"
            );
        }
        References::new(empty.facts.iter().map(|(shot, facts)| (*shot, facts)))
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
    pub(in crate::daemon) async fn run(
        &self,
        prepared: Prepared,
        cameras: Vec<OpenCamera>,
        commands: mpsc::Receiver<Command>,
        listeners: broadcast::Sender<Told>,
        progress: watch::Sender<Progress>,
        pulse: Pulse,
    ) -> (Result<Summary, StartError>, Vec<Lease>) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).push(prepared.id.clone());
        let storage = match Storage::start(
            prepared.dataset,
            self.config.storage.jpeg_quality,
            self.config.gate.clone(),
            prepared.references,
            &prepared.records,
            &self.at_disk,
        ) {
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
        let (mut longest_frame, mut longest_call) = (Duration::ZERO, Duration::ZERO);
        for camera in &cameras {
            longest_frame = longest_frame.max(camera.lease.frame_duration().await);
            longest_call = longest_call.max(camera.lease.longest_call());
        }
        let (recovery, settle) = (&self.config.recovery, self.config.motion.settle);
        let warm_up = self.config.warm_up(Lighting::Front).max(self.config.warm_up(Lighting::Backlight));
        let patience =
            longest_silence(recovery, longest_move, settle.max(warm_up), longest_frame, longest_call);
        let can_reset = cameras.iter().map(|camera| camera.hello.reset.is_some()).collect::<Vec<_>>();
        let run = Run {
            scan: prepared.id.to_string(),
            state: prepared.state.resetting(can_reset),
            records: prepared.records,
            axes: self.axes.clone(),
            lights: self.lights.lights().clone(),
            settle: self.config.motion.settle,
            settle_by: self.config.motion.settle_by,
            cameras,
            gate: self.config.gate.clone(),
            queue_depth: self.config.scan.queue_depth,
            storage,
            commands,
            listeners,
            progress,
            pulse,
            patience,
            longest_move,
        };
        let (summary, leases) = run.perform().await;
        (Ok(summary), leases)
    }

    fn policy(&self) -> Policy {
        Policy { scan: self.config.scan.clone(), recovery: self.config.recovery.clone() }
    }

    /// Checks that every camera that was open can take the lens positions and exposures of `plan`.
    pub(in crate::daemon) fn check_stacks(&self, plan: &Plan) -> Result<(), StartError> {
        for camera in &self.cameras {
            if let Some(hello) = camera.hello() {
                stacks_of(plan, camera, &hello)?;
            }
        }
        Ok(())
    }

    /// Makes cameras whose size is not configured go on with the sizes of `plan`.
    pub(in crate::daemon) fn pin_sizes(&self, plan: &Plan) {
        for (planned, camera) in plan.cameras.iter().zip(&self.cameras) {
            if let Some(size) = planned.intrinsics.size() {
                camera.pin_size(size);
            }
        }
    }

    /// Checks that the rig has the cameras of `plan`, as far as they are known: again once they are open.
    pub(in crate::daemon) fn same_cameras(&self, id: &ScanId, plan: &Plan) -> Result<(), StartError> {
        let mut present = plan_cameras(&self.config);
        for (camera, handle) in present.iter_mut().zip(&self.cameras) {
            camera.intrinsics = handle.optics();
        }
        // Of a camera that was not opened yet, it is not known what it makes.
        for ((camera, handle), planned) in present.iter_mut().zip(&self.cameras).zip(&plan.cameras) {
            camera.files = handle.files().unwrap_or_else(|| planned.files.clone());
        }
        let same = plan.cameras.len() == present.len()
            && plan.cameras.iter().zip(&present).all(|(a, b)| {
                let (planned, present) = (a.intrinsics.size(), b.intrinsics.size());
                a.name == b.name
                    && a.files == b.files
                    && (present.is_none() || planned == present)
                    && same_lens(a, &b.intrinsics)
            });
        if same {
            return Ok(());
        }
        let names = |cameras: &[PlanCamera]| {
            let name = |camera: &PlanCamera| match camera.intrinsics.size() {
                Some(size) => {
                    let lens = camera.intrinsics.intrinsics();
                    let lens =
                        lens.map_or_else(String::new, |lens| format!(", focal length {:.1} px", lens.fx));
                    let files = if camera.has_raw() { ", with raw files" } else { "" };
                    format!("{} ({}x{}{lens}{files})", camera.name, size.width, size.height)
                }
                None => camera.name.clone(),
            };
            cameras.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        Err(StartError::OtherRig { id: id.clone(), planned: names(&plan.cameras), present: names(&present) })
    }
}

/// How far a lens may be from what is configured of it when it is measured, as a part of its focal length.
const MEASURED_APART: f64 = 0.15;

/// Whether two say the same of the lens, where both say something: images of one scan have one geometry, which its plan
/// states.
fn same_lens(planned: &PlanCamera, present: &Optics) -> bool {
    let measured = planned.extrinsics.is_some();
    let (Some(planned), Some(present)) = (planned.intrinsics.intrinsics(), present.intrinsics()) else {
        return true;
    };
    if measured {
        // What is configured was where the measuring began.
        return (planned.fx / present.fx - 1.0).abs() < MEASURED_APART;
    }
    // What was written and read again may differ in its last digit.
    let alike = |a, b| is_near(a, b, 1e-6, 1e-6);
    alike(planned.fx, present.fx)
        && alike(planned.fy, present.fy)
        && alike(planned.cx, present.cx)
        && alike(planned.cy, present.cy)
}

impl Prepared {
    /// What is to be scanned.
    pub(in crate::daemon) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether anything is left to be captured.
    pub(in crate::daemon) fn wants_cameras(&self) -> bool {
        self.state.counts().stored < self.plan.shot_count()
    }

    /// Where the scan stands before its first move.
    pub(in crate::daemon) fn progress(&self) -> Progress {
        let counts = self.state.counts();
        Progress {
            scan: self.id.to_string(),
            name: self.dataset.description().name,
            point: 0,
            points: self.plan.points.len() as u32,
            stored: counts.stored,
            failed: counts.failed,
            flagged: crate::scan::flagged(&self.records).len() as u32,
            shots: self.plan.shot_count(),
            stopping: false,
        }
    }
}
