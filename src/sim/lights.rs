//! Simulated lights, which simulated cameras see.

use std::sync::Arc;
use std::time::Duration;

use super::WorldFile;
use crate::config::Light;
use crate::rig::lights::{Lights, LightsError};

/// Lights that simulated cameras see.
#[derive(Debug)]
pub struct SimLights {
    lights: Vec<Light>,
    world: Arc<WorldFile>,
}

impl SimLights {
    /// These lights, all off at first.
    pub fn new(lights: Vec<Light>, world: Arc<WorldFile>) -> Result<Self, LightsError> {
        let lights = Self { lights, world };
        lights.switch(false)?;
        Ok(lights)
    }
}

impl SimLights {
    /// Makes each light as bright as `brightness` says. Returns the longest warm-up of those that were not.
    fn make(&self, brightness: impl Fn(&Light) -> f64) -> Result<Duration, LightsError> {
        let present = self.world.world();
        let changed: Vec<_> = self
            .lights
            .iter()
            .filter(|light| present.lights().get(&light.name) != Some(&brightness(light)))
            .collect();
        if changed.is_empty() {
            return Ok(Duration::ZERO);
        }
        self.world
            .update(|world| changed.iter().for_each(|light| world.set_light(&light.name, brightness(light))))
            .map_err(|source| LightsError::World { path: self.world.path().to_owned(), source })?;
        Ok(changed.iter().map(|light| light.warm_up).max().unwrap_or_default())
    }
}

impl Lights for SimLights {
    fn switch(&self, on: bool) -> Result<Duration, LightsError> {
        let warm_up = self.make(|light| if on { light.brightness } else { 0.0 })?;
        Ok(if on { warm_up } else { Duration::ZERO })
    }

    fn rest(&self, idle: Duration) -> Result<Option<Duration>, LightsError> {
        let present = self.world.world();
        let now = |light: &Light| present.lights().get(&light.name).copied().unwrap_or_default();
        self.make(|light| if light.idle_off <= idle { 0.0 } else { now(light) })?;
        Ok(next_off(&self.lights, idle))
    }
}

/// After how much rest the next light goes off.
pub(crate) fn next_off(lights: &[Light], idle: Duration) -> Option<Duration> {
    lights.iter().map(|light| light.idle_off).filter(|idle_off| *idle_off > idle).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::World;

    #[test]
    fn lights_start_off_and_warm_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let world = Arc::new(WorldFile::create(path.clone(), World::default()).unwrap());
        let light = |name: &str, brightness, warm_up| Light {
            name: name.into(),
            brightness,
            warm_up: Duration::from_millis(warm_up),
            idle_off: Duration::from_millis(10 * warm_up),
            pin: None,
        };
        let lights = SimLights::new(vec![light("left", 0.5, 200), light("right", 1.0, 300)], world).unwrap();
        let brightness = || World::load(&path).unwrap().lights().values().copied().collect::<Vec<_>>();
        assert_eq!(brightness(), [0.0, 0.0]);
        assert_eq!(lights.switch(true).unwrap(), Duration::from_millis(300));
        assert_eq!(brightness(), [0.5, 1.0]);
        assert_eq!(lights.switch(true).unwrap(), Duration::ZERO);
        // At rest, each stays on for as long as it is to.
        let rest = |idle| lights.rest(Duration::from_millis(idle)).unwrap().map(|next| next.as_millis());
        assert_eq!((rest(0), brightness()), (Some(2000), vec![0.5, 1.0]));
        assert_eq!((rest(2000), brightness()), (Some(3000), vec![0.0, 1.0]));
        assert_eq!(lights.switch(true).unwrap(), Duration::from_millis(200), "the other one is warm");
        assert_eq!((rest(9999), brightness()), (None, vec![0.0, 0.0]));
        lights.switch(true).unwrap();
        assert_eq!(lights.switch(false).unwrap(), Duration::ZERO);
        assert_eq!(brightness(), [0.0, 0.0]);
    }
}
