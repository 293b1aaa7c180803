//! `scanner check-config`: every problem of the configuration at once.

use std::path::Path;

use serde_json::json;

use crate::api::check_certificate;
use crate::config::{Config, gpio};
use crate::daemon::plan_from;
use crate::ownership;
use crate::sim::SimAxes;

use super::exit::{Exit, Failure};
use super::{devices, output};

pub(super) fn check_config(path: &Path, with_devices: bool, as_json: bool) -> Result<Exit, Failure> {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(errors) => {
            if !as_json {
                return Err(Failure::new(Exit::Config, &errors));
            }
            output::json(&json!({ "ok": false, "problems": errors.problems() }))?;
            return Ok(Exit::Config);
        }
    };
    ownership::share_like(&config.storage.runtime_directory);
    // A plan that the axes cannot reach is better found now than at the press of the button.
    let start = SimAxes::home(&config.motion.axes);
    for plan in &config.plans {
        plan_from(&config, Some(&plan.name), &start)?;
    }
    config
        .api
        .tls
        .as_ref()
        .map_or(Ok(()), check_certificate)
        .map_err(|error| Failure::new(Exit::Config, &error))?;
    let failed = if with_devices { devices::check(config.clone())? } else { Vec::new() };
    let warnings = gpio::warnings(&config);
    if as_json {
        let problems = failed.iter().map(|error| json!({ "message": error.to_string() })).collect::<Vec<_>>();
        output::json(&json!({ "ok": failed.is_empty(), "problems": problems, "warnings": warnings }))?;
    } else if !failed.is_empty() {
        let problems = failed.iter().map(ToString::to_string).collect::<Vec<_>>();
        return Err(Failure::new(Exit::Camera, &problems.join("\n")));
    } else {
        for warning in &warnings {
            output::print(&format!("warning: {warning}"))?;
        }
        let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let plans = names(config.plans.iter().map(|plan| plan.name.as_str()).collect());
        let cameras = names(config.cameras.iter().map(|camera| camera.name.as_str()).collect());
        output::print(&format!("{}: ok (cameras: {cameras}; plans: {plans})", path.display()))?;
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Camera })
}
