//! The socket at which other processes ask this one: one line of JSON in, one line of JSON out.

mod answer;
mod server;

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::message::{Reply, Request};

pub use server::serve;

/// Why the socket does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens at the socket.
    #[error(
        "no scanner is running on this rig (nobody listens at {}): start it with `scanner run`, or `systemctl start scanner` where it is installed",
        path.display()
    )]
    NotRunning {
        /// Where the socket is, or would be.
        path: PathBuf,
    },
    /// It takes too long.
    #[error("the scanner at {} has not answered in {} s; ask again, or look into its log", path.display(), patience.as_secs())]
    NoAnswer {
        /// Where the socket is.
        path: PathBuf,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It ended, or did not understand.
    #[error("the scanner at {} hung up without an answer: it has probably just ended", path.display())]
    HungUp {
        /// Where the socket is.
        path: PathBuf,
    },
    /// The socket cannot be used.
    #[error("cannot talk to the scanner at {}: {source}", path.display())]
    Io {
        /// Where the socket is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Asks the process that has the rig.
///
/// # Errors
/// Nobody is there, or it does not answer.
pub fn ask(runtime: &Path, request: &Request, patience: Duration) -> Result<Reply, ControlError> {
    let path = socket_path(runtime);
    let io_error = |source| ControlError::Io { path: path.clone(), source };
    let mut stream = UnixStream::connect(&path).map_err(|source| {
        if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
            return ControlError::NotRunning { path: path.clone() };
        }
        io_error(source)
    })?;
    stream.set_read_timeout(Some(patience)).map_err(io_error)?;
    stream.set_write_timeout(Some(patience)).map_err(io_error)?;
    let mut line = serde_json::to_string(request).map_err(|error| io_error(error.into()))?;
    line.push('\n');
    let lost = |source: io::Error| {
        let kind = source.kind();
        if matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            return ControlError::NoAnswer { path: path.clone(), patience };
        }
        if matches!(kind, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            return ControlError::HungUp { path: path.clone() };
        }
        io_error(source)
    };
    stream.write_all(line.as_bytes()).map_err(lost)?;
    let mut answer = String::new();
    if BufReader::new(stream).read_line(&mut answer).map_err(lost)? == 0 {
        return Err(ControlError::HungUp { path });
    }
    serde_json::from_str(&answer).map_err(|error| io_error(error.into()))
}

fn socket_path(runtime: &Path) -> PathBuf {
    runtime.join("control.sock")
}
