//! Low-resolution frames for whoever looks: the newest one only, and only while somebody does.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::frame::CapturedFrame;
use super::inner::Inner;
use crate::camera_driver::protocol::ToDriver;
use crate::units::FramesPerSecond;

/// A look at a camera. It goes on through captures, recoveries and new drivers, and shows nothing while the camera
/// is closed.
#[derive(Debug)]
pub struct LiveView {
    inner: Arc<Inner>,
    number: u64,
    newest: watch::Receiver<Option<Arc<CapturedFrame>>>,
    runtime: Handle,
}

impl LiveView {
    pub(super) fn new(inner: Arc<Inner>, rate: FramesPerSecond) -> Self {
        let number = inner.audience.join(rate);
        let newest = inner.audience.newest.subscribe();
        let view = Self { inner, number, newest, runtime: Handle::current() };
        view.tell();
        view
    }

    /// The next frame; whoever is slow misses some. None if there will be no more.
    pub async fn next(&mut self) -> Option<Arc<CapturedFrame>> {
        loop {
            self.newest.changed().await.ok()?;
            if let Some(frame) = self.newest.borrow_and_update().clone() {
                return Some(frame);
            }
        }
    }

    /// Tells the driver the rate that is wanted by then. One that is being started is told at its start.
    fn tell(&self) {
        let inner = Arc::clone(&self.inner);
        self.runtime.spawn(async move {
            if let Some(session) = inner.session.lock().await.as_ref() {
                session.say(&ToDriver::Live { rate: inner.audience.rate() });
            }
        });
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.inner.audience.leave(self.number);
        self.tell();
    }
}
