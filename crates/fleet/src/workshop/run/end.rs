//! How a run ends, if not with a result; and what is tried again before.

use std::io;
use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use crate::workshop::files::FileError;
use crate::workshop::shop::Shop;
use crate::workshop::state::Put;

/// So often a file is fetched that comes damaged.
const DAMAGED_TRIES: u32 = 3;
/// So often a broker that is there may refuse something.
const BROKEN_TRIES: u32 = 10;

/// What a run has come to, if not to a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It has failed: the next one may not.
    Failed {
        /// Why.
        reason: String,
        /// What the command has said.
        log: Option<Put>,
    },
    /// It is this worker that cannot do it now.
    Trouble(String),
    /// It had to stop.
    Stopped,
}

/// How often something of one file has gone wrong.
#[derive(Debug, Default)]
pub(super) struct Tries {
    pub(super) all: u32,
    damaged: u32,
    broken: u32,
}

impl Tries {
    /// Waits a moment, and nothing more, if it is to be tried again. A broker that is away is waited for.
    pub(super) async fn again(&mut self, shop: &Shop, name: &str, error: FileError) -> Result<(), End> {
        self.all += 1;
        match error {
            FileError::Shop(error) => {
                self.broken += u32::from(shop.is_connected());
                if self.broken >= BROKEN_TRIES {
                    return Err(End::Trouble(error.to_string()));
                }
                sleep(Duration::from_secs(1)).await;
            }
            FileError::Here(error) => return Err(here(&error)),
            FileError::DamagedHere(reason) => return Err(End::Trouble(format!("{name}: {reason}"))),
            FileError::DamagedThere(reason) => {
                self.damaged += 1;
                let message = format!("{name}: {reason}");
                if self.damaged >= DAMAGED_TRIES {
                    return Err(End::Failed {
                        reason: format!("{message}: offer the scan again"),
                        log: None,
                    });
                }
                warn!("{message}: it is fetched again");
            }
        }
        Ok(())
    }
}

/// What is wrong with this machine is no fault of the job.
pub(super) fn here(error: &io::Error) -> End {
    End::Trouble(format!("the scratch folder: {error}"))
}
