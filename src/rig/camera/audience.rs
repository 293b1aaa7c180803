//! Those who look at a camera, and the newest frame for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::frame::CapturedFrame;
use crate::units::FramesPerSecond;

/// Those who look at a camera.
#[derive(Debug)]
pub(super) struct Audience {
    pub(super) newest: watch::Sender<Option<Arc<CapturedFrame>>>,
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

    pub(super) fn join(&self, rate: FramesPerSecond) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).push((number, rate));
        number
    }

    pub(super) fn leave(&self, number: u64) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.retain(|(viewer, _)| *viewer != number);
        if rates.is_empty() {
            self.newest.send_replace(None);
        }
    }
}
