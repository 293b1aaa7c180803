//! Lights that go off some time after the last scan.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::model::Lighting;
use crate::rig::lights::{Lights, LightsError};

/// Lights, and the task that switches them off.
pub(super) struct IdleLights {
    lights: Arc<dyn Lights>,
    /// How often they were switched on. A task that waits for the end of an earlier time has nothing to say any more.
    times: Arc<Mutex<u64>>,
}

impl IdleLights {
    pub(super) fn new(lights: Arc<dyn Lights>) -> Self {
        Self { lights, times: Arc::default() }
    }

    pub(super) fn lights(&self) -> &Arc<dyn Lights> {
        &self.lights
    }

    /// Switches the lights on that shine on the object, until [`Self::leave`]; others go off. Returns how long to wait for
    /// steady light.
    pub(super) fn switch_on(&self) -> Result<Duration, LightsError> {
        // Held while they are switched, so that no task switches them off behind this.
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        *times += 1;
        self.lights.switch(Some(Lighting::Front))
    }

    /// Nobody needs them for now: each goes off after its idle time, those without one at once.
    pub(super) fn leave(&self) {
        let (lights, times) = (self.lights.clone(), self.times.clone());
        let time = *times.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let Some(next) = rest(lights.as_ref(), &times, time, Duration::ZERO) else { return };
        tokio::spawn(async move {
            let mut next = Some(next);
            while let Some(idle) = next {
                tokio::time::sleep(idle.saturating_sub(begun.elapsed())).await;
                next = rest(lights.as_ref(), &times, time, idle);
            }
        });
    }
}

impl IdleLights {
    /// Brings every light into its safe state, for good.
    pub(super) fn end(&self) {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.lights.end();
    }
}

/// Switches off what is due after `idle`, unless they were switched on since. Returns when the next one is due.
fn rest(lights: &dyn Lights, times: &Mutex<u64>, time: u64, idle: Duration) -> Option<Duration> {
    let times = times.lock().unwrap_or_else(PoisonError::into_inner);
    if *times != time {
        return None;
    }
    lights.rest(idle).unwrap_or_else(|error| {
        warn!("{error}");
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Light;
    use crate::sim::{SimLights, World, WorldFile};

    fn lights(folder: &tempfile::TempDir) -> (Arc<WorldFile>, IdleLights) {
        let world = Arc::new(WorldFile::create(folder.path().join("world.json"), World::default()).unwrap());
        let light = |name: &str, idle_off| Light {
            name: name.into(),
            role: Lighting::Front,
            brightness: 1.0,
            warm_up: Duration::ZERO,
            idle_off: Duration::from_millis(idle_off),
            pin: None,
        };
        let lights = SimLights::new(vec![light("a", 0), light("b", 40), light("c", 80)], world.clone());
        (world, IdleLights::new(Arc::new(lights.unwrap())))
    }

    fn lit(world: &WorldFile) -> usize {
        world.world().lights(Lighting::Front).values().filter(|brightness| **brightness > 0.0).count()
    }

    #[tokio::test]
    async fn each_goes_off_in_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (world, lights) = lights(&folder);
        lights.switch_on().unwrap();
        assert_eq!(lit(&world), 3);
        lights.leave();
        assert_eq!(lit(&world), 2, "one at once");
        while lit(&world) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn what_is_needed_again_stays_on() {
        let folder = tempfile::tempdir().unwrap();
        let (world, lights) = lights(&folder);
        for _ in 0..3 {
            lights.switch_on().unwrap();
            lights.leave();
        }
        lights.switch_on().unwrap();
        // Longer than any idle time: the tasks have had their say.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(lit(&world), 3);
    }
}
