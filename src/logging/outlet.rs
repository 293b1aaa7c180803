//! A way out of the process that holds nobody: what is written waits in a queue, and one thread writes it.
//!
//! A pipe that nobody reads and a terminal stopped by Ctrl-S keep a writer waiting for ever; a terminal that is gone
//! fails every write. Here only the thread waits. What does not fit the queue is lost, counted and told of.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait.
const LIMIT: usize = 1 << 20;

/// Takes texts for one descriptor. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Outlet(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    texts: VecDeque<Vec<u8>>,
    /// Of all of them.
    bytes: usize,
    /// One is being written.
    writing: bool,
    /// Texts that found no room since the last report.
    lost: u64,
    /// Grows with each piece that was taken.
    taken: u64,
    /// Why the newest write failed.
    failed: Option<io::ErrorKind>,
}

impl Outlet {
    /// Writes to `to` on a thread of this name.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn new(name: &str, to: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let theirs = queue.clone();
        std::thread::Builder::new().name(name.into()).spawn(move || theirs.write_all(to))?;
        Ok(Self(queue))
    }

    /// Takes `text`, or counts it as lost. Never waits for a reader.
    pub(crate) fn push(&self, text: Vec<u8>) {
        let mut state = self.0.lock();
        // One text of any length is let in, so that nothing is too long as such.
        if state.bytes > 0 && state.bytes + text.len() > LIMIT {
            state.lost += 1;
            return;
        }
        state.bytes += text.len();
        state.texts.push_back(text);
        self.0.changed.notify_all();
    }

    /// As [`Self::push`], but only if nothing waits: for what is out of date a moment later.
    pub(crate) fn push_if_idle(&self, text: Vec<u8>) {
        let mut state = self.0.lock();
        if state.texts.is_empty() && !state.writing {
            state.bytes += text.len();
            state.texts.push_back(text);
            self.0.changed.notify_all();
        }
    }

    /// Waits until all is written. Gives up when nothing was taken for `patience`; without one it never does.
    ///
    /// # Errors
    /// Why a write since the last call failed; `TimedOut` if it was given up.
    pub(crate) fn flush(&self, patience: Option<Duration>) -> io::Result<()> {
        let mut state = self.0.lock();
        let (mut taken, mut since) = (state.taken, Instant::now());
        while state.writing || !state.texts.is_empty() {
            if state.taken != taken {
                (taken, since) = (state.taken, Instant::now());
            }
            let Some(patience) = patience else {
                state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = patience.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.failed.take().map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl Queue {
    /// Nothing is left half done under this lock.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut to: impl Write) {
        loop {
            let (text, lost) = self.next();
            self.write(&mut to, &text);
            if lost > 0 {
                let report = format!("{lost} lines of the log were lost while nobody read them\n");
                self.write(&mut to, report.as_bytes());
            }
        }
    }

    /// The next text, and how many were lost behind it.
    fn next(&self) -> (Vec<u8>, u64) {
        let mut state = self.lock();
        state.writing = false;
        loop {
            if let Some(text) = state.texts.pop_front() {
                state.bytes -= text.len();
                state.writing = true;
                let lost = if state.texts.is_empty() { std::mem::take(&mut state.lost) } else { 0 };
                return (text, lost);
            }
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes in pieces, so that a reader that is slow can be told from none.
    fn write(&self, to: &mut impl Write, text: &[u8]) {
        for piece in text.chunks(4096) {
            let written = to.write_all(piece).and_then(|()| to.flush());
            let mut state = self.lock();
            state.taken += 1;
            if let Err(error) = written {
                // A terminal that is gone does not come back, and nobody is left to be told.
                state.failed = Some(error.kind());
                return;
            }
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_holds_nobody_and_its_loss_is_told() {
        let (mut reader, writer) = io::pipe().unwrap();
        let outlet = Outlet::new("test", writer).unwrap();
        let line = vec![b'x'; 1000];
        // A pipe holds 64 KiB, the queue 1 MiB.
        for _ in 0..5000 {
            outlet.push([line.as_slice(), b"\n"].concat());
        }
        assert_eq!(
            outlet.flush(Some(Duration::from_millis(50))).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !text.contains("were lost") {
                let length = io::Read::read(&mut reader, &mut buffer).unwrap();
                seen.extend_from_slice(&buffer[..length]);
                text = String::from_utf8_lossy(&seen[seen.len().saturating_sub(8192)..]).into_owned();
            }
        });
        reading.join().unwrap();
        outlet.flush(None).unwrap();
    }

    #[test]
    fn a_reader_that_is_gone_is_no_more_than_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let outlet = Outlet::new("test", writer).unwrap();
        outlet.push(b"text".to_vec());
        assert_eq!(outlet.flush(None).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        outlet.push_if_idle(b"text".to_vec());
    }
}
