//! Points that are added to a scan: which may be, and in which order they are visited.
//!
//! A plan never changes what it has: added points stand behind its own, and their shots have the indices behind the
//! others. So every shot keeps its index and its files, whatever is added.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::generate::check_reach;
use super::list::{self, ListError, is_label};
use super::{MAX_SHOTS, Plan, PlanError, Point, order};
use crate::file_name;
use crate::model::{AxisConfig, Lighting, Pose};
use crate::units::Dioptres;

/// Most points that are added at once: they are one line of the journal, which has a limit.
pub const MOST_ADDED: usize = 2000;

/// A point that somebody wants to have added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPoint {
    /// What its files are called; without one it gets a free one: `x0001` and on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where the axes are to stand.
    pub pose: Pose,
    /// Lens position of every camera; as configured if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Dioptres>,
    /// How the object is lit; from the front if absent.
    #[serde(default, skip_serializing_if = "Lighting::is_front")]
    pub lighting: Lighting,
}

/// Why points cannot be part of a plan, whoever adds them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unaddable {
    /// There is no point at all.
    #[error("there are no points to add: name at least one")]
    Nothing,
    /// More than [`MOST_ADDED`].
    #[error("{points} points at once are more than {MOST_ADDED}: add them in several parts")]
    TooManyAtOnce {
        /// How many there are.
        points: usize,
    },
    /// More shots than [`MAX_SHOTS`].
    #[error("the scan would have {shots} shots, more than {MAX_SHOTS}: add fewer points")]
    TooManyShots {
        /// How many there would be.
        shots: u64,
    },
    /// A label that cannot name a file.
    #[error("the label {label:?} must be 1 to {} letters A to Z, digits, '-' or '_'", list::MAX_LABEL)]
    Label {
        /// The label, as it is written.
        label: String,
    },
    /// A label that a point has already.
    #[error(
        "the label {label} is taken: every point of a scan has a label of its own, so choose another one"
    )]
    Taken {
        /// The label, as it is written.
        label: String,
    },
}

