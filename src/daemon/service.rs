//! One scan at a time on one rig.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Zoned;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::NamedPlan;
use crate::dataset::ScanId;
use crate::event::Told;
use crate::plan::Axis;
use crate::rig::axes::MotionError;
use crate::run::{Command, OpenCamera, Progress, Pulse, Summary};

use super::automatic;
use super::captures::Captures;
use super::error::StartError;
use super::pairing::{PairError, Pairing};
use super::reload::Reloads;
use super::station::{Job, Prepared, Station};
use super::status::{ApiState, Last, Status, led};
use super::studio::Studio;
use super::tokens::Tokens;

/// Wishes that may wait until the scan hears them.
const COMMANDS: usize = 64;
/// How often somebody who waits for the rig to be given up looks.
const LOOK: Duration = Duration::from_millis(5);
/// How long the disk may take for one step of the preparation of a scan, such as to read an image or to remove old scans.
const DISK_PATIENCE: Duration = Duration::from_secs(600);

/// A rig and what it is doing. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    station: Arc<Station>,
    desk: Arc<watch::Sender<Desk>>,
    listeners: broadcast::Sender<Told>,
    pulse: Pulse,
    reloads: Option<Reloads>,
    tokens: Arc<Tokens>,
    pairing: Arc<Pairing>,
    studio: Arc<Studio>,
    captures: Arc<Captures>,
    api: Arc<Mutex<Option<ApiState>>>,
}

/// What to scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A new scan of this plan.
    New {
        /// Which one.
        plan: PlanChoice,
        /// What to call it; by date and time without one.
        id: Option<ScanId>,
    },
    /// An earlier scan, from where it stands.
    Resume {
        /// Which one.
        scan: ScanId,
    },
    /// What the start button means: the newest scan, if it was paused or interrupted; else a new one of the
    /// first plan.
    Next,
}

/// Which plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PlanChoice {
    /// The first one of the configuration.
    #[default]
    First,
    /// The one of this name in the configuration.
    Named(String),
    /// This one.
    Inline(Box<NamedPlan>),
}

impl From<Option<String>> for PlanChoice {
    fn from(name: Option<String>) -> Self {
        name.map_or(Self::First, Self::Named)
    }
}

/// A scan that is about to begin.
pub struct Starting(JoinHandle<Result<Launched, StartError>>);

/// A scan that has begun.
#[derive(Debug)]
pub struct Launched {
    /// Its id.
    pub id: ScanId,
    /// Where it stands.
    pub progress: watch::Receiver<Progress>,
    /// Yields its end.
    pub end: JoinHandle<Result<Summary, StartError>>,
}

/// There is nothing to pause or cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no scan is under way")]
pub struct NoScan;

/// What is known of the rig's work.
pub(super) struct Desk {
    slot: Slot,
    /// The scan that ended last.
    scan: Option<Progress>,
    last: Option<Last>,
    /// The program is about to end.
    closed: bool,
}

/// What the rig is taken for.
pub(super) enum Slot {
    Free,
    Starting { commands: mpsc::Sender<Command> },
    Scanning { commands: mpsc::Sender<Command>, progress: watch::Receiver<Progress> },
}

impl Service {
    /// A rig that does nothing yet.
    pub fn new(station: Station) -> Self {
        let config = station.config();
        let fixed = config.cameras.iter().map(|camera| camera.controls);
        let studio = Arc::new(Studio::new(station.cameras(), fixed));
        let captures = Arc::new(Captures::new(&config.storage.directory));
        let tokens = Arc::new(Tokens::open(&station.config().api.tokens));
        let desk = Desk { slot: Slot::Free, scan: None, last: None, closed: false };
        Self {
            station: Arc::new(station),
            desk: Arc::new(watch::Sender::new(desk)),
            listeners: broadcast::channel(1024).0,
            pulse: Pulse::default(),
            reloads: None,
            tokens,
            pairing: Arc::default(),
            studio,
            captures,
            api: Arc::default(),
        }
    }

    /// As [`Self::new`]; who asks for a reload of the configuration is passed on to `reloads`.
    pub fn reloadable(station: Station, reloads: Reloads) -> Self {
        Self { reloads: Some(reloads), ..Self::new(station) }
    }

    /// Where reloads can be asked for, if anywhere.
    pub(super) fn reloads(&self) -> Option<&Reloads> {
        self.reloads.as_ref()
    }

