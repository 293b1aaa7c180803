//! A camera's turn, for one photograph.

use std::time::Instant;

use tokio::sync::MutexGuard;

use crate::camera_driver::protocol::{Controls, ErrorKind};
use crate::plan::ShotIndex;
use crate::rig::camera::{Camera, CameraError, CapturedFrame};
use crate::rig::clock::now_ns;

use super::StudioError;
use super::seat::{Seat, Turn};

/// A camera's turn, for one photograph. Whoever holds it shows on the board.
pub struct Held<'a> {
    seat: &'a Seat,
    turn: MutexGuard<'a, Turn>,
    began: Instant,
}

impl<'a> Held<'a> {
    pub(super) fn new(seat: &'a Seat, turn: MutexGuard<'a, Turn>) -> Self {
        Self { seat, turn, began: Instant::now() }
    }

    /// Which camera it is.
    pub fn camera(&self) -> &Camera {
        self.seat.camera()
    }

    /// Takes a frame with `controls` over what is set; the exposure begins after this was called.
    pub async fn frame(&mut self, controls: Controls) -> Result<CapturedFrame, StudioError> {
        let taken = self.try_frame(controls).await;
        self.turn.used = Instant::now();
        self.turn.failed = taken.is_err();
        self.seat.count(taken.is_ok());
        // A camera that failed is opened anew by whoever comes next.
        if matches!(taken, Err(StudioError::Camera(_)))
            && let Some(lease) = self.turn.lease.take()
        {
            lease.end().await;
        }
        taken
    }

    async fn try_frame(&mut self, controls: Controls) -> Result<CapturedFrame, StudioError> {
        self.seat.open(&mut self.turn).await?;
        self.seat.check(controls)?;
        let chosen = self.seat.chosen();
        let camera = self.seat.camera().name();
        let Some(lease) = &mut self.turn.lease else {
            return Err(CameraError::new(camera, ErrorKind::Crashed, "it is not open").into());
        };
        let own = controls != Controls::default();
        if own {
            lease.hold(controls.over(chosen)).await?;
        }
        let frame = lease.capture(ShotIndex(0), now_ns()).await;
        if own {
            self.seat.restore(&mut self.turn, controls).await?;
        }
        Ok(frame?)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.seat.done(self.began.elapsed());
    }
}
