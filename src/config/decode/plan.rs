//! Reads each `[plan.NAME]`, and checks whether the axes can reach its points.

use std::ops::RangeInclusive;

use crate::config::reader::Reader;
use crate::config::value::Choice;
use crate::config::{Motion, NamedPlan, PlanOrder, PlanShape, SphereTravel};
use crate::model::Axis;
use crate::units::{Degrees, Dioptres, Millimetres, Stops};

/// Most points of one plan: what keeps a slip of the finger from filling the disk.
const MAX_POINTS: u32 = 10_000;

/// Most images of one point.
const MAX_FOCUS_STEPS: usize = 100;
/// Most exposures of one lens position.
const MAX_EXPOSURES: usize = 9;

/// The words of `shape`.
#[derive(Clone, Copy)]
enum Shape {
    Cylinder,
    Ring,
    Sphere,
    List,
}

impl Choice for Shape {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("cylinder", Self::Cylinder), ("ring", Self::Ring), ("sphere", Self::Sphere), ("list", Self::List)];
}

/// The words of a sphere's `distribution`.
#[derive(Clone, Copy)]
enum Distribution {
    Fibonacci,
    Rings,
}

impl Choice for Distribution {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("fibonacci", Self::Fibonacci), ("rings", Self::Rings)];
}

/// Where a plan puts an axis, and the key that says so.
struct Stand {
    axis: Axis,
    key: &'static str,
    positions: Vec<f64>,
}

/// Reads every plan and checks it against the axes, if those are known. Returns the plans that are right, and
/// the names of all.
pub(super) fn plans(
    document: &mut Reader<'_, '_, '_>,
    motion: Option<&Motion>,
) -> (Vec<NamedPlan>, Vec<String>) {
    let mut names = Vec::new();
    let plans = document.named_sections("plan", |name, reader| {
        names.push(name.to_owned());
        plan(name, reader, motion)
    });
    if names.is_empty() {
        document.reject_table("there is no plan", "write at least one `[plan.NAME]`");
    }
    (plans, names)
}

/// Reads the table of one plan; none if something in it is wrong.
pub(super) fn plan(name: &str, plan: &mut Reader<'_, '_, '_>, motion: Option<&Motion>) -> Option<NamedPlan> {
    let order = plan.or("order", PlanOrder::Fastest);
    let (focus, bracket) = (focus_steps(plan), exposures(plan));
    let Some(shape) = plan.required::<Shape>("shape") else {
        plan.pass_unknown();
        return None;
    };
    let (shape, stands) = match shape {
        Shape::Cylinder => cylinder(plan),
        Shape::Ring => ring(plan),
        Shape::Sphere => sphere(plan),
        Shape::List => {
            return list(plan).map(|shape| NamedPlan { name: name.into(), shape, order, focus, bracket });
        }
    }?;
    if let Some(motion) = motion {
        check_axes(plan, motion, &stands);
    }
    Some(NamedPlan { name: name.into(), shape, order, focus, bracket })
}

/// Lens positions of a focus stack.
fn focus_steps(plan: &mut Reader<'_, '_, '_>) -> Vec<Dioptres> {
    let steps: Vec<Dioptres> = plan.or("focus", Vec::new());
    if steps.len() > MAX_FOCUS_STEPS {
        plan.reject("focus", &format!("has {} positions", steps.len()), "write at most 100");
    }
    if steps.iter().any(|step| !(0.0..=100.0).contains(&step.get())) {
        plan.reject("focus", "has a position out of range", "write \"0 dpt\" (far) to \"100 dpt\" (near)");
    }
    steps
}

/// Exposures of a bracket.
fn exposures(plan: &mut Reader<'_, '_, '_>) -> Vec<Stops> {
    let bracket: Vec<Stops> = plan.or("bracket", Vec::new());
    if bracket.len() > MAX_EXPOSURES {
        plan.reject("bracket", &format!("has {} exposures", bracket.len()), "write at most 9");
    }
    if bracket.iter().any(|stops| !(-10.0..=10.0).contains(&stops.get())) {
        plan.reject(
            "bracket",
            "has an exposure out of range",
            "write \"-10 EV\" (darkest) to \"10 EV\" (brightest)",
        );
    }
    bracket
}

fn cylinder(plan: &mut Reader<'_, '_, '_>) -> Option<(PlanShape, Vec<Stand>)> {
    let angles = plan.required_in("angles", &(1..=MAX_POINTS));
    let heights = plan.or("heights", vec![Millimetres::ZERO]);
    let duplicate = heights.iter().enumerate().find(|(index, height)| heights[..*index].contains(height));
    if let Some((_, height)) = duplicate {
        plan.reject("heights", &format!("has {height} twice"), "write each height once");
    }
    if heights.is_empty() {
        plan.reject(
            "heights",
            "is empty",
            "write at least one height, or leave the key out for the height 0 mm",
        );
    }
    let angles = angles?;
    if heights.len() as u64 * u64::from(angles) > u64::from(MAX_POINTS) {
        let message = format!("times {} heights is more than {MAX_POINTS} points", heights.len());
        plan.reject("angles", &message, "write less angles or heights");
    }
    let positions = heights.iter().map(|height| height.get()).collect();
    let stands = vec![turntable("angles"), Stand { axis: Axis::Lift, key: "heights", positions }];
    Some((PlanShape::Cylinder { angles, heights }, stands))
}

