//! Who has the rig.

use tokio::sync::{mpsc, watch};
use tracing::info;

use crate::run::{Command, Progress, Summary};

use super::super::error::StartError;
use super::super::status::Last;
use super::{Service, Slot};

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
        self.service.desk.send_modify(|desk| desk.slot = Slot::Scanning { commands, progress });
    }

    pub(super) fn ended(&mut self, summary: &Summary) {
        self.last = Some(Last::Ended { end: summary.end, reason: summary.reason.clone() });
    }

    pub(super) fn failed(&mut self, error: &StartError) {
        let message = error.to_string();
        self.last = (!error.is_a_wish()).then_some(Last::Failed { message });
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let last = self.last.take();
        self.service.desk.send_modify(|desk| {
            if let Slot::Scanning { progress, .. } = &desk.slot {
                desk.scan = Some(progress.borrow().clone());
            }
            self.service.studio.reopen();
            self.service.pairing.rig_is_free();
            desk.slot = Slot::Free;
            desk.last = last.or(desk.last.take());
        });
        info!("the rig is free");
    }
}

impl Service {
    pub(super) fn claim(&self) -> Result<(Claim, mpsc::Receiver<Command>), StartError> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let mut refused = None;
        self.desk.send_if_modified(|desk| {
            refused = match &desk.slot {
                Slot::Free if desk.closed => Some(StartError::Closed),
                Slot::Free => None,
                Slot::Starting { .. } => Some(StartError::ScanUnderWay { scan: "(starting)".into() }),
                Slot::Scanning { progress, .. } => {
                    Some(StartError::ScanUnderWay { scan: progress.borrow().scan.clone() })
                }
            };
            if refused.is_none() {
                desk.slot = Slot::Starting { commands: commands.clone() };
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
