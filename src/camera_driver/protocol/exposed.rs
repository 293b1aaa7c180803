//! What is known of when a picture was exposed.

use serde::{Deserialize, Serialize};

/// By what a driver knows when its camera's pictures were exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// The sensor says when it read each of them out. It may be asked for one ahead of time.
    #[default]
    Sensor,
    /// By nothing but when it was told to release the shutter, which it does at once when it is asked for a picture. It is
    /// asked only when the exposure may begin.
    Trigger,
}

/// What a driver says of when a picture was exposed. Times are `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a frame needs sensor_timestamp_ns or triggered_ns")]
pub enum ExposedAt {
    /// By the sensor.
    Sensor {
        /// When readout of the first row began, which is when its exposure ended (libcamera's `SensorTimestamp`).
        sensor_timestamp_ns: u64,
    },
    /// By the trigger.
    Trigger {
        /// When the driver was about to release the shutter: the exposure began after that.
        triggered_ns: u64,
    },
}

impl ExposedAt {
    /// By what it is known.
    pub const fn by(self) -> Timestamps {
        match self {
            Self::Sensor { .. } => Timestamps::Sensor,
            Self::Trigger { .. } => Timestamps::Trigger,
        }
    }

    /// The time that is known.
    pub const fn at_ns(self) -> u64 {
        match self {
            Self::Sensor { sensor_timestamp_ns: at_ns } | Self::Trigger { triggered_ns: at_ns } => at_ns,
        }
    }

    /// The same, known of `at_ns`.
    #[must_use]
    pub const fn with(self, at_ns: u64) -> Self {
        match self {
            Self::Sensor { .. } => Self::Sensor { sensor_timestamp_ns: at_ns },
            Self::Trigger { .. } => Self::Trigger { triggered_ns: at_ns },
        }
    }
}
