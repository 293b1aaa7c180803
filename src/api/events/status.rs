//! What the rig is doing, and how far it has come.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Extend;
use crate::daemon::{DeliveryStatus, Last, MaskProgress, Service, Status};
use crate::model::Pose;
use crate::rig::camera::CameraStatus;
use crate::rig::panel::Led;
use crate::run::Progress;

/// What the rig is doing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct RigStatus {
    /// The version of the program.
    version: &'static str,
    /// Whether a scan is starting or under way.
    scanning: bool,
    /// The scan under way, or the last one since the program started.
    scan: Option<Progress>,
    /// Seconds that the scan under way will still take, by its pace so far; none where that cannot be told.
    left_s: Option<f64>,
    /// What became of the last start or scan since the program started.
    last: Option<Last>,
    /// Where the axes stand.
    pose: Pose,
    /// Why the axes are stopped until somebody clears it.
    fault: Option<String>,
    /// Until when the rig is idle: it is outside its hours.
    #[schema(value_type = Option<String>, format = DateTime)]
    idle_until: Option<Timestamp>,
    /// Whether the cameras may be open at this hour.
    open: bool,
    /// The pattern of the status LED; none without a panel.
    led: Option<Led>,
    /// Masks that are being made.
    masks: Option<MaskProgress>,
    /// Finished scans that are brought to where they are kept, for each `[[deliver]]`.
    deliveries: Vec<DeliveryStatus>,
    /// What is done about points that would show more of a scan that is complete.
    extend: Extend,
    /// Every camera, in the order of the configuration.
    cameras: Vec<CameraStatus>,
}

/// What the rig is doing, and when it was so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in crate::api) struct StatusNow {
    /// When it was so, by the rig's clock.
    #[schema(value_type = String, format = DateTime)]
    pub(in crate::api) now: Timestamp,
    #[serde(flatten)]
    pub(in crate::api) status: RigStatus,
}

impl RigStatus {
    /// Answers at once, whatever the cameras do.
    pub(in crate::api) fn of(service: &Service, left: Option<std::time::Duration>) -> Self {
        let Status {
            scan,
            scanning,
            last,
            fault,
            disk_wait_s: _,
            led,
            panel_faults: _,
            deliveries,
            pairings: _,
            masks,
            extend,
            api: _,
            cameras,
        } = service.status();
        let pose = service.station().axes().pose();
        let left_s = left.filter(|_| scanning).map(|left| left.as_secs_f64().round());
        let hours = service.station().config().schedule.at(&jiff::Zoned::now());
        let idle_until = hours.until.filter(|_| !hours.open).map(|until| until.timestamp());
        let open = hours.open;
        Self {
            idle_until,
            open,
            version: env!("CARGO_PKG_VERSION"),
            scanning,
            scan,
            left_s,
            last,
            pose,
            fault,
            led,
            masks,
            deliveries,
            extend,
            cameras,
        }
    }
}