/// Why points are not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// They cannot be part of the plan.
    #[error(transparent)]
    Unaddable(#[from] Unaddable),
    /// A label that not every system can have as a file's name.
    #[error("the label {label:?} {objection}: choose another one")]
    Unportable {
        /// The label, as it is written.
        label: String,
        /// Which system cannot have it, and why.
        objection: &'static str,
    },
    /// Labels that not every system can keep apart.
    #[error("Windows and Macs cannot keep the labels {label:?} and {other:?} apart: choose another one")]
    Alike {
        /// The label, as it is written.
        label: String,
        /// The label of another point.
        other: String,
    },
    /// The axes cannot reach every point.
    #[error(transparent)]
    Unreachable(#[from] PlanError),
}

impl Plan {
    /// Whether `added` can stand behind the points of this plan: what holds in every journal.
    pub fn can_take(&self, added: &[Point]) -> Result<(), Unaddable> {
        if added.is_empty() {
            return Err(Unaddable::Nothing);
        }
        if added.len() > MOST_ADDED {
            return Err(Unaddable::TooManyAtOnce { points: added.len() });
        }
        let shots = (self.points.len() + added.len()) as u64 * self.cameras.len() as u64;
        if shots > MAX_SHOTS as u64 {
            return Err(Unaddable::TooManyShots { shots });
        }
        let mut taken: HashSet<&str> = self.points.iter().map(|point| point.label.as_str()).collect();
        for Point { label, .. } in added {
            if !is_label(label) {
                return Err(Unaddable::Label { label: label.clone() });
            }
            if !taken.insert(label) {
                return Err(Unaddable::Taken { label: label.clone() });
            }
        }
        Ok(())
    }

    /// Puts points behind those that there are, which [can](Self::can_take) be there.
    pub fn add(&mut self, added: &[Point]) {
        self.points.extend_from_slice(added);
    }

    /// This plan with `added` behind its points.
    #[must_use]
    pub fn with_added(&self, added: &[Point]) -> Self {
        let mut plan = self.clone();
        plan.add(added);
        plan
    }
}

/// Points to add to `plan`: labelled, checked, and in the order of least travel time for axes that stand at `start`.
pub fn additions(
    plan: &Plan,
    wanted: Vec<NewPoint>,
    axes: &[AxisConfig],
    start: &Pose,
) -> Result<Vec<Point>, AddError> {
    // Asked before anything is made of them.
    if wanted.len() > MOST_ADDED {
        return Err(Unaddable::TooManyAtOnce { points: wanted.len() }.into());
    }
    let points = labelled(plan, wanted);
    plan.can_take(&points)?;
    check_portable(plan, &points)?;
    check_reach(&points, axes)?;
    Ok(order::fastest(points, axes, start))
}

/// Gives those a label that have none.
fn labelled(plan: &Plan, wanted: Vec<NewPoint>) -> Vec<Point> {
    let own = plan.points.iter().map(|point| &point.label);
    let mut taken: HashSet<String> = own.map(|label| file_name::folded(label)).collect();
    taken.extend(wanted.iter().filter_map(|point| point.label.as_deref().map(file_name::folded)));
    let mut free = (1_u32..).map(|number| format!("x{number:04}")).filter(|label| !taken.contains(label));
    let point = |NewPoint { label, pose, focus, lighting }| {
        // There are more numbers than points, so there is always one.
        let label = label.or_else(|| free.next()).unwrap_or_default();
        Point { label, pose, focus, bracket: None, lighting }
    };
    wanted.into_iter().map(point).collect()
}

fn check_portable(plan: &Plan, added: &[Point]) -> Result<(), AddError> {
    let known = plan.points.iter().map(|point| (file_name::folded(&point.label), point.label.as_str()));
    let mut known: HashMap<String, &str> = known.collect();
    for Point { label, .. } in added {
        if let Some(objection) = file_name::objection(label) {
            return Err(AddError::Unportable { label: label.clone(), objection });
        }
        if let Some(other) = known.insert(file_name::folded(label), label) {
            return Err(AddError::Alike { label: label.clone(), other: other.to_owned() });
        }
    }
    Ok(())
}

/// The points of a list in a file, as a plan has them; those of a list without labels have none.
pub fn read_new_points(file: &Path) -> Result<Vec<NewPoint>, ListError> {
    let (points, labelled) = list::read_with_labels(file, MOST_ADDED)?;
    let new = |Point { label, pose, focus, bracket: _, lighting }| {
        let label = labelled.then_some(label);
        NewPoint { label, pose, focus, lighting }
    };
    Ok(points.into_iter().map(new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Limits, Optics};
    use crate::plan::{CameraIndex, PlanCamera, PointIndex};
    use proptest::prelude::*;

    fn plan(labels: &[&str], cameras: usize) -> Plan {
        let camera = |n: usize| PlanCamera {
            name: format!("cam{n}"),
            intrinsics: Optics::Unknown,
            mount: None,
            extrinsics: None,
            files: PlanCamera::image_alone(),
        };
        let points = labels.iter().map(|label| Point::new((*label).into(), Pose::default())).collect();
        Plan { points, cameras: (0..cameras).map(camera).collect() }
    }

    fn at(label: Option<&str>, turn: f64) -> NewPoint {
        let pose = Pose::default().with(Axis::Turntable, turn);
        NewPoint { label: label.map(str::to_owned), pose, focus: None, lighting: Lighting::Front }
    }

    fn axes() -> Vec<AxisConfig> {
        let limits = Limits { speed: 60.0, acceleration: 120.0, jerk: None };
        vec![AxisConfig::new(Axis::Turntable, limits, None)]
    }

    fn add(plan: &Plan, wanted: Vec<NewPoint>) -> Result<Vec<Point>, AddError> {
        additions(plan, wanted, &axes(), &Pose::default())
    }

    fn labels(points: &[Point]) -> Vec<&str> {
        points.iter().map(|point| point.label.as_str()).collect()
    }

    #[test]
    fn points_without_a_label_get_the_first_free_ones() {
        let plan = plan(&["x0002", "X0003"], 1);
        let added = add(&plan, vec![at(None, 10.0), at(Some("x0005"), 20.0), at(None, 30.0), at(None, 40.0)]);
        assert_eq!(labels(&added.unwrap()), ["x0001", "x0005", "x0004", "x0006"]);
    }

    #[test]
    fn they_are_visited_in_the_fastest_order_from_where_the_axes_stand() {
        let wanted = [90.0, 10.0, 50.0].map(|turn| at(Some(&format!("t{turn}")), turn));
        let from = |start: f64| {
            let start = Pose::default().with(Axis::Turntable, start);
            additions(&plan(&["a"], 1), wanted.to_vec(), &axes(), &start).unwrap()
        };
        assert_eq!(labels(&from(0.0)), ["t10", "t50", "t90"]);
        assert_eq!(labels(&from(100.0)), ["t90", "t50", "t10"]);
    }

    #[test]
    fn what_cannot_be_added_is_said() {
        let plan = plan(&["a", "left"], 2);
        let said = |wanted| add(&plan, wanted).unwrap_err().to_string();
        assert_eq!(said(vec![]), "there are no points to add: name at least one");
        assert!(said(vec![at(Some("a"), 0.0)]).starts_with("the label a is taken"));
        assert!(said(vec![at(Some("b"), 0.0), at(Some("b"), 1.0)]).starts_with("the label b is taken"));
        assert!(said(vec![at(Some("../x"), 0.0)]).contains("\"../x\" must be 1 to 64"));
        assert!(said(vec![at(Some("nul"), 0.0)]).contains("name of a device"));
        let alike = said(vec![at(Some("Left"), 0.0)]);
        assert!(alike.contains("the labels \"Left\" and \"left\" apart"), "{alike}");
        let mut lifted = at(None, 0.0);
        lifted.pose = lifted.pose.with(Axis::Lift, 10.0);
        assert!(said(vec![lifted]).contains("x0001: the rig has no lift"));
        assert!(said(vec![at(None, 0.0); MOST_ADDED + 1]).contains("in several parts"));
        let full = self::plan(&vec!["a"; MAX_SHOTS / 2], 2);
        let error = full.can_take(&[Point::new("b".into(), Pose::default())]);
        assert_eq!(error, Err(Unaddable::TooManyShots { shots: 1_000_002 }));
    }

    proptest! {
        #[test]
        fn no_shot_changes_its_index(own in 1..20_usize, more in 1..20_usize, cameras in 1..4_usize) {
            let names: Vec<String> = (0..own).map(|n| format!("p{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let plan = plan(&names, cameras);
            let points = add(&plan, (0..more).map(|n| at(None, n as f64 * 7.0)).collect()).unwrap();
            let extended = plan.with_added(&points);
            prop_assert!(extended.can_take(&points).is_err());
            prop_assert_eq!(extended.shot_count() as usize, (own + more) * cameras);
            for shot in plan.shots() {
                prop_assert_eq!(plan.point(plan.point_of(shot)), extended.point(extended.point_of(shot)));
                prop_assert_eq!(plan.camera_of(shot), extended.camera_of(shot));
            }
            let first = extended.shot(PointIndex(own as u32), CameraIndex(0));
            prop_assert_eq!(first.0, plan.shot_count());
        }
    }
}
