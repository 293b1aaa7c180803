//! Runs the command that reconstructs, and leaves nothing of it running.
//!
//! Between worker and command stands a process of its own (`scanner-fleet supervise`), which reads from a pipe that only the worker
//! holds. Once that is closed, since the worker wants it so or was killed, it kills the command with all that this has started.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::{io, thread};

use rustix::process::{Pid, Signal, kill_process_group};

/// What the process between ends with where the command cannot be started: none of `sh`'s own numbers.
const NOT_STARTED: u8 = 251;
/// The same, where a signal has ended the command: and its number.
const SIGNALLED: i32 = 128;

/// The command, on its way.
pub struct Started {
    /// The process between.
    child: Child,
    /// Closed, it ends all of it.
    leash: Option<ChildStdin>,
}

/// How the command has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Well,
    /// It says that it has failed.
    Badly(String),
    /// It could not even be started.
    NotStarted,
}

/// Starts `command` in the folder `work`, with the variables `environment`; what it says goes to `log`.
pub fn start(
    command: &[String],
    work: &Path,
    environment: &[(&str, &Path)],
    log: File,
) -> io::Result<Started> {
    let mut between = Command::new(std::env::current_exe()?);
    between.arg("supervise").arg("--").args(command).current_dir(work);
    between.envs(environment.iter().copied());
    // What a terminal tells the worker is the worker's to pass on.
    between.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
    let mut child = between.spawn()?;
    let leash = child.stdin.take();
    Ok(Started { child, leash })
}

impl Started {
    /// What ends the command once it is dropped.
    pub fn leash(&mut self) -> Option<ChildStdin> {
        self.leash.take()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> io::Result<Ended> {
        // Not that of this end: the leash is held elsewhere.
        let status = self.child.wait()?;
        Ok(match status.code() {
            Some(0) => Ended::Well,
            Some(code) if code == i32::from(NOT_STARTED) => Ended::NotStarted,
            Some(code) => Ended::Badly(format!("the command has ended with {code}")),
            None => {
                Ended::Badly(format!("the command's supervisor was ended by signal {:?}", status.signal()))
            }
        })
    }
}

/// The process between: runs `command` until it ends, or until its own standard input does.
pub fn supervise(command: &[String]) -> ExitCode {
    let Some((program, arguments)) = command.split_first() else { return ExitCode::from(NOT_STARTED) };
    let mut child = Command::new(program);
    child.args(arguments).stdin(Stdio::null()).process_group(0);
    let mut child = match child.spawn() {
        Ok(child) => child,
        Err(error) => {
            tracing::error!("{program} cannot be started: {error}");
            return ExitCode::from(NOT_STARTED);
        }
    };
    let group = Pid::from_child(&child);
    let watcher = thread::Builder::new().name("leash".into()).spawn(move || {
        let mut nothing = [0; 64];
        while io::stdin().read(&mut nothing).is_ok_and(|count| count > 0) {}
        end(group);
    });
    if watcher.is_err() {
        end(group);
    }
    let status = child.wait();
    // What it has left behind.
    end(group);
    status.map_or(ExitCode::FAILURE, |status| ExitCode::from(code(status)))
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| SIGNALLED + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(u8::MAX)
}

fn end(group: Pid) {
    // Nothing may be left of it.
    let _ = kill_process_group(group, Signal::KILL);
}
