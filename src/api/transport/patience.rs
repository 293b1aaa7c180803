//! A stream whose other end has to take what it is sent, however slowly: that the send buffer stays full says nothing,
//! since it may hold what a slow client takes in minutes. Whether anything of it arrives does.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::ioctl::{Getter, Opcode, ioctl};
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// `SIOCOUTQ` of `linux/sockios.h`: bytes that the other end has not acknowledged, as an `int`.
const UNACKNOWLEDGED: Opcode = 0x5411;
/// Looks in the time in which something has to arrive.
const LOOKS: u32 = 4;

/// A stream that fails when its other end takes nothing for `limit` while there is something to be written.
#[derive(Debug)]
pub(in crate::api) struct Patient {
    stream: TcpStream,
    limit: Duration,
    /// While a write waits.
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    progress: Progress,
    look: Pin<Box<Sleep>>,
}

/// When anything last arrived, and how much had not then.
#[derive(Debug, Clone, Copy)]
struct Progress {
    at: Instant,
    queued: Option<u32>,
}

impl Progress {
    /// As it is now that `queued` bytes have not arrived; what is unknown is none.
    fn then(self, now: Instant, queued: Option<u32>) -> Self {
        match (self.queued, queued) {
            (Some(before), Some(queued)) if queued < before => Self { at: now, queued: Some(queued) },
            (Some(_) | None, Some(_) | None) => self,
        }
    }
}

impl Patient {
    /// A stream that has just been opened.
    pub(in crate::api) const fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, limit, waiting: None }
    }

    /// Gives `written` on, but for an error if nothing arrives.
    fn within<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let every = self.limit / LOOKS;
        let waiting = self.waiting.get_or_insert_with(|| {
            let at = Instant::now();
            let progress = Progress { at, queued: unacknowledged(&self.stream) };
            Waiting { progress, look: Box::pin(sleep_until(at + every)) }
        });
        while waiting.look.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            waiting.progress = waiting.progress.then(now, unacknowledged(&self.stream));
            if now.duration_since(waiting.progress.at) >= self.limit {
                let what = format!("nothing of what is sent has arrived for {:?}", self.limit);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, what)));
            }
            waiting.look.as_mut().reset(now + every);
        }
        Poll::Pending
    }
}

fn unacknowledged(stream: &impl AsFd) -> Option<u32> {
    #[expect(unsafe_code, reason = "the kernel's interface to what is on its way is an ioctl")]
    // SAFETY: the request writes an int, which any bits are one of.
    let queued = unsafe { ioctl(stream, Getter::<UNACKNOWLEDGED, i32>::new()) };
    queued.ok()?.try_into().ok()
}

/// Who drops it in the middle of a write hangs up at once: what the kernel still has of it is not sent.
impl Drop for Patient {
    fn drop(&mut self) {
        if self.waiting.is_some() {
            // Refused, its end takes longer.
            let _ = set_socket_linger(&self.stream, Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.within(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.within(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.within(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, server) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    /// Writes until it fails.
    async fn fill(mut stream: Patient) -> io::Error {
        loop {
            if let Err(error) = stream.write_all(&vec![1; 1 << 16]).await {
                return error;
            }
        }
    }

    #[test]
    fn what_arrives_is_progress_and_what_cannot_be_told_is_none() {
        let begun = Instant::now();
        let progress = Progress { at: begun, queued: Some(10) };
        let later = begun + Duration::from_secs(1);
        assert_eq!(progress.then(later, Some(9)).at, later);
        assert_eq!(progress.then(later, Some(10)).at, begun);
        assert_eq!(progress.then(later, None).at, begun);
    }

    #[tokio::test]
    async fn who_reads_slowly_is_served_for_longer_than_the_limit_and_who_reads_nothing_is_not() {
        let limit = Duration::from_secs(3);
        let (mut client, server) = pair().await;
        let mut filling = tokio::spawn(fill(Patient::new(server, limit)));
        let mut bytes = vec![0; 1 << 16];
        let begun = Instant::now();
        // By far less than what makes room in the send buffer within the limit.
        while begun.elapsed() < limit * 3 {
            client.read_exact(&mut bytes).await.unwrap();
            tokio::time::sleep(limit / 10).await;
            assert!(!filling.is_finished(), "{}", (&mut filling).await.unwrap());
        }
        let error = filling.await.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    }
}
