//! The loop: input, transition, actions.

mod commands;
mod finish;
mod gate;
mod moving;
mod telling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::camera_driver::protocol::Hello;
use crate::config::{self, HoldSettings, SettleBy};
use crate::event::{Event, Told};
use crate::model::Pose;
use crate::plan::{CameraIndex, Plan, ShotIndex};
use crate::rig::Axes;
use crate::rig::camera::Lease;
use crate::rig::lights::Lights;
use crate::scan::{self, Action, Budget, End, Input, Record, State};

use crate::units::{FramesPerSecond, Seconds};

use super::arrival::Arrival;
use super::cameras::{CameraTask, Order};
use super::command::Command;
use super::emit::Emit;
use super::held_settings::HeldSettings;
use super::motion::{self, MoveOrder};
use super::pulse::Pulse;
use super::settling::Kind;
use super::still::Settler;
use super::storage::{Message, Storage};
use super::summary::{Progress, Summary};
use super::timing::Stopwatch;

/// As many low-resolution frames as there are, where they tell when the rig has settled.
const WATCH: FramesPerSecond = FramesPerSecond::new(120.0);

/// A camera that streams.
pub struct OpenCamera {
    /// The right to use it.
    pub lease: Lease,
    /// What its driver says of it.
    pub hello: Hello,
    /// For how long it holds what it finds by itself.
    pub hold_settings: HoldSettings,
    /// The exposure that is configured for it, if one is.
    pub exposure: Option<Seconds>,
}

/// Everything that a run needs.
pub struct Run {
    /// The scan's id, by which its events are known.
    pub scan: String,
    /// Replayed from its journal, not started.
    pub state: State,
    /// What its journal says so far.
    pub records: Vec<Record>,
    /// What moves the rig, and says when it is at rest.
    pub axes: Arc<dyn Axes>,
    /// What lights the object, from the front or from behind.
    pub lights: Arc<dyn Lights>,
    /// Wait between the end of a move and the first valid exposure.
    pub settle: Duration,
    /// What tells that it is over.
    pub settle_by: SettleBy,
    /// One open camera a camera of the plan, in its order.
    pub cameras: Vec<OpenCamera>,
    /// What is done about images that are not like their neighbours.
    pub gate: config::Gate,
    /// Frames that may wait to be stored.
    pub queue_depth: u32,
    /// Encodes and stores frames, and keeps the journal.
    pub storage: Storage,
    /// What people ask for.
    pub commands: mpsc::Receiver<Command>,
    /// Where its events go, besides the log.
    pub listeners: broadcast::Sender<Told>,
    /// Where the scan stands, for whoever asks.
    pub progress: watch::Sender<Progress>,
    /// Shows that the loop goes on.
    pub pulse: Pulse,
    /// How long the loop may hear of nothing.
    pub patience: Duration,
    /// What of that is for a move.
    pub longest_move: Duration,
}

impl Run {
    /// Runs until the scan has ended and its journal is on disk. Gives the cameras back, still open.
    pub async fn perform(self) -> (Summary, Vec<Lease>) {
        let mut performer = Performer::start(self);
        let end = performer.until_end().await;
        performer.finish(end).await
    }
}

struct Performer {
    scan: String,
    plan: Arc<Plan>,
    state: State,
    storage: Storage,
    commands: mpsc::Receiver<Command>,
    emit: Emit,
    /// What has happened since `emit` was last told.
    untold: Vec<Event>,
    /// What happened while a shot was being set aside.
    postponed: VecDeque<Message>,
    /// Images on the disk that the gate found to be bad.
    flagged: BTreeSet<ShotIndex>,
    /// Those of them of earlier runs.
    left_over: VecDeque<ShotIndex>,
    budget: Budget,
    progress: watch::Sender<Progress>,
    pulse: Pulse,
    patience: Duration,
    longest_move: Duration,
    stop: CancellationToken,
    axes: Arc<dyn Axes>,
    lights: Arc<dyn Lights>,
    /// From when on the light is steady, on `CLOCK_MONOTONIC` in nanoseconds.
    steady_ns: u64,
    moves: mpsc::UnboundedSender<MoveOrder>,
    motion: JoinHandle<()>,
    cameras: Vec<(mpsc::UnboundedSender<Order>, JoinHandle<Lease>)>,
    arrival: watch::Receiver<Arrival>,
    /// How the axes move to the point, or have; not known of the first move.
    kind: Option<Kind>,
    /// Where the last move leads.
    stands: Option<Pose>,
    tally: RunTally,
}

/// What the summary counts.
#[derive(Debug, Default)]
struct RunTally {
    attempts: u32,
    failures: BTreeMap<&'static str, u32>,
    recoveries: BTreeMap<&'static str, u32>,
    /// Whether an attempt failed at the point being shot.
    failed_here: bool,
    stopwatch: Stopwatch,
}

