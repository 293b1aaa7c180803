//! What all handlers share.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::daemon::Service;

use super::archive::Checksums;
use super::auth::Attempts;
use super::events::Hub;
use super::hosts::Hosts;
use super::index::Index;
use super::live::Live;
use super::problem::{Answer, Problem};

/// What all handlers share.
pub(super) struct App {
    pub(super) service: Service,
    /// Where the rig's own tasks run.
    rig: Handle,
    pub(super) hosts: Hosts,
    pub(super) attempts: Attempts,
    pub(super) pairings: Attempts,
    pub(super) hub: Hub,
    pub(super) scans: Index,
    pub(super) live: Live,
    pub(super) checksums: Checksums,
}

/// How handlers get it.
pub(super) type Shared = axum::extract::State<Arc<App>>;

impl App {
    pub(super) fn new(service: Service, rig: Handle) -> Self {
        let config = service.station().config();
        let hosts = Hosts::new(&config.api.hosts);
        let scans = Index::new(&config.storage.directory);
        let live = Live::new(service.studio().seats(), &config.cameras);
        Self {
            checksums: Checksums::default(),
            live,
            hosts,
            attempts: Attempts::default(),
            pairings: Attempts::default(),
            hub: Hub::default(),
            scans,
            service,
            rig,
        }
    }

    /// Where the rig's own tasks run.
    pub(super) const fn rig_runtime(&self) -> &Handle {
        &self.rig
    }

    /// Does something to the rig, as a task that goes on if the client goes away.
    pub(super) async fn on_rig<T, F>(&self, work: impl FnOnce(Service) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        let done = self.rig.spawn(work(self.service.clone())).await;
        done.unwrap_or_else(|error| {
            Err(Problem::failed(format!("a part of the program ended unexpectedly: {error}")))
        })
    }

    /// Reads files, on a thread for that.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| {
            Err(Problem::failed(format!("a part of the program ended unexpectedly: {error}")))
        })
    }
}
