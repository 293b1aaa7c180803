//! `scanner devices`: what the cameras' drivers say of them.

use serde_json::json;

use crate::config::Config;
use crate::daemon::Station;

use super::exit::{Exit, Failure};
use super::{output, run};

pub(super) fn devices(config: Config, as_json: bool) -> Result<Exit, Failure> {
    let drivers = config.cameras.iter().map(|camera| camera.driver.display().to_string()).collect::<Vec<_>>();
    let runtime = run::runtime()?;
    let found = runtime.block_on(async {
        let station = Station::open(config)?;
        let mut found = Vec::new();
        for camera in station.cameras() {
            let mut lease = camera.lease("scanner devices").map_err(crate::daemon::StartError::from)?;
            found.push((camera.name().to_owned(), lease.open().await));
            lease.close().await;
        }
        Ok::<_, Failure>(found)
    });
    run::shut_down(runtime);
    let found = found?;
    let failed = found.iter().any(|(_, hello)| hello.is_err());
    if as_json {
        let cameras = found.iter().zip(&drivers).map(|((name, hello), driver)| match hello {
            Ok(hello) => json!({ "camera": name, "executable": driver, "hello": hello }),
            Err(error) => {
                json!({ "camera": name, "executable": driver, "error": error.to_string(), "kind": error.kind })
            }
        });
        output::json(&cameras.collect::<Vec<_>>())?;
    } else {
        let rows = found.iter().map(|(name, hello)| match hello {
            Ok(hello) => [
                name.clone(),
                hello.model.clone(),
                format!("{}x{}", hello.sensor.width, hello.sensor.height),
                format!("{} um", hello.pixel_pitch_um),
                hello.driver.clone(),
                hello
                    .controls
                    .iter()
                    .map(|c| format!("{} {}..{}", c.name, c.min, c.max))
                    .collect::<Vec<_>>()
                    .join(", "),
            ],
            Err(error) => {
                [name.clone(), error.to_string(), String::new(), String::new(), String::new(), String::new()]
            }
        });
        output::print(&output::table(["CAMERA", "MODEL", "SENSOR", "PITCH", "DRIVER", "CONTROLS"], rows))?;
    }
    Ok(if failed { Exit::Camera } else { Exit::Done })
}
