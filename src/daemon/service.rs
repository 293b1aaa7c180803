//! One scan at a time on one rig.

mod by_hand;
mod calibrating;
mod claim;
mod derived;
mod describe;
mod extend;
mod launch;
mod parts;
mod propose;
mod retake;
mod setting_up;
mod tuning;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use crate::dataset::ScanId;
use crate::drop_in::Store;
use crate::event::{Event, Told};
use crate::run::{Command, Emit, Progress, Pulse, Summary};
use crate::scan::WaitsFor;

use super::calibrations::Calibrations;
use super::captures::Captures;
use super::deliveries::Deliveries;
use super::error::StartError;
use super::exports::Exports;
use super::followers::Followers;
use super::masks::Masks;
use super::pairing::{Begun, PairError, Pairing};
use super::proposer::Proposer;
use super::reload::Reloads;
use super::sessions::Sessions;
use super::standby::StandbyCameras;
use super::station::Station;
use super::status::{ApiState, Last, Status, disk_wait_s, led};
use super::tokens::Tokens;
use super::tunings::Tunings;

pub use setting_up::ByHand;

/// A rig and what it is doing. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    station: Arc<Station>,
    occupancy: Arc<watch::Sender<Occupancy>>,
    listeners: broadcast::Sender<Told>,
    pulse: Pulse,
    reloads: Option<Reloads>,
    tokens: Arc<Tokens>,
    sessions: Arc<Sessions>,
    pairing: Arc<Pairing>,
    standby: Arc<StandbyCameras>,
    captures: Arc<Captures>,
    retakes: Arc<tokio::sync::Mutex<()>>,
    exports: Arc<Exports>,
    hulls: Arc<Followers>,
    watches: Arc<Followers>,
    masks: Arc<Masks>,
    calibrations: Arc<Calibrations>,
    tunings: Arc<Tunings>,
    deliveries: Arc<Deliveries>,
    proposer: Option<Arc<dyn Proposer>>,
    api: Arc<Mutex<Option<ApiState>>>,
}

/// A scan that is about to begin.
pub struct Starting(JoinHandle<Result<Launched, StartError>>);

/// A scan that has begun.
#[derive(Debug)]
pub struct Launched {
    /// The id of the scan.
    pub id: ScanId,
    /// Where it stands, now and from now on.
    pub progress: watch::Receiver<Progress>,
    /// How it ended, once it has.
    pub end: JoinHandle<Result<Summary, StartError>>,
}

/// There is nothing to pause or cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no scan is under way")]
pub struct NoScan;

/// Who has the rig, and what became of the last scan on it.
pub(super) struct Occupancy {
    rig: RigUse,
    /// Where the scan that ended last stood at its end.
    last_scan: Option<Progress>,
    last: Option<Last>,
    /// The program is about to end.
    closed: bool,
}

/// What the rig is taken for.
pub(super) enum RigUse {
    Free,
    Starting {
        commands: mpsc::Sender<Command>,
    },
    /// A person moves an axis or switches lights.
    ByHand {
        commands: mpsc::Sender<Command>,
    },
    Scanning {
        commands: mpsc::Sender<Command>,
        progress: watch::Receiver<Progress>,
    },
}

impl Service {
    /// A rig that does nothing yet.
    pub fn new(station: Station) -> Self {
        let config = station.config();
        let fixed = config.cameras.iter().map(|camera| camera.controls);
        let standby = Arc::new(StandbyCameras::new(station.cameras(), fixed));
        let captures = Arc::new(Captures::in_storage(&config.storage));
        let tokens = Arc::new(Tokens::open(&config.api.tokens, config.api.former_tokens.as_deref()));
        let sessions = Arc::new(Sessions::open(&config.api.tokens, &tokens));
        let occupancy = Occupancy { rig: RigUse::Free, last_scan: None, last: None, closed: false };
        Self {
            station: Arc::new(station),
            occupancy: Arc::new(watch::Sender::new(occupancy)),
            listeners: broadcast::channel(1024).0,
            pulse: Pulse::default(),
            reloads: None,
            tokens,
            sessions,
            pairing: Arc::default(),
            standby,
            captures,
            retakes: Arc::default(),
            exports: Arc::default(),
            hulls: Arc::default(),
            watches: Arc::default(),
            masks: Arc::default(),
            calibrations: Arc::default(),
            tunings: Arc::default(),
            deliveries: Arc::default(),
            proposer: None,
            api: Arc::default(),
        }
    }

    /// As [`Self::new`]; who asks for a reload of the configuration is passed on to `reloads`.
    pub fn reloadable(station: Station, reloads: Reloads) -> Self {
        Self { reloads: Some(reloads), ..Self::new(station) }
    }

    /// Where reloads can be asked for, if anywhere.
    pub fn reloads(&self) -> Option<&Reloads> {
        self.reloads.as_ref()
    }

    /// The files of the configuration, where it can be read again.
    pub fn store(&self) -> Option<Store> {
        let state = &self.station.config().storage.state_directory;
        self.reloads.as_ref().map(|reloads| Store::new(reloads.path(), state))
    }

