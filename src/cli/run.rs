//! `scanner run`: the service.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::api::{Server, TlsError, check_certificate};
use crate::config::{Config, MotionBackend};
use crate::daemon::{
    Reason, Reload, Reloads, Reply, Service, Station, attend, facts, keep_hours, resume_interrupted,
    resume_when_there, serve,
};
use crate::doctor::{Asked, tell_of_shut_addresses};
use crate::mqtt;
use crate::notify::Notifier;
use crate::rig::camera::reap_orphans;
use crate::scan::WaitsFor;
use crate::systemd;
use crate::threads;

use super::exit::{Exit, Failure};
use super::signals::{Heard, Signals};
use super::watched::{MayEnd, Watched};

/// How long a scan may take to pause when the service is asked to end: an image being written is finished.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// How long the end of a scan or of the service waits for those who are told of it.
pub(super) const TELL_PATIENCE: Duration = Duration::from_secs(5);
/// How long left-over blocking work may delay the end of the process.
const SHUT_DOWN_PATIENCE: Duration = Duration::from_secs(2);
/// Names a file for [`breakdown`].
const BREAKDOWN: &str = "SCANNER_SIM_BREAKDOWN";
/// Threads of tokio that run tasks.
const WORKERS: usize = 2;
/// Threads for blocking calls that are there from the start.
const READY_THREADS: usize = 4;

pub(super) fn run(path: &Path, config: Config) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve_until_told(path, config));
    shut_down(runtime);
    outcome.map(|()| Exit::Done)
}

async fn serve_until_told(path: &Path, mut config: Config) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let (reloads, mut wishes) = Reloads::new(path);
    let socket = systemd::socket().map_err(|error| Failure::new(Exit::Config, &error))?;
    let mut running = Running::open(config.clone(), &reloads)?;
    tokio::task::block_in_place(|| resume_interrupted(&running.service));
    running.serve(socket.as_ref())?;
    ready(&config);
    let mut put_off = None;
    loop {
        let idle = running.service.idle();
        let reload = match next(&mut signals, &mut wishes, &mut running.tasks, idle, &mut put_off).await {
            Wish::End(heard) => {
                info!("asked to end ({})", heard.name());
                running.end(WaitsFor::Person, "the service is stopping").await;
                return Ok(());
            }
            // A scan under way is paused, in order, and goes on when the service has started again, as after a power
            // cut: nobody wanted the pause. What else was under way begins anew with the process.
            Wish::GiveUp(broken) => {
                error!("the service ends, to be started anew: {broken}");
                running.end(WaitsFor::Service, &format!("part of the service broke down: {broken}")).await;
                return Err(Failure { exit: Exit::Failed, message: broken });
            }
            Wish::Reload(reload) => reload,
        };
        let new = match check(path, &config, &running, reload.placed).await {
            Ok(new) => new,
            Err(Reply::Refused { reason: Reason::InUse, .. }) if reload.when_idle => {
                info!("the new configuration is put in force at the end of what is under way");
                put_off = Some(Reload::put_off(reload.placed));
                continue;
            }
            Err(reply) => {
                put_off = None;
                told(&reloads, reload, reply);
                continue;
            }
        };
        put_off = None;
        systemd::reloading();
        running.give_up().await;
        let reply;
        (running, reply) = match Running::start(new.clone(), &reloads, socket.as_ref()) {
            Ok(running) => {
                config = new;
                (running, Reply::done("the new configuration is in force"))
            }
            // The old one worked; if it does not any more, the service ends, and is started anew.
            Err(failure) => {
                let message = format!("the old configuration stays in force: {}", failure.message);
                let refused = Reply::Refused { reason: Reason::Config, message };
                (Running::start(config.clone(), &reloads, socket.as_ref())?, refused)
            }
        };
        told(&reloads, reload, reply);
        ready(&config);
    }
}

fn ready(config: &Config) {
    if config.is_undescribed() {
        info!("ready: no rig is described yet; the page does that (`scanner open`), or `scanner setup`");
        return systemd::ready("ready: no rig is described yet");
    }
    let plan = config.plans.first().map(|plan| plan.name.as_str()).unwrap_or_default();
    info!("ready: `scanner start` begins the plan {plan:?}");
    systemd::ready("ready");
}

