//! How a camera is, apart from its pictures.

use serde::{Deserialize, Serialize};

/// How a camera is, as far as it says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = CameraCondition)]
pub struct Condition {
    /// What is left in its battery, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<u8>,
    /// Room on its card, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_free_bytes: Option<u64>,
    /// Its lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// Why it is not to take pictures now, for people: a scan pauses before it asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfit: Option<String>,
}

impl std::fmt::Display for Condition {
    /// For people: `battery 80 %, 31.2 GB free, 50 mm f/1.8`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            self.battery_percent.map(|percent| format!("battery {percent} %")),
            self.card_free_bytes.map(|bytes| format!("{:.1} GB free", bytes as f64 / 1e9)),
            self.lens.clone(),
            self.unfit.clone(),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
