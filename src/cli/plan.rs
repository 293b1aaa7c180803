//! `scanner plan`: what a scan would do.

use serde_json::json;

use crate::config::Config;
use crate::daemon::plan_from;
use crate::model::Axis;
use crate::plan::{self, Pace, summary};
use crate::sim::SimAxes;

use super::args::PlanArgs;
use super::exit::{Exit, Failure};
use super::output;

pub(super) fn plan(config: &Config, args: &PlanArgs) -> Result<Exit, Failure> {
    let axes = &config.motion.axes;
    let start = SimAxes::home(axes);
    let plan = plan_from(config, args.plan.as_deref(), &start)?;
    if let Some(file) = &args.svg {
        std::fs::write(file, plan::svg(&plan, axes, &start)).map_err(|error| {
            Failure::new(Exit::Failed, &format!("cannot write {}: {error}", file.display()))
        })?;
    }
    if args.json {
        let travel = plan::travel(&plan, axes, &start).as_secs_f64();
        let estimate = plan::estimate(&plan, axes, &start, &Pace::of(config)).as_secs_f64();
        output::json(
            &json!({ "plan": plan, "shots": plan.shot_count(), "travel_s": travel, "estimate_s": estimate }),
        )?;
        return Ok(Exit::Done);
    }
    let header = ["POINT", "LABEL", "TURNTABLE", "LIFT", "RAIL", "TILT"];
    let rows = plan.points.iter().enumerate().map(|(index, point)| {
        let position = |axis: Axis| format!("{:.2} {}", point.pose.get(axis), axis.unit());
        let [turntable, lift, rail, tilt] = Axis::ALL.map(position);
        [(index + 1).to_string(), point.label.clone(), turntable, lift, rail, tilt]
    });
    output::print(&output::table(header, rows))?;
    output::print(&format!("\n{}", summary(config, &plan, &start)))?;
    Ok(Exit::Done)
}
