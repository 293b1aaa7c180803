//! What `/proc` tells of processes. Nothing here touches a file that a process has open: a `stat` of a file
//! on a dead file system would hang as its holder does.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Which boot this is, for [`line()`] where it may be lacking.
pub const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

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
///
/// # Errors
/// There was no looking, for want of descriptors, say: that does not mean that nobody has it.
pub fn holders(path: &Path) -> io::Result<Vec<Holder>> {
    let path = match fs::canonicalize(path) {
        // What is not there, nobody has open by this name.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        path => path?,
    };
    let own = std::process::id() as i32;
    let mut holders = Vec::new();
    for pid in numbers_in(Path::new("/proc"))? {
        if pid != own && has_open(pid, &path)? {
            let comm = seen(text(format!("/proc/{pid}/comm")))?.unwrap_or_default();
            holders.push(Holder { pid, comm: comm.trim().to_owned() });
        }
    }
    Ok(holders)
}

/// Whether process `pid` has `path` open, as far as this one may see.
fn has_open(pid: i32, path: &Path) -> io::Result<bool> {
    let Some(descriptors) = seen(fs::read_dir(format!("/proc/{pid}/fd")))? else { return Ok(false) };
    for descriptor in descriptors {
        let target = match descriptor.and_then(|descriptor| fs::read_link(descriptor.path())) {
            // Longer than any path, so not this one.
            Err(error) if is(&error, Errno::NAMETOOLONG) => None,
            target => seen(target)?,
        };
        if target.is_some_and(|target| target == path) {
            return Ok(true);
        }
    }
    Ok(false)
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
    /// The process that has `pid` now; none if there is none.
    ///
    /// # Errors
    /// It could not be looked at, for want of descriptors, say: that tells nothing of the process.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        let stat = match text(format!("/proc/{pid}/stat")) {
            Err(error) if has_no_process(&error) => return Ok(None),
            stat => stat?,
        };
        let boot = line(BOOT_ID)?;
        let start_ticks = stat_field(&stat, 22).and_then(|ticks| ticks.parse().ok());
        Ok(start_ticks.map(|start_ticks| Self { pid, start_ticks, boot }))
    }
}

/// What was looked at; none if the process has ended, or is hidden from this user.
fn seen<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Err(error) if has_no_process(&error) || error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        looked => looked.map(Some),
    }
}

/// Whether a file in `/proc/PID` is not there because its process is not, from the start or since it was opened.
fn has_no_process(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || is(error, Errno::SRCH)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// The children of process `parent` that have ended and wait for it to take note.
///
/// # Errors
/// There was no looking: there may be some.
pub fn zombies_of(parent: u32) -> io::Result<Vec<Identity>> {
    let parent = parent.to_string();
    let mut zombies = Vec::new();
    for pid in numbers_in(Path::new("/proc"))? {
        let stat = seen(text(format!("/proc/{pid}/stat")))?.unwrap_or_default();
        if stat_field(&stat, 3) == Some("Z") && stat_field(&stat, 4) == Some(parent.as_str()) {
            zombies.extend(Identity::of(pid)?);
        }
    }
    Ok(zombies)
}

/// Which boot of the machine this is.
pub fn boot_id() -> io::Result<String> {
    Ok(text(BOOT_ID)?.trim().to_owned())
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

/// The threads of `pid` that have not ended, as far as they can be seen: for people. The first thread may be a zombie while
/// another one hangs.
pub fn threads(pid: i32) -> Vec<ThreadEvidence> {
    numbers_in(Path::new(&format!("/proc/{pid}/task")))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|tid| {
            let read = |file: &str| {
                let text = text(format!("/proc/{pid}/task/{tid}/{file}")).unwrap_or_default();
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

/// Field `number`, at least 3, of a `/proc/PID/stat`, as numbered in proc(5). The name (field 2) may contain
/// anything, so fields are counted from its last parenthesis.
fn stat_field(stat: &str, number: usize) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)
}

/// The entries of `directory` that are numbers.
fn numbers_in(directory: &Path) -> io::Result<Vec<i32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(numbers)
}

/// All of a file of the kernel. In the name of a process, any bytes may stand.
fn text(path: impl AsRef<Path>) -> io::Result<String> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// What names this machine; empty where nothing does. Cards are cloned together with their machine id, so the board's
/// serial number is part of it.
///
/// # Errors
/// There was no looking: it is another name then, not none.
pub fn machine_id() -> io::Result<String> {
    Ok(line("/etc/machine-id")? + &line("/proc/device-tree/serial-number")?)
}

/// What a file of one line says; empty if there is none, or none for this user.
///
/// # Errors
/// There was no looking.
pub fn line(path: &str) -> io::Result<String> {
    Ok(seen(text(path))?.unwrap_or_default().trim_matches(['\0', '\n', ' ']).to_owned())
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
        let of = |pid| Identity::of(pid).unwrap();
        assert_eq!(of(own), of(own));
        assert_ne!(of(own), of(1));
        assert_eq!(of(i32::MAX), None);
    }

    #[test]
    fn who_has_a_file_open_is_found_and_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let held = fs::File::open(file.path()).unwrap();
        let mut child =
            Command::new("sleep").arg("60").stdin(Stdio::from(held)).stdout(Stdio::null()).spawn().unwrap();
        let found = holders(file.path()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, [Holder { pid: child.id() as i32, comm: "sleep".into() }]);
        assert_eq!(holders(file.path()).unwrap(), []);
        assert_eq!(holders(Path::new("/dev/none of this name")).unwrap(), []);
    }
}
