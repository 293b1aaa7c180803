//! Starting drivers, from one thread that lives as long as the rig.
//!
//! A driver dies with the *thread* that forked it (`PR_SET_PDEATHSIG`), so that none outlives the daemon,
//! however that ends. A thread of a runtime's pool may end earlier; this one ends when the last [`Spawner`]
//! is dropped.

use std::env;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::fs::{Access, access};
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use tokio::sync::oneshot;
use tracing::debug;

use super::process::Process;
use crate::camera_driver::protocol::SOCKET_FD;
use crate::config::did_you_mean;
use crate::ownership;

/// Our own, as `driver` of a camera names them.
const OURS: [&str; 5] = ["sim", "libcamera", "gphoto2", "remote", "replay"];

/// Variables by which systemd talks to the daemon, and to nobody else.
const NOT_FOR_DRIVERS: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// Makes a driver the first to go; systemd gives the daemon -500, which its children would inherit.
const OOM_SCORE_ADJUST: &str = "500";

/// Starts drivers. Cheap to clone; drivers end with the last clone.
#[derive(Debug, Clone)]
pub struct Spawner {
    jobs: mpsc::Sender<Job>,
    runtime_directory: Arc<Path>,
}

#[derive(Debug)]
struct Job {
    command: Command,
    reply: oneshot::Sender<io::Result<Process>>,
}

/// A driver that was started.
#[derive(Debug)]
pub struct Spawned {
    /// The process, which ends with this.
    pub process: Process,
    /// What the driver prints, out and err together.
    pub output: OwnedFd,
}

impl Spawner {
    /// Starts the thread. `runtime_directory` is where the drivers' pid files are kept; it is created.
    pub fn new(runtime_directory: &Path) -> io::Result<Self> {
        ownership::create_folders(runtime_directory)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("spawner".into()).spawn(move || {
            for Job { mut command, reply } in queue {
                let spawned = command.spawn().inspect(|child| prefer_when_out_of_memory(child.id()));
                // Closes our copies of the child's descriptors.
                drop(command);
                // If nobody waits any longer the process is dropped, which ends it.
                let _ = reply.send(spawned.and_then(Process::new));
            }
        })?;
        Ok(Self { jobs, runtime_directory: runtime_directory.into() })
    }

    /// Where pid files are kept.
    pub(super) fn runtime_directory(&self) -> &Path {
        &self.runtime_directory
    }

    /// Starts `program` with `arguments` and `socket` as [`SOCKET_FD`].
    pub async fn spawn(&self, program: &Path, arguments: &[String], socket: OwnedFd) -> io::Result<Spawned> {
        let (output, input) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(input.try_clone()?)
            .stderr(input)
            .fd_mappings(vec![FdMapping { parent_fd: socket, child_fd: SOCKET_FD }])
            .map_err(io::Error::other)?;
        confine(&mut command);
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the spawner thread has ended");
        self.jobs.send(Job { command, reply }).map_err(|_| gone())?;
        let process = answer.await.map_err(|_| gone())??;
        Ok(Spawned { process, output })
    }
}

/// Has a command lead a process group of its own, end with the thread that starts it, and know nothing of systemd.
pub(crate) fn confine(command: &mut Command) {
    command.process_group(0);
    for variable in NOT_FOR_DRIVERS {
        command.env_remove(variable);
    }
    die_with_parent(command);
}

/// A driver can be replaced: let the kernel end it rather than this program.
pub(crate) fn prefer_when_out_of_memory(pid: u32) {
    // Raising it is permitted to everybody; where it fails all the same, nothing is lost.
    if let Err(error) = fs::write(format!("/proc/{pid}/oom_score_adj"), OOM_SCORE_ADJUST) {
        debug!(pid, "cannot raise the driver's oom_score_adj: {error}");
    }
}

/// The executable of `driver`: an absolute path, else `scanner-DRIVER` or `DRIVER` beside this program, else in
/// `PATH`. The error says where it was looked for.
pub fn find_driver(driver: &Path) -> Result<PathBuf, String> {
    let is_driver = |file: &PathBuf| file.is_file() && access(file, Access::EXEC_OK).is_ok();
    if driver.is_absolute() {
        let missing = || format!("there is no executable driver {}", driver.display());
        return Some(driver.to_owned()).filter(is_driver).ok_or_else(missing);
    }
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in beside.into_iter().chain(env::split_paths(&path)) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let names: [PathBuf; 2] = [format!("scanner-{}", driver.display()).into(), driver.to_owned()];
    let found = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(is_driver);
    found.ok_or_else(|| {
        let places = folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
        let hint = if driver == Path::new("libcamera") {
            "install the package scanner-libcamera, or build it with `make libcamera`, which needs libcamera-dev 0.4 to 0.7 \
             (Raspberry Pi OS and Debian 13 have it); "
        } else if driver == Path::new("gphoto2") {
            "install the package scanner-gphoto2, or build it with `make gphoto2`, which needs libgphoto2-dev; "
        } else if driver == Path::new("remote") || driver == Path::new("fleet") {
            "install the package scanner-fleet, or build it with `make fleet`; "
        } else {
            ""
        };
        let (written, [name, _]) = (driver.display(), &names);
        let meant = did_you_mean(&written.to_string(), OURS.into_iter().filter(|ours| driver != Path::new(ours)));
        let meant = meant.map(|meant| format!("{meant} ")).unwrap_or_default();
        format!("there is no executable driver {written}: {meant}{hint}looked for {} and {written} in {places}", name.display())
    })
}

fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    let prepare = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the line above.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::NotConnected.into()) }
    };
    #[expect(unsafe_code, reason = "the death signal can only be set in the child, between fork and exec")]
    // SAFETY: runs between fork and exec of a threaded program, where only async-signal-safe calls are
    // allowed: it makes two system calls and neither allocates nor locks.
    unsafe {
        command.pre_exec(prepare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_driver_is_an_error_that_names_the_places_looked_at() {
        let error = find_driver(Path::new("/nowhere/driver")).unwrap_err();
        assert!(error.ends_with("no executable driver /nowhere/driver"), "{error}");
        let error = find_driver(Path::new("no-such-driver")).unwrap_err();
        let exe = env::current_exe().unwrap();
        assert!(error.contains("looked for scanner-no-such-driver and no-such-driver in "), "{error}");
        // Each folder once, however often PATH has it.
        let here = exe.parent().unwrap().display().to_string();
        assert_eq!(error.split([' ', ',']).filter(|word| **word == here).count(), 1, "{error}");
        let error = find_driver(Path::new("libcamera")).unwrap_err();
        assert!(error.contains("libcamera-dev") && error.contains("scanner-libcamera"), "{error}");
        assert!(!error.contains("did you mean"), "{error}");
        let error = find_driver(Path::new("simm")).unwrap_err();
        assert!(error.contains("did you mean `sim`?"), "{error}");
        assert_eq!(find_driver(Path::new("sh")).unwrap().file_name(), Path::new("sh").file_name());
    }

    #[test]
    fn a_file_that_is_not_executable_is_not_a_driver() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(find_driver(file.path()).is_err());
    }
}
