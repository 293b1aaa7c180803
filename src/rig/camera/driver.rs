//! A driver process and what serves it: the reader of its socket and the reader of its output. They come
//! together and end together.

use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tracing::{debug, info, warn};

use super::connection::Connection;
use super::error::{CameraError, RecoverError, Wedged};
use super::mailbox::Wait;
use super::process::{self, Ending, Evidence, end_by_pidfd};
use super::shared::Shared;
use super::spawner::{Spawned, find_driver};
use super::{leftover, output};
use crate::camera_driver::link::Link;
use crate::camera_driver::protocol::{ErrorKind, ToDriver};
use crate::procfs::{Holder, Identity, holders};

/// How long the log may take to read a driver's last words.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// `/proc/PID/comm` is cut to this many bytes.
const COMM_LENGTH: usize = 15;

/// What a driver is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To look at the camera: whoever uses it goes on.
    Look,
    /// To use the camera: holders of its device that the configuration gives free are ended.
    Take,
    /// The same, and the driver is told to reset the camera's port first, if an earlier one has said that this can be done.
    Reset,
}

/// A driver process and what serves it.
pub(super) struct Driver {
    pub(super) connection: Arc<Connection>,
    /// None once it is being joined.
    reader: Option<JoinHandle<()>>,
    output: tokio::task::JoinHandle<()>,
}

impl Driver {
    /// Starts the camera's driver, after ending what is in its `way`. Comes with the wait for `hello`.
    pub(super) async fn spawn(inner: &Arc<Shared>, way: Way) -> Result<(Self, Wait), RecoverError> {
        clear(inner, way).await?;
        let camera = inner.name();
        let program = find_driver(&inner.config.driver)
            .map_err(|message| CameraError::new(camera, ErrorKind::InvalidArgument, message))?;
        let failed = |error: io::Error| {
            let doing = format!("starting the driver {} failed", program.display());
            CameraError::system(camera, ErrorKind::Crashed, &doing, &error)
        };
        let (ours, theirs) = Link::pair().map_err(io::Error::other).map_err(failed)?;
        let mut arguments =
            ["--camera", &inner.config.id, "--options", &inner.options].map(String::from).to_vec();
        if let Some(port) = inner.board().hello.as_ref().and_then(|hello| hello.reset.clone())
            && way == Way::Reset
        {
            warn!(camera, port, "resetting the port of the camera");
            arguments.extend(["--reset".into(), port]);
        }
        let spawning = inner.spawner.spawn(&program, &arguments, theirs.into_socket());
        let Spawned { process, output } = tokio::time::timeout(inner.recovery.start_timeout, spawning)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(failed)?;
        let pid = process.pid();
        if let Err(error) = leftover::record(inner.spawner.runtime_directory(), camera, pid) {
            warn!(camera, pid, %error, "cannot write the driver's pid file: a later life will not know of it");
        }
        let (tally, audience) = (Arc::clone(&inner.tally), Arc::clone(&inner.audience));
        let stalled_after = inner.recovery.stalled_after_frames;
        let (connection, reader, hello) =
            Connection::start(camera, ours, process, tally, audience, stalled_after).map_err(failed)?;
        info!(camera, pid, driver = %program.display(), "driver started");
        let output = tokio::spawn(output::forward(camera.into(), output));
        Ok((Self { connection, reader: Some(reader), output }, hello))
    }

