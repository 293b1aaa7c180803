//! Looking through the cameras: each frame is encoded once, however many look, and not at all if nobody does.
//!
//! A feeder, one a camera that somebody looks at, takes the newest frame, encodes it on a thread for that, and puts it
//! where every viewer finds it: whoever is slow skips those in between. A camera that streams beside its stills goes on
//! through photographs and scans. One that cannot is shown by stills between photographs, and its viewers are told
//! that it is paused meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::events::hub::Events;
use crate::api::rig::state::Rig;

use super::camera::{LiveCamera, Viewer};
use super::feed::{Surroundings, feed};

/// Viewers of all cameras at once.
const MAX_VIEWERS: usize = 128;

/// The live views of all cameras, and how many look.
#[derive(Clone)]
pub(in crate::api) struct Live {
    cameras: Arc<[Arc<LiveCamera>]>,
    viewers: Arc<AtomicUsize>,
    around: Surroundings,
}

impl Live {
    pub(in crate::api) fn new(rig: Rig, events: Events) -> Self {
        let on_standby = rig.service.standby().cameras().iter().zip(&rig.config().cameras);
        let cameras =
            on_standby.map(|(camera, config)| Arc::new(LiveCamera::new(camera.clone(), config))).collect();
        Self { cameras, viewers: Arc::default(), around: Surroundings { rig, events } }
    }

    /// How many look through all cameras.
    pub(in crate::api) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::SeqCst)
    }

    pub(in crate::api) fn cameras(&self) -> &[Arc<LiveCamera>] {
        &self.cameras
    }

    /// The camera of this name.
    pub(in crate::api) fn camera(&self, name: &str) -> Option<&Arc<LiveCamera>> {
        self.cameras.iter().find(|camera| camera.name() == name)
    }

    /// Looks through a camera; none if too many do.
    pub(in crate::api) fn look(&self, camera: &Arc<LiveCamera>) -> Option<Viewer> {
        let enter = |count: usize| (count < MAX_VIEWERS).then_some(count + 1);
        self.viewers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter).ok()?;
        let (viewer, unfed) = camera.look(self.viewers.clone());
        if unfed {
            tokio::spawn(feed(self.around.clone(), camera.clone()));
        }
        Some(viewer)
    }
}
