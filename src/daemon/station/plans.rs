//! What is to be scanned: plans, made for this rig, with what it has measured of itself.

use super::Station;
use crate::calibration::{self, History};
use crate::config::{self, Config, NamedPlan};
use crate::daemon::disk_space::Wanted;
use crate::daemon::error::StartError;
use crate::daemon::work::PlanChoice;
use crate::model::Pose;
use crate::plan::{self, Plan, PlanCamera, PlanError};

impl Station {
    /// Generates the plan that is wanted, from where the axes stand.
    pub fn plan(&self, choice: &PlanChoice) -> Result<Plan, StartError> {
        let mut plan = match choice {
            PlanChoice::First => plan_from(&self.config, None, &self.axes.pose()),
            PlanChoice::Named(name) => plan_from(&self.config, Some(name), &self.axes.pose()),
            PlanChoice::Inline(plan) => Ok(generate(&self.config, plan, &self.axes.pose())?),
            PlanChoice::Calibration { focus } => {
                let points = calibration::points(&self.config.motion.axes, focus);
                let cameras = plan_cameras(&self.config);
                if cameras.is_empty() {
                    Err(PlanError::NoCameras.into())
                } else {
                    Ok(Plan { points, cameras })
                }
            }
        }?;
        for (planned, camera) in plan.cameras.iter_mut().zip(&self.cameras) {
            planned.intrinsics = camera.optics();
            planned.files = camera.files().unwrap_or_else(PlanCamera::image_alone);
        }
        match choice {
            // What measures the rig begins with what is configured.
            PlanChoice::Calibration { .. } => {}
            PlanChoice::First | PlanChoice::Named(_) | PlanChoice::Inline(_) => self.as_measured(&mut plan),
        }
        Ok(plan)
    }

    /// What scans of the configured plans need, in their order.
    pub fn wanted(&self) -> Vec<Wanted> {
        let names = self.config.plans.iter().map(|plan| &plan.name);
        names
            .map(|name| Wanted::of(&self.config, name, self.plan(&PlanChoice::Named(name.clone()))))
            .collect()
    }

    /// Puts what the rig has measured of itself into `plan`. A scan goes on without.
    fn as_measured(&self, plan: &mut Plan) {
        let kept = match History::of(&self.config.storage.state_directory).newest() {
            Ok(Some(kept)) => kept,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("cameras stand where they are configured to: {error}");
                return;
            }
        };
        // A lens that is moved within a scan has several, of which a plan knows one.
        let position = plan.points.first().and_then(|point| point.focus);
        for camera in &mut plan.cameras {
            if let Err(unfit) = calibration::apply(&kept.calibration, camera, position) {
                tracing::warn!(
                    "{} counts as configured, not as measured: {unfit}; calibrate again (scanner calibrate)",
                    camera.name
                );
            }
        }
    }
}

/// Generates the plan of that name (the first one without a name) for axes that stand at `start`.
pub(crate) fn plan_from(config: &Config, name: Option<&str>, start: &Pose) -> Result<Plan, StartError> {
    let named = match name {
        None => config.plans.first(),
        Some(name) => config.plans.iter().find(|plan| plan.name == name),
    };
    let Some(named) = named else {
        let known = config.plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>();
        let known = if known.is_empty() {
            "none: let `scanner setup`, or the page, describe the rig".to_owned()
        } else {
            known.join(", ")
        };
        return Err(StartError::UnknownPlan { name: name.unwrap_or_default().to_owned(), known });
    };
    generate(config, named, start).map_err(|source| StartError::PlanOf { plan: named.name.clone(), source })
}

fn generate(config: &Config, named: &NamedPlan, start: &Pose) -> Result<Plan, PlanError> {
    let plan = plan::generate(&named.shape, plan_cameras(config), named.order, &config.motion.axes, start)?;
    Ok(plan.with_frames(&named.focus, &named.bracket, config.scan.silhouettes))
}

pub(super) fn plan_cameras(config: &Config) -> Vec<PlanCamera> {
    let camera = |camera: &config::Camera| PlanCamera {
        name: camera.name.clone(),
        intrinsics: camera.optics,
        mount: camera.mount,
        extrinsics: None,
        files: PlanCamera::image_alone(),
    };
    config.cameras.iter().map(camera).collect()
}
