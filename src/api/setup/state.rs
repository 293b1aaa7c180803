//! What a setup has of the machine, and what is kept of it between requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

use super::tried::Trial;
use crate::api::rig::state::Rig;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;
use crate::daemon::{Place, PlaceError, Reloads};
use crate::doctor;
use crate::setup::{Answers, Disk, Facts, FoundCamera, Interview, complete};

/// The setup of the rig.
#[derive(Clone)]
pub(in crate::api) struct Setup {
    pub(in crate::api) rig: Rig,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Whoever changes answers, or the configuration, does so alone.
    turn: tokio::sync::Mutex<()>,
    looked: Mutex<Option<Looked>>,
    trial: Mutex<Trial>,
}

/// What was found when somebody had it looked for.
#[derive(Clone, Default)]
pub(super) struct Looked {
    pub(super) cameras: Vec<FoundCamera>,
    /// Drivers that could not look, and why.
    pub(super) failed: Vec<String>,
    pub(super) disks: Vec<Disk>,
}

/// A camera that a driver found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct SetupCamera {
    /// As an answer has it: its driver and its id.
    camera: String,
    /// What it is, for people.
    model: String,
}

/// A folder for scans.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct SetupDisk {
    /// The folder, which may not exist yet.
    folder: String,
    /// Room on its disk, in bytes.
    free: f64,
    /// Bytes that it writes in a second; null where that was not tried: for want of room, or because this program may not.
    writes_per_s: Option<f64>,
}

/// What was found on this machine.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Found {
    /// Cameras of drivers that are installed.
    cameras: Vec<SetupCamera>,
    /// Drivers that could not look, and why, for people.
    failed: Vec<String>,
    /// Where scans could go.
    disks: Vec<SetupDisk>,
}

impl From<Looked> for Found {
    fn from(looked: Looked) -> Self {
        let camera =
            |FoundCamera { driver, id, model }| SetupCamera { camera: format!("{driver}:{id}"), model };
        let disk = |disk: Disk| SetupDisk {
            folder: disk.folder.display().to_string(),
            free: disk.free.get(),
            writes_per_s: disk.writes_per_s.map(crate::units::Quantity::get),
        };
        Self {
            cameras: looked.cameras.into_iter().map(camera).collect(),
            failed: looked.failed,
            disks: looked.disks.into_iter().map(disk).collect(),
        }
    }
}

/// The configuration, what is known, and what was answered so far.
pub(super) struct Session {
    pub(super) place: Place,
    pub(super) facts: Facts,
    pub(super) answers: Answers,
}

impl Session {
    /// The questions, at the first one that is open.
    pub(super) fn interview(&self) -> Interview<'_> {
        Interview::new(&self.facts, self.answers.clone())
    }

    /// All the answers: those that were given, or, if somebody has set the rig up before and answers nothing now, those that
    /// the configuration has.
    pub(super) fn whole(&self) -> Answer<Answers> {
        match self.interview().key() {
            Some(open) if !(self.answers.is_empty() && self.facts.again()) => {
                Err(Problem::setup(format!("`{}` is not answered yet", open.name())))
            }
            Some(_) | None => Ok(complete(&self.answers, &self.facts)),
        }
    }

    /// Keeps answers for the next time.
    pub(super) fn keep(&self, answers: &Answers) -> Answer<()> {
        let unwritten =
            |error| Problem::new(ProblemType::Storage, format!("answers cannot be kept: {error}"));
        self.place.keep(answers).map_err(unwritten)
    }
}

impl Setup {
    pub(in crate::api) fn new(rig: Rig) -> Self {
        Self { rig, shared: Arc::default() }
    }

    /// Waits until nobody else changes anything.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.turn.lock().await
    }

    /// What was found; none before somebody had it looked for.
    pub(super) fn looked(&self) -> Option<Looked> {
        lock(&self.shared.looked).clone()
    }

    pub(super) fn has_looked(&self, looked: Looked) {
        *lock(&self.shared.looked) = Some(looked);
    }

    /// The parts that are tried.
    pub(super) fn trial(&self) -> MutexGuard<'_, Trial> {
        lock(&self.shared.trial)
    }

    /// Why the configuration was not read again when that was wanted last.
    pub(super) fn refused(&self) -> Option<String> {
        self.rig.service.reloads().and_then(Reloads::refused)
    }

    /// Does something with the session as it is now, on a thread for files.
    pub(super) async fn with_session<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, Session) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let setup = self.clone();
        on_disk(move || {
            let session = setup.session()?;
            work(&setup, session)
        })
        .await
    }

    fn session(&self) -> Answer<Session> {
        let file = self.rig.service.reloads().map(Reloads::path);
        let file = file.ok_or_else(|| Problem::setup("this program reads no configuration of its own"))?;
        let place = Place::open(file).map_err(|error| match error {
            PlaceError::Unwritable { .. } => {
                Problem::setup(format!("{error}. In a terminal: sudo scanner setup"))
            }
            PlaceError::NoFolder { .. } | PlaceError::Config(_) | PlaceError::Unread(_) => {
                Problem::setup(error)
            }
        })?;
        let Looked { cameras, disks, .. } = self.looked().unwrap_or_default();
        let facts = place.facts(doctor::model(), cameras, disks);
        let answers = place.answers();
        Ok(Session { place, facts, answers })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
