//! When what a camera finds by itself has settled, and whether a frame was taken with what was asked for. Pure.

use std::time::Duration;

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;
use scanner::model::{ColourGains, Controls, is_near};
use scanner::units::{Dioptres, Seconds};

/// As many frames alike are steady. Settings take effect some frames after they were asked for (`PipelineDepth`),
/// so fewer could all be from before a change.
const STEADY_FRAMES: u32 = 6;
/// How much what is steady may differ from frame to frame, relatively.
const STEADY: f64 = 0.01;
/// What has not settled by then is held as it is.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a frame says of the settings it was taken with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    pub(crate) exposure: Option<Seconds>,
    pub(crate) gain: Option<f64>,
    pub(crate) white_balance: Option<ColourGains>,
    pub(crate) focus: Option<Dioptres>,
    /// The camera says that automatic exposure is still at work.
    pub(crate) exposure_settles: bool,
    pub(crate) autofocus: Autofocus,
}

/// What autofocus is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Autofocus {
    /// The camera does not say.
    None,
    Idle,
    Scanning,
    Focused,
    Failed,
}

/// A camera that is finding its settings.
#[derive(Debug)]
pub(crate) struct Convergence {
    last: Option<Seen>,
    steady: u32,
    /// Whether autofocus was started for this, and whether it was seen at work since.
    focusing: Focusing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focusing {
    No,
    Started,
    Seen,
}

impl Convergence {
    /// Begins; `autofocus` was started for it, or not.
    pub(crate) fn new(autofocus: bool) -> Self {
        let focusing = if autofocus { Focusing::Started } else { Focusing::No };
        Self { last: None, steady: 0, focusing }
    }

    /// A frame, `since` the begin: what is to be held, once it has settled.
    pub(crate) fn frame(&mut self, seen: Seen, since: Duration) -> Option<Result<Controls, DeviceError>> {
        let alike = self.last.is_some_and(|last| last.is_like(&seen)) && !seen.exposure_settles;
        self.steady = if alike { self.steady + 1 } else { 0 };
        self.last = Some(seen);
        if self.focusing == Focusing::Started && seen.autofocus == Autofocus::Scanning {
            self.focusing = Focusing::Seen;
        }
        match (self.focusing, seen.autofocus) {
            (Focusing::Seen, Autofocus::Failed) => return Some(Err(out_of_focus())),
            (Focusing::Seen, Autofocus::Focused) => self.focusing = Focusing::No,
            (Focusing::Seen, Autofocus::None | Autofocus::Idle | Autofocus::Scanning)
            | (
                Focusing::No | Focusing::Started,
                Autofocus::None
                | Autofocus::Idle
                | Autofocus::Scanning
                | Autofocus::Focused
                | Autofocus::Failed,
            ) => {}
        }
        if since >= PATIENCE {
            if self.focusing != Focusing::No {
                return Some(Err(out_of_focus()));
            }
            tracing::warn!("exposure and white balance did not settle in {PATIENCE:?}: held as they are");
        } else if self.focusing != Focusing::No || self.steady + 1 < STEADY_FRAMES {
            return None;
        }
        Some(Ok(seen.as_controls()))
    }
}

fn out_of_focus() -> DeviceError {
    DeviceError::new(
        ErrorKind::BadFrame,
        "autofocus found nothing sharp: light the object, point the camera at something with texture, choose \
         another focus_window, or set focus",
    )
}

impl Seen {
    /// What these settings are as fixed ones.
    pub(crate) const fn as_controls(&self) -> Controls {
        Controls {
            exposure: self.exposure,
            gain: self.gain,
            white_balance: self.white_balance,
            focus: self.focus,
            metering: None,
            focus_window: None,
            noise_reduction: None,
            crop: None,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let pairs = [
            (self.exposure.map(Seconds::get), other.exposure.map(Seconds::get)),
            (self.gain, other.gain),
            (self.white_balance.map(|gains| gains.red), other.white_balance.map(|gains| gains.red)),
            (self.white_balance.map(|gains| gains.blue), other.white_balance.map(|gains| gains.blue)),
            (self.focus.map(Dioptres::get), other.focus.map(Dioptres::get)),
        ];
        pairs.into_iter().all(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => is_near(a, b, STEADY, 0.0),
            (a, b) => a == b,
        })
    }