fn ring(plan: &mut Reader<'_, '_, '_>) -> Option<(PlanShape, Vec<Stand>)> {
    let angles = plan.required_in("angles", &(1..=MAX_POINTS));
    let height = plan.or("height", Millimetres::ZERO);
    let tilt = plan.or_in("tilt", &TILTS, Degrees::ZERO);
    let stands = vec![
        turntable("angles"),
        Stand { axis: Axis::Lift, key: "height", positions: vec![height.get()] },
        Stand { axis: Axis::Tilt, key: "tilt", positions: vec![tilt.get()] },
    ];
    Some((PlanShape::Ring { angles: angles?, height, tilt }, stands))
}

fn sphere(plan: &mut Reader<'_, '_, '_>) -> Option<(PlanShape, Vec<Stand>)> {
    let distribution = plan.or("distribution", Distribution::Fibonacci);
    let points = plan.required_in("points", &(1..=MAX_POINTS));
    let rings = match distribution {
        Distribution::Rings => plan.required_in("rings", &(1..=MAX_POINTS)).map(Some),
        Distribution::Fibonacci => {
            if plan.has("rings") {
                plan.reject("rings", "has no meaning here", "remove it, or add distribution = \"rings\"");
            }
            Some(None)
        }
    };
    let travel = match distribution {
        Distribution::Fibonacci => plan.or("travel", SphereTravel::Given),
        Distribution::Rings => {
            if plan.has("travel") {
                plan.reject("travel", "has no meaning here", "remove it, or remove distribution = \"rings\"");
            }
            SphereTravel::Given
        }
    };
    let min_tilt = plan.required_in("min_tilt", &TILTS);
    let max_tilt = plan.required_in("max_tilt", &TILTS);
    let (points, rings, min_tilt, max_tilt) = (points?, rings?, min_tilt?, max_tilt?);
    if min_tilt >= max_tilt {
        plan.reject("max_tilt", "has to be above min_tilt", "for a single tilt, write shape = \"ring\"");
    }
    if rings.is_some_and(|rings| rings > points) {
        plan.reject("rings", "cannot be more than the points", "write at most as many rings as points");
    }
    let stands = vec![
        turntable("points"),
        Stand { axis: Axis::Tilt, key: "min_tilt", positions: vec![min_tilt.get()] },
        Stand { axis: Axis::Tilt, key: "max_tilt", positions: vec![max_tilt.get()] },
    ];
    let shape = match rings {
        Some(rings) => PlanShape::LatitudeSphere { points, rings, min_tilt, max_tilt },
        None => PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel },
    };
    Some((shape, stands))
}

fn list(plan: &mut Reader<'_, '_, '_>) -> Option<PlanShape> {
    if !plan.has("file") {
        return plan.required::<String>("file").map(|file| PlanShape::List { file: file.into() });
    }
    plan.path("file").map(|file| PlanShape::List { file })
}

const TILTS: RangeInclusive<Degrees> = Degrees::new(-90.0)..=Degrees::new(90.0);

/// The whole turn. A position that is not zero says that the axis has to be there.
fn turntable(key: &'static str) -> Stand {
    Stand { axis: Axis::Turntable, key, positions: vec![360.0] }
}

/// Every axis that is moved has to be there, and every axis that is there has to reach where it is put.
fn check_axes(plan: &mut Reader<'_, '_, '_>, motion: &Motion, stands: &[Stand]) {
    for Stand { axis, key, positions } in stands {
        let Some(config) = motion.axes.iter().find(|config| config.axis == *axis) else {
            if positions.iter().any(|position| *position != 0.0) {
                let message = format!("needs the {axis}, which the rig does not have");
                plan.reject(key, &message, &format!("add `[motion.{axis}]`, or change the plan"));
            }
            continue;
        };
        let Some((low, high)) = config.travel else { continue };
        if let Some(position) = positions.iter().find(|position| !(low..=high).contains(*position)) {
            let unit = axis.unit();
            let message = format!("puts the {axis} at {position} {unit}, out of its travel");
            plan.reject(key, &message, &format!("it reaches from {low} {unit} to {high} {unit}"));
        }
    }
    for config in &motion.axes {
        let Some((low, high)) = config.travel else { continue };
        let axis = config.axis;
        if !(low..=high).contains(&0.0) && !stands.iter().any(|stand| stand.axis == axis) {
            let unit = axis.unit();
            plan.reject_table(
                &format!("this plan leaves the {axis} at 0 {unit}, out of its travel"),
                &format!(
                    "it reaches from {low} {unit} to {high} {unit}: make 0 a part of `motion.{axis}.travel`"
                ),
            );
        }
    }
}
