//! `scanner plan`: what a scan would do.

use serde_json::json;

use crate::config::Config;
use crate::daemon::{StartError, plan_from};
use crate::hull::{self, Judged};
use crate::model::Axis;
use crate::plan::{self, Comparison, Pace, summary};
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
    let judged = match args.coverage {
        None => None,
        Some(radius) if (1.0..=1000.0).contains(&radius.get()) => {
            let unknown = "it is not known where the cameras stand and what lenses they have: configure [camera.mount], focal_length and pixel_pitch, or calibrate the rig";
            Some(hull::judge(&plan, radius.get()).ok_or_else(|| Failure::new(Exit::Config, &unknown))?)
        }
        Some(radius) => {
            let message = format!("a ball of {radius} is none to judge by: 1 mm to 1000 mm");
            return Err(Failure::new(Exit::Failed, &message));
        }
    };
    let named = config.plans.iter().find(|named| args.plan.as_ref().is_none_or(|name| named.name == *name));
    let compared = named.map(|named| plan::compare(named, &plan, axes, &start)).transpose();
    let compared = compared.map_err(StartError::from)?;
    if args.json {
        let travel = plan::travel(&plan, axes, &start).as_secs_f64();
        let estimate = plan::estimate(&plan, axes, &start, &Pace::of(config)).as_secs_f64();
        output::json(
            &json!({ "plan": plan, "shots": plan.shot_count(), "travel_s": travel, "estimate_s": estimate, "coverage": judged, "compared": compared }),
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
    for line in compared.iter().flat_map(Comparison::lines) {
        output::print(&line)?;
    }
    if let Some(Judged { radius_mm, well_covered_percent, unseen_percent }) = judged {
        output::print(&format!(
            "of a ball of {radius_mm} mm radius, {well_covered_percent} % of the surface would be well covered, {unseen_percent} % in no image"
        ))?;
    }
    Ok(Exit::Done)
}
