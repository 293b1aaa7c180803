//! `scanner demo`: a whole scan on the simulated rig, with faults.

use std::path::{Path, PathBuf};

use crate::config::{Config, MotionBackend};
use crate::daemon::{PlanChoice, Work};
use crate::dataset;
use crate::rig::camera::find_driver;
use crate::scan::Description;
use crate::units::Seconds;

use super::args::DemoArgs;
use super::exit::{Exit, Failure};
use super::{output, scan};

const CONFIG: &str = include_str!("../../config/demo.toml");
const WITH_DSLR: &str = include_str!("../../config/demo-dslr.toml");

pub(super) fn demo(args: &DemoArgs) -> Result<Exit, Failure> {
    let (name, text) = if args.dslr { ("demo-dslr.toml", WITH_DSLR) } else { ("demo.toml", CONFIG) };
    let mut config = Config::from_text(name, text).map_err(|errors| Failure::new(Exit::Config, &errors))?;
    if args.dslr {
        find_driver(Path::new("gphoto2"))
            .map_err(|message| Failure { exit: Exit::Camera, message: format!("--dslr: {message}") })?;
    }
    let directory = std::path::absolute(&args.directory)?;
    config.storage.directory.clone_from(&directory);
    let runtime = tempfile::Builder::new().prefix("scanner-demo-").tempdir()?;
    runtime.path().clone_into(&mut config.storage.runtime_directory);
    runtime.path().clone_into(&mut config.storage.state_directory);
    if let Some(factor) = args.time_scale
        && let MotionBackend::Sim { time_scale } = &mut config.motion.backend
    {
        if !(factor.is_finite() && factor > 0.0) {
            let message = format!("--time-scale {factor}: must be greater than 0");
            return Err(Failure { exit: Exit::Config, message });
        }
        *time_scale = factor;
    }
    if !args.json {
        output::print(&introduction(&config))?;
    }
    let summary = scan::perform(
        config,
        Work::New { plan: PlanChoice::First, id: None, description: Description::default() },
        scan::Word::default(),
    )?;
    let folder: PathBuf = directory.join(&summary.scan);
    let report = dataset::verify(&folder)?;
    if args.json {
        output::json(&serde_json::json!({ "summary": summary, "verify": report }))?;
    } else {
        output::print(&scan::describe(&summary))?;
        for violation in &report.violations {
            output::print(&format!("VIOLATION: {violation}"))?;
        }
        let verdict = if report.is_sound() { "verified" } else { "DAMAGED" };
        output::print(&format!("\nDataset ({verdict}): {}", folder.display()))?;
    }
    Ok(if report.is_sound() { Exit::from(&summary.end) } else { Exit::Invalid })
}

fn introduction(config: &Config) -> String {
    let names = config.cameras.iter().map(|camera| camera.name.as_str()).collect::<Vec<_>>().join(", ");
    let cameras = if config.cameras.len() == 1 {
        format!("the camera {names}")
    } else {
        format!("the cameras {names}")
    };
    let timeout = Seconds::from(config.recovery.capture_timeout);
    let faults = config.cameras.iter().flat_map(|camera| {
        let options = camera.options.get("simulated").unwrap_or(&camera.options);
        let list = options.get("faults").and_then(|faults| faults.as_array()).cloned();
        let name = camera.name.clone();
        list.unwrap_or_default().into_iter().map(move |fault| {
            let kind = fault.get("kind").and_then(|kind| kind.as_str()).unwrap_or("?").to_owned();
            let number = |key| fault.get(key).and_then(serde_json::Value::as_u64);
            let when = match (number("shot"), number("at")) {
                (Some(shot), _) => format!("shot {shot}"),
                (None, at) => format!("release {}", at.unwrap_or_default()),
            };
            format!("  {name}, {when}: {kind}\n")
        })
    });
    let faults: String = faults.collect();
    format!(
        "A simulated rig with {cameras}. These faults will happen, each of them once:\n{faults}\
         A capture that does not answer is given up after {timeout}.\n"
    )
}
