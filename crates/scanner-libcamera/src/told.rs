//! What the camera is told, when that takes effect, and whether its frames are taken with it.

use std::time::Duration;

use libcamera::camera::Camera;
use libcamera::control::ControlList;
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;
use scanner::model::Controls;
use scanner::units::{FramesPerSecond, Seconds};

use super::automatic::Seen;
use super::controls::{Lens, write};

/// The time between frames where nobody says.
const USUAL_PERIOD: Duration = Duration::from_millis(100);
/// A camera that is still not as it was set after so many frames does not do as it is told.
const MOST_MISMATCHES: u32 = 20;
/// Frames after that of the request with new settings that may still be from before: a sensor is told some frames
/// ahead.
const SENSOR_DELAY: u32 = 4;

/// When settings take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// They go with the request that has this cookie.
    WithRequest(u64),
    /// After as many frames.
    Frames(u32),
    /// Every frame from now on has them.
    Now,
}

impl Effect {
    /// Once the request with this cookie has come back.
    const fn after(self, cookie: u64) -> Self {
        match self {
            Self::WithRequest(settings) if settings == cookie => Self::Frames(SENSOR_DELAY),
            Self::Frames(more @ 2..) => Self::Frames(more - 1),
            Self::Frames(0 | 1) => Self::Now,
            waiting @ (Self::WithRequest(_) | Self::Now) => waiting,
        }
    }
}

/// The settings of a camera, on their way to it and on it.
pub(crate) struct Told {
    /// What is set; everything else is automatic.
    fixed: Controls,
    rate: Option<FramesPerSecond>,
    /// Settings are to go with the next request.
    pending: Option<Lens>,
    /// When those that went out last take effect.
    effect: Effect,
    /// Frames that were waited for and not taken with what is set.
    mismatches: u32,
}

impl Told {
    /// A camera that is to be set so from its start on.
    pub(crate) fn new(fixed: Controls, rate: Option<FramesPerSecond>) -> Self {
        Self { fixed, rate, pending: None, effect: Effect::Now, mismatches: 0 }
    }

    /// Puts everything into the `list` that a camera is started with.
    pub(crate) fn write_all(&self, camera: &Camera<'_>, list: &mut ControlList) -> Result<(), DeviceError> {
        write(list, camera, &self.fixed, Lens::Follows, self.rate)
    }

    /// The camera is being started: its first frame is taken with what is set, as far as the sensor can.
    pub(crate) fn starts(&mut self) {
        (self.pending, self.effect, self.mismatches) = (None, Effect::Frames(SENSOR_DELAY), 0);
    }

    /// Changes settings, from one of the next requests on.
    pub(crate) fn set(&mut self, controls: &Controls) {
        self.fixed = controls.over(self.fixed);
        self.pending = Some(Lens::Stays);
        self.mismatches = 0;
    }

    /// Makes everything automatic but what is `fixed`.
    pub(crate) fn free(&mut self, fixed: Controls, lens: Lens) {
        self.fixed = fixed;
        self.pending = Some(lens);
    }

    /// What is set, and not left to the camera.
    pub(crate) fn fixed(&self) -> &Controls {
        &self.fixed
    }

    /// Puts what is still to go out into the `list` of the request with this cookie.
    pub(crate) fn write_pending(
        &mut self,
        camera: &Camera<'_>,
        list: &mut ControlList,
        cookie: u64,
    ) -> Result<(), DeviceError> {
        let Some(lens) = self.pending else { return Ok(()) };
        write(list, camera, &self.fixed, lens, self.rate)?;
        (self.pending, self.effect) = (None, Effect::WithRequest(cookie));
        Ok(())
    }

    /// The request with this cookie has come back.
    pub(crate) fn came_back(&mut self, cookie: u64) {
        self.effect = self.effect.after(cookie);
    }

    /// Whether frames are taken with what is set by now.
    pub(crate) fn is_in_effect(&self) -> bool {
        self.effect == Effect::Now && self.pending.is_none()
    }

    /// Another frame is waited for.
    pub(crate) fn forgive(&mut self) {
        self.mismatches = 0;
    }

    /// Whether a frame that is waited for was taken with what is set; an error once too many were not.
    pub(crate) fn is_obeyed(&mut self, seen: &Seen) -> Result<bool, DeviceError> {
        let Some(difference) = seen.differs_from(&self.fixed) else { return Ok(true) };
        if !self.is_in_effect() {
            return Ok(false);
        }
        self.mismatches += 1;
        if self.mismatches < MOST_MISMATCHES {
            return Ok(false);
        }
        self.mismatches = 0;
        Err(DeviceError::new(
            ErrorKind::BadFrame,
            format!("after {MOST_MISMATCHES} frames the camera does not do as it is set: {difference}"),
        ))
    }

    /// How long a frame takes: as long as its rate says, or as an exposure that is set.
    pub(crate) fn frame_duration(&self) -> Duration {
        let period = self.rate.map_or(USUAL_PERIOD, |rate| Duration::from_secs_f64(rate.get().recip()));
        period.max(self.fixed.exposure.map_or(Duration::ZERO, Seconds::duration))
    }
}

#[cfg(test)]
mod tests {
    use super::super::automatic::Autofocus;
    use super::*;

    fn gain(gain: f64) -> Seen {
        Seen {
            exposure: None,
            gain: Some(gain),
            white_balance: None,
            focus: None,
            exposure_settles: false,
            autofocus: Autofocus::None,
        }
    }

    #[test]
    fn a_camera_has_some_frames_to_obey_and_no_more() {
        let mut told = Told::new(Controls { gain: Some(2.0), ..Controls::default() }, None);
        told.starts();
        for cookie in 0..u64::from(SENSOR_DELAY) {
            assert!(!told.is_in_effect());
            // However many there are, none of them counts.
            assert!(!told.is_obeyed(&gain(1.0)).unwrap());
            told.came_back(cookie);
        }
        assert!(told.is_in_effect() && told.is_obeyed(&gain(2.0)).unwrap());
        for _ in 1..MOST_MISMATCHES {
            assert!(!told.is_obeyed(&gain(1.0)).unwrap());
        }
        assert_eq!(told.is_obeyed(&gain(1.0)).unwrap_err().kind, ErrorKind::BadFrame);
        assert!(!told.is_obeyed(&gain(1.0)).unwrap(), "it counts anew");
    }

    #[test]
    fn a_frame_takes_as_long_as_its_rate_or_its_exposure() {
        let mut told = Told::new(Controls::default(), Some(FramesPerSecond::new(10.0)));
        assert_eq!(told.frame_duration(), Duration::from_millis(100));
        told.set(&Controls { exposure: Some(Seconds::new(12.0)), ..Controls::default() });
        assert_eq!(told.frame_duration(), Duration::from_secs(12));
        assert!(!told.is_in_effect(), "it has not gone out yet");
    }
}
