//! `scanner check-config`: every problem of the configuration at once.

use std::path::Path;

use serde_json::json;

use crate::api::check_certificate;
use crate::config::{Config, gpio};
use crate::daemon::{self, plan_from, storage};
use crate::ownership;
use crate::plan::{self, Pace, Plan, summary};
use crate::sim::SimAxes;

use super::exit::{Exit, Failure};
use super::{devices, output};

/// The plans of a configuration that has loaded, by their names. What is wrong with it beyond what is written in it is an
/// error: a plan that the axes cannot reach is better found now than at the press of the button.
pub(super) fn plans_of(config: &Config) -> Result<Vec<(&str, Plan)>, Failure> {
    let plans = daemon::plans_of(config)?;
    let certificate = config.api.tls.as_ref().map_or(Ok(()), check_certificate);
    certificate.map_err(|error| Failure::new(Exit::Config, &error))?;
    Ok(plans)
}

/// What is wrong with plans and certificate, each in a sentence.
fn unfit(config: &Config) -> Vec<String> {
    let start = SimAxes::home(&config.motion.axes);
    let plans = config.plans.iter().map(|plan| &plan.name);
    let mut unfit: Vec<String> = plans
        .filter_map(|name| plan_from(config, Some(name), &start).err())
        .map(|error| error.to_string())
        .collect();
    let certificate = config.api.tls.as_ref().map(check_certificate);
    unfit.extend(certificate.and_then(Result::err).map(|error| error.to_string()));
    unfit
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
    let unfit = unfit(&config);
    if !unfit.is_empty() {
        if !as_json {
            return Err(Failure::new(Exit::Config, &unfit.join("\n")));
        }
        let problems = unfit.iter().map(|message| json!({ "message": message })).collect::<Vec<_>>();
        output::json(&json!({ "ok": false, "problems": problems }))?;
        return Ok(Exit::Config);
    }
    let plans = plans_of(&config)?;
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
