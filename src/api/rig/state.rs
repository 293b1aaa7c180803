//! The rig, and where what acts on it runs.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::unexpected;
use crate::config::Config;
use crate::daemon::{Service, StandbyCamera};

/// The rig, as every folder of the API needs it.
#[derive(Clone)]
pub(in crate::api) struct Rig {
    pub(in crate::api) service: Service,
    /// Where the rig's own tasks run.
    runtime: Handle,
}

impl Rig {
    pub(in crate::api) const fn new(service: Service, runtime: Handle) -> Self {
        Self { service, runtime }
    }

    pub(in crate::api) fn config(&self) -> &Config {
        self.service.station().config()
    }

    /// Where the rig's own tasks run.
    pub(in crate::api) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// The camera of this name.
    pub(in crate::api) fn camera(&self, name: &str) -> Answer<&Arc<StandbyCamera>> {
        self.service.standby().camera(name).ok_or_else(|| no_camera(name))
    }

    /// Does something to the rig, as a task that goes on if the client goes away.
    pub(in crate::api) async fn act<T, F>(&self, work: impl FnOnce(Service) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        let done = self.runtime.spawn(work(self.service.clone())).await;
        done.unwrap_or_else(|error| Err(unexpected(&error)))
    }
}

/// There is no camera of this name.
pub(in crate::api) fn no_camera(name: &str) -> Problem {
    Problem::not_found(format!("there is no camera {name:?}: GET /api/v1/cameras shows them"))
}
