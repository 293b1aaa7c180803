//! The process around a device: command line, socket, threads, end.

use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use command_fds::inherited::{init_inherited_fds, take_fd_ownership};
use rustix::process::{Signal, getpid, kill_process, set_parent_process_death_signal};
use serde::de::DeserializeOwned;

use super::device::{Device, DeviceError};
use super::owner::Owner;
use super::voice::error_message;
use crate::camera_driver::link::{Link, LinkError};
use crate::camera_driver::protocol::{ErrorKind, SOCKET_FD, ToDriver};

/// How long a camera may take to stop at the end, before the process ends without that.
pub const STOP_DEADLINE: Duration = Duration::from_secs(1);

/// The program that a driver is.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Name of the executable.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
}

/// A driver's command line.
#[derive(Debug, Clone, Parser)]
#[command(
    version,
    after_help = "Camera drivers are started by scanner, which passes a socket as descriptor 3."
)]
pub struct DriverArgs {
    /// Which camera to drive, in the driver's own words.
    #[arg(long, value_name = "ID")]
    pub camera: String,
    /// The driver's options as a JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub options: String,
    /// Reset this port of the camera before it is opened, as its `hello` named it.
    #[arg(long, value_name = "PORT")]
    pub reset: Option<String>,
}

/// How serving a camera ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As told, with the camera stopped.
    Stopped,
    /// The device could not be built, or its code panicked.
    Failed,
    /// The camera did not stop in time; its thread still runs.
    Stuck,
}

/// The whole life of a driver process: `build` makes its device, on the thread that is to own it.
///
/// The kernel kills the process when the thread that started it ends, so a daemon starts drivers from a
/// thread that lives as long as they should.
pub fn run<D: Device>(
    program: Program,
    build: impl FnOnce(&DriverArgs) -> Result<D, DeviceError> + Send + 'static,
) -> ExitCode {
    let (args, link) = match enter(program) {
        Ok(entered) => entered,
        Err(code) => return code,
    };
    match serve(link, move || build(&args)) {
        Ended::Stopped => ExitCode::SUCCESS,
        Ended::Failed => ExitCode::FAILURE,
        Ended::Stuck => {
            // Not exit(): that would run exit handlers of camera libraries beside the thread stuck in them.
            tracing::error!("the camera did not stop in {STOP_DEADLINE:?}: ending without it");
            let _sent = kill_process(getpid(), Signal::KILL);
            ExitCode::FAILURE
        }
    }
}

/// What every driver begins with: its command line, its log, its end of the link; and that it ends with who started it. To be
/// called before anything else, once.
///
/// # Errors
/// It was not started as a driver, which it has said: what it is to exit with.
pub fn enter(program: Program) -> Result<(DriverArgs, Link), ExitCode> {
    #[expect(unsafe_code, reason = "descriptor 3 becomes an owned one")]
    // SAFETY: nothing has opened or owns a descriptor yet: this is the first thing that the program does.
    let inherited = unsafe { init_inherited_fds() };
    let matches = DriverArgs::command().name(program.name).about(program.about).get_matches();
    let args = DriverArgs::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    super::log::init();
    let link = inherited.map_err(|error| error.to_string()).and_then(|()| {
        let socket = take_fd_ownership(SOCKET_FD).map_err(|error| error.to_string())?;
        Link::new(socket).map_err(|error| error.to_string())
    });
    let link = link.map_err(|error| {
        tracing::error!(
            "descriptor {SOCKET_FD} is no camera link ({error}): {} is started by scanner, not by hand",
            program.name
        );
        ExitCode::from(2)
    })?;
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::warn!("this process may outlive scanner if that is killed: {error}");
    }
    Ok((args, link))
}

/// Serves the device that `build` makes, until the link ends or `quit` arrives.
pub fn serve<D: Device>(
    link: Link,
    build: impl FnOnce() -> Result<D, DeviceError> + Send + 'static,
) -> Ended {
    let link = Arc::new(link);
    let (commands, received) = mpsc::channel();
    let (done, finished) = mpsc::channel();
    let owner_link = Arc::clone(&link);
    let spawned = thread::Builder::new().name("camera".into()).spawn(move || {
        // Whatever ends this thread, a panic too, also ends the main thread's wait for messages.
        let on_drop = ShutDown(Arc::clone(&owner_link));
        let ended = own(owner_link, received, build);
        drop(on_drop);
        let _waited_for = done.send(ended);
    });
    if let Err(error) = spawned {
        tracing::error!("starting the camera's thread: {error}");
        return Ended::Failed;
    }
    forward(&link, &commands);
    drop(commands);
    match finished.recv_timeout(STOP_DEADLINE) {
        Ok(ended) => ended,
        Err(mpsc::RecvTimeoutError::Timeout) => Ended::Stuck,
        Err(mpsc::RecvTimeoutError::Disconnected) => Ended::Failed,
    }
}

/// The options in `json`; an error names the key that is wrong.
pub fn parse_options<T: DeserializeOwned>(json: &str) -> Result<T, DeviceError> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json))
        .map_err(|error| DeviceError::invalid(format!("option {}: {}", error.path(), error.inner())))
}

/// Passes messages on to the owner until there are no more.
fn forward(link: &Link, commands: &mpsc::Sender<ToDriver>) {
    loop {
        match link.recv::<ToDriver>() {
            Ok(Some((ToDriver::Quit, _)) | None) => return,
            Ok(Some((command, _))) => {
                if commands.send(command).is_err() {
                    return;
                }
            }
            Err(error @ (LinkError::Malformed { .. } | LinkError::Truncated)) => {
                tracing::error!("{error}");
                let error = DeviceError::new(ErrorKind::Protocol, error.to_string());
                if link.send_or_drop(&error_message(error, None), &[]).is_err() {
                    return;
                }
            }
            Err(error @ (LinkError::Closed | LinkError::TooLong { .. } | LinkError::Io(_))) => {
                tracing::error!("{error}");
                return;
            }
        }
    }
}

fn own<D: Device>(
    link: Arc<Link>,
    commands: mpsc::Receiver<ToDriver>,
    build: impl FnOnce() -> Result<D, DeviceError>,
) -> Ended {
    let device = match build() {
        Ok(device) => device,
        Err(error) => {
            tracing::error!("{}: {error}", error.kind);
            // If the daemon is gone as well, there is nobody left to tell.
            let _told = link.send(&error_message(error, None), &[]);
            return Ended::Failed;
        }
    };
    match Owner::new(device, link, commands).and_then(Owner::run) {
        Ok(()) | Err(LinkError::Closed) => Ended::Stopped,
        Err(error) => {
            tracing::error!("{error}");
            Ended::Failed
        }
    }
}

/// Shuts the link down when dropped.
struct ShutDown(Arc<Link>);

impl Drop for ShutDown {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}
