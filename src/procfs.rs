//! What `/proc` tells of processes. Nothing here touches a file that a process has open: a `stat` of a file
//! on a dead file system would hang as its holder does.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A process that has a file or device open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its process id, which another process may have once it has ended.
    pub pid: i32,
    /// Its name: at most 15 bytes.
    pub comm: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.comm, self.pid)
    }
}

/// Every other process that has `path` (a device node, say) open, as far as this one may see.
///
/// Found by name, in `/proc/PID/fd`: processes of other users stay hidden from an ordinary user.
pub fn holders(path: &Path) -> Vec<Holder> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let own = std::process::id() as i32;
    numbers_in(Path::new("/proc"))
        .filter(|&pid| pid != own)
        .filter(|pid| {
            let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
            descriptors.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == path))
        })
        .map(|pid| Holder { pid, comm: comm(pid) })
        .collect()
}

/// One process of one boot: process ids are used again, this is not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its process id, which means nothing after its end without the other two.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// The id of the boot in which it runs, as the kernel gives it.
    pub boot: String,
}

impl Identity {
    /// The process that has `pid` now, if there is one and it can be looked at.
    pub fn of(pid: i32) -> Option<Self> {
        Self::look(pid).ok().flatten()
    }

    /// The process that has `pid` now; none if there is none.
    ///
    /// # Errors
    /// It could not be looked at, for want of descriptors, say: that tells nothing of the process.
    pub fn look(pid: i32) -> io::Result<Option<Self>> {
        let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Err(error) if has_no_process(&error) => return Ok(None),
            stat => stat?,
        };
        let boot = match boot_id() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            boot => boot?,
        };
        let start_ticks = stat_field(&stat, 22).and_then(|ticks| ticks.parse().ok());
        Ok(start_ticks.map(|start_ticks| Self { pid, start_ticks, boot }))
    }
}

/// Whether a file in `/proc/PID` is not there because its process is not, from the start or since it was opened.
fn has_no_process(error: &io::Error) -> bool {
    let gone = rustix::io::Errno::SRCH.raw_os_error();
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(gone)
}

/// The children of process `parent` that have ended and wait for it to take note.
pub fn zombies_of(parent: u32) -> Vec<Identity> {
    let parent = parent.to_string();
    let is_zombie = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat_field(&stat, 3) == Some("Z") && stat_field(&stat, 4) == Some(parent.as_str())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_zombie(*pid)).filter_map(Identity::of).collect()
}

/// Which boot of the machine this is.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// What a thread of a process that cannot be ended is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ThreadEvidence {
    /// The kernel's id of the thread.
    pub tid: i32,
    /// The thread's name, as `ps -T` shows it: 15 bytes at most.
    pub comm: String,
    /// `D`: waits in the kernel and cannot be interrupted.
    pub state: char,
    /// The kernel function in which it waits.
    pub wchan: String,
    /// Number and arguments of the system call.
    pub syscall: String,
    /// The kernel's call stack, innermost first, a frame a line; empty without permission.
    pub stack: String,
}

/// The threads of `pid` that have not ended. The first thread may be a zombie while another one hangs.
pub fn threads(pid: i32) -> Vec<ThreadEvidence> {
    numbers_in(Path::new(&format!("/proc/{pid}/task")))
        .filter_map(|tid| {
            let read = |file: &str| {
                let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/{file}")).unwrap_or_default();
                text.trim().to_owned()
            };
            let state = stat_field(&read("stat"), 3)?.chars().next()?;
            let (comm, wchan) = (read("comm"), read("wchan"));
            (!matches!(state, 'Z' | 'X')).then(|| ThreadEvidence {
                tid,
                comm,
                state,
                wchan,
                syscall: read("syscall"),
                stack: read("stack"),
            })
        })
        .collect()
}

/// The name of process `pid`; empty if there is none.
fn comm(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// Field `number`, at least 3, of a `/proc/PID/stat`, as numbered in proc(5). The name (field 2) may contain
/// anything, so fields are counted from its last parenthesis.
fn stat_field(stat: &str, number: usize) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)
}

/// The entries of `directory` that are numbers.
fn numbers_in(directory: &Path) -> impl Iterator<Item = i32> + use<> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What names this machine; empty where nothing does. Cards are cloned together with their machine id, so the board's
/// serial number is part of it.
pub fn machine_id() -> String {
    line("/etc/machine-id") + &line("/proc/device-tree/serial-number")
}

/// What a file of one line says; empty if it cannot be read.
pub fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim_matches(['\0', '\n', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name_whatever_it_contains() {
        let stat = "12 (a) b (c) D 1 12 12 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 99";
        assert_eq!(stat_field(stat, 3), Some("D"));
        assert_eq!(stat_field(stat, 22), Some("4711"));
        assert_eq!(stat_field("12 (cut", 22), None);
    }

    #[test]
    fn a_process_is_itself_and_nobody_else() {
        let own = std::process::id() as i32;
        assert_eq!(Identity::of(own), Identity::of(own));
        assert_ne!(Identity::of(own), Identity::of(1));
        assert_eq!(Identity::of(i32::MAX), None);
    }

    #[test]
    fn who_has_a_file_open_is_found_and_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let held = fs::File::open(file.path()).unwrap();
        let mut child =
            Command::new("sleep").arg("60").stdin(Stdio::from(held)).stdout(Stdio::null()).spawn().unwrap();
        let found = holders(file.path());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, [Holder { pid: child.id() as i32, comm: "sleep".into() }]);
        assert_eq!(holders(file.path()), []);
    }
}
