//! What the tests of this folder share.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, CaptureOrder, OnFailedShot, OnWedgedCamera};
use crate::model::{Optics, Pose, Size};
use crate::plan::{Plan, PlanCamera, Point};

use super::state::Policy;

pub(super) fn recovery() -> config::Recovery {
    config::Recovery {
        attempts: 3,
        capture_timeout: Duration::from_secs(10),
        stalled_after_frames: 20,
        restart_pause: Duration::from_millis(500),
        start_pause: Duration::from_millis(300),
        restart_timeout: Duration::from_secs(3),
        kill_timeout: Duration::from_secs(2),
        start_timeout: Duration::from_secs(10),
        backoff: Duration::from_millis(250),
        may_end: Vec::new(),
    }
}

pub(super) fn policy() -> Policy {
    let scan = config::Scan {
        capture: CaptureOrder::Simultaneous,
        on_failed_shot: OnFailedShot::Continue,
        on_wedged_camera: OnWedgedCamera::Pause,
        max_failed_in_a_row: 6,
        queue_depth: 4,
        resume_after_crash: true,
        max_automatic_resumes: 3,
        silhouettes: false,
        extend: config::Extend::Ask,
    };
    Policy { scan, recovery: recovery() }
}

pub(super) fn plan(points: u32, cameras: u16) -> Arc<Plan> {
    let camera = |index| PlanCamera {
        name: format!("cam{index}"),
        intrinsics: Optics::Size(Size { width: 64, height: 48 }),
        mount: None,
        extrinsics: None,
        files: PlanCamera::image_alone(),
    };
    let point = |index| Point::new(format!("a{index:03}"), Pose::default());
    Arc::new(Plan { points: (0..points).map(point).collect(), cameras: (0..cameras).map(camera).collect() })
}