    /// What differs from what was `wanted`, or is not ready, for people.
    pub(crate) fn differs_from(&self, wanted: &Controls) -> Option<String> {
        wanted.differ_from(&self.as_controls()).or_else(|| {
            // A lens that was put somewhere needs no autofocus.
            let autofocus = if wanted.focus.is_some() { Autofocus::None } else { self.autofocus };
            match autofocus {
                Autofocus::Scanning => Some("autofocus is still at work".into()),
                Autofocus::Failed => Some("autofocus found nothing sharp".into()),
                Autofocus::None | Autofocus::Idle | Autofocus::Focused => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(exposure_ms: f64) -> Seen {
        Seen {
            exposure: Some(Seconds::new(exposure_ms / 1e3)),
            gain: Some(1.0),
            white_balance: Some(ColourGains { red: 1.8, blue: 1.5 }),
            focus: None,
            exposure_settles: false,
            autofocus: Autofocus::None,
        }
    }

    /// The frame (from 0) with which it settles, at 10 frames a second.
    fn settles(
        autofocus: bool,
        frames: impl IntoIterator<Item = Seen>,
    ) -> Option<(usize, Result<Controls, DeviceError>)> {
        let mut convergence = Convergence::new(autofocus);
        frames.into_iter().enumerate().find_map(|(index, seen)| {
            let since = Duration::from_millis(100 * index as u64);
            Some((index, convergence.frame(seen, since)?))
        })
    }

    #[test]
    fn it_settles_once_frames_are_alike() {
        let rising = (0..10).map(|step| seen(1.0 + f64::from(step))).chain([seen(10.0); 10]);
        let (frame, held) = settles(false, rising).unwrap();
        // Frame 9 is the first of 10 ms.
        assert_eq!(frame, 9 + STEADY_FRAMES as usize - 1);
        assert_eq!(held.unwrap().exposure, Some(Seconds::new(0.01)));
        assert!(settles(false, [seen(1.0); 5]).is_none());
    }

    #[test]
    fn a_camera_that_says_it_searches_is_waited_for_but_not_for_ever() {
        let searching = Seen { exposure_settles: true, ..seen(5.0) };
        let (frame, held) = settles(false, [searching; 100]).unwrap();
        assert_eq!((frame, held.is_ok()), (80, true));
    }

    #[test]
    fn autofocus_has_to_be_seen_at_work_and_to_succeed() {
        let with =
            |autofocus, dioptres: f64| Seen { autofocus, focus: Some(Dioptres::new(dioptres)), ..seen(1.0) };
        let before = [with(Autofocus::Focused, 1.0); 10];
        let scan = (0..8).map(|step| with(Autofocus::Scanning, 1.0 + f64::from(step)));
        let good = before.into_iter().chain(scan.clone()).chain([with(Autofocus::Focused, 4.0); 10]);
        let (_, held) = settles(true, good).unwrap();
        assert_eq!(held.unwrap().focus, Some(Dioptres::new(4.0)));
        let bad = before.into_iter().chain(scan).chain([with(Autofocus::Failed, 1.0); 10]);
        let (frame, failed) = settles(true, bad).unwrap();
        assert_eq!((frame, failed.unwrap_err().kind), (18, ErrorKind::BadFrame));
        let (frame, failed) = settles(true, [with(Autofocus::Idle, 1.0); 100]).unwrap();
        assert_eq!((frame, failed.is_err()), (80, true));
    }

    #[test]
    fn a_frame_taken_with_something_else_is_told_and_a_row_of_exposure_is_nothing() {
        let wanted = Controls {
            exposure: Some(Seconds::new(0.010)),
            gain: Some(1.0),
            focus: Some(Dioptres::new(3.0)),
            ..Controls::default()
        };
        assert_eq!(seen(9.97).differs_from(&wanted), None);
        assert_eq!(seen(8.0).differs_from(&wanted).unwrap(), "exposure is 8.000 ms, asked for was 10.000 ms");
        let far = Seen { focus: Some(Dioptres::new(2.9)), ..seen(10.0) };
        assert_eq!(far.differs_from(&wanted).unwrap(), "focus is 2.900 dpt, asked for was 3.000 dpt");
        let silent = Seen { exposure: None, gain: None, ..seen(1.0) };
        assert_eq!(silent.differs_from(&wanted), None);
    }
}
