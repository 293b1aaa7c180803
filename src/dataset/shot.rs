//! What the metadata of a shot say.

use serde::{Deserialize, Serialize};

use super::ScanId;
use super::error::StoreError;
use crate::model::{Lighting, Pose};
use crate::plan::Plan;
use crate::scan::Stored;

/// The content of `metadata/CAMERA/LABEL.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotMetadata {
    /// The scan that the image belongs to.
    pub scan: ScanId,
    /// The camera that took it, as the plan calls it.
    pub camera: String,
    /// The label of the point at which it was taken.
    pub label: String,
    /// Where the axes stood.
    pub pose: Pose,
    /// How the object was lit; from the front if absent.
    #[serde(default, skip_serializing_if = "Lighting::is_front")]
    pub lighting: Lighting,
    /// As in the journal.
    pub stored: Stored,
}

/// The metadata file's content for `stored`.
pub(super) fn metadata_of(id: &ScanId, plan: &Plan, stored: &Stored) -> ShotMetadata {
    let point = plan.point(plan.point_of(stored.shot));
    let camera = plan.camera(plan.camera_of(stored.shot));
    ShotMetadata {
        scan: id.clone(),
        camera: camera.name.clone(),
        label: point.label.clone(),
        pose: point.pose,
        lighting: point.lighting,
        stored: stored.clone(),
    }
}

/// The bytes of a metadata file, which can be read back.
pub(super) fn encode_metadata(metadata: &ShotMetadata) -> Result<Vec<u8>, StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Unreadable { reason: error.to_string() };
    let mut json = serde_json::to_vec_pretty(metadata).map_err(unreadable)?;
    serde_json::from_slice::<ShotMetadata>(&json).map_err(unreadable)?;
    json.push(b'\n');
    Ok(json)
}
