//! What a driver prints, line by line into the log: its last words explain a crash.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use tokio::net::unix::pipe;
use tracing::{debug, error, info, warn};

/// Longest line in bytes; what is beyond is cut.
const MAX_LINE: usize = 1024;
/// Lines per [`WINDOW`]; what is beyond is dropped and counted.
const MAX_LINES: u32 = 100;
const WINDOW: Duration = Duration::from_secs(1);

/// Logs what comes out of `pipe` until every writer has closed it.
pub async fn forward(camera: String, pipe: OwnedFd) {
    let receiver = match pipe::Receiver::from_owned_fd(pipe) {
        Ok(receiver) => receiver,
        Err(error) => return warn!(camera, %error, "the driver's output will not be in the log"),
    };
    let mut lines = Lines::default();
    let mut limit = Limit::new(Instant::now());
    let mut bytes = [0; 4096];
    loop {
        let read = match receiver.readable().await.and_then(|()| receiver.try_read(&mut bytes)) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => {
                warn!(camera, %error, "reading the driver's output failed");
                break;
            }
        };
        for line in lines.push(&bytes[..read]) {
            log(&camera, &mut limit, &line);
        }
    }
    if let Some(line) = lines.rest() {
        log(&camera, &mut limit, &line);
    }
}

fn log(camera: &str, limit: &mut Limit, line: &str) {
    match limit.admit(Instant::now()) {
        Admission::No => {}
        Admission::Yes { dropped } => {
            if dropped > 0 {
                warn!(target: "scanner::camera_driver", camera, dropped, "the driver prints too much: lines were dropped");
            }
            let (gravity, line) = gravity(line);
            match gravity {
                Gravity::Error => error!(target: "scanner::camera_driver", camera, "{line}"),
                Gravity::Warning => warn!(target: "scanner::camera_driver", camera, "{line}"),
                Gravity::Notice => info!(target: "scanner::camera_driver", camera, "{line}"),
                Gravity::Debug => debug!(target: "scanner::camera_driver", camera, "{line}"),
            }
        }
    }
}

/// How grave a driver calls what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gravity {
    Error,
    Warning,
    Notice,
    Debug,
}

/// How grave a line is, and the line itself: drivers may put the priority of syslog(3) in front, as in
/// sd-daemon(3). Without one, it is a notice.
fn gravity(line: &str) -> (Gravity, &str) {
    let prefixed = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match prefixed {
        Some(("0" | "1" | "2" | "3", line)) => (Gravity::Error, line),
        Some(("4", line)) => (Gravity::Warning, line),
        Some(("5" | "6", line)) => (Gravity::Notice, line),
        Some(("7", line)) => (Gravity::Debug, line),
        Some(_) | None => (Gravity::Notice, line),
    }
}

/// Bytes to lines of at most [`MAX_LINE`] bytes.
#[derive(Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// The lines that `bytes` complete.
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                complete.extend(self.rest());
            } else if self.partial.len() < MAX_LINE {
                self.partial.push(byte);
            }
        }
        complete
    }

    /// The line begun, unless it is blank.
    fn rest(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.partial);
        let line = String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned();
        (!line.is_empty()).then_some(line)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Admission {
    Yes { dropped: u64 },
    No,
}

/// At most [`MAX_LINES`] per [`WINDOW`].
struct Limit {
    window: Instant,
    admitted: u32,
    dropped: u64,
}

impl Limit {
    fn new(now: Instant) -> Self {
        Self { window: now, admitted: 0, dropped: 0 }
    }

    fn admit(&mut self, now: Instant) -> Admission {
        if now.saturating_duration_since(self.window) >= WINDOW {
            (self.window, self.admitted) = (now, 0);
        }
        if self.admitted == MAX_LINES {
            self.dropped += 1;
            return Admission::No;
        }
        self.admitted += 1;
        Admission::Yes { dropped: std::mem::take(&mut self.dropped) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_grave_it_is() {
        assert_eq!(gravity("<3>no camera"), (Gravity::Error, "no camera"));
        assert_eq!(gravity("<4>late"), (Gravity::Warning, "late"));
        assert_eq!(gravity("<6>ok"), (Gravity::Notice, "ok"));
        assert_eq!(gravity("<7>"), (Gravity::Debug, ""));
        for plain in ["plain", "<8>odd", "<html>", "<3 no end", ""] {
            assert_eq!(gravity(plain), (Gravity::Notice, plain));
        }
    }

    #[test]
    fn lines_are_put_together_cut_and_kept_from_being_blank() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\n\n  \ntw"), ["one"]);
        assert_eq!(lines.push(b"o\r\n"), ["two"]);
        assert_eq!(lines.push(&[b'x'; 5000]), [""; 0]);
        assert_eq!(lines.push(b"\nnot \xff text"), ["x".repeat(MAX_LINE)]);
        assert_eq!(lines.rest().as_deref(), Some("not \u{fffd} text"));
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_flood_is_dropped_counted_and_over_in_the_next_window() {
        let start = Instant::now();
        let mut limit = Limit::new(start);
        for _ in 0..MAX_LINES {
            assert_eq!(limit.admit(start), Admission::Yes { dropped: 0 });
        }
        assert_eq!(limit.admit(start), Admission::No);
        assert_eq!(limit.admit(start), Admission::No);
        assert_eq!(limit.admit(start + WINDOW), Admission::Yes { dropped: 2 });
        assert_eq!(limit.admit(start + WINDOW), Admission::Yes { dropped: 0 });
    }
}
