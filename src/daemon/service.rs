//! One scan at a time on one rig.

mod by_hand;
mod claim;
mod launch;
mod retake;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use crate::config::NamedPlan;
use crate::dataset::ScanId;
use crate::event::Told;
use crate::run::{Command, Progress, Pulse, Summary};

use super::captures::Captures;
use super::error::StartError;
use super::pairing::{PairError, Pairing};
use super::reload::Reloads;
use super::station::Station;
use super::status::{ApiState, Last, Status, led};
use super::studio::Studio;
use super::tokens::Tokens;

/// How often somebody who waits for the rig to be given up looks.
const LOOK: Duration = Duration::from_millis(5);

pub use retake::RetakeError;

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
    retakes: Arc<tokio::sync::Mutex<()>>,
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
            retakes: Arc::default(),
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
    /// Asks the scan under way to stop so that it can be resumed.
    pub fn pause(&self, reason: &str) -> Result<(), NoScan> {
        self.command(Command::Pause { reason: reason.to_owned() })
    }

    /// Asks the scan under way to stop for good.
    pub fn cancel(&self) -> Result<(), NoScan> {
        self.command(Command::Cancel)
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
}
