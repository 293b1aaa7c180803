//! A rig in service: wired up, served, given up.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::api::Server;
use crate::config::{Config, MotionBackend};
use crate::daemon::{
    ByModel, Reloads, Service, Station, attend, deliver, keep_hours, resume_when_there, serve,
};
use crate::doctor::{Asked, tell_of_shut_addresses};
use crate::mqtt;
use crate::notify::Notifier;
use crate::rig::camera::reap_orphans;
use crate::scan::WaitsFor;
use crate::systemd;

use super::super::exit::Failure;
use super::super::watched::{MayEnd, Watched};
use super::{TELL_PATIENCE, notifier};

/// How long a scan may take to pause when the service is asked to end: an image being written is finished.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Names a file for [`breakdown`].
const BREAKDOWN: &str = "SCANNER_SIM_BREAKDOWN";

/// A rig in service.
pub(super) struct Running {
    /// Ends first: it has a part in the service.
    pub(super) api: Option<Server>,
    pub(super) service: Service,
    pub(super) tasks: Watched,
    notifier: Notifier,
}

impl Running {
    pub(super) fn start(
        config: Config,
        reloads: &Reloads,
        socket: Option<&TcpListener>,
    ) -> Result<Self, Failure> {
        let mut running = Self::open(config, reloads)?;
        running.serve(socket)?;
        Ok(running)
    }

    /// Opens the rig; nobody can ask for anything yet.
    pub(super) fn open(config: Config, reloads: &Reloads) -> Result<Self, Failure> {
        let proposer = Arc::new(ByModel { axes: config.motion.axes.clone() });
        let service = Service::reloadable(Station::open(config)?, reloads.clone()).proposing(proposer);
        let notifier = notifier(&service);
        Ok(Self { service, tasks: Watched::default(), api: None, notifier })
    }

    /// From now on the rig does what it is asked for, at `socket`, too, if systemd passed one.
    pub(super) fn serve(&mut self, socket: Option<&TcpListener>) -> Result<(), Failure> {
        let (service, tasks) = (&self.service, &mut self.tasks);
        let directory = &service.station().config().storage.runtime_directory;
        tasks.spawn("the control socket", MayEnd::Never, serve(service.clone(), directory)?);
        tasks.spawn("the panel", MayEnd::Unneeded, attend(service.clone()));
        tasks.spawn("the reaping of orphans", MayEnd::Unneeded, reap_orphans());
        tasks.spawn("the keeping of cameras", MayEnd::Never, service.standby().clone().keep());
        tasks.spawn("the keeping of hours", MayEnd::Unneeded, keep_hours(service.clone()));
        tasks.spawn("the wait for the disk", MayEnd::Unneeded, resume_when_there(service.clone()));
        tasks.spawn("the status line for systemd", MayEnd::Never, systemd::follow(service.clone()));
        tasks.spawn("the delivery of scans", MayEnd::Unneeded, deliver(service.clone()));
        tasks.spawn("what is published by MQTT", MayEnd::Unneeded, mqtt::publish(service.clone()));
        if let Some(file) = breakdown(service.station().config()) {
            tasks.spawn("the simulated breakdown", MayEnd::Never, break_down(file));
        }
        let asked =
            socket.map_or_else(|| Asked::of(service.station().config().api.listen), |_| Asked::Socket);
        tasks.spawn("the look at the unit's filter", MayEnd::Unneeded, tell_of_shut_addresses(asked));
        let api = Server::start(service, socket)?;
        let pulse = api.as_ref().map(Server::pulse).cloned().unwrap_or_default();
        tasks.spawn(
            "the feeding of systemd's watchdog",
            MayEnd::Unneeded,
            systemd::feed(service.clone(), directory.clone(), pulse),
        );
        self.api = api;
        Ok(())
    }

    /// Gives the rig up; nothing is under way.
    pub(super) async fn give_up(mut self) {
        end_of(self.api.take()).await;
        self.tasks.shutdown().await;
        self.end_calibration().await;
        self.end_masks().await;
        self.end_hulls().await;
        self.end_watches().await;
        // They have nothing to do with the rig, but what is configured.
        if tokio::time::timeout(STOP_PATIENCE, self.service.exports().done()).await.is_err() {
            self.end_exports().await;
        }
        self.service.standby().close().await;
        self.notifier.end(TELL_PATIENCE).await;
        self.service.give_up().await;
    }

    /// What the rig is measured by is given up: the scan is there, and can be measured later.
    async fn end_calibration(&self) {
        self.service.calibrations().give_up();
        until_done("the measuring of the rig", self.service.calibrations().done()).await;
    }

    /// Masks that are being made are given up; those that were made are whole, and stay.
    async fn end_masks(&self) {
        self.service.masks().give_up();
        until_done("the making of masks", self.service.masks().done()).await;
    }

    /// Models that are being made are given up; what was written of them is whole, and stays.
    async fn end_hulls(&self) {
        self.service.hulls().give_up();
        until_done("the making of a model", self.service.hulls().done()).await;
    }

    /// Who looks for marks in images is told to end; what was seen is kept.
    async fn end_watches(&self) {
        self.service.watches().give_up();
        until_done("the look for marks in images", self.service.watches().done()).await;
    }

    /// What is exported is given up, and nothing is left of it.
    async fn end_exports(&self) {
        self.service.exports().give_up();
        if tokio::time::timeout(STOP_PATIENCE, self.service.exports().done()).await.is_err() {
            warn!(
                "an export did not end in {STOP_PATIENCE:?}: the next one of its scan removes what it leaves"
            );
        }
    }

    /// A scan under way is paused for this reason, and then waits for that.
    pub(super) async fn end(mut self, waits_for: WaitsFor, reason: &str) {
        systemd::stopping("stopping; a scan under way is paused");
        self.service.close();
        // Nobody waits for answers before the scan is paused.
        let api = tokio::spawn(end_of(self.api.take()));
        self.tasks.shutdown().await;
        // Without a scan to pause, one may still be closing its cameras.
        let _ = self.service.pause_until(waits_for, reason);
        if tokio::time::timeout(STOP_PATIENCE, self.service.idle()).await.is_err() {
            warn!(
                "the scan did not pause in {STOP_PATIENCE:?}; what it has stored is safe, and it can be resumed"
            );
        }
        let _ = api.await;
        tokio::join!(
            self.end_calibration(),
            self.end_masks(),
            self.end_hulls(),
            self.end_watches(),
            self.end_exports()
        );
        let _ = tokio::time::timeout(STOP_PATIENCE, self.service.standby().close()).await;
        self.notifier.end(TELL_PATIENCE).await;
        // Whatever hangs keeps the station, whose end would do so, too.
        tokio::task::block_in_place(|| self.service.station().end());
    }
}

/// Waits until `what` was given up, and says so if that takes too long.
async fn until_done(what: &str, done: impl Future<Output = ()>) {
    if tokio::time::timeout(STOP_PATIENCE, done).await.is_err() {
        warn!("{what} did not end in {STOP_PATIENCE:?}");
    }
}

async fn end_of(api: Option<Server>) {
    if let Some(api) = api {
        api.end().await;
    }
}

/// The file whose appearance makes a task of a service on a simulated rig break down. For tests.
fn breakdown(config: &Config) -> Option<PathBuf> {
    match config.motion.backend {
        MotionBackend::Sim { .. } => std::env::var_os(BREAKDOWN).map(PathBuf::from),
        MotionBackend::Gpio(_) => None,
    }
}

/// Ends, which it never should, once there is `file`, and takes that away.
async fn break_down(file: PathBuf) {
    while tokio::fs::remove_file(&file).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
