//! Low-resolution frames for whoever looks: the newest one only, and only while somebody does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::frame::CapturedFrame;
use super::handle::{Camera, Inner};
use crate::camera_driver::protocol::ToDriver;
use crate::units::FramesPerSecond;

/// Those who look at a camera.
#[derive(Debug)]
pub(super) struct Audience {
    newest: watch::Sender<Option<Arc<CapturedFrame>>>,
    /// Of every viewer, by number.
    rates: Mutex<Vec<(u64, FramesPerSecond)>>,
    next: AtomicU64,
    shown: AtomicU64,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            newest: watch::Sender::new(None),
            rates: Mutex::default(),
            next: AtomicU64::new(0),
            shown: AtomicU64::new(0),
        }
    }
}

impl Audience {
    /// Makes `frame` the newest one. It is given back to the driver when the next one comes.
    pub(super) fn show(&self, frame: CapturedFrame) {
        if self.rate().is_some() {
            self.shown.fetch_add(1, Ordering::Relaxed);
            self.newest.send_replace(Some(Arc::new(frame)));
        }
    }

    /// How many frames were shown since the program started.
    pub(super) fn shown(&self) -> u64 {
        self.shown.load(Ordering::Relaxed)
    }

    /// The highest rate that somebody wants; none while nobody looks.
    pub(super) fn rate(&self) -> Option<FramesPerSecond> {
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.iter().map(|(_, rate)| *rate).max_by(|a, b| a.get().total_cmp(&b.get()))
    }

    fn join(&self, rate: FramesPerSecond) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).push((number, rate));
        number
    }

    fn leave(&self, number: u64) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.retain(|(viewer, _)| *viewer != number);
        if rates.is_empty() {
            self.newest.send_replace(None);
        }
    }
}

/// A look at a camera. It goes on through captures, recoveries and new drivers, and shows nothing while the camera
/// is closed.
#[derive(Debug)]
pub struct LiveView {
    inner: Arc<Inner>,
    number: u64,
    newest: watch::Receiver<Option<Arc<CapturedFrame>>>,
    runtime: Handle,
}

impl Camera {
    /// Looks at the camera, at most at `rate`. In a tokio runtime.
    pub fn live(&self, rate: FramesPerSecond) -> LiveView {
        LiveView::new(Arc::clone(&self.inner), rate)
    }
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
