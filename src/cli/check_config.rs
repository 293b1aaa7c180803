//! `scanner check-config`: every problem of the configuration at once.

use std::path::Path;

use serde_json::json;

use crate::config::{Config, gpio};
use crate::daemon::plan_from;
use crate::rig::sim::SimAxes;

use super::exit::{Exit, Failure};
use super::output;

pub(super) fn check_config(path: &Path, as_json: bool) -> Result<Exit, Failure> {
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
    // A plan that the axes cannot reach is better found now than at the press of the button.
    let start = SimAxes::home(&config.motion.axes);
    for plan in &config.plans {
        plan_from(&config, Some(&plan.name), &start)?;
    }
    let warnings = gpio::warnings(&config);
    if as_json {
        output::json(&json!({ "ok": true, "problems": [], "warnings": warnings }))?;
    } else {
        for warning in &warnings {
            output::print(&format!("warning: {warning}"))?;
        }
        let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let plans = names(config.plans.iter().map(|plan| plan.name.as_str()).collect());
        let cameras = names(config.cameras.iter().map(|camera| camera.name.as_str()).collect());
        output::print(&format!("{}: ok (cameras: {cameras}; plans: {plans})", path.display()))?;
    }
    Ok(Exit::Done)
}
