//! What a device says by itself, from within its own calls.

use std::sync::Arc;
use std::time::Duration;

use crate::camera_driver::link::Link;
use crate::camera_driver::protocol::FromDriver;
use crate::clock::{as_ns, now_ns};

/// With which a device says that its thread will not be heard of for a while.
#[derive(Debug, Clone)]
pub struct Notice(Arc<Link>);

impl Notice {
    /// Said over `link`, without waiting for the daemon to read it.
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    /// A call that may take `time` is about to be made. Until then, or until it is done if that is sooner, silence is no
    /// sign that the camera hangs. To be said before each such call, of [`longest_call_ms`] at most.
    ///
    /// [`longest_call_ms`]: crate::camera_driver::protocol::Hello::longest_call_ms
    pub fn busy_for(&self, time: Duration) {
        let until_ns = now_ns().saturating_add(as_ns(time));
        // A daemon that is gone is found out by the thread's next round.
        let _told = self.0.send(&FromDriver::Busy { until_ns }, &[]);
    }
}
