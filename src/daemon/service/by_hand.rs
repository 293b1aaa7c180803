//! What people do to the rig between scans.

use tracing::info;

use crate::model::{Axis, Lighting};
use crate::rig::axes::MotionError;

use super::super::error::StartError;
use super::Service;

impl Service {
    /// Homes axes, between scans; braked by [`Self::pause`] and [`Self::cancel`].
    pub async fn home(&self, axes: &[Axis]) -> Result<(), StartError> {
        // Taken for as long as that lasts, so that no scan begins meanwhile.
        let (_claim, mut commands) = self.claim_by_hand()?;
        let mut homing = self.station.axes().home(axes);
        let homed = tokio::select! {
            homed = &mut homing => homed,
            Some(command) = commands.recv() => {
                info!("homing is given up: {}", command.reason());
                self.station.axes().stop();
                homing.await
            }
        };
        Ok(homed.unwrap_or(Err(MotionError::Ended))?)
    }

    /// Moves one axis by `distance` in its unit, between scans; braked by [`Self::pause`] and [`Self::cancel`].
    pub async fn jog(&self, axis: Axis, distance: f64) -> Result<(), StartError> {
        let (_claim, mut commands) = self.claim_by_hand()?;
        let axes = self.station.axes();
        let mut moving = axes.jog(axis, distance)?.done;
        let moved = tokio::select! {
            moved = &mut moving => moved,
            Some(command) = commands.recv() => {
                info!("the move is given up: {}", command.reason());
                axes.stop();
                moving.await
            }
        };
        moved.unwrap_or(Err(MotionError::Ended))?;
        Ok(())
    }

    /// Switches the lights of one lighting on, or all off, between scans.
    pub fn switch_lights(&self, lighting: Option<Lighting>) -> Result<(), StartError> {
        let (_claim, _commands) = self.claim_by_hand()?;
        self.station.lights().switch(lighting)?;
        Ok(())
    }
}
