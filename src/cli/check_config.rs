//! `scanner check-config`: every problem of the configuration at once.

use std::path::Path;

use serde_json::json;

use crate::api::check_certificate;
use crate::config::{Config, gpio};
use crate::daemon::{plan_from, storage};
use crate::model::Pose;
use crate::ownership;
use crate::plan::{self, Pace, Plan, summary};
use crate::sim::SimAxes;

use super::exit::{Exit, Failure};
use super::{devices, output};

/// The plans of a configuration that has loaded, by their names; or what is wrong with it beyond what is written in it, each in a
/// sentence: a plan that the axes cannot reach is better found now than at the press of the button.
fn plans_of<'c>(config: &'c Config, start: &Pose) -> Result<Vec<(&'c str, Plan)>, Vec<String>> {
    let (mut plans, mut unfit) = (Vec::new(), Vec::new());
    for name in config.plans.iter().map(|plan| plan.name.as_str()) {
        match plan_from(config, Some(name), start) {
            Ok(plan) => plans.push((name, plan)),
            Err(error) => unfit.push(error.to_string()),
        }
    }
    let certificate = config.api.tls.as_ref().map(check_certificate);
    unfit.extend(certificate.and_then(Result::err).map(|error| error.to_string()));
    if unfit.is_empty() { Ok(plans) } else { Err(unfit) }
}

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
    let start = SimAxes::home(&config.motion.axes);
    let plans = match plans_of(&config, &start) {
        Ok(plans) => plans,
        Err(unfit) if as_json => {
            let problems = unfit.iter().map(|message| json!({ "message": message })).collect::<Vec<_>>();
            output::json(&json!({ "ok": false, "problems": problems }))?;
            return Ok(Exit::Config);
        }
        Err(unfit) => return Err(Failure::new(Exit::Config, &unfit.join("\n"))),
    };
    let failed = if with_devices { devices::check(config.clone())? } else { Vec::new() };
    let mut warnings = gpio::warnings(&config);
    warnings.extend(storage::warning(&config.storage));
    if as_json {
        let problems = failed.iter().map(|error| json!({ "message": error.to_string() })).collect::<Vec<_>>();
        let plans = plans.iter().map(|(name, plan)| {
            let estimate = plan::estimate(plan, &config.motion.axes, &start, &Pace::of(&config)).as_secs_f64();
            let silhouettes = plan.silhouettes() * plan.cameras.len();
            json!({ "name": name, "shots": plan.shot_count(), "silhouettes": silhouettes, "estimate_s": estimate })
        });
        let plans = plans.collect::<Vec<_>>();
        output::json(
            &json!({ "ok": failed.is_empty(), "problems": problems, "warnings": warnings, "plans": plans }),
        )?;
    } else if !failed.is_empty() {
        let problems = failed.iter().map(ToString::to_string).collect::<Vec<_>>();
        return Err(Failure::new(Exit::Camera, &problems.join("\n")));
    } else {
        for warning in &warnings {
            output::print(&format!("warning: {warning}"))?;
        }
        let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let known = names(plans.iter().map(|(name, _)| *name).collect());
        let cameras = names(config.cameras.iter().map(|camera| camera.name.as_str()).collect());
        output::print(&format!("{}: ok (cameras: {cameras}; plans: {known})", path.display()))?;
        for (name, plan) in &plans {
            output::print(&format!("plan {name}: {}", summary(&config, plan, &start)))?;
        }
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Camera })
}
