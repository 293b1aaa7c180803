//! A synthetic camera without a sensor's timestamps: it exposes when it is told to, and only then.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use super::{Scene, Shutter, Synthetic};
use crate::camera_driver::host::{DeviceError, RawFrame};
use crate::camera_driver::protocol::{ExposedAt, Stream};
use crate::clock::{as_ns, now_ns, sleep_until_ns};

/// From the release of the shutter to the begin of the exposure, unscaled: a mirror has to go up.
const LAG: Duration = Duration::from_millis(80);
/// How late a capture may be noticed.
const LOOK: Duration = Duration::from_millis(2);

/// The shutter.
#[derive(Debug, Default)]
pub(super) struct Trigger {
    /// Its release that has not yielded a frame yet.
    released: Option<Released>,
    /// How often it was released.
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Released {
    /// Epoch and request for which that was.
    capture: (u64, u64),
    triggered_ns: u64,
    shutter: Shutter,
}

impl<S: Scene> Synthetic<S> {
    /// Releases the shutter at once for a capture that waits; the frame of that, once it is there.
    pub(super) fn next_triggered(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        let (Some(run), Some(capture)) = (&self.run, self.capture) else {
            std::thread::sleep(timeout.min(LOOK));
            return Ok(None);
        };
        let (timing, now_ns) = (run.timing(), now_ns());
        let capture = (capture.epoch, capture.request);
        let Some(released) = self.trigger.released.filter(|released| released.capture == capture) else {
            self.trigger.count += 1;
            let lag_ns = (as_ns(LAG) as f64 / self.properties.time_scale) as u64;
            let index = self.properties.startup_frames + self.trigger.count;
            let shutter = Shutter { index, ..timing.shutter(now_ns + lag_ns, 0) };
            self.trigger.released = Some(Released { capture, triggered_ns: now_ns, shutter });
            self.witness("trigger", Shutter { opens_ns: now_ns, ready_ns: now_ns, ..shutter })?;
            return Ok(None);
        };
        let Released { triggered_ns, shutter, .. } = released;
        if now_ns < shutter.ready_ns {
            sleep_until_ns(shutter.ready_ns.min(now_ns + as_ns(timeout)));
            return Ok(None);
        }
        self.trigger.released = None;
        self.witness("exposure", Shutter { opens_ns: triggered_ns, ..shutter })?;
        let frame = self.make(Stream::Still, &shutter, &timing)?;
        Ok(frame.map(|mut frame| {
            frame.metadata.exposed = ExposedAt::Trigger { triggered_ns };
            frame
        }))
    }

    /// Notes whether the scene held still for as long as `shutter` was open, where that is wanted.
    fn witness(&mut self, what: &str, shutter: Shutter) -> Result<(), DeviceError> {
        let Some(path) = &self.properties.trigger_log else { return Ok(()) };
        let still = if self.scene.held_still(&shutter)? { "still" } else { "moving" };
        let line = format!("{what} {} {} {still}\n", shutter.opens_ns, shutter.ready_ns);
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| DeviceError::invalid(format!("option trigger_log: {}: {error}", path.display())))
    }
}
