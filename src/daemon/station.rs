//! The one place that constructs and wires.

mod plans;
mod scans;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use tests::CONFIG as TEST_RIG;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::config::{self, Config};
use crate::dataset::ScanId;
use crate::rig::Axes;
use crate::rig::axes::MotionError;
use crate::rig::camera::{Camera, Lease, Spawner};
use crate::rig::gpio;
use crate::rig::lights::Lights;
use crate::rig::panel::{Button, Panel};
use crate::run::{AtDisk, OpenCamera};
use crate::sim::WorldFile;

use super::error::{PressError, StartError};
use super::folder::{create_folder, io};
use super::idle_lights::IdleLights;
use super::opening::{close_cameras, open_cameras};
use super::rig_lock::RigLock;
use super::storage;
use super::strays;
use super::wiring::{Buttons, Moving, WiredPanel, extra_options, fault_folder, wire_motion, wire_panel};

pub(crate) use plans::plan_from;
pub(super) use scans::{Job, Prepared};

/// For how long a simulated start button is held, as on pins by default.
const SIMULATED_LONG_PRESS: Duration = Duration::from_millis(1500);

/// Frames of a camera that takes one now and then.
const SPARE_FRAMES: u32 = 2;

/// A rig, wired up and locked for this process.
pub struct Station {
    config: Config,
    axes: Arc<dyn Axes>,
    lights: IdleLights,
    cameras: Vec<Camera>,
    panel: Option<WiredPanel>,
    pins: Option<gpio::Opened>,
    /// What starts drivers, and what simulated cameras see.
    spawner: Spawner,
    world: Arc<WorldFile>,
    /// Scans that this process has begun or gone on with: their positions are those that the axes now have.
    own: Mutex<Vec<ScanId>>,
    at_disk: AtDisk,
    /// Of simulated cameras; removed with the station.
    _faults: Option<TempDir>,
    /// Held for the life of the station.
    lock: RigLock,
    /// The last to go: who waits for that finds the rig free. That nobody owns the station any more is seen before its parts
    /// are gone.
    last: watch::Sender<()>,
}

impl Station {
    /// Locks the rig and wires it up. Opens no camera and moves nothing.
    pub fn open(config: Config) -> Result<Self, StartError> {
        if let Err(reason) = clock::zone() {
            tracing::warn!("{reason}: {}", clock::ZONE_ADVICE);
        }
        let runtime = config.storage.runtime_directory.clone();
        create_folder(&runtime)?;
        create_folder(&config.storage.state_directory)?;
        let lock = RigLock::take(&runtime)?;
        strays::clear(&config, &runtime);
        let pins = gpio::open(&config, &runtime)?;
        let Moving { axes, lights, world } = wire_motion(&config, pins.as_ref(), &runtime)?;
        let spawner = Spawner::new(&runtime).map_err(io("start processes from", &runtime))?;
        let faults = fault_folder(&config, &runtime)?;
        let buffers = config.scan.queue_depth + 2;
        let cameras = config.cameras.iter().map(|camera| {
            let extra = extra_options(camera, &config, &world, faults.as_ref().map(TempDir::path))?;
            Ok(Camera::new(camera, &config.recovery, buffers, extra, spawner.clone()))
        });
        let cameras = cameras.collect::<Result<_, StartError>>()?;
        let panel = wire_panel(config.panel, pins.as_ref())?;
        let lights = IdleLights::new(lights);
        let (own, at_disk) = (Mutex::default(), AtDisk::default());
        let last = watch::Sender::default();
        Ok(Self {
            axes,
            lights,
            cameras,
            panel,
            pins,
            spawner,
            world,
            own,
            at_disk,
            _faults: faults,
            lock,
            last,
            config,
        })
    }

    /// A camera that the rig may not have, closed; its faults, if it simulates any, do not happen.
    pub(super) fn spare_camera(&self, camera: &config::Camera) -> Result<Camera, StartError> {
        let extra = extra_options(camera, &self.config, &self.world, None)?;
        Ok(Camera::new(camera, &self.config.recovery, SPARE_FRAMES, extra, self.spawner.clone()))
    }

