//! What order and places of a plan's points save.

use serde::Serialize;

use super::covering::Gaps;
use super::generate::generate;
use super::time::travel;
use super::{Plan, PlanError};
use crate::config::{NamedPlan, PlanOrder, PlanShape, SphereTravel};
use crate::model::{AxisConfig, Pose};

/// The travel of a plan, and what it would be otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Seconds that its points would take in the order in which they are generated or listed; of a sphere, those of the spiral.
    pub as_given_s: f64,
    /// Of a sphere whose points are spread evenly: on the spiral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiral: Option<Spread>,
    /// And placed for the least travel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Spread>,
}

/// How long the way through points of a sphere takes, and how well they cover it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Seconds in motion.
    pub travel_s: f64,
    /// The largest gap between the directions from which the object is seen, in degrees.
    pub largest_gap_deg: f64,
    /// The typical one.
    pub typical_gap_deg: f64,
}

/// Compares `plan`, which was generated from `named` for `axes` that stand at `start`.
///
/// # Errors
/// Another plan cannot be generated.
pub fn compare(
    named: &NamedPlan,
    plan: &Plan,
    axes: &[AxisConfig],
    start: &Pose,
) -> Result<Comparison, PlanError> {
    let seconds = |plan: &Plan| travel(plan, axes, start).as_secs_f64();
    let generated = |shape: &PlanShape, order| generate(shape, plan.cameras.clone(), order, axes, start);
    let PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel: _ } = named.shape else {
        let as_given_s = seconds(&generated(&named.shape, PlanOrder::Given)?);
        return Ok(Comparison { as_given_s, spiral: None, least: None });
    };
    let with = |travel| PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel };
    let spread = |travel| -> Result<Option<Spread>, PlanError> {
        let plan = generated(&with(travel), named.order)?;
        Ok(Gaps::of(&plan.points, min_tilt, max_tilt).map(|gaps| Spread {
            travel_s: seconds(&plan),
            largest_gap_deg: gaps.largest.get(),
            typical_gap_deg: gaps.typical.get(),
        }))
    };
    let as_given_s = seconds(&generated(&with(SphereTravel::Given), PlanOrder::Given)?);
    Ok(Comparison { as_given_s, spiral: spread(SphereTravel::Given)?, least: spread(SphereTravel::Least)? })
}

impl Comparison {
    /// A line each, for people.
    pub fn lines(&self) -> Vec<String> {
        let Self { as_given_s, spiral, least } = self;
        let mut lines = vec![format!("in the order given, the travel would be {as_given_s:.1} s")];
        let spreads = [("on the spiral", spiral), ("with travel = \"least\"", least)];
        lines.extend(spreads.into_iter().filter_map(|(name, spread)| {
            let Spread { travel_s, largest_gap_deg, typical_gap_deg } = (*spread)?;
            Some(format!(
                "{name}: travel {travel_s:.1} s, the largest gap between views {largest_gap_deg:.1}°, the typical one {typical_gap_deg:.1}°"
            ))
        }));
        lines
    }
}
