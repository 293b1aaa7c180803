//! A camera that nobody wants a photograph of for some time: it is kept awake, or opened anew once it has switched itself off.

use std::time::Instant;

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;

use super::condition::BATTERY;
use super::{Gphoto, SHORT};

impl Gphoto {
    /// Whether it is time to ask the camera something. Never between a release and its last file.
    pub(super) fn is_to_be_kept_awake(&self) -> bool {
        let interval = self.options.keep_alive.duration();
        self.release.is_none() && !interval.is_zero() && self.looked.elapsed() >= interval
    }

    /// Asks it for news, and how it is: most cameras count that as being used.
    pub(super) fn keep_awake(&mut self) -> Result<(), DeviceError> {
        self.looked = Instant::now();
        self.awaken()?;
        self.examine();
        Ok(())
    }

    /// Makes the camera ready for a release: it answers, nothing is left of earlier ones, and it is set. One that has switched itself off
    /// is opened anew: nothing was released yet, so that this costs no attempt.
    pub(super) fn awaken(&mut self) -> Result<(), DeviceError> {
        if self.opened()? {
            return self.make_ready();
        }
        match self.make_ready() {
            Err(error) if matches!(error.kind, ErrorKind::Timeout | ErrorKind::Gone) => {
                let model = &self.found.model;
                tracing::info!(
                    "{model} has switched itself off, or lost its connection, and is opened anew: {error}"
                );
                self.closed();
                self.opened()?;
                self.make_ready()
            }
            done => done,
        }
    }

    fn make_ready(&mut self) -> Result<(), DeviceError> {
        self.clear()?;
        self.busy(SHORT);
        match self.camera()?.setting(BATTERY) {
            Err(failure) if failure.is_of_connection() => {
                return Err(self.failed("asking for the battery of", failure));
            }
            // Not every camera says how its battery is.
            Ok(_) | Err(_) => {}
        }
        self.adjust()
    }
}
