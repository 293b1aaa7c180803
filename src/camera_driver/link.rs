//! The socket between the daemon and a camera driver: one message a packet, used by both ends.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recvmsg, sendmsg, shutdown,
    socketpair, sockopt,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{MAX_DESCRIPTORS, MAX_MESSAGE};

/// Room for more descriptors than a message may carry, so that a peer that sends too many is found out
/// rather than cut off.
const DESCRIPTOR_ROOM: usize = 4;
/// How much of a malformed message an error quotes, in bytes.
const QUOTED: usize = 80;

/// One end of a `SOCK_SEQPACKET` socket. Threads may share it: a message is sent and received whole.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
}

/// Why a message did not get through.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer is gone, or the link was shut down.
    #[error("the other end of the camera link is closed")]
    Closed,
    /// A packet that is not a message of the protocol. The link is still usable.
    #[error("malformed message on the camera link: {reason}; it began with {start:?}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
        /// Its first bytes as text.
        start: String,
    },
    /// A packet longer than [`MAX_MESSAGE`], or with more descriptors than there is room for. What arrived
    /// of it is dropped, and the link is still usable.
    #[error(
        "a message on the camera link is longer than {MAX_MESSAGE} bytes or carries too many descriptors"
    )]
    Truncated,
    /// A message of this end that is too long to be sent.
    #[error("a message of {bytes} bytes is too long for the camera link, which takes {MAX_MESSAGE}")]
    TooLong {
        /// Length of the message that was to be sent, in bytes.
        bytes: usize,
    },
    /// The operating system's error.
    #[error("camera link: {0}")]
    Io(#[from] io::Error),
}

impl From<Errno> for LinkError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => Self::Closed,
            other => Self::Io(other.into()),
        }
    }
}

impl Link {
    /// Takes over `socket`, which must be a connected `SOCK_SEQPACKET` socket: any other descriptor is an
    /// error of kind `InvalidInput`.
    pub fn new(socket: OwnedFd) -> Result<Self, LinkError> {
        match sockopt::socket_type(&socket) {
            Ok(SocketType::SEQPACKET) => Ok(Self { socket }),
            Ok(_) | Err(_) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "not a SOCK_SEQPACKET socket").into())
            }
        }
    }

    /// Two ends of a new link. Neither is inherited by a child process, unless it is passed on purpose.
    pub fn pair() -> Result<(Self, Self), LinkError> {
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self { socket: a }, Self { socket: b }))
    }

    /// The socket, to be passed to another process.
    pub fn into_socket(self) -> OwnedFd {
        self.socket
    }

    /// Sends `message`, with at most [`MAX_DESCRIPTORS`] descriptors; waits while the peer has too much unread.
    pub fn send(&self, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> Result<(), LinkError> {
        self.send_bytes(&encode(message)?, descriptors, SendFlags::NOSIGNAL)
    }

    /// Like [`send`](Self::send), but drops `message` rather than wait for the peer: false if it did.
    pub fn send_or_drop(
        &self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<bool, LinkError> {
        match self.send_bytes(&encode(message)?, descriptors, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(()) => Ok(true),
            Err(LinkError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends bytes that need not be a message: for simulated faults and tests of the other end.
    pub fn send_raw(&self, bytes: &[u8]) -> Result<(), LinkError> {
        self.send_bytes(bytes, &[], SendFlags::NOSIGNAL)
    }

    /// Waits for the next message and the descriptors that came with it; none when the peer has closed its
    /// end, or either end has been [shut down](Self::shutdown).
    pub fn recv<T: DeserializeOwned>(&self) -> Result<Option<(T, Vec<OwnedFd>)>, LinkError> {
        // One byte more than a message may have: a packet that fills it is too long, and one that does not fit
        // is cut and flagged.
        let mut bytes = vec![0; MAX_MESSAGE + 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTOR_ROOM))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let iov = &mut [IoSliceMut::new(&mut bytes)];
            match recvmsg(&self.socket, iov, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Ok(received) => break received,
                Err(Errno::INTR) => {}
                // The peer closed its end with messages of ours unread: an end like any other.
                Err(Errno::CONNRESET) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
        };
        let descriptors: Vec<OwnedFd> = ancillary
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
        if received.bytes == 0 && descriptors.is_empty() {
            return Ok(None);
        }
        // The kernel drops descriptors for which this process has no number left: that is no fault of the peer.
        if received.flags.contains(ReturnFlags::CTRUNC) && descriptors.len() < DESCRIPTOR_ROOM {
            return Err(Errno::MFILE.into());
        }
        if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) || received.bytes > MAX_MESSAGE
        {
            return Err(LinkError::Truncated);
        }
        let bytes = &bytes[..received.bytes];
        let malformed = |reason: String| LinkError::Malformed {
            reason,
            start: String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTED)]).into_owned(),
        };
        if descriptors.len() > MAX_DESCRIPTORS {
            let count = descriptors.len();
            return Err(malformed(format!("{count} descriptors where {MAX_DESCRIPTORS} are allowed")));
        }
        let message = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        Ok(Some((message, descriptors)))
    }

    /// Waits until [`recv`](Self::recv) will return at once, or until `deadline`: false if that came first.
    pub fn readable_before(&self, deadline: Instant) -> Result<bool, LinkError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut fds, Some(&timespec(left))) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Ends the link in both directions: whoever waits in `recv`, at either end, returns at once.
    pub fn shutdown(&self) {
        // It fails only if the link has ended already.
        let _ended = shutdown(&self.socket, Shutdown::Both);
    }

    fn send_bytes(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
        flags: SendFlags,
    ) -> Result<(), LinkError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fits = descriptors.len() <= MAX_DESCRIPTORS
            && (descriptors.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
        if !fits {
            let message = format!("{} descriptors where {MAX_DESCRIPTORS} are allowed", descriptors.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message).into());
        }
        loop {
            match sendmsg(&self.socket, &[IoSlice::new(bytes)], &mut ancillary, flags) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn encode(message: &impl Serialize) -> Result<Vec<u8>, LinkError> {
    let bytes = serde_json::to_vec(message).map_err(io::Error::from)?;
    if bytes.len() > MAX_MESSAGE { Err(LinkError::TooLong { bytes: bytes.len() }) } else { Ok(bytes) }
}

/// As `poll` and the clocks want it; durations beyond what they take are as long as they take.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}

#[cfg(test)]
mod tests;
