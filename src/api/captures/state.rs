//! Taking photographs between scans.

use std::time::Duration;

use futures_util::future::join_all;

use crate::api::events::hub::Events;
use crate::api::rig::state::{Rig, no_camera};
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::daemon::{Developed, Service, StandbyCamera, StandbyError, develop};
use crate::model::Controls;

/// When to ask again for a camera that a scan has, if it cannot be told how long that takes.
const SCAN_RETRY: Duration = Duration::from_secs(10);
/// Longest name of a session.
const MAX_SESSION: usize = 100;

/// Who takes photographs between scans, and tells when to ask again.
#[derive(Clone)]
pub(in crate::api) struct Captures {
    pub(in crate::api) rig: Rig,
    events: Events,
}

impl Captures {
    pub(in crate::api) const fn new(rig: Rig, events: Events) -> Self {
        Self { rig, events }
    }

    /// A problem that says when to ask again.
    fn not_captured(&self, error: &StandbyError) -> Problem {
        let detail = error.to_string();
        match error {
            StandbyError::Taken { retry_after, .. } => {
                Problem::new(ProblemType::CameraTaken, detail).retry_after(*retry_after)
            }
            StandbyError::Scan => {
                let left = self.events.left().unwrap_or(SCAN_RETRY);
                Problem::new(ProblemType::CameraTaken, detail).retry_after(left.max(Duration::from_secs(1)))
            }
            StandbyError::OutOfHours => Problem::new(ProblemType::OutOfHours, detail),
            StandbyError::Setting { .. } => Problem::bad_request(detail),
            StandbyError::Camera(_) => Problem::new(ProblemType::Camera, detail),
        }
    }

    /// Takes photographs of one or all cameras at once, and gives each to `finish` while its camera's turn is held.
    pub(in crate::api) async fn photograph<T: Send + 'static>(
        &self,
        camera: Option<&str>,
        session_id: Option<String>,
        controls: Controls,
        wait: Duration,
        quality: u8,
        finish: impl Fn(Developed) -> Answer<T> + Clone + Send + Sync + 'static,
    ) -> Answer<Vec<T>> {
        if session_id.as_ref().is_some_and(|id| id.len() > MAX_SESSION || id.contains(char::is_control)) {
            return Err(Problem::bad_request(format!("session_id: at most {MAX_SESSION} bytes on one line")));
        }
        let indices = self.cameras(camera)?;
        let done = self.rig.act(move |service| async move {
            let taken =
                take_and_finish(&service, &indices, session_id, controls, wait, quality, finish).await;
            Ok(taken)
        });
        done.await?.map_err(|failed| match failed {
            Failed::Standby(error) => self.not_captured(&error),
            Failed::Other(problem) => problem,
        })
    }

    fn cameras(&self, camera: Option<&str>) -> Answer<Vec<usize>> {
        let cameras = self.rig.service.standby().cameras();
        let Some(name) = camera else { return Ok((0..cameras.len()).collect()) };
        let index = cameras.iter().position(|camera| camera.handle().name() == name);
        Ok(vec![index.ok_or_else(|| no_camera(name))?])
    }
}

enum Failed {
    Standby(StandbyError),
    Other(Problem),
}

async fn take_and_finish<T: Send + 'static>(
    service: &Service,
    indices: &[usize],
    session_id: Option<String>,
    controls: Controls,
    wait: Duration,
    quality: u8,
    finish: impl Fn(Developed) -> Answer<T> + Clone + Send + Sync + 'static,
) -> Result<Vec<T>, Failed> {
    let standby = service.standby();
    let cameras: Vec<&StandbyCamera> =
        indices.iter().filter_map(|index| standby.cameras().get(*index)).map(AsRef::as_ref).collect();
    let mut turns = standby.take(&cameras, session_id.as_deref(), wait).await.map_err(Failed::Standby)?;
    let taking = turns.iter_mut().map(|turn| async {
        let frame = turn.frame(controls).await.map_err(Failed::Standby)?;
        let (name, finish) = (turn.handle().name().to_owned(), finish.clone());
        let developing = tokio::task::spawn_blocking(move || {
            let developed = develop(&name, &frame, quality).map_err(|error| Failed::Standby(error.into()))?;
            finish(developed).map_err(Failed::Other)
        });
        developing.await.unwrap_or_else(|error| Err(Failed::Other(Problem::failed(error))))
    });
    // All of them have ended before one's failure is told, and before the turns are given back.
    let taken = join_all(taking).await;
    drop(turns);
    taken.into_iter().collect()
}
