//! From the events of scans to the desk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::config;
use crate::event::Told;

use super::desk::Desk;
use super::message::{Facts, Message};

/// Tells everybody who is configured, until [`Self::end`].
#[derive(Debug)]
pub struct Notifier {
    desk: Arc<Desk>,
    follower: JoinHandle<()>,
    stop: CancellationToken,
    /// Closed once every thread of the desk has ended.
    ended: mpsc::Receiver<()>,
}

impl Notifier {
    /// Follows `events` from now on, and goes on with what an earlier run has left in the state directory. `name_of` says what
    /// people call a scan.
    pub fn start(
        notify: &[config::Notify],
        state: &Path,
        facts: Facts,
        events: broadcast::Receiver<Told>,
        name_of: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let (alive, ended) = mpsc::channel(1);
        let desk = Arc::new(Desk::open(notify, state, &alive));
        let stop = CancellationToken::new();
        let follower = tokio::spawn(follow(events, desk.clone(), facts, name_of, stop.clone()));
        Self { desk, follower, stop, ended }
    }

    /// Has everything told that has happened so far, as far as that can be done within `patience`. What is not delivered then
    /// is kept for the next start, and said.
    pub async fn end(mut self, patience: Duration) {
        let end = Instant::now() + patience;
        self.stop.cancel();
        // What is under way gets a little longer, to be ended in order.
        let over = tokio::time::Instant::from_std(end + Duration::from_secs(1));
        match tokio::time::timeout_at(over, &mut self.follower).await {
            Ok(Ok(())) => {}
            Ok(Err(broken)) => error!("the notifications broke down: {broken}"),
            Err(_) => {
                warn!("the disk does not take a notification: it may be lost");
                self.follower.abort();
            }
        }
        self.desk.finish(end);
        // Nothing is ever sent: it closes.
        let _ = tokio::time::timeout_at(over, self.ended.recv()).await;
        self.desk.tell_of_rest();
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.stop.cancel();
        self.desk.finish(Instant::now());
    }
}

async fn follow(
    mut events: broadcast::Receiver<Told>,
    desk: Arc<Desk>,
    facts: Facts,
    name_of: impl Fn(&str) -> Option<String>,
    stop: CancellationToken,
) {
    loop {
        let told = tokio::select! {
            // First, so that what has happened is told before the end.
            biased;
            told = events.recv() => told,
            () = stop.cancelled() => return,
        };
        let told = match told {
            Ok(told) => told,
            Err(broadcast::error::RecvError::Lagged(count)) => {
                warn!("{count} events have passed unseen: a notification may be missing");
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let Some(message) = Message::of(&told, name_of(&told.scan).as_deref(), &facts, new_id()) else {
            continue;
        };
        let desk = desk.clone();
        if let Err(broken) = tokio::task::spawn_blocking(move || desk.post(&message)).await {
            error!("a notification is lost: {broken}");
        }
    }
}

/// One that no other message has.
pub(super) fn new_id() -> String {
    let mut bytes = [0; 16];
    // Without chance, time will do.
    if getrandom::fill(&mut bytes).is_err() {
        return jiff::Timestamp::now().as_nanosecond().to_string();
    }
    format!("{:032x}", u128::from_ne_bytes(bytes))
}
