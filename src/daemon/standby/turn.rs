//! A camera's turn, for one photograph.

use std::time::{Duration, Instant};

use tokio::sync::MutexGuard;

use crate::camera_driver::protocol::ErrorKind;
use crate::clock::now_ns;
use crate::model::Controls;
use crate::plan::ShotIndex;
use crate::rig::camera::{Camera, CameraError, CapturedFrame};

use super::StandbyError;
use super::camera::{StandbyCamera, TurnState};

/// A camera's turn, for one photograph. The status names whoever has it.
pub struct CameraTurn<'a> {
    camera: &'a StandbyCamera,
    turn: MutexGuard<'a, TurnState>,
    began: Instant,
}

impl<'a> CameraTurn<'a> {
    /// Waits for `camera`'s turn, for `wait` at most.
    pub(super) async fn take(
        camera: &'a StandbyCamera,
        session_id: Option<&str>,
        wait: Duration,
    ) -> Result<Self, StandbyError> {
        let turn = camera.take(session_id, wait).await?;
        Ok(Self { camera, turn, began: Instant::now() })
    }

    /// The rig's end of the camera.
    pub fn handle(&self) -> &Camera {
        self.camera.handle()
    }

    /// Takes a frame with `controls` over what is set; the exposure begins after this was called.
    pub async fn frame(&mut self, controls: Controls) -> Result<CapturedFrame, StandbyError> {
        let taken = self.try_frame(controls).await;
        self.turn.used = Instant::now();
        self.turn.failed = taken.is_err();
        self.camera.count(taken.is_ok());
        // A camera that failed is opened anew by whoever comes next.
        if matches!(taken, Err(StandbyError::Camera(_)))
            && let Some(lease) = self.turn.lease.take()
        {
            lease.end().await;
        }
        taken
    }

    async fn try_frame(&mut self, controls: Controls) -> Result<CapturedFrame, StandbyError> {
        self.camera.open(&mut self.turn).await?;
        self.camera.check(controls)?;
        let chosen = self.camera.chosen();
        let camera = self.camera.handle().name();
        let Some(lease) = &mut self.turn.lease else {
            return Err(CameraError::new(camera, ErrorKind::Crashed, "it is not open").into());
        };
        let own = controls != Controls::default();
        if own {
            lease.hold(controls.over(chosen)).await?;
        }
        let frame = lease.capture(ShotIndex(0), now_ns()).await;
        if own {
            self.camera.restore(&mut self.turn, controls).await?;
        }
        Ok(frame?)
    }
}

impl Drop for CameraTurn<'_> {
    fn drop(&mut self) {
        self.camera.done(self.began.elapsed());
    }
}
