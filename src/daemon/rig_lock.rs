//! One process at a rig.
//!
//! Two things say that a rig is taken. `rig.lock` in its runtime directory can be removed beside its holder, and the next
//! process would lock another file of that name. So the rig has a name in the kernel as well, an abstract Unix socket that
//! is called like the runtime directory: nobody can remove it, and it is gone with its process. Abstract names belong to a
//! network namespace; across those the file counts, and pins, which the kernel gives to one process only.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tracing::warn;

use super::error::StartError;
use super::folder::{create_folder, io};
use crate::file_lock;
use crate::ownership;

/// The longest end of a path that is part of the name; a name has 107 bytes.
const LONGEST: usize = 80;

/// The rig is ours until this is dropped.
#[derive(Debug)]
pub struct RigLock {
    path: PathBuf,
    file: Mutex<File>,
    _name: UnixListener,
}

impl RigLock {
    /// Takes the rig whose runtime directory, which exists, is `runtime`.
    pub(super) fn take(runtime: &Path) -> Result<Self, StartError> {
        let path = runtime.join("rig.lock");
        let name = name_of(&runtime.canonicalize().map_err(io("look for", runtime))?);
        let taken = file_lock::patiently(|| {
            match SocketAddr::from_abstract_name(&name).and_then(|name| UnixListener::bind_addr(&name)) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
                bound => bound.map(Some),
            }
        });
        let taken = taken.map_err(io("take the name of the rig of", runtime))?;
        let name = taken.ok_or_else(|| in_use(holder_of(&name), path.clone()))?;
        let file = lock(&path)?;
        Ok(Self { path, file: Mutex::new(file), _name: name })
    }

    /// Puts the lock's file back if somebody has removed it; whether that was so. For once in a while.
    pub(super) fn restore(&self) -> Result<bool, StartError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = file.metadata().map_err(io("look at", &self.path))?;
        if fs::metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
        {
            return Ok(false);
        }
        if let Some(runtime) = self.path.parent() {
            create_folder(runtime)?;
        }
        *file = lock(&self.path)?;
        Ok(true)
    }
}

/// Locks the file at `path`, and writes down who holds it.
fn lock(path: &Path) -> Result<File, StartError> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let (mut file, ours) = match options.open(path) {
        // That of another user, who left it: to lock it, reading is enough.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            (File::open(path).map_err(|_| io("open", path)(error))?, false)
        }
        opened => (opened.map_err(io("open", path))?, true),
    };
    ownership::hand_over(&file, path.parent().unwrap_or(Path::new(".")));
    match file_lock::take(&file) {
        Ok(Some(())) => {}
        Ok(None) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(io("read", path))?;
            return Err(in_use(pid.trim().to_owned(), path.to_owned()));
        }
        // Its file system has no locks. The name holds the rig among all processes of this machine.
        Err(error) if file_lock::are_lacking(error) => {
            warn!("{} cannot be locked: its file system has no locks", path.display());
        }
        Err(errno) => return Err(io("lock", path)(errno.into())),
    }
    if !ours {
        return Ok(file);
    }
    let pid = format!("{}\n", std::process::id());
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(pid.as_bytes()));
    written.map_err(io("write", path))?;
    Ok(file)
}

fn in_use(pid: String, lock: PathBuf) -> StartError {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
    StartError::RigInUse { pid, name, lock }
}

/// A path that is too long is told by its end and a checksum of the whole.
fn name_of(runtime: &Path) -> Vec<u8> {
    let path = runtime.as_os_str().as_bytes();
    let end = path.get(path.len().saturating_sub(LONGEST)..).unwrap_or(path);
    [format!("scanner-{:08x}:", crc32c::crc32c(path)).as_bytes(), end].concat()
}

/// Which process has the name, if the kernel tells.
fn holder_of(name: &[u8]) -> String {
    let asked = || {
        // Nobody accepts, so a full queue must not make this wait.
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
        rustix::net::sockopt::socket_peercred(&socket)
    };
    asked().map_or_else(|_| "unknown".into(), |holder| holder.pid.as_raw_pid().to_string())
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FlockOperation, flock};

    use super::*;

    fn holder(taken: Result<RigLock, StartError>) -> String {
        match taken {
            Err(StartError::RigInUse { pid, .. }) => pid,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("the rig was taken twice"),
        }
    }

    #[test]
    fn a_rig_stays_taken_when_its_folder_is_removed_and_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = dir.path().join("run");
        fs::create_dir(&runtime).unwrap();
        let first = RigLock::take(&runtime).unwrap();
        assert!(!first.restore().unwrap());
        fs::remove_dir_all(&runtime).unwrap();
        fs::create_dir(&runtime).unwrap();
        assert_eq!(holder(RigLock::take(&runtime)), std::process::id().to_string());
        fs::remove_dir_all(&runtime).unwrap();
        assert!(first.restore().unwrap(), "the file is put back");
        assert!(!first.restore().unwrap());
        let written = fs::read_to_string(runtime.join("rig.lock")).unwrap();
        assert_eq!(written.trim(), std::process::id().to_string());
        drop(first);
        RigLock::take(&runtime).unwrap();
    }

    #[test]
    fn a_lock_of_another_network_namespace_counts_by_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("rig.lock")).unwrap();
        fs::write(dir.path().join("rig.lock"), "4711\n").unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        assert_eq!(holder(RigLock::take(dir.path())), "4711");
    }

    #[test]
    fn rigs_whose_long_paths_end_alike_have_names_of_their_own() {
        let long = "x".repeat(300);
        let name = |root: &str| name_of(Path::new(&format!("/{root}/{long}")));
        assert!(name("a").len() < 107);
        assert_ne!(name("a"), name("b"));
    }
}