    /// The pulse of the scan that is prepared or under way, which rests without one.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Who may use the API.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Who asks to be let in without a token.
    pub fn pairing(&self) -> &Pairing {
        &self.pairing
    }

    /// Begins a pairing for whoever calls itself `name`: its secret, and for how long the start button is to be held.
    pub fn pair(&self, name: &str, address: IpAddr) -> Result<(String, Duration), PairError> {
        if !self.station.config().api.pairing {
            return Err(PairError::Off);
        }
        let hold = self.station.hold().ok_or(PairError::NoButton)?;
        if self.is_busy() {
            return Err(PairError::Busy);
        }
        Ok((self.pairing.begin(name, address, hold)?, hold))
    }

    /// The cameras between scans.
    pub fn studio(&self) -> &Arc<Studio> {
        &self.studio
    }

    /// Photographs taken between scans.
    pub fn captures(&self) -> &Arc<Captures> {
        &self.captures
    }

    /// Shows whether the API can be reached.
    pub fn set_api(&self, state: ApiState) {
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// The rig.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// Events of every scan from now on.
    pub fn events(&self) -> broadcast::Receiver<Told> {
        self.listeners.subscribe()
    }

    /// Takes the rig for a scan, at once, and starts it in the background: a new scan's folder is made once the
    /// cameras are open, so that what cannot begin leaves nothing behind. Until the scan has begun, [`Self::pause`] and
    /// [`Self::cancel`] give it up.
    ///
    /// # Errors
    /// The rig is taken, or the program is ending.
    pub fn begin(&self, work: Work) -> Result<Starting, StartError> {
        let (claim, commands) = self.claim()?;
        Ok(Starting(tokio::spawn(self.clone().launch(claim, work, commands))))
    }

    /// As [`Self::begin`], and waits until the scan has begun.
    pub async fn start(&self, work: Work) -> Result<Launched, StartError> {
        self.begin(work)?.done().await
    }

    /// Asks the scan under way to stop so that it can be resumed.
    pub fn pause(&self, reason: &str) -> Result<(), NoScan> {
        self.command(Command::Pause { reason: reason.to_owned() })
    }

    /// Asks the scan under way to stop for good.
    pub fn cancel(&self) -> Result<(), NoScan> {
        self.command(Command::Cancel)
    }

    /// Homes axes, between scans; braked by [`Self::pause`] and [`Self::cancel`].
    pub async fn home(&self, axes: &[Axis]) -> Result<(), StartError> {
        // Taken for as long as that lasts, so that no scan begins meanwhile.
        let (mut claim, mut commands) = self.claim()?;
        claim.last = None;
        let mut homing = self.station.axes().home(axes);
        let homed = tokio::select! {
            homed = &mut homing => homed,
            Some(command) = commands.recv() => {
                info!("homing is given up: {}", command.reason());
                self.station.axes().stop();
                homing.await
            }
        };
        Ok(homed.unwrap_or(Err(MotionError::Ended))?)
    }

    /// Moves one axis by `distance` in its unit, between scans; braked by [`Self::pause`] and [`Self::cancel`].
    pub async fn jog(&self, axis: Axis, distance: f64) -> Result<(), StartError> {
        let (mut claim, mut commands) = self.claim()?;
        claim.last = None;
        let axes = self.station.axes();
        let mut moving = axes.jog(axis, distance)?.done;
        let moved = tokio::select! {
            moved = &mut moving => moved,
            Some(command) = commands.recv() => {
                info!("the move is given up: {}", command.reason());
                axes.stop();
                moving.await
            }
        };
        moved.unwrap_or(Err(MotionError::Ended))?;
        Ok(())
    }

    /// Switches the lights, between scans.
    pub fn switch_lights(&self, on: bool) -> Result<(), StartError> {
        let (mut claim, _commands) = self.claim()?;
        claim.last = None;
        self.station.lights().switch(on)?;
        Ok(())
    }

    /// From now on no further scan begins.
    pub fn close(&self) {
        self.desk.send_modify(|desk| desk.closed = true);
    }

    /// As [`Self::close`], but only while no scan is starting or under way.
    ///
    /// # Errors
    /// One is.
    pub fn close_if_idle(&self) -> Result<(), StartError> {
        let (mut claim, _commands) = self.claim()?;
        claim.last = None;
        self.close();
        Ok(())
    }

    /// Gives the rig up, and yields when it is free: nobody else has a part in it any more.
    pub async fn give_up(self) {
        let station = Arc::downgrade(&self.station);
        drop(self);
        while station.strong_count() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until no scan is starting or under way, and its cameras are closed.
    pub async fn idle(&self) {
        // The sender is ours, so there is no other end.
        let _ = self.desk.subscribe().wait_for(|desk| matches!(desk.slot, Slot::Free)).await;
    }

    /// Whether the rig is taken, for a scan or to move an axis.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.desk.borrow().slot, Slot::Free)
    }

    /// Tells when a scan begins or ends.
    pub(super) fn changes(&self) -> watch::Receiver<Desk> {
        self.desk.subscribe()
    }

    /// What the rig is doing. Answers at once, whatever the cameras do.
    pub fn status(&self) -> Status {
        let (scan, scanning, last) = {
            let desk = self.desk.borrow();
            let (scan, scanning) = match &desk.slot {
                Slot::Free => (desk.scan.clone(), false),
                Slot::Starting { .. } => (None, true),
                Slot::Scanning { progress, .. } => (Some(progress.borrow().clone()), true),
            };
            (scan, scanning, desk.last.clone())
        };
        let cameras = self.station.cameras().iter().map(crate::rig::camera::Camera::status).collect();
        let api = self.api.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = self.station.axes().fault();
        let pairing = self.pairing.waiting();
        let mut status = Status { scan, scanning, last, fault, pairing, led: None, api, cameras };
        status.led = self.station.panel().map(|_| led(&status));
        status
    }

    async fn launch(
        self,
        mut claim: Claim,
        work: Work,
        mut commands: mpsc::Receiver<Command>,
    ) -> Result<Launched, StartError> {
        let (prepared, cameras) = match self.prepare(work, &mut commands).await {
            Ok(ready) => ready,
            Err(error) => {
                claim.failed(&error);
                return Err(error);
            }
        };
        let id = prepared.id.clone();
        let (teller, progress) = watch::channel(prepared.progress());
        claim.scanning(progress.clone());
        let end = tokio::spawn(async move {
            let listeners = self.listeners.clone();
            let (ended, cameras) =
                self.station.run(prepared, cameras, commands, listeners, teller, self.pulse.clone()).await;
            self.station.close(cameras).await;
            match &ended {
                Ok(summary) => {
                    automatic::forget(&self.station.config().storage.directory);
                    claim.ended(summary);
                }
                Err(error) => {
                    error!("{error}");
                    claim.failed(error);
                }
            }
            // Before anybody hears of the end.
            drop(claim);
            ended
        });
        Ok(Launched { id, progress, end })
    }

    /// Everything up to the first move. What was taken is given back if it fails.
    async fn prepare(
        &self,
        work: Work,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(Prepared, Vec<OpenCamera>), StartError> {
        let hours = self.station.config().schedule.at(&Zoned::now());
        if !hours.open {
            let until = hours
                .until
                .map_or_else(|| "for good".into(), |until| format!("until {}", until.strftime("%F %H:%M")));
            return Err(StartError::OutOfHours { until });
        }
        match self.on_a_thread(move |station| station.decide(work)).await? {
            Job::Resume { scan } => {
                let prepared = self.prepare_resumed(&scan, commands).await?;
                if !prepared.wants_cameras() {
                    return Ok((prepared, Vec::new()));
                }
                self.station.pin_sizes(prepared.plan());
                let cameras = self.open_unless_told(Some(scan), commands).await?;
                let checked = self.station.same_cameras(&prepared.id, prepared.plan());
                match checked.and_then(|()| self.station.check_focus(prepared.plan())) {
                    Ok(()) => Ok((prepared, cameras)),
                    Err(error) => {
                        self.station.close(cameras.into_iter().map(|camera| camera.lease)).await;
                        Err(error)
                    }
                }
            }
            Job::New { plan, id } => {
                let wish = (plan.clone(), id.clone());
                self.on_a_thread(move |station| station.check_new(&wish.0, wish.1.as_ref())).await?;
                let cameras = self.open_unless_told(None, commands).await?;
                match self.on_a_thread(move |station| station.prepare_new(&plan, id)).await {
                    Ok(prepared) => Ok((prepared, cameras)),
                    Err(error) => {
                        self.station.close(cameras.into_iter().map(|camera| camera.lease)).await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Puts the dataset in order, unless somebody wants the scan to stop meanwhile.
    async fn prepare_resumed(
        &self,
        scan: &ScanId,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Prepared, StartError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (id, told) = (scan.clone(), stop.clone());
        let pulse = self.pulse.clone();
        let preparing = self.on_a_thread(move |station| {
            station.prepare_resumed(&id, &|| {
                pulse.beat(DISK_PATIENCE);
                !told.load(Ordering::Relaxed)
            })
        });
        tokio::pin!(preparing);
        let command = tokio::select! {
            prepared = &mut preparing => return prepared,
            Some(command) = commands.recv() => command,
        };
        stop.store(true, Ordering::Relaxed);
        // What became of it does not matter: it can be begun again.
        let _ = preparing.await;
        Err(StartError::NotResumed { scan: scan.clone(), reason: command.reason() })
    }

    /// Opens the cameras, unless somebody wants the scan to stop meanwhile.
    async fn open_unless_told(
        &self,
        resumed: Option<ScanId>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Vec<OpenCamera>, StartError> {
        let stop = CancellationToken::new();
        let opening = async {
            self.studio.close().await;
            self.station.open_all("scan", &stop).await
        };
        tokio::pin!(opening);
        let command = tokio::select! {
            opened = &mut opening => return opened,
            Some(command) = commands.recv() => command,
        };
        stop.cancel();
        // An error is what was asked for.
        if let Ok(cameras) = opening.await {
            self.station.close(cameras.into_iter().map(|camera| camera.lease)).await;
        }
        let reason = command.reason();
        Err(match resumed {
            Some(scan) => StartError::NotResumed { scan, reason },
            None => StartError::NotBegun { reason },
        })
    }

    /// A step that waits for the disk.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Station) -> Result<T, StartError> + Send + 'static,
    ) -> Result<T, StartError> {
        let station = self.station.clone();
        self.pulse.beat(DISK_PATIENCE);
        let done = tokio::task::spawn_blocking(move || step(&station)).await;
        self.pulse.rest();
        done.unwrap_or_else(|error| Err(StartError::Defect(error.to_string())))
    }

    fn command(&self, command: Command) -> Result<(), NoScan> {
        match &self.desk.borrow().slot {
            // A full queue holds enough of the same wishes already.
            Slot::Starting { commands } | Slot::Scanning { commands, .. } => match commands.try_send(command)
            {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(NoScan),
            },
            Slot::Free => Err(NoScan),
        }
    }

    fn claim(&self) -> Result<(Claim, mpsc::Receiver<Command>), StartError> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let mut refused = None;
        self.desk.send_if_modified(|desk| {
            refused = match &desk.slot {
                Slot::Free if desk.closed => Some(StartError::Closed),
                Slot::Free => None,
                Slot::Starting { .. } => Some(StartError::ScanUnderWay { scan: "(starting)".into() }),
                Slot::Scanning { progress, .. } => {
                    Some(StartError::ScanUnderWay { scan: progress.borrow().scan.clone() })
                }
            };
            if refused.is_none() {
                desk.slot = Slot::Starting { commands: commands.clone() };
            }
            refused.is_none()
        });
        if let Some(refused) = refused {
            return Err(refused);
        }
        let unexpected = Last::Failed { message: "its task ended unexpectedly: see the log".into() };
        Ok((Claim { service: self.clone(), commands, last: Some(unexpected) }, receiver))
    }
}

impl Starting {
    /// Waits until the scan has begun. It goes on if nobody waits.
    pub async fn done(self) -> Result<Launched, StartError> {
        self.0.await.unwrap_or_else(|error| Err(StartError::Defect(error.to_string())))
    }
}

/// The rig, taken for a scan; free again, with its outcome, when this is dropped.
struct Claim {
    service: Service,
    commands: mpsc::Sender<Command>,
    /// What will be said of it; none leaves what was said before.
    last: Option<Last>,
}

impl Claim {
    fn scanning(&self, progress: watch::Receiver<Progress>) {
        let commands = self.commands.clone();
        self.service.desk.send_modify(|desk| desk.slot = Slot::Scanning { commands, progress });
    }

    fn ended(&mut self, summary: &Summary) {
        self.last = Some(Last::Ended { end: summary.end, reason: summary.reason.clone() });
    }

    fn failed(&mut self, error: &StartError) {
        let message = error.to_string();
        self.last = (!error.is_a_wish()).then_some(Last::Failed { message });
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let last = self.last.take();
        self.service.desk.send_modify(|desk| {
            if let Slot::Scanning { progress, .. } = &desk.slot {
                desk.scan = Some(progress.borrow().clone());
            }
            self.service.studio.reopen();
            desk.slot = Slot::Free;
            desk.last = last.or(desk.last.take());
        });
        info!("the rig is free");
    }
}
