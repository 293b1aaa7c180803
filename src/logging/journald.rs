//! The log as journald wants it: each line with its fields, sent by a thread of its own.
//!
//! `tracing-journald` sends from the thread that logs, and waits there when journald does not read: a journald that
//! hangs would stop a scan. Here lines wait in a queue, for a journald that is restarted, too; if that overflows, lines
//! are lost, counted and reported, those from `warn` on last.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::datagram;
use super::entry::Entry;

/// Where journald listens for entries in its own format.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// Lines that may wait; as many again from `warn` on.
const LIMIT: usize = 4096;

/// Sends events to journald.
pub(super) struct Journald {
    queue: Arc<Queue>,
    identifier: String,
}

/// What has to be sent before the program ends. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pending(Arc<Queue>);

#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    /// One is being sent.
    sending: bool,
    lost: u64,
}

impl Journald {
    /// Sends to the journald at `socket`, which need not be there yet.
    pub(super) fn new(socket: &Path, identifier: &str) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let to = UnixDatagram::unbound()?;
        let (waiting, path, name) = (queue.clone(), socket.to_owned(), identifier.to_owned());
        std::thread::Builder::new()
            .name("journald".into())
            .spawn(move || send_all(&waiting, &to, &path, &name))?;
        Ok(Self { queue, identifier: identifier.to_owned() })
    }

    /// A handle to wait by.
    pub(super) fn pending(&self) -> Pending {
        Pending(self.queue.clone())
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = *event.metadata().level();
        let mut entry = Entry::new(event.metadata(), &self.identifier);
        event.record(&mut entry);
        self.queue.push(entry.into_bytes(), level);
    }
}

impl Pending {
    /// Waits until everything is sent, but not for longer than `patience`.
    pub(super) fn flush(&self, patience: Duration) {
        let end = Instant::now() + patience;
        let mut state = self.0.lock();
        while state.sending || !state.lines.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Queue {
    /// Nothing is left half done under this lock.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Vec<u8>, level: Level) {
        let limit = if level <= Level::WARN { 2 * LIMIT } else { LIMIT };
        let mut state = self.lock();
        if state.lines.len() < limit {
            state.lines.push_back(line);
            self.changed.notify_all();
        } else {
            state.lost += 1;
        }
    }

    /// The next line, and how many were lost before it.
    fn pop(&self) -> (Vec<u8>, u64) {
        let mut state = self.lock();
        state.sending = false;
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.sending = true;
                return (line, std::mem::take(&mut state.lost));
            }
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn send_all(queue: &Queue, socket: &UnixDatagram, path: &Path, identifier: &str) {
    let mut unsaid = 0;
    loop {
        let (line, lost) = queue.pop();
        unsaid += lost + u64::from(!datagram::send(socket, &line, path));
        if unsaid > 0 && datagram::send(socket, &Entry::lost(unsaid, identifier), path) {
            unsaid = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{error, info, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = vec![0; 1 << 16];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn an_event_arrives_with_its_fields_and_the_id_of_its_type() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let layer = Journald::new(&path, "scanner").unwrap();
        let pending = layer.pending();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let event = crate::event::Event::Moving { point: 70, points: 144 };
            event.log("2026-11-21-143005-owl");
            warn!(camera = "cam0", rung = %crate::config::Rung::Restart, "two\nlines");
        });
        let line = received(&journald);
        for field in
            ["PRIORITY=6\n", "MESSAGE=moving to point 70 of 144\n", "SCAN_ID=2026-11-21-143005-owl\n"]
        {
            assert!(line.contains(field), "no {field:?} in {line}");
        }
        assert!(line.contains("POINT=70\n") && line.contains("MESSAGE_ID="), "{line}");
        let line = received(&journald);
        assert!(line.contains("MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n"), "{line}");
        assert!(line.contains("CAMERA=cam0\nRUNG=restart\n") && line.contains("PRIORITY=4\n"), "{line}");
        assert!(!line.contains("MESSAGE_ID"), "{line}");
        pending.flush(Duration::from_secs(60));
    }

    #[test]
    fn a_line_that_fits_into_no_datagram_comes_in_sealed_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let layer = Journald::new(&path, "scanner").unwrap();
        let pending = layer.pending();
        let long = "0123456789".repeat(100_000);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            error!("{long}");
            info!("short");
        });
        let line = datagram::tests::received_in_memory(&journald);
        assert!(line.starts_with("PRIORITY=3\n") || line.contains("\nPRIORITY=3\n"), "{}", &line[..200]);
        assert!(line.contains(&long));
        // Nothing was lost, so nothing says so.
        assert!(received(&journald).contains("MESSAGE=short\n"));
        pending.flush(Duration::from_secs(60));
    }

    #[test]
    fn a_journald_that_is_away_or_does_not_read_stops_nobody_and_hears_of_warnings_when_it_is_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let layer = Journald::new(&path, "scanner").unwrap();
        let pending = layer.pending();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for number in 0..2 * LIMIT {
                info!(number, "normal");
            }
            error!("important");
        });
        let journald = UnixDatagram::bind(&path).unwrap();
        let mut lines = Vec::new();
        // The report comes behind the line before which something was lost: all are in.
        while !lines.last().is_some_and(|line: &String| line.contains("were lost")) {
            lines.push(received(&journald));
        }
        while !lines.last().is_some_and(|line| line.contains("MESSAGE=important\n")) {
            lines.push(received(&journald));
        }
        assert!(lines.len() >= LIMIT, "{}", lines.len());
        assert!(lines.len() <= LIMIT + 3, "{}", lines.len());
        pending.flush(Duration::from_secs(60));
    }
}
