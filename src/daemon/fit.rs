//! What is wrong with a configuration beyond what is written in it, and what its scans need.

use super::disk_space::Wanted;
use super::error::StartError;
use super::station::plan_from;
use crate::config::Config;
use crate::plan::Plan;
use crate::sim::SimAxes;

/// The plans of a configuration that has loaded, by their names. One that the axes cannot reach is better found now than at the
/// press of the button.
pub fn plans_of(config: &Config) -> Result<Vec<(&str, Plan)>, StartError> {
    let start = SimAxes::home(&config.motion.axes);
    let plan = |name: &str| plan_from(config, Some(name), &start);
    config.plans.iter().map(|named| Ok((named.name.as_str(), plan(&named.name)?))).collect()
}

/// What scans of the plans of a configuration need, in their order, as far as its cameras are known without being opened.
pub fn wanted(config: &Config) -> Vec<Wanted> {
    let start = SimAxes::home(&config.motion.axes);
    let names = config.plans.iter().map(|plan| &plan.name);
    names.map(|name| Wanted::of(config, name, plan_from(config, Some(name), &start))).collect()
}
