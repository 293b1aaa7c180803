//! The receivers of a running program: a thread for each, its outbox, and its files.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::config;

use super::message::Message;
use super::outbox::{Fate, Next, Outbox};
use super::spool::Spool;
use super::way::deliver;

/// Everybody who is told.
#[derive(Debug)]
pub(super) struct Desk {
    receivers: Vec<Arc<Receiver>>,
}

#[derive(Debug)]
struct Receiver {
    config: config::Notify,
    spool: Spool,
    state: Mutex<State>,
    /// Something has come, or an end was set.
    changed: Condvar,
    began: Instant,
}

#[derive(Debug)]
struct State {
    outbox: Outbox<Message>,
    /// From when on nothing more is tried, and a try under way is over.
    end: Option<Instant>,
}

impl Desk {
    /// Begins with what was left. Each thread holds `alive` for as long as it lives.
    pub(super) fn open(notify: &[config::Notify], state: &Path, alive: &mpsc::Sender<()>) -> Self {
        let names: Vec<&str> = notify.iter().map(|notify| notify.name.as_str()).collect();
        super::spool::sweep(state, &names);
        let mut receivers = Vec::new();
        for config in notify {
            let spool = Spool::of(state, &config.name);
            let (left, next) = spool.left();
            let outbox = Outbox::new(left, next);
            let receiver = Arc::new(Receiver {
                config: config.clone(),
                spool,
                state: Mutex::new(State { outbox, end: None }),
                changed: Condvar::new(),
                began: Instant::now(),
            });
            let (worker, alive) = (receiver.clone(), alive.clone());
            let thread = thread::Builder::new().name(format!("notify {}", config.name)).spawn(move || {
                worker.work();
                drop(alive);
            });
            match thread {
                Ok(_) => receivers.push(receiver),
                // The scanner scans all the same.
                Err(error) => error!(
                    notify = config.name,
                    "{:?} is told nothing: there is no thread for it: {error}", config.name
                ),
            }
        }
        Self { receivers }
    }

    /// Hands `message` to everybody who wants to hear of such things. Waits for the disk, and for no receiver.
    pub(super) fn post(&self, message: &Message) {
        for receiver in &self.receivers {
            if message.occasion.is_none_or(|occasion| receiver.config.on.contains(&occasion)) {
                receiver.push(message);
            }
        }
    }

    /// From `end` on nothing is tried; until then, what can be without a pause.
    pub(super) fn finish(&self, end: Instant) {
        for receiver in &self.receivers {
            receiver.lock().end = Some(end);
            receiver.changed.notify_all();
        }
    }

    /// Says what has not been delivered.
    pub(super) fn tell_of_rest(&self) {
        for Receiver { config: config::Notify { name, .. }, state, .. } in
            self.receivers.iter().map(AsRef::as_ref)
        {
            let count = state.lock().unwrap_or_else(PoisonError::into_inner).outbox.len();
            if count > 0 {
                warn!(
                    notify = name,
                    "{count} notifications for {name:?} are not delivered: they are tried again at the next start"
                );
            }
        }
    }
}

impl Receiver {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: &Message) {
        let name = &self.config.name;
        let mut state = self.lock();
        let number = state.outbox.next_number();
        // Before anybody tries it: else it could be forgotten first, and then kept.
        if let Err(error) = self.spool.keep(number, message) {
            warn!(
                notify = name,
                "a notification would not outlive the program, since it cannot be kept: {error}"
            );
        }
        if let Some(lost) = state.outbox.push(message.clone()) {
            error!(
                notify = name,
                "too many notifications wait for {name:?}: {:?} is given up", lost.what.title
            );
            self.forget(lost.number);
        }
        drop(state);
        self.changed.notify_all();
    }

    fn forget(&self, number: u64) {
        if let Err(error) = self.spool.forget(number) {
            warn!(
                notify = self.config.name,
                "a notification may be delivered twice, since its file cannot be removed: {error}"
            );
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Delivers until the end.
    fn work(&self) {
        while let Some(message) = self.next() {
            let begun = Instant::now();
            let limit = || {
                let own = begun + self.config.timeout;
                self.lock().end.map_or(own, |end| own.min(end))
            };
            let outcome = deliver(&self.config, &message, &limit);
            let mut state = self.lock();
            let fate = state.outbox.ended(outcome, self.now());
            let (name, way) = (&self.config.name, self.config.way.name());
            match fate {
                Some(Fate::Delivered(done)) => {
                    self.forget(done.number);
                    info!(notify = name, "told {name:?} ({way}): {}", done.what.title);
                }
                Some(Fate::Again { pause, reason }) => {
                    warn!(
                        notify = name,
                        "cannot tell {name:?} ({way}): {reason}; tried again in {} s",
                        pause.as_secs()
                    );
                }
                Some(Fate::GivenUp { lost, reason }) => {
                    self.forget(lost.number);
                    error!(notify = name, "{name:?} ({way}) is not told {:?}: {reason}", lost.what.title);
                }
                None => {}
            }
        }
    }

    /// Waits for what is to be tried next; none at the end.
    fn next(&self) -> Option<Message> {
        let mut state = self.lock();
        loop {
            if state.end.is_some_and(|end| end <= Instant::now()) {
                return None;
            }
            let pause = match state.outbox.next(self.now()) {
                Next::Try(first) => return Some(first.what),
                Next::Nothing => None,
                Next::In(pause) => Some(pause),
            };
            if state.end.is_some() {
                return None;
            }
            state = match pause {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => {
                    self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
