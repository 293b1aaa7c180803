//! Simulated lights, which simulated cameras see.

use std::sync::Arc;
use std::time::Duration;

use super::WorldFile;
use crate::config::Light;
use crate::model::Lighting;
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
        lights.switch(None)?;
        Ok(lights)
    }
}

impl SimLights {
    /// Makes each light as bright as `brightness` says. Returns the longest warm-up of those that came on.
    fn make(&self, brightness: impl Fn(&Light) -> f64) -> Result<Duration, LightsError> {
        let present = self.world.world();
        let changed: Vec<_> = self
            .lights
            .iter()
            .filter(|light| present.light(&light.name) != Some(brightness(light)))
            .collect();
        if changed.is_empty() {
            return Ok(Duration::ZERO);
        }
        self.world
            .update(|world| {
                for light in &changed {
                    world.set_light(&light.name, light.role, brightness(light));
                }
            })
            .map_err(|source| LightsError::World { path: self.world.path().to_owned(), source })?;
        let came_on = changed.iter().filter(|light| brightness(light) > 0.0);
        Ok(came_on.map(|light| light.warm_up).max().unwrap_or_default())
    }
}

impl Lights for SimLights {
    fn switch(&self, lighting: Option<Lighting>) -> Result<Duration, LightsError> {
        self.make(|light| if Some(light.role) == lighting { light.brightness } else { 0.0 })
    }

    fn rest(&self, idle: Duration) -> Result<Option<Duration>, LightsError> {
        let present = self.world.world();
        let now = |light: &Light| present.light(&light.name).unwrap_or_default();
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
    use crate::sim::{World, WorldReader};

    #[test]
    fn lights_start_off_and_warm_up_once_and_one_lighting_ends_where_the_other_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let world = Arc::new(WorldFile::create(path.clone(), World::default()).unwrap());
        let light = |name: &str, brightness, warm_up| Light {
            name: name.into(),
            role: if name == "panel" { Lighting::Backlight } else { Lighting::Front },
            brightness,
            warm_up: Duration::from_millis(warm_up),
            idle_off: Duration::from_millis(10 * warm_up),
            pin: None,
        };
        let all = vec![light("left", 0.5, 200), light("right", 1.0, 300), light("panel", 0.8, 100)];
        let lights = SimLights::new(all, world).unwrap();
        let seen = |name: &str| WorldReader::new(path.clone()).world().unwrap().light(name).unwrap();
        let brightness = || vec![seen("left"), seen("right")];
        let (front, back) = (Some(Lighting::Front), Some(Lighting::Backlight));
        assert_eq!((brightness(), seen("panel")), (vec![0.0, 0.0], 0.0));
        assert_eq!(lights.switch(front).unwrap(), Duration::from_millis(300));
        assert_eq!((brightness(), seen("panel")), (vec![0.5, 1.0], 0.0));
        assert_eq!(lights.switch(front).unwrap(), Duration::ZERO);
        assert_eq!(lights.switch(back).unwrap(), Duration::from_millis(100), "of the panel alone");
        assert_eq!((brightness(), seen("panel")), (vec![0.0, 0.0], 0.8));
        assert_eq!(lights.switch(front).unwrap(), Duration::from_millis(300));
        // At rest, each stays on for as long as it is to.
        let rest = |idle| lights.rest(Duration::from_millis(idle)).unwrap().map(|next| next.as_millis());
        assert_eq!((rest(0), brightness()), (Some(1000), vec![0.5, 1.0]));
        assert_eq!((rest(2000), brightness()), (Some(3000), vec![0.0, 1.0]));
        assert_eq!(lights.switch(front).unwrap(), Duration::from_millis(200), "the other one is warm");
        assert_eq!((rest(9999), brightness()), (None, vec![0.0, 0.0]));
        // So does a backlight with which a scan has ended.
        lights.switch(back).unwrap();
        assert_eq!((rest(500), seen("panel")), (Some(1000), 0.8));
        assert_eq!((rest(1000), seen("panel")), (Some(2000), 0.0));
        lights.switch(front).unwrap();
        assert_eq!(lights.switch(None).unwrap(), Duration::ZERO);
        assert_eq!(brightness(), [0.0, 0.0]);
    }
}
