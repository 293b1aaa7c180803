//! `scanner devices`: what the cameras' drivers say of them, and who holds the cameras.

use std::io;

use serde_json::json;

use crate::camera_driver::protocol::Hello;
use crate::config::{Config, MotionBackend, Panel};
use crate::daemon::{CameraSearch, PlanChoice, StartError, Station, real_cameras, search_cameras, stacks_of};
use crate::rig::camera::{Camera, CameraError, Holder};

use super::exit::{Exit, Failure};
use super::{output, run};

/// A camera, looked at.
struct Found {
    name: String,
    executable: String,
    hello: Result<Hello, CameraError>,
    holders: io::Result<Vec<Holder>>,
    ended: Vec<Holder>,
}

impl Found {
    /// Whether nobody holds it, as far as this user may see; not if there was no looking.
    fn is_free(&self) -> bool {
        self.holders.as_ref().is_ok_and(Vec::is_empty)
    }

    fn held_by(&self) -> String {
        match &self.holders {
            Ok(holders) => names(holders),
            Err(error) => format!("cannot be looked at: {error}"),
        }
    }
}

pub(super) fn devices(config: Config, release: bool, as_json: bool) -> Result<Exit, Failure> {
    let executables = config.cameras.iter().map(|camera| camera.driver.display().to_string());
    let executables = executables.collect::<Vec<_>>();
    let found = with_station(config, async |station| {
        let mut found = Vec::new();
        for (camera, executable) in station.cameras().iter().zip(executables) {
            let hello = look(camera, false).await?;
            let handle = camera.clone();
            let looking = tokio::task::spawn_blocking(move || {
                let ended = if release { handle.end_permitted_holders() } else { Vec::new() };
                (handle.foreign_holders(), ended)
            });
            let looked = looking.await;
            let (holders, ended) = looked.unwrap_or_else(|error| (Err(io::Error::other(error)), Vec::new()));
            found.push(Found { name: camera.name().to_owned(), executable, hello, holders, ended });
        }
        Ok(found)
    })?;
    let failed = found.iter().any(|camera| camera.hello.is_err() || (release && !camera.is_free()));
    if as_json {
        output::json(&found.iter().map(as_value).collect::<Vec<_>>())?;
    } else {
        let header = ["CAMERA", "MODEL", "SENSOR", "PITCH", "MODES", "DRIVER", "HELD BY"];
        output::print(&output::table(header, found.iter().map(row)))?;
        for camera in &found {
            match &camera.hello {
                Ok(hello) => {
                    let controls = hello.controls.iter();
                    let controls = controls.map(|control| format!("{} {}", control.name, control.domain));
                    let controls = controls.collect::<Vec<_>>().join("; ");
                    let controls = if controls.is_empty() { "none" } else { &controls };
                    output::print(&format!("{} controls: {controls}", camera.name))?;
                }
                Err(error) => output::print(&format!("{}: {error}", camera.name))?,
            }
            for holder in &camera.ended {
                output::print(&format!("{}: ended {holder}", camera.name))?;
            }
            if release && !camera.is_free() {
                let what = match &camera.holders {
                    Ok(holders) => format!(
                        "is still held by {}: end it yourself, or list it in recovery.may_end",
                        names(holders)
                    ),
                    Err(error) => format!("may still be held by somebody, who cannot be looked at: {error}"),
                };
                output::error(&format!("camera {} {what}", camera.name));
            }
        }
    }
    Ok(if failed { Exit::Camera } else { Exit::Done })
}

/// What keeps the cameras from being used as configured.
pub(super) fn check(config: Config) -> Result<Vec<CameraError>, Failure> {
    with_station(config, async |station| {
        let mut failed = Vec::new();
        let plans =
            station.config().plans.iter().map(|plan| station.plan(&PlanChoice::Named(plan.name.clone())));
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        for camera in station.cameras() {
            match look(camera, true).await? {
                Ok(hello) => {
                    failed.extend(plans.iter().filter_map(|plan| stacks_of(plan, camera, &hello).err()));
                }
                Err(error) => failed.push(error),
            }
        }
        Ok(failed)
    })
}

/// What the drivers of real cameras find, as far as they are installed. Pins, lights and motors are left alone.
pub(super) fn find(mut config: Config) -> Result<CameraSearch, Failure> {
    config.cameras = real_cameras();
    if config.cameras.is_empty() {
        return Ok(CameraSearch::default());
    }
    config.gpio = None;
    config.motion.backend = MotionBackend::Sim { time_scale: 1.0 };
    config.lights.clear();
    config.panel = Panel::None;
    let wanted = config.cameras.clone();
    with_station(config, async |station| search_cameras(station.cameras(), &wanted).await)
}

async fn look(camera: &Camera, configure: bool) -> Result<Result<Hello, CameraError>, StartError> {
    let mut lease = camera.lease("scanner devices")?;
    let hello = lease.look(configure).await;
    lease.close().await;
    Ok(hello)
}

fn with_station<T>(
    config: Config,
    work: impl AsyncFnOnce(&Station) -> Result<T, StartError>,
) -> Result<T, Failure> {
    let runtime = run::runtime()?;
    let done = runtime.block_on(async {
        let station = Station::open(config)?;
        work(&station).await
    });
    run::shut_down(runtime);
    Ok(done?)
}

fn row(camera: &Found) -> [String; 7] {
    let held = camera.held_by();
    let Ok(hello) = &camera.hello else {
        // What is wrong stands below.
        let none = || "-".to_owned();
        return [camera.name.clone(), none(), none(), none(), none(), none(), held];
    };
    [
        camera.name.clone(),
        hello.model.clone(),
        format!("{}x{}", hello.sensor.width, hello.sensor.height),
        pitch(hello),
        modes(hello),
        hello.driver.clone(),
        held,
    ]
}

fn pitch(hello: &Hello) -> String {
    // A driver that does not know it says 0.
    if hello.pixel_pitch_um > 0.0 { format!("{} um", hello.pixel_pitch_um) } else { "unknown".into() }
}

fn modes(hello: &Hello) -> String {
    let mode = |mode: &crate::camera_driver::protocol::Mode| {
        let raw = mode.raw.as_ref().map(|raw| format!(" {raw}")).unwrap_or_default();
        format!("{}x{}{raw}", mode.size.width, mode.size.height)
    };
    let modes = hello.modes.iter().map(mode).collect::<Vec<_>>();
    if modes.is_empty() { "any".into() } else { modes.join(", ") }
}

fn names(holders: &[Holder]) -> String {
    holders.iter().map(Holder::to_string).collect::<Vec<_>>().join(", ")
}

fn as_value(camera: &Found) -> serde_json::Value {
    let mut value = json!({
        "camera": camera.name, "executable": camera.executable,
        "held_by": camera.holders.as_ref().ok(), "ended": camera.ended,
    });
    if let Err(error) = &camera.holders {
        value["held_by_error"] = json!(error.to_string());
    }
    match &camera.hello {
        Ok(hello) => value["hello"] = json!(hello),
        Err(error) => {
            value["error"] = json!(error.to_string());
            value["kind"] = json!(error.kind);
        }
    }
    value
}
