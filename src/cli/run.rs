//! `scanner run`: the service.

mod running;

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::api::{TlsError, check_certificate};
use crate::config::Config;
use crate::daemon::{Reason, Reload, Reloads, Reply, Service, facts, resume_interrupted};
use crate::notify::Notifier;
use crate::scan::WaitsFor;
use crate::systemd;
use crate::threads;

use self::running::Running;
use super::exit::{Exit, Failure};
use super::signals::{Heard, Signals};
use super::watched::Watched;

/// How long the end of a scan or of the service waits for those who are told of it.
pub(super) const TELL_PATIENCE: Duration = Duration::from_secs(5);
/// How long left-over blocking work may delay the end of the process.
const SHUT_DOWN_PATIENCE: Duration = Duration::from_secs(2);
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
                let put_in_force = "the new configuration is put in force at the end of what is under way";
                info!("{put_in_force}");
                let was_placed = put_off.is_some_and(|earlier| earlier.placed);
                put_off = Some(Reload::put_off(reload.placed || was_placed));
                reload.answer(Reply::done(put_in_force));
                continue;
            }
            Err(reply) => {
                // One that is refused takes no promise back.
                if matches!(reply, Reply::Ok { .. }) {
                    put_off = None;
                }
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
