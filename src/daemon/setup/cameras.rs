//! The cameras that drivers find.

use std::path::Path;

use serde_json::json;

use crate::camera_driver::protocol::{ErrorKind, Hello};
use crate::config::{self, Computed, HoldSettings, Live, Raw};
use crate::daemon::error::StartError;
use crate::model::{Controls, Optics, Orientation, PixelFormat};
use crate::rig::camera::{Camera, CameraError, find_driver};

/// Drivers of real cameras.
const REAL: [&str; 2] = ["libcamera", "gphoto2"];
/// Most cameras of a driver that are looked for.
const MOST: usize = 8;

/// What was found, and of which drivers nobody knows.
#[derive(Default)]
pub struct CameraSearch {
    /// Drivers, and what they say of each of their cameras.
    pub found: Vec<(String, Hello)>,
    /// Drivers that could not look.
    pub failed: Vec<(String, CameraError)>,
}

/// All the cameras that the drivers of real cameras could have, as far as these are installed: the first of each, its second and
/// so on.
pub fn real_cameras() -> Vec<config::Camera> {
    let installed = REAL.iter().filter(|driver| find_driver(Path::new(driver)).is_ok());
    installed
        .flat_map(|driver| (0..MOST).map(move |index| plain_camera(driver, &index.to_string())))
        .collect()
}

/// Whether a driver, as it is configured, is one of ours, which is looked for beside the program.
pub fn is_known_driver(driver: &str) -> bool {
    REAL.contains(&driver) || Computed::by(driver.as_ref()).is_some()
}

/// Asks the drivers of `cameras`, which are `wanted`, for one after the other until there is none.
///
/// # Errors
/// A camera is in use.
pub async fn search_cameras(
    cameras: &[Camera],
    wanted: &[config::Camera],
) -> Result<CameraSearch, StartError> {
    let mut search = CameraSearch::default();
    let mut through: Option<String> = None;
    for (camera, wanted) in cameras.iter().zip(wanted) {
        let driver = wanted.driver.display().to_string();
        if through.as_ref() == Some(&driver) {
            continue;
        }
        let mut lease = camera.lease("setup")?;
        let hello = lease.look(false).await;
        lease.close().await;
        match hello {
            Ok(hello) => search.found.push((driver, hello)),
            Err(error) => {
                // A camera that is not there is no failure: it is how a list ends.
                if error.kind != ErrorKind::Gone {
                    search.failed.push((driver.clone(), error));
                }
                through = Some(driver);
            }
        }
    }
    Ok(search)
}

/// A camera of which nothing is said.
pub fn plain_camera(driver: &str, id: &str) -> config::Camera {
    config::Camera {
        name: format!("{driver}{id}"),
        driver: driver.into(),
        id: id.to_owned(),
        format: PixelFormat::Yuv420,
        frame_rate: None,
        optics: Optics::Unknown,
        mount: None,
        orientation: Orientation::Normal,
        live: Live::Off,
        raw: Raw::Off,
        controls: Controls::default(),
        hold: HoldSettings::Scan,
        options: json!({}),
    }
}
