//! How a rig trembles once its motors rest.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A swing that dies down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tremble {
    /// Degrees of the turntable, at the beginning.
    pub amplitude: f64,
    /// From one side to the other and back.
    pub period: Duration,
    /// In which it loses all but 1/e.
    pub decay: Duration,
}

impl Tremble {
    /// It is over after so many of its decays: to the 20,000th part.
    const DECAYS: u32 = 10;

    /// When it is over, since the motors came to rest.
    pub fn lasts(&self) -> Duration {
        self.decay * Self::DECAYS
    }

    /// Degrees of the turntable, `since` the motors came to rest.
    pub fn angle(&self, since: Duration) -> f64 {
        if since >= self.lasts() {
            return 0.0;
        }
        let turns = since.as_secs_f64() / self.period.as_secs_f64();
        self.amplitude
            * (-since.as_secs_f64() / self.decay.as_secs_f64()).exp()
            * (std::f64::consts::TAU * turns).sin()
    }
}