enum Wish {
    End(Heard),
    Reload(Reload),
    /// Part of the service is gone, for this reason.
    GiveUp(String),
}

/// What is wished next. Once the rig is `idle`, that is the reload that was `put_off`, if any was.
async fn next(
    signals: &mut Signals,
    wishes: &mut mpsc::Receiver<Reload>,
    tasks: &mut Watched,
    idle: impl Future<Output = ()>,
    put_off: &mut Option<Reload>,
) -> Wish {
    tokio::select! {
        heard = signals.next() => match heard {
            Heard::Interrupt | Heard::Terminate | Heard::Quit => Wish::End(heard),
            Heard::HangUp => Wish::Reload(Reload::unattended()),
        },
        Some(reload) = wishes.recv() => Wish::Reload(reload),
        broken = tasks.broken() => Wish::GiveUp(broken),
        () = idle, if put_off.is_some() => Wish::Reload(put_off.take().unwrap_or_else(Reload::unattended)),
    }
}

/// The configuration as it is written now, if it can be put in force: from then on no scan begins.
async fn check(path: &Path, old: &Config, running: &Running, placed: bool) -> Result<Config, Reply> {
    let file = path.to_owned();
    let load = move || Config::load_even_undescribed(&file).map_err(|errors| errors.to_string());
    let loaded = tokio::task::spawn_blocking(load).await.unwrap_or_else(|error| Err(error.to_string()));
    let new = loaded.map_err(|errors| Reply::Refused {
        reason: Reason::Config,
        message: format!("the old configuration stays in force, since the new one has errors:\n{errors}"),
    })?;
    let certificate = |error: TlsError| Reply::Refused {
        reason: Reason::Config,
        message: format!("the certificate in force stays: {error}"),
    };
    // A certificate is renewed in the middle of a scan, too.
    let renewed = match &running.api {
        Some(api) if new.api.tls == old.api.tls => api.renew_certificate().map_err(certificate)?,
        Some(_) | None => {
            new.api.tls.as_ref().map_or(Ok(()), check_certificate).map_err(certificate)?;
            false
        }
    };
    if new == *old {
        let renewed = if renewed { "; its certificate was read again" } else { "" };
        return Err(Reply::done(&format!("the configuration has not changed{renewed}")));
    }
    if new.storage.runtime_directory != old.storage.runtime_directory {
        let message =
            "storage.runtime_directory has changed, where the service is looked for: restart it".into();
        return Err(Reply::Refused { reason: Reason::Config, message });
    }
    let by_hand = || old.motion.backend.placed_by_hand().or(new.motion.backend.placed_by_hand());
    if let Some(axis) = by_hand().filter(|_| !placed) {
        let message = format!(
            "it would be forgotten where the {axis} stands, which is put in its place by hand: do that, and restart the service"
        );
        return Err(Reply::Refused { reason: Reason::Config, message });
    }
    running.service.close_if_idle().map_err(|error| Reply::Refused {
        reason: Reason::from(&error),
        message: format!("the configuration is not read again in the middle of a scan: {error}"),
    })?;
    Ok(new)
}

/// Logs what became of a reload, and tells whoever waits for it.
fn told(reloads: &Reloads, reload: Reload, reply: Reply) {
    reloads.remember(&reply);
    match &reply {
        Reply::Ok { message, .. } => info!("reload: {message}"),
        Reply::Refused { message, .. } => error!("reload: {message}"),
    }
    reload.answer(reply);
}

/// A rig in service.
struct Running {
    /// Ends first: it has a part in the service.
    api: Option<Server>,
    service: Service,
    tasks: Watched,
    notifier: Notifier,
}

impl Running {
    fn start(config: Config, reloads: &Reloads, socket: Option<&TcpListener>) -> Result<Self, Failure> {
        let mut running = Self::open(config, reloads)?;
        running.serve(socket)?;
        Ok(running)
    }

    /// Opens the rig; nobody can ask for anything yet.
    fn open(config: Config, reloads: &Reloads) -> Result<Self, Failure> {
        let service = Service::reloadable(Station::open(config)?, reloads.clone());
        let notifier = notifier(&service);
        Ok(Self { service, tasks: Watched::default(), api: None, notifier })
    }

