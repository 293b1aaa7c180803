//! Who has the rig.

use tokio::sync::{mpsc, watch};
use tracing::info;

use crate::run::{Command, Progress, Summary};

use super::super::error::StartError;
use super::super::status::Last;
use super::{RigUse, Service};

/// Wishes that may wait until the scan hears them.
const COMMANDS: usize = 64;

/// The rig, taken for a scan; free again, with its outcome, when this is dropped.
pub(super) struct Claim {
    service: Service,
    commands: mpsc::Sender<Command>,
    /// What will be said of it; none leaves what was said before.
    pub(super) last: Option<Last>,
}

impl Claim {
    pub(super) fn scanning(&self, progress: watch::Receiver<Progress>) {
        let commands = self.commands.clone();
        self.service
            .occupancy
            .send_modify(|occupancy| occupancy.rig = RigUse::Scanning { commands, progress });
    }

    pub(super) fn ended(&mut self, summary: &Summary) {
        self.last = Some(Last::Ended(summary.end.clone()));
    }

    pub(super) fn failed(&mut self, error: &StartError) {
        let message = error.to_string();
        self.last = (!error.is_a_wish()).then_some(Last::Failed { message });
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let last = self.last.take();
        self.service.occupancy.send_modify(|occupancy| {
            if let RigUse::Scanning { progress, .. } = &occupancy.rig {
                occupancy.last_scan = Some(progress.borrow().clone());
            }
            self.service.standby.reopen();
            self.service.pairing.rig_is_free();
            occupancy.rig = RigUse::Free;
            occupancy.last = last.or(occupancy.last.take());
        });
        info!("the rig is free");
    }
}

impl Service {
    /// Takes the rig for a scan.
    pub(super) fn claim(&self) -> Result<(Claim, mpsc::Receiver<Command>), StartError> {
        self.claim_as(|commands| RigUse::Starting { commands })
    }

    /// Takes the rig for a person, whom the hours do not concern. What was said of the last scan stays.
    pub(super) fn claim_by_hand(&self) -> Result<(Claim, mpsc::Receiver<Command>), StartError> {
        let (mut claim, commands) = self.claim_as(|commands| RigUse::ByHand { commands })?;
        claim.last = None;
        Ok((claim, commands))
    }

    fn claim_as(
        &self,
        taken_for: impl FnOnce(mpsc::Sender<Command>) -> RigUse,
    ) -> Result<(Claim, mpsc::Receiver<Command>), StartError> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let mut refused = None;
        self.occupancy.send_if_modified(|occupancy| {
            refused = match &occupancy.rig {
                RigUse::Free if occupancy.closed => Some(StartError::Closed),
                RigUse::Free => None,
                RigUse::ByHand { .. } if self.tunings.is_under_way() => Some(StartError::BeingTuned),
                RigUse::Starting { .. } | RigUse::ByHand { .. } => {
                    Some(StartError::ScanUnderWay { scan: "(starting)".into() })
                }
                RigUse::Scanning { progress, .. } => {
                    Some(StartError::ScanUnderWay { scan: progress.borrow().scan.clone() })
                }
            };
            if refused.is_none() {
                occupancy.rig = taken_for(commands.clone());
            }
            refused.is_none()
        });
        if let Some(refused) = refused {
            return Err(refused);
        }
        let unexpected = Last::Failed { message: "its task ended unexpectedly: see the log".into() };
        Ok((Claim { service: self.clone(), commands, last: Some(unexpected) }, receiver))
    }
}
