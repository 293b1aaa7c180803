//! The datagrams to systemd, and the tasks that send them.

use std::path::PathBuf;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};

use crate::clock::now_ns;
use crate::daemon::{Request, Service, ask};
use crate::run::Pulse;

use super::StatusLine;
use super::watchdog::{Part, Verdict, decide};

/// Ticks in one watchdog time-out: one may come late, or be lost.
const TICKS: u32 = 3;

/// The service can be used.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] follows.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => warn!("cannot tell systemd of the reload, since there is no monotonic clock: {error}"),
    }
}

/// The service is about to end.
pub fn stopping(status: &str) {
    send(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!("cannot tell systemd ({states:?}): {error}; if this goes on, systemd will restart the service");
    }
}

/// Keeps the status line up to date until the task is dropped.
pub async fn follow(service: Service) {
    let mut events = service.events();
    let (mut line, mut said) = (StatusLine::default(), String::new());
    loop {
        match events.recv().await {
            Ok(told) => line.note(&told.event, Duration::from_nanos(now_ns())),
            // What was missed is made up for by the events that follow.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        }
        // A burst of events is one line.
        if !events.is_empty() {
            continue;
        }
        let text = line.text();
        if text != said {
            send(&[NotifyState::Status(&text)]);
            said = text;
        }
    }
}

/// Feeds systemd's watchdog, as often as it wants, while the program makes progress; until the task is dropped. `api` is
/// the pulse of the API. Ends at once where systemd watches nothing.
pub async fn feed(service: Service, runtime: PathBuf, api: Pulse) {
    let Some(time_out) = sd_notify::watchdog_enabled() else { return };
    let every = time_out / TICKS;
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let control = Pulse::default();
    control.beat(time_out);
    let mut late = Vec::new();
    loop {
        tick.tick().await;
        prove_control(&runtime, every, &control, time_out).await;
        let parts = [
            (Part::Scan, service.pulse().deadline_ns()),
            (Part::Control, control.deadline_ns()),
            (Part::Steps, service.station().axes().deadline_ns()),
            (Part::Api, api.deadline_ns()),
        ];
        match decide(now_ns(), &parts) {
            Verdict::Feed => {
                send(&[NotifyState::Watchdog]);
                if !late.is_empty() {
                    late.clear();
                    info!("it goes on again: the watchdog is fed");
                }
            }
            Verdict::Starve(parts) if parts == late => {}
            Verdict::Starve(parts) => {
                let names = parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                error!("no progress of {names}: the watchdog is not fed, and systemd restarts the service");
                late = parts;
            }
        }
    }
}

/// Asks ourselves as any other process would. Only an answer proves that one would be had.
async fn prove_control(runtime: &std::path::Path, patience: Duration, control: &Pulse, time_out: Duration) {
    let runtime = runtime.to_owned();
    let asked = tokio::task::spawn_blocking(move || ask(&runtime, &Request::Status, patience));
    match asked.await {
        Ok(Ok(_)) => control.beat(time_out),
        Ok(Err(error)) => warn!("asked for the watchdog: {error}"),
        Err(error) => warn!("asked for the watchdog: {error}"),
    }
}
