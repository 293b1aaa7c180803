//! `scanner-remote`: to the daemon, the driver of a camera; to the node, the lead.

mod frames;
mod opening;
mod options;
mod pinger;
mod relay;

use std::process::ExitCode;
use std::sync::Arc;

use scanner::camera_driver::host::DriverArgs;
use scanner::camera_driver::link::{Link, LinkError};
use scanner::camera_driver::protocol::{ErrorKind, FromDriver, ToDriver};
use tokio::sync::mpsc;
use tracing::error;

pub use options::{DEFAULT_KEY, Options};

/// Messages of the daemon that may wait to be passed on.
const WAITING: usize = 64;

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Over {
    /// The daemon has ended it.
    Quit,
    /// Something is wrong.
    Failed(ErrorKind, String),
}

impl Over {
    fn gone(message: impl Into<String>) -> Self {
        Self::Failed(ErrorKind::Gone, message.into())
    }
}

impl From<LinkError> for Over {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Closed => Self::Quit,
            LinkError::Malformed { .. }
            | LinkError::Truncated
            | LinkError::TooLong { .. }
            | LinkError::Io(_) => Self::Failed(ErrorKind::Protocol, error.to_string()),
        }
    }
}

/// Relays between the daemon, at the other end of `link`, and the camera's node, until either ends it. What is wrong is told to
/// the daemon as an error of the camera.
pub fn run(link: Link, args: &DriverArgs) -> ExitCode {
    let link = Arc::new(link);
    let (says, told) = mpsc::channel(WAITING);
    let reading = Arc::clone(&link);
    // It ends with the process at the latest: no one waits for it.
    let reader = std::thread::Builder::new().name("daemon".into()).spawn(move || listen(&reading, &says));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let over = match (reader, runtime) {
        (Ok(_), Ok(runtime)) => {
            let over = runtime.block_on(relay::relay(&link, args, told));
            runtime.shutdown_background();
            over
        }
        (Err(error), _) | (_, Err(error)) => {
            Over::Failed(ErrorKind::NoMemory, format!("no thread can be started: {error}"))
        }
    };
    match over {
        Over::Quit => ExitCode::SUCCESS,
        Over::Failed(kind, message) => {
            error!("{kind}: {message}");
            let fault = FromDriver::Error { kind, message, request: None, code: None, devices: Vec::new() };
            // If the daemon is gone as well, there is nobody left to tell.
            let _told = link.send_or_drop(&fault, &[]);
            ExitCode::FAILURE
        }
    }
}

/// Passes on what the daemon says, until it hangs up.
fn listen(link: &Link, says: &mpsc::Sender<ToDriver>) {
    loop {
        match link.recv::<ToDriver>() {
            Ok(Some((message, _))) => {
                if says.blocking_send(message).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                error!("{error}");
                match error {
                    LinkError::Malformed { .. } | LinkError::Truncated => {}
                    LinkError::Closed | LinkError::TooLong { .. } | LinkError::Io(_) => return,
                }
            }
        }
    }
}