    /// Yields once the station is gone, whoever had a part in it last, and the rig is free.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + use<> {
        let mut last = self.last.subscribe();
        // Nothing is ever sent: it ends with the sender.
        async move { while last.changed().await.is_ok() {} }
    }

    /// Puts the lock's file back if somebody has removed it; whether that was so.
    pub(super) fn restore_lock(&self) -> Result<bool, StartError> {
        self.lock.restore()
    }

    /// What it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The daemon's ends of the cameras, in the order of the configuration.
    pub fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// The buttons and the LED, if the rig has a panel.
    pub fn panel(&self) -> Option<Arc<dyn Panel>> {
        self.panel.as_ref().map(|(panel, _)| panel.clone())
    }

    /// For how long the start button is to be held for it to mean more than a short press; none where there is none.
    pub fn long_press(&self) -> Option<Duration> {
        let long = match &self.config.panel {
            config::Panel::None => return None,
            config::Panel::Sim => SIMULATED_LONG_PRESS,
            config::Panel::Gpio(pins) => pins.start.map(|_| pins.long_press)?,
        };
        // In whole seconds, and well beyond.
        Some(Duration::from_secs((long.as_secs_f64() + 0.5).ceil() as u64))
    }

    /// Presses a button of a simulated panel.
    pub fn press(&self, button: Button) -> Result<(), PressError> {
        let heard = match self.panel.as_ref().map(|(_, buttons)| buttons) {
            Some(Buttons::Sim(buttons)) => buttons.press(button),
            Some(Buttons::Pins(sim, pins)) => gpio::press(sim, pins, button)?,
            Some(Buttons::Real) | None => return Err(PressError::NoPanel),
        };
        if heard { Ok(()) } else { Err(PressError::NotHeard { button }) }
    }

    /// Gives a simulated pin a level from outside; none: its own.
    pub fn set_level(&self, pin: u32, level: Option<bool>) -> Result<(), PressError> {
        let sim = self.pins.as_ref().and_then(|pins| pins.sim.as_ref()).ok_or(PressError::NoSimulatedPins)?;
        Ok(sim.set_level(pin, level)?)
    }

    /// The lights, of which those of one role are on at a time.
    pub fn lights(&self) -> &Arc<dyn Lights> {
        self.lights.lights()
    }

    /// Switches the lights on for a photograph, and says how long it takes until they are steady.
    pub(super) fn lights_on(&self) -> Result<Duration, StartError> {
        Ok(self.lights.switch_on()?)
    }

    /// Leaves the lights to their idle times.
    pub(super) fn lights_off(&self) {
        self.lights.leave();
    }

    /// What its scans have under way at the disk.
    pub fn at_disk(&self) -> &AtDisk {
        &self.at_disk
    }

    /// What moves the axes.
    pub fn axes(&self) -> &Arc<dyn Axes> {
        &self.axes
    }

    /// Switches the lights on and opens every camera, trying again as often as a shot would be. If anything
    /// fails or `stop` is cancelled, all is as before when this returns.
    pub(super) async fn open_all(
        &self,
        holder: &str,
        stop: &CancellationToken,
    ) -> Result<Vec<OpenCamera>, StartError> {
        // Until they are closed.
        self.axes.keep_powered(true);
        let attempts = self.config.recovery.attempts;
        let warming_up = async {
            let steady_after = self.lights.switch_on()?;
            stop.run_until_cancelled(tokio::time::sleep(steady_after)).await;
            Ok(())
        };
        let opening = open_cameras(&self.cameras, holder, attempts, stop);
        let (lights, cameras, ready) = tokio::join!(warming_up, opening, self.make_axes_ready(stop));
        match (lights.and(ready), cameras) {
            (Ok(()), Ok(cameras)) => Ok(cameras),
            (Err(error), Ok(cameras)) => {
                self.close(cameras.into_iter().map(|camera| camera.lease)).await;
                Err(error)
            }
            (_, Err(error)) => {
                self.close([]).await;
                Err(error)
            }
        }
    }

    /// Brings axes and lights into their safe state, for good, even if something else still holds on to the station.
    pub fn end(&self) {
        self.axes.end();
        self.lights.end();
    }

    /// Homes the axes that have to be; braked if `stop` is cancelled.
    async fn make_axes_ready(&self, stop: &CancellationToken) -> Result<(), StartError> {
        let mut ready = self.axes.make_ready();
        let answer = tokio::select! {
            answer = &mut ready => answer,
            () = stop.cancelled() => {
                self.axes.stop();
                ready.await
            }
        };
        Ok(answer.unwrap_or(Err(MotionError::Ended))?)
    }

    /// Closes the cameras and leaves the lights to their idle times; motors may be released.
    pub(super) async fn close(&self, leases: impl IntoIterator<Item = Lease>) {
        self.axes.keep_powered(false);
        self.lights.leave();
        close_cameras(leases).await;
    }
}

/// The folder of a scan, which exists.
pub(crate) fn find_scan(config: &Config, id: &ScanId) -> Result<PathBuf, StartError> {
    let directory = config.storage.directory.join(id.as_str());
    if directory.is_dir() {
        return Ok(directory);
    }
    if let Err(missed) = storage::look(&config.storage)
        && missed.is_missing()
    {
        return Err(missed.into());
    }
    Err(StartError::UnknownScan { id: id.clone(), directory: config.storage.directory.clone() })
}
