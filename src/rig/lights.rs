//! The rig's lights: one lighting at a time.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::Lighting;

/// All lights of a rig.
pub trait Lights: Send + Sync {
    /// Switches the lights of `lighting` on, each to its configured brightness, and all others off before that; all of
    /// them for none. On return what was to go off is off. Returns how long to wait before the light is steady: the
    /// longest warm-up of those that came on.
    fn switch(&self, lighting: Option<Lighting>) -> Result<Duration, LightsError>;

    /// Switches off every light that is not needed any more after `idle` of rest. Returns after how much rest the next
    /// one goes off; none if none is left.
    fn rest(&self, idle: Duration) -> Result<Option<Duration>, LightsError>;

    /// Brings every light into its safe state, for good.
    fn end(&self) {}
}

/// Why the lights could not be switched.
#[derive(Debug, thiserror::Error)]
pub enum LightsError {
    /// A pin of a light.
    #[error(transparent)]
    Pin(Box<dyn std::error::Error + Send + Sync>),
    /// The state of the simulated rig cannot be written, so no simulated camera would see the light.
    #[error("cannot write the simulated rig's state to {}: {source}", path.display())]
    World {
        /// The file that has the rig's state.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
