//! How well a plan would cover an object, before there is any.

use scanner_hull::{Look, Mesh, Survey};
use scanner_pixels::sight::Sight;
use serde::Serialize;

use crate::model::Lighting;
use crate::plan::Plan;

/// How well a plan covers a ball that stands on the turntable, where the cameras look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Judged {
    /// The ball's radius in millimetres.
    pub radius_mm: f64,
    /// The part of its surface that would be well covered, in percent,
    pub well_covered_percent: f64,
    /// and the part that no image would show.
    pub unseen_percent: f64,
}

/// How well `plan` covers a ball with this radius in millimetres; none if it is not known where its cameras stand and what lenses
/// they have.
pub fn judge(plan: &Plan, radius_mm: f64) -> Option<Judged> {
    let sights: Vec<Sight> = plan
        .shots()
        .filter(|shot| plan.lighting_of(*shot) == Lighting::Front)
        .filter_map(|shot| super::model::sight(plan, shot))
        .collect();
    if sights.is_empty() {
        return None;
    }
    let ball = Mesh::ball([0.0, 0.0, radius_mm], radius_mm);
    let mut survey = Survey::new(&ball);
    for sight in &sights {
        survey.look(&Look { sight, sharpness: 1.0, picture: None });
    }
    let summary = survey.end().summary;
    let percent = |part: f64| (part * 10.0).round() / 10.0;
    Some(Judged {
        radius_mm,
        well_covered_percent: percent(summary.well_covered),
        unseen_percent: percent(summary.unseen),
    })
}
