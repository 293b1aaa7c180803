//! The programs that a scan is exported for.

use std::fmt;
use std::str::FromStr;

/// A program that reconstructs, and what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// COLMAP and what reads its text model.
    Colmap,
    /// nerfstudio, by its `transforms.json`.
    Nerfstudio,
    /// XMP files beside the images, for RealityScan (once `RealityCapture`).
    Realityscan,
    /// Cameras as Metashape imports them.
    Metashape,
    /// `AliceVision`'s `.sfm`, for Meshroom.
    Meshroom,
}

impl ExportFormat {
    /// Every one, in the order in which they are listed to people.
    pub const ALL: [Self; 5] =
        [Self::Colmap, Self::Nerfstudio, Self::Realityscan, Self::Metashape, Self::Meshroom];

    /// Its name in the configuration, on the command line and in the API, and its folder's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Colmap => "colmap",
            Self::Nerfstudio => "nerfstudio",
            Self::Realityscan => "realityscan",
            Self::Metashape => "metashape",
            Self::Meshroom => "meshroom",
        }
    }

    /// The names of all, for people.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| format!("there is no format {name}; there are: {}", Self::names()))
    }
}