impl Performer {
    fn start(run: Run) -> Self {
        let plan = run.state.plan().clone();
        let emit = Emit::new(&run.scan, run.listeners);
        let flagged = scan::flagged(&run.records);
        let budget = Budget::new(&run.gate, &run.records);
        let (moves, orders) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let motion = motion::spawn(run.axes.clone(), orders, run.storage.inbox(), stop.clone());
        let places = Arc::new(Semaphore::new(run.queue_depth.max(1) as usize));
        let cameras =
            run.cameras.into_iter().zip(&plan.cameras).enumerate().map(|(index, (open, camera))| {
                let view = match run.settle_by {
                    SettleBy::Time => None,
                    SettleBy::Frames => open.lease.live(WATCH),
                };
                if run.settle_by == SettleBy::Frames && view.is_none() {
                    let (camera, settle) = (&camera.name, run.settle);
                    warn!(camera, "{camera} has no low-resolution frames beside its images, so {settle:?} is waited for it");
                }
                let task = CameraTask {
                    timestamps: open.hello.timestamps(),
                    settler: view.map(|view| Settler::new(&camera.name, view, run.settle)),
                    changed_ns: 0,
                    index: CameraIndex(index as u16),
                    name: camera.name.clone(),
                    lease: open.lease,
                    axes: run.axes.clone(),
                    plan: plan.clone(),
                    settings: HeldSettings::new(
                        open.hold_settings,
                        open.exposure,
                        &plan,
                        CameraIndex(index as u16),
                        &run.records,
                    ),
                    in_vain: Duration::ZERO,
                    settle: run.settle,
                    places: places.clone(),
                    frames: run.storage.frames(index, &open.hello),
                    inbox: run.storage.inbox(),
                    emit: emit.clone(),
                    stop: stop.clone(),
                };
                let (orders, receiver) = mpsc::unbounded_channel();
                (orders, task.spawn(receiver))
            });
        let cameras = cameras.collect();
        Self {
            scan: run.scan,
            plan,
            state: run.state,
            storage: run.storage,
            commands: run.commands,
            emit,
            untold: Vec::new(),
            postponed: VecDeque::new(),
            left_over: flagged.iter().copied().collect(),
            flagged,
            budget,
            progress: run.progress,
            pulse: run.pulse,
            patience: run.patience,
            longest_move: run.longest_move,
            stop,
            axes: run.axes,
            lights: run.lights,
            steady_ns: 0,
            moves,
            motion,
            cameras,
            // No move to wait for.
            arrival: watch::channel(Arrival::Failed).1,
            kind: None,
            stands: None,
            tally: RunTally::default(),
        }
    }

    async fn until_end(&mut self) -> End {
        let counts = self.state.counts();
        self.emit.event(&Event::Started {
            points: self.plan.points.len() as u32,
            shots: self.plan.shot_count(),
            stored: counts.stored,
        });
        let mut input = Input::Start;
        loop {
            self.pulse.beat(self.patience);
            self.note_input(&input);
            let end = match self.state.step(input) {
                Ok(actions) => {
                    self.follow_plan();
                    actions.into_iter().find_map(|action| self.act(action))
                }
                // A late request of a person, or a defect: either way the scan itself is untouched.
                Err(illegal) => {
                    debug!(scan = self.scan, "ignored: {illegal}");
                    None
                }
            };
            // The rig does not wait for those who watch it: the axes move by now.
            self.tell_progress();
            self.tell_events();
            if let Some(end) = end {
                return end;
            }
            input = self.next_input().await;
        }
    }

    async fn next_input(&mut self) -> Input {
        loop {
            let input = if let Some(message) = self.postponed.pop_front() {
                self.take(message).await
            } else if !self.left_over.is_empty() {
                self.left_over().await
            } else {
                tokio::select! {
                    Some(command) = self.commands.recv() => self.obey(command).await,
                    Some(message) = self.storage.next() => self.take(message).await,
                }
            };
            if let Some(input) = input {
                return input;
            }
        }
    }

    async fn take(&mut self, message: Message) -> Option<Input> {
        match message {
            Message::Input(input) => Some(input),
            Message::Taken(taken) => {
                self.tally.stopwatch.add(taken, self.tally.failed_here);
                None
            }
            Message::Stored(stored) => Some(self.stored(stored).await),
            Message::Late(late) => self.late(late).await,
            Message::StoreFailed { shot, kind, message } => {
                let event = Event::StoreFailed { shot: self.shot_name(shot), kind, message: message.clone() };
                self.untold.push(event);
                Some(Input::StoreFailed { shot, message })
            }
            // Whoever asked has waited for it.
            Message::Retaken(_) | Message::Extended(_) => None,
            Message::Described(description) => {
                self.progress.send_modify(|progress| progress.name = description.name);
                None
            }
            Message::NoteFailed { message } => Some(Input::pause(message)),
        }
    }

    fn act(&mut self, action: Action) -> Option<End> {
        match action {
            Action::Record(record) => {
                if let Record::ShotFailed { shot, reason } = &record {
                    let event = Event::ShotFailed { shot: self.shot_name(*shot), reason: reason.clone() };
                    self.untold.push(event);
                }
                self.storage.note(record);
            }
            Action::Move { point } => self.move_to(point),
            Action::Capture { shot, attempt } => {
                self.tally.attempts += 1;
                let (arrival, kind, steady_ns) = (self.arrival.clone(), self.kind, self.steady_ns);
                let order = Order::Capture { shot, attempt, arrival, kind, steady_ns };
                self.ask(self.plan.camera_of(shot), order);
            }
            Action::Recover { camera, rung, after } => {
                *self.tally.recoveries.entry(rung.name()).or_default() += 1;
                // The cause is told before the cure, of which the camera's task tells.
                self.tell_events();
                self.ask(camera, Order::Recover { rung, after });
            }
            Action::Interrupt => self.stop.cancel(),
            Action::End(end) => return Some(end),
        }
        None
    }

    fn ask(&self, camera: CameraIndex, order: Order) {
        if self.cameras[usize::from(camera.0)].0.send(order).is_err() {
            error!(scan = self.scan, "the task of camera {} has ended before the scan", camera.0);
        }
    }
}
