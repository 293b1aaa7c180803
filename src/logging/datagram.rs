//! One entry to journald: a datagram, or sealed memory where it is too long for one.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr};

/// Wait before an entry is sent again to a journald that is not there.
const RETRY: Duration = Duration::from_millis(100);

/// Sends `entry` to the journald at `path`, and waits where it takes its time or is not there. False if it cannot be
/// sent at all.
pub(super) fn send(socket: &UnixDatagram, entry: &[u8], path: &Path) -> bool {
    loop {
        let sent = match socket.send_to(entry, path) {
            Err(error) if is_too_long(&error) => send_in_memory(socket, entry, path),
            sent => sent.map(drop),
        };
        match sent {
            Ok(()) => return true,
            Err(error) if may_pass(&error) => std::thread::sleep(RETRY),
            Err(_) => return false,
        }
    }
}

/// A datagram without bytes, but with a descriptor of them. journald reads what can no longer change, and no other.
fn send_in_memory(socket: &UnixDatagram, entry: &[u8], path: &Path) -> io::Result<()> {
    let memory: OwnedFd = memfd_create("journal-entry", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut memory = File::from(memory);
    memory.write_all(entry)?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [memory.as_fd()];
    // There is room: the space is for exactly one descriptor.
    let _fits = ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    let address = SocketAddrUnix::new(path)?;
    sendmsg_addr(socket, &address, &[], &mut ancillary, SendFlags::empty())?;
    Ok(())
}

fn is_too_long(error: &io::Error) -> bool {
    [Errno::MSGSIZE, Errno::NOBUFS].map(Errno::raw_os_error).map(Some).contains(&error.raw_os_error())
}

fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, Interrupted, NotFound, WouldBlock};
    [NotFound, ConnectionRefused, WouldBlock, Interrupted].contains(&error.kind())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{IoSliceMut, Read as _, Seek as _};

    use rustix::fs::fcntl_get_seals;
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    use super::*;

    /// An entry that has to come as a descriptor of sealed memory.
    pub(in crate::logging) fn received_in_memory(journald: &UnixDatagram) -> String {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [0; 16];
        let iov = &mut [IoSliceMut::new(&mut bytes)];
        let got = recvmsg(journald, iov, &mut ancillary, RecvFlags::CMSG_CLOEXEC).unwrap();
        assert_eq!(got.bytes, 0, "it is a datagram with the entry itself");
        let mut descriptors: Vec<OwnedFd> = ancillary
            .drain()
            .filter_map(|message| {
                if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                    Some(descriptors)
                } else {
                    None
                }
            })
            .flatten()
            .collect();
        let memory = descriptors.pop().unwrap();
        assert!(descriptors.is_empty());
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        assert_eq!(fcntl_get_seals(&memory).unwrap(), seals);
        let mut file = File::from(memory);
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_can_never_be_sent_is_not_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "").unwrap();
        let too_long = dir.path().join("x".repeat(200));
        let socket = UnixDatagram::unbound().unwrap();
        assert!(!send(&socket, b"MESSAGE=lost\n", &too_long));
    }
}