    /// From now on the rig does what it is asked for, at `socket`, too, if systemd passed one.
    fn serve(&mut self, socket: Option<&TcpListener>) -> Result<(), Failure> {
        let (service, tasks) = (&self.service, &mut self.tasks);
        let directory = &service.station().config().storage.runtime_directory;
        tasks.spawn("the control socket", MayEnd::Never, serve(service.clone(), directory)?);
        tasks.spawn("the panel", MayEnd::Unneeded, attend(service.clone()));
        tasks.spawn("the reaping of orphans", MayEnd::Unneeded, reap_orphans());
        tasks.spawn("the keeping of cameras", MayEnd::Never, service.standby().clone().keep());
        tasks.spawn("the keeping of hours", MayEnd::Unneeded, keep_hours(service.clone()));
        tasks.spawn("the wait for the disk", MayEnd::Unneeded, resume_when_there(service.clone()));
        tasks.spawn("the status line for systemd", MayEnd::Never, systemd::follow(service.clone()));
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
    async fn give_up(mut self) {
        drop(self.api.take());
        self.tasks.shutdown().await;
        self.end_masks().await;
        // They have nothing to do with the rig, but what is configured.
        if tokio::time::timeout(STOP_PATIENCE, self.service.exports().done()).await.is_err() {
            self.end_exports().await;
        }
        self.service.standby().close().await;
        self.notifier.end(TELL_PATIENCE).await;
        self.service.give_up().await;
    }

    /// Masks that are being made are given up; those that were made are whole, and stay.
    async fn end_masks(&self) {
        self.service.masks().give_up();
        if tokio::time::timeout(STOP_PATIENCE, self.service.masks().done()).await.is_err() {
            warn!("the making of masks did not end in {STOP_PATIENCE:?}");
        }
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
    async fn end(mut self, waits_for: WaitsFor, reason: &str) {
        systemd::stopping("stopping; a scan under way is paused");
        self.service.close();
        drop(self.api.take());
        self.tasks.shutdown().await;
        // Without a scan to pause, one may still be closing its cameras.
        let _ = self.service.pause_until(waits_for, reason);
        if tokio::time::timeout(STOP_PATIENCE, self.service.idle()).await.is_err() {
            warn!(
                "the scan did not pause in {STOP_PATIENCE:?}; what it has stored is safe, and it can be resumed"
            );
        }
        tokio::join!(self.end_masks(), self.end_exports());
        let _ = tokio::time::timeout(STOP_PATIENCE, self.service.standby().close()).await;
        self.notifier.end(TELL_PATIENCE).await;
        // Whatever hangs keeps the station, whose end would do so, too.
        tokio::task::block_in_place(|| self.service.station().end());
    }
}

/// Tells people of what happens to scans of `service` from now on.
pub(super) fn notifier(service: &Service) -> Notifier {
    let config = service.station().config();
    let named = service.clone();
    let name_of = move |scan: &str| named.status().scan.filter(|progress| progress.scan == scan)?.name;
    Notifier::start(
        &config.notify,
        &config.storage.state_directory,
        facts(&config.api),
        service.events(),
        name_of,
    )
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

/// Two workers serve every rig: the work is done by other threads and processes.
///
/// # Errors
/// There are no threads for it.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    raise_descriptors();
    threads::runtime(WORKERS, READY_THREADS, |_| {}).map_err(|error| no_threads(&error))
}

fn no_threads(error: &std::io::Error) -> Failure {
    let message = format!(
        "there are not enough threads to begin ({error}): look at `ulimit -u`, at TasksMax= of the unit, and at what else runs"
    );
    Failure { exit: Exit::Failed, message }
}

/// Ends the runtime without waiting for ever for a blocking call.
pub(super) fn shut_down(runtime: tokio::runtime::Runtime) {
    runtime.shutdown_timeout(SHUT_DOWN_PATIENCE);
}

/// As many descriptors as the system allows: frames, files and clients share them.
fn raise_descriptors() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised) {
        warn!("the limit of open files stays at {:?}: {error}", limit.current);
    }
}
