//! What a driver says of a picture.

use serde::{Deserialize, Serialize};

use super::{ExposedAt, Payload, RawPlane, Stream};
use crate::model::{ColourGains, Size};
use crate::units::{Dioptres, Seconds};

/// A picture in shared memory; its descriptor travels with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The epoch it was exposed in.
    pub epoch: u64,
    /// The `capture` that it answers; none for live frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// What the driver says of it.
    #[serde(flatten)]
    pub metadata: FrameMetadata,
}

/// What a driver says of a picture: what lies in its memory, when it was taken, and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameMetadata {
    /// The stream that it is of: only a still answers a `capture`.
    pub stream: Stream,
    /// Pixels, or files.
    #[serde(flatten)]
    pub payload: Payload,
    /// When it was exposed: began at `sensor_timestamp_ns - exposure_us * 1000`, or after `triggered_ns`.
    #[serde(flatten)]
    pub exposed: ExposedAt,
    /// Exposure time in microseconds; absent or null if unknown, never 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_us: Option<u64>,
    /// Time from the first to the last row's readout in microseconds; 0 if unknown.
    pub readout_us: u64,
    /// Analogue gain, 1 = none; absent or null if unknown, never 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// White balance, if the camera says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white_balance: Option<ColourGains>,
    /// Lens position, if the lens has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Dioptres>,
    /// The raw image beside a still, if one is configured, in memory of its own: the message's second descriptor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RawPlane>,
    /// `CLOCK_MONOTONIC` in nanoseconds at which the driver had the picture, complete; 0 if unknown.
    #[serde(default)]
    pub completed_ns: u64,
    /// How far its times may be off, in microseconds, where they were taken by the clock of another machine. Absent of this
    /// machine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_uncertainty_us: Option<u64>,
    /// The sensor's frame counter; grows within an epoch.
    pub sequence: u64,
    /// For `release`; never used twice in a driver's life.
    pub buffer: u64,
}

impl FrameMetadata {
    /// Size in pixels.
    pub const fn size(&self) -> Size {
        self.payload.size()
    }

    /// When the exposure of its first row began, `CLOCK_MONOTONIC` in nanoseconds. Where that is not known, at the
    /// earliest: no sensor exposes for longer than a frame takes, which is `frame_ns`.
    pub fn exposed_from_ns(&self, frame_ns: u64) -> u64 {
        match self.exposed {
            ExposedAt::Sensor { sensor_timestamp_ns } => {
                let exposure_ns = self.exposure_us.map_or(frame_ns, |time| time.saturating_mul(1000));
                sensor_timestamp_ns.saturating_sub(exposure_ns)
            }
            ExposedAt::Trigger { triggered_ns } => triggered_ns,
        }
    }

    /// Exposure time and gain as images record them, in which 0 is unknown.
    pub fn exposure_and_gain(&self) -> (Seconds, f64) {
        (Seconds::new(self.exposure_us.unwrap_or_default() as f64 / 1e6), self.gain.unwrap_or_default())
    }
}
