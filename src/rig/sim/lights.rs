//! Simulated lights.

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
    /// `lights`, all off.
    pub fn new(lights: Vec<Light>, world: Arc<WorldFile>) -> Result<Self, LightsError> {
        let lights = Self { lights, world };
        lights.switch(false)?;
        Ok(lights)
    }
}

impl Lights for SimLights {
    fn switch(&self, on: bool) -> Result<Duration, LightsError> {
        let brightness = |light: &Light| if on { light.brightness } else { 0.0 };
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
        let warm_up = changed.iter().map(|light| light.warm_up).max().unwrap_or_default();
        Ok(if on { warm_up } else { Duration::ZERO })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::sim::World;

    #[test]
    fn lights_start_off_and_warm_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let world = Arc::new(WorldFile::create(path.clone(), World::default()).unwrap());
        let light = |name: &str, brightness, warm_up| Light {
            name: name.into(),
            brightness,
            warm_up: Duration::from_millis(warm_up),
            pin: None,
        };
        let lights = SimLights::new(vec![light("left", 0.5, 200), light("right", 1.0, 300)], world).unwrap();
        let brightness = || World::load(&path).unwrap().lights().values().copied().collect::<Vec<_>>();
        assert_eq!(brightness(), [0.0, 0.0]);
        assert_eq!(lights.switch(true).unwrap(), Duration::from_millis(300));
        assert_eq!(brightness(), [0.5, 1.0]);
        assert_eq!(lights.switch(true).unwrap(), Duration::ZERO);
        assert_eq!(lights.switch(false).unwrap(), Duration::ZERO);
        assert_eq!(brightness(), [0.0, 0.0]);
    }
}
