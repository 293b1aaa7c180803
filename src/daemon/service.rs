//! One scan at a time on one rig.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{error, info};

use crate::dataset::ScanId;
use crate::event::Event;
use crate::rig::camera::CameraStatus;
use crate::run::{Command, Progress, Summary};

use super::error::StartError;
use super::station::{Prepared, Station, close_cameras};

/// A rig and what it is doing. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    station: Arc<Station>,
    work: Arc<Mutex<Slot>>,
    listeners: broadcast::Sender<Event>,
}

/// What to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A new scan of this plan; of the first one without a name.
    New {
        /// Its name in the configuration.
        plan: Option<String>,
        /// What to call it; by date and time without one.
        id: Option<ScanId>,
    },
    /// An earlier scan, from where it stands.
    Resume {
        /// Which one.
        scan: ScanId,
    },
}

/// A scan that has begun.
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

/// What a rig is doing, as programs read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The scan under way, or the last one.
    pub scan: Option<Progress>,
    /// Whether it is under way.
    pub scanning: bool,
    /// Every camera.
    pub cameras: Vec<CameraStatus>,
}

/// What the rig is taken for.
enum Slot {
    Free { last: Option<Progress> },
    Starting,
    Scanning { commands: mpsc::Sender<Command>, progress: watch::Receiver<Progress> },
}

impl Service {
    /// A rig that does nothing yet.
    pub fn new(station: Station) -> Self {
        let listeners = broadcast::channel(1024).0;
        Self { station: Arc::new(station), work: Arc::new(Mutex::new(Slot::Free { last: None })), listeners }
    }

    /// The rig.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// Events of every scan from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.listeners.subscribe()
    }

    /// Begins a scan: opens the cameras first, so that what cannot begin leaves nothing behind.
    pub async fn start(&self, work: Work) -> Result<Launched, StartError> {
        let claim = self.claim()?;
        if let Work::Resume { scan } = &work {
            self.station.find(scan)?;
        }
        let cameras = self.station.open_cameras("scan").await?;
        let station = self.station.clone();
        let preparing = tokio::task::spawn_blocking(move || match work {
            Work::New { plan, id } => station.prepare_new(plan.as_deref(), id),
            Work::Resume { scan } => station.prepare_resumed(&scan),
        });
        let prepared = match preparing.await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(error)) => {
                close_cameras(cameras.into_iter().map(|camera| camera.lease)).await;
                return Err(error);
            }
            Err(error) => {
                close_cameras(cameras.into_iter().map(|camera| camera.lease)).await;
                return Err(StartError::Pipeline(error.to_string()));
            }
        };
        let id = prepared.id.clone();
        let (commands, receiver) = mpsc::channel(8);
        let (teller, progress) = watch::channel(first_progress(&prepared));
        claim.keep(Slot::Scanning { commands, progress: progress.clone() });
        let service = self.clone();
        let end = tokio::spawn(async move {
            let listeners = service.listeners.clone();
            let ended = service.station.run(prepared, cameras, receiver, listeners, teller).await;
            let ended = match ended {
                Ok((summary, cameras)) => {
                    close_cameras(cameras).await;
                    Ok(summary)
                }
                Err(error) => {
                    error!("{error}");
                    Err(error)
                }
            };
            service.free();
            ended
        });
        Ok(Launched { id, progress, end })
    }

    /// Asks the scan under way to stop so that it can be resumed.
    pub fn pause(&self, reason: &str) -> Result<(), NoScan> {
        self.command(Command::Pause { reason: reason.to_owned() })
    }

    /// Asks the scan under way to stop for good.
    pub fn cancel(&self) -> Result<(), NoScan> {
        self.command(Command::Cancel)
    }

    /// What the rig is doing. Answers at once, whatever the cameras do.
    pub fn status(&self) -> Status {
        let (scan, scanning) = match &*self.slot() {
            Slot::Free { last } => (last.clone(), false),
            Slot::Starting => (None, true),
            Slot::Scanning { progress, .. } => (Some(progress.borrow().clone()), true),
        };
        let cameras = self.station.cameras().iter().map(crate::rig::camera::Camera::status).collect();
        Status { scan, scanning, cameras }
    }

    fn command(&self, command: Command) -> Result<(), NoScan> {
        match &*self.slot() {
            // A full queue holds enough of the same wishes already.
            Slot::Scanning { commands, .. } => match commands.try_send(command) {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(NoScan),
            },
            Slot::Free { .. } | Slot::Starting => Err(NoScan),
        }
    }

    fn claim(&self) -> Result<Claim<'_>, StartError> {
        let mut slot = self.slot();
        match &*slot {
            Slot::Free { .. } => {
                *slot = Slot::Starting;
                Ok(Claim { service: self, kept: false })
            }
            Slot::Starting => Err(StartError::ScanUnderWay { scan: "(starting)".into() }),
            Slot::Scanning { progress, .. } => {
                Err(StartError::ScanUnderWay { scan: progress.borrow().scan.clone() })
            }
        }
    }

    fn free(&self) {
        let mut slot = self.slot();
        let last = match &*slot {
            Slot::Scanning { progress, .. } => Some(progress.borrow().clone()),
            Slot::Free { last } => last.clone(),
            Slot::Starting => None,
        };
        *slot = Slot::Free { last };
        info!("the rig is free");
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rig, taken for a scan that is starting; freed again if it does not.
struct Claim<'a> {
    service: &'a Service,
    kept: bool,
}

impl Claim<'_> {
    fn keep(mut self, slot: Slot) {
        *self.service.slot() = slot;
        self.kept = true;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.kept {
            *self.service.slot() = Slot::Free { last: None };
        }
    }
}

fn first_progress(prepared: &Prepared) -> Progress {
    Progress {
        scan: prepared.id.to_string(),
        point: 0,
        points: prepared.plan.points.len() as u32,
        stored: 0,
        failed: 0,
        shots: prepared.plan.shot_count(),
        stopping: false,
    }
}
