//! How the object is lit in a picture.

use serde::{Deserialize, Serialize};

/// Which lights of the rig are on in a picture; a light's role is the lighting in which it is on.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Lighting {
    /// Those that shine on the object: the picture shows its surface.
    #[default]
    Front,
    /// The panel behind the object: the picture shows its silhouette.
    Backlight,
}

impl Lighting {
    /// Whether it is that of a photograph of the surface, as it goes without saying.
    pub fn is_front(&self) -> bool {
        *self == Self::Front
    }

    /// As in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Backlight => "backlight",
        }
    }
}
