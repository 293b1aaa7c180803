//! What somebody who sets the rig up asks of it: cameras that the configuration does not have, and the rig for a while.

use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::info;

use crate::clock::now_ns;
use crate::config;
use crate::plan::ShotIndex;
use crate::run::Command;

use super::super::captures::Developed;
use super::super::error::StartError;
use super::super::opening::open_lease;
use super::super::setup::{CameraSearch, real_cameras, search_cameras};
use super::super::standby::develop;
use super::Service;
use super::claim::Claim;

/// How often a camera is opened for a picture before it is given up.
const ATTEMPTS: u32 = 2;
/// JPEG quality of the picture.
const QUALITY: u8 = 80;

/// The rig, taken by somebody who is at it, until this is dropped.
pub struct ByHand {
    _claim: Claim,
    commands: mpsc::Receiver<Command>,
}

impl ByHand {
    /// Waits until somebody wants what is done to end: a pause, or a cancel.
    pub async fn told_to_stop(&mut self) {
        if let Some(command) = self.commands.recv().await {
            info!("what is tried is given up: {}", command.reason());
        }
    }
}

impl Service {
    /// Takes the rig; no scan begins meanwhile.
    pub fn take_by_hand(&self) -> Result<ByHand, StartError> {
        let (claim, commands) = self.claim_by_hand()?;
        Ok(ByHand { _claim: claim, commands })
    }

    /// What the drivers of real cameras find. Those of the rig are closed for it.
    pub async fn look_for_cameras(&self) -> Result<CameraSearch, StartError> {
        let _taken = self.take_by_hand()?;
        self.standby.close().await;
        let wanted = real_cameras();
        let cameras = wanted.iter().map(|camera| self.station.spare_camera(camera));
        let cameras = cameras.collect::<Result<Vec<_>, _>>()?;
        search_cameras(&cameras, &wanted).await
    }

    /// A photograph of a camera that the rig may not have. Those of the rig are closed for it.
    pub async fn picture_of(&self, camera: &config::Camera) -> Result<Developed, StartError> {
        let _taken = self.take_by_hand()?;
        self.standby.close().await;
        let camera = self.station.spare_camera(camera)?;
        let mut lease = camera.lease("setup")?;
        let steady = self.station.lights_on()?;
        let taken = async {
            open_lease(&mut lease, ATTEMPTS).await?;
            sleep(steady).await;
            lease.capture(ShotIndex(0), now_ns()).await
        };
        let taken = taken.await;
        let name = camera.name().to_owned();
        let developed = match taken {
            Ok(frame) => tokio::task::spawn_blocking(move || develop(&name, &frame, QUALITY)).await,
            Err(error) => Ok(Err(error)),
        };
        lease.end().await;
        self.station.lights_off();
        Ok(developed.map_err(|error| StartError::Defect(error.to_string()))??)
    }
}