    /// Begins a pairing for whoever calls itself `name`.
    pub fn pair(&self, name: &str, address: IpAddr) -> Result<Begun, PairError> {
        if !self.station.config().api.pairing {
            return Err(PairError::Off);
        }
        let long_press = self.station.long_press().ok_or(PairError::NoButton)?;
        if self.is_busy() {
            return Err(PairError::Busy);
        }
        self.pairing.begin(name, address, long_press)
    }

    /// Whether something is being made of a scan that is over.
    pub(super) fn is_making(&self) -> bool {
        self.exports.are_under_way() || self.hulls.are_under_way() || self.watches.are_under_way()
    }

    /// Shows whether the API can be reached.
    pub fn set_api(&self, state: ApiState) {
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// Tells the log, and whoever listens, what happened to a scan that is not under way.
    pub(super) fn tell(&self, scan: &ScanId, event: &Event) {
        Emit::new(scan.as_str(), self.listeners()).event(event);
    }

    /// Asks the scan under way to stop so that it can be resumed.
    pub fn pause(&self, reason: &str) -> Result<(), NoScan> {
        self.pause_until(WaitsFor::Person, reason)
    }

    /// As [`Self::pause`]; the scan goes on once there is what it then waits for.
    pub fn pause_until(&self, waits_for: WaitsFor, reason: &str) -> Result<(), NoScan> {
        self.command(Command::Pause { reason: reason.to_owned(), waits_for })
    }

    /// As [`Self::pause_until`] the next hours, but what a person does by hand goes on.
    pub(super) fn pause_for_the_hours(&self, reason: &str) -> Result<(), NoScan> {
        let by_hand = matches!(self.occupancy.borrow().rig, RigUse::ByHand { .. });
        if by_hand { Err(NoScan) } else { self.pause_until(WaitsFor::Hours, reason) }
    }

    /// Asks the scan under way to stop for good.
    pub fn cancel(&self) -> Result<(), NoScan> {
        self.command(Command::Cancel)
    }
    /// From now on no further scan begins.
    pub fn close(&self) {
        self.occupancy.send_modify(|occupancy| occupancy.closed = true);
    }

    /// Whether no further scan begins.
    pub(super) fn is_closed(&self) -> bool {
        self.occupancy.borrow().closed
    }

    /// As [`Self::close`], but only while no scan is starting or under way.
    ///
    /// # Errors
    /// One is.
    pub fn close_if_idle(&self) -> Result<(), StartError> {
        let (_claim, _commands) = self.claim_by_hand()?;
        self.close();
        Ok(())
    }

    /// Gives the rig up, and yields when it is free: nobody else has a part in it any more.
    pub async fn give_up(self) {
        let gone = self.station.gone();
        drop(self);
        gone.await;
    }

    /// Waits until no scan is starting or under way, and its cameras are closed.
    pub async fn idle(&self) {
        // The sender is ours, so there is no other end.
        let _ = self.occupancy.subscribe().wait_for(|occupancy| matches!(occupancy.rig, RigUse::Free)).await;
    }

    /// Whether the rig is taken, for a scan or to move an axis.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.occupancy.borrow().rig, RigUse::Free)
    }

    /// Tells when a scan begins or ends.
    pub(super) fn changes(&self) -> watch::Receiver<Occupancy> {
        self.occupancy.subscribe()
    }

    /// What the rig is doing. Answers at once, whatever the cameras do.
    pub fn status(&self) -> Status {
        let (scan, scanning, last) = {
            let occupancy = self.occupancy.borrow();
            let (scan, scanning) = match &occupancy.rig {
                RigUse::Free => (occupancy.last_scan.clone(), false),
                RigUse::Starting { .. } | RigUse::ByHand { .. } => (None, true),
                RigUse::Scanning { progress, .. } => (Some(progress.borrow().clone()), true),
            };
            (scan, scanning, occupancy.last.clone())
        };
        let cameras = self.station.cameras().iter().map(crate::rig::camera::Camera::status).collect();
        let api = self.api.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = self.station.axes().fault();
        let (pairings, masks) = (self.pairing.waiting(), self.masks.progress());
        let disk_wait_s = disk_wait_s(self.station.at_disk().longest());
        let panel_faults = self.station.panel().map(|panel| panel.faults()).unwrap_or_default();
        let mut status = Status {
            scan,
            scanning,
            last,
            fault,
            disk_wait_s,
            pairings,
            led: None,
            panel_faults,
            masks,
            deliveries: self.deliveries.status(),
            extend: self.station.config().scan.extend,
            api,
            cameras,
        };
        status.led = self.station.panel().map(|_| led(&status));
        status
    }

    fn command(&self, command: Command) -> Result<(), NoScan> {
        match &self.occupancy.borrow().rig {
            // A full queue holds enough of the same wishes already.
            RigUse::Starting { commands }
            | RigUse::ByHand { commands }
            | RigUse::Scanning { commands, .. } => match commands.try_send(command) {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(NoScan),
            },
            RigUse::Free => Err(NoScan),
        }
    }
}
