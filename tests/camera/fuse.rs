//! A file that never answers: a FUSE file system of one file whose reads are taken and never answered. The
//! kernel then waits for the answer where no signal reaches: state D, as with a camera that hangs.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::skipped;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const READ: u32 = 15;
const INIT: u32 = 26;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;
const ENOSYS: i32 = -38;
/// Reads go to the server one by one instead of through the page cache, whose waits SIGKILL ends.
const FOPEN_DIRECT_IO: u32 = 1;

pub struct NeverAnswers {
    mounted: tempfile::TempDir,
    server: Option<JoinHandle<()>>,
}

impl NeverAnswers {
    /// Mounts it; none, with the reason printed, where that is not possible.
    pub fn mount() -> Option<Self> {
        let device = match File::options().read(true).write(true).open("/dev/fuse") {
            Ok(device) => device,
            Err(error) => {
                skipped(&format!("/dev/fuse: {error}"));
                return None;
            }
        };
        let mounted = tempfile::tempdir().unwrap();
        let data = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
        let data = CString::new(data).unwrap();
        if let Err(error) = mount("never", mounted.path(), "fuse", MountFlags::NODEV, Some(data.as_c_str())) {
            skipped(&format!("mounting a FUSE file system, which takes root: {error}"));
            return None;
        }
        let server = std::thread::spawn(move || serve(device));
        Some(Self { mounted, server: Some(server) })
    }

    /// The file.
    pub fn file(&self) -> PathBuf {
        self.directory().join("never")
    }

    /// Ends the connection: every read fails at last.
    pub fn abort(&mut self) {
        // Fails if the file is in use, but ends the connection nevertheless.
        let _ = unmount(self.directory(), UnmountFlags::FORCE);
        let _ = unmount(self.directory(), UnmountFlags::DETACH);
        self.server.take().map(JoinHandle::join);
    }

    fn directory(&self) -> &Path {
        self.mounted.path()
    }
}

impl Drop for NeverAnswers {
    fn drop(&mut self) {
        self.abort();
    }
}

/// Answers all but reads, until the connection ends.
fn serve(mut device: File) {
    let mut request = vec![0; 1 << 20];
    while let Ok(length) = device.read(&mut request) {
        let request = &request[..length];
        let number = |at: usize| u32::from_ne_bytes(request[at..at + 4].try_into().unwrap());
        let (opcode, unique) = (number(4), &request[8..16]);
        let node = u64::from_ne_bytes(request[16..24].try_into().unwrap());
        let (error, body) = match opcode {
            READ | FORGET | BATCH_FORGET | INTERRUPT => continue,
            INIT => (0, words(&[7, 31, 0, 0, 0, 4096, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
            LOOKUP => (0, [words(&[2, 0, 1, 0, 0, 0, 0, 0, 0, 0]), attributes(2)].concat()),
            GETATTR => (0, [words(&[0, 0, 0, 0]), attributes(node)].concat()),
            OPEN => (0, words(&[0, 0, FOPEN_DIRECT_IO, 0])),
            _ => (ENOSYS, vec![]),
        };
        let mut answer = (16 + body.len() as u32).to_ne_bytes().to_vec();
        answer.extend(error.to_ne_bytes());
        answer.extend(unique);
        answer.extend(body);
        // Fails if the request was interrupted meanwhile.
        let _ = device.write_all(&answer);
    }
}

/// `struct fuse_attr` of the root (node 1) or of the file.
fn attributes(node: u64) -> Vec<u8> {
    let mode = if node == 1 { 0o040_755 } else { 0o100_644 };
    let mut attributes = vec![0; 22];
    attributes[0] = node as u32;
    // Size, link count and block size.
    (attributes[2], attributes[15], attributes[16]) = (4096, mode, 1);
    attributes[20] = 4096;
    words(&attributes)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}