    /// Ends the process for certain, reaps it, and ends what serves it. A process that cannot be ended is
    /// shown as wedged.
    pub(super) async fn end(mut self, inner: &Arc<Shared>, ending: Ending) -> Result<(), Wedged> {
        let camera = inner.name();
        self.connection.say(&ToDriver::Quit);
        self.connection.shut_down();
        let (process, reader) = (Arc::clone(self.connection.process()), self.reader.take());
        let timeout = inner.recovery.kill_timeout;
        let ended = spawn_blocking(move || {
            let ended = process.end(ending, timeout);
            // It has nothing left to read: it ends whether or not the process did.
            let _ = reader.map(JoinHandle::join);
            ended
        });
        let process = self.connection.process();
        let pid = process.pid();
        match ended.await.unwrap_or_else(|_| Err(Evidence::of(pid))) {
            Ok(status) => {
                let _ = tokio::time::timeout(LAST_WORDS, &mut self.output).await;
                leftover::forget(inner.spawner.runtime_directory(), camera);
                info!(camera, pid, %status, "driver ended");
                Ok(())
            }
            Err(evidence) => {
                let wedged = Wedged { camera: camera.into(), pid, evidence };
                let process = Arc::clone(process);
                inner.set_wedged(&wedged, move || process.wait(Duration::ZERO).is_some());
                Err(wedged)
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.connection.shut_down();
        self.output.abort();
    }
}

/// Who has the camera's device nodes open, if they are known, in words that follow an error's.
pub(super) fn name_holders(inner: &Shared) -> String {
    let devices = devices(inner);
    if devices.is_empty() {
        return String::new();
    }
    let devices = devices.iter().map(|device| device.display().to_string()).collect::<Vec<_>>().join(", ");
    match foreign_holders(inner) {
        Ok(holders) if holders.is_empty() => format!("; nobody is seen to hold {devices}"),
        Ok(holders) => {
            let holders: Vec<_> = holders.iter().map(Holder::to_string).collect();
            format!("; {devices} is held by {}", holders.join(", "))
        }
        Err(error) => format!("; who holds {devices} cannot be looked at: {error}"),
    }
}

/// Everybody but this camera's driver who has its device nodes open.
///
/// # Errors
/// There was no looking: somebody may.
pub(super) fn foreign_holders(inner: &Shared) -> io::Result<Vec<Holder>> {
    let own = leftover::recorded(inner.spawner.runtime_directory(), inner.name())?;
    let mut found = Vec::new();
    for device in devices(inner) {
        found.extend(holders(&device)?);
    }
    found.retain(|holder| Some(holder.pid) != own);
    found.sort_by_key(|holder| holder.pid);
    found.dedup();
    Ok(found)
}

/// Ends this camera's driver of an earlier life, and what else is in the `way`.
async fn clear(inner: &Arc<Shared>, way: Way) -> Result<(), Wedged> {
    let clearing = Arc::clone(inner);
    let cleared = spawn_blocking(move || {
        let timeout = clearing.recovery.kill_timeout;
        leftover::end(clearing.spawner.runtime_directory(), clearing.name(), timeout)?;
        match way {
            Way::Look => {}
            Way::Take | Way::Reset => drop(end_permitted_holders(&clearing, timeout)),
        }
        Ok(())
    });
    let result: Result<(), Wedged> = cleared.await.unwrap_or(Ok(()));
    if let Err(wedged) = &result {
        let pid = wedged.pid;
        let hanging = Identity::of(pid);
        inner.set_wedged(wedged, move || match (&hanging, Identity::of(pid)) {
            (Ok(hanging), Ok(now)) => hanging.is_none() || now != *hanging,
            (Err(_), Ok(now)) => now.is_none(),
            // It has not ended because nobody can look.
            (Ok(_) | Err(_), Err(_)) => false,
        });
    }
    result
}

/// Ends the programs of `recovery.may_end` that hold the camera's device nodes, and says which it has ended. Blocks.
pub(super) fn end_permitted_holders(inner: &Shared, timeout: Duration) -> Vec<Holder> {
    if inner.recovery.may_end.is_empty() {
        return Vec::new();
    }
    let holders = foreign_holders(inner).unwrap_or_else(|error| {
        warn!(camera = inner.name(), %error, "who holds the camera cannot be looked at: nobody is ended");
        Vec::new()
    });
    let mut gone = Vec::new();
    for holder in holders {
        let Holder { pid, comm } = &holder;
        let listed = |name: &String| name.bytes().take(COMM_LENGTH).eq(comm.bytes());
        if !inner.recovery.may_end.iter().any(listed) {
            continue;
        }
        warn!(camera = inner.name(), pid, comm, "ending a program that holds the camera (recovery.may_end)");
        match end_holder(*pid, || Ok(foreign_holders(inner)?.contains(&holder)), timeout) {
            Ok(HolderFate::Ended) => gone.push(holder),
            Ok(HolderFate::LetGo) => {
                debug!(camera = inner.name(), pid, comm, "it holds the camera no longer");
            }
            Ok(HolderFate::Lives) => warn!(camera = inner.name(), pid, comm, "it cannot be ended"),
            Err(error) => {
                warn!(camera = inner.name(), pid, comm, %error, "it cannot be looked at, and is left alone");
            }
        }
    }
    gone
}

/// What became of a program that held a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HolderFate {
    /// It was ended, and the camera is free.
    Ended,
    /// It had let the camera go, or ended, before it was touched.
    LetGo,
    /// Not even SIGKILL ended it.
    Lives,
}

/// Ends process `pid` if it still holds the camera. Blocks.
fn end_holder(
    pid: i32,
    still_holds: impl FnOnce() -> io::Result<bool>,
    timeout: Duration,
) -> io::Result<HolderFate> {
    let Some(pidfd) = process::open(pid)? else { return Ok(HolderFate::LetGo) };
    // Asked after opening: the handle is of the process that holds the camera, and not of one that has got its id since.
    if !still_holds()? {
        return Ok(HolderFate::LetGo);
    }
    Ok(if end_by_pidfd(pidfd.as_fd(), timeout) { HolderFate::Ended } else { HolderFate::Lives })
}

/// The device nodes of the camera that only one process can use: as its driver says, in `hello` or in place of that, or its options.
fn devices(inner: &Shared) -> Vec<PathBuf> {
    let board = inner.board();
    let said = [Some(&board.devices), board.hello.as_ref().map(|hello| &hello.devices)];
    if let Some(devices) = said.into_iter().flatten().find(|devices| !devices.is_empty()) {
        return devices.clone();
    }
    drop(board);
    let device = inner.config.options.get("device").and_then(|device| device.as_str());
    device.map(PathBuf::from).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// As if a process had ended after it was seen to hold the camera, and another one had its id by now.
    #[test]
    fn a_process_that_got_the_id_of_a_holder_is_left_alone() {
        let mut innocent = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = innocent.id() as i32;
        let timeout = Duration::from_secs(10);
        assert_eq!(end_holder(pid, || Ok(false), timeout).unwrap(), HolderFate::LetGo);
        assert!(innocent.try_wait().unwrap().is_none());
        end_holder(pid, || Err(io::ErrorKind::Other.into()), timeout).unwrap_err();
        assert!(innocent.try_wait().unwrap().is_none(), "nobody could look whether it holds anything");
        assert_eq!(end_holder(pid, || Ok(true), timeout).unwrap(), HolderFate::Ended);
        innocent.wait().unwrap();
        assert_eq!(
            end_holder(pid, || panic!("there is nobody to ask about"), timeout).unwrap(),
            HolderFate::LetGo
        );
    }
}
