//! What each program opens.

use super::Views;
use super::files::{At, Files};
use super::{colmap, meshroom, metashape, nerfstudio, realityscan};
use crate::model::ExportFormat as Format;

impl Format {
    /// What the export consists of.
    pub fn files(self, views: &Views, at: At<'_>) -> Files {
        match self {
            Self::Colmap => colmap::files(views),
            Self::Nerfstudio => nerfstudio::files(views),
            Self::Realityscan => realityscan::files(views),
            Self::Metashape => metashape::files(views),
            Self::Meshroom => meshroom::files(views, at),
        }
    }

    /// What to do with it.
    pub const fn how_to_open(self) -> &'static str {
        match self {
            Self::Colmap => "run its reconstruct.sh, or open sparse/0 in COLMAP with the images in images/",
            Self::Nerfstudio => "ns-train splatfacto --data FOLDER",
            Self::Realityscan => {
                "in RealityScan, add the folder images/: the XMP files beside the images are read with them"
            }
            Self::Metashape => {
                "in Metashape, add the photos of images/, then File > Import > Import Cameras: cameras.xml (Agisoft XML)"
            }
            Self::Meshroom => "in Meshroom, File > Import > Import Images from a .sfm: scene.sfm",
        }
    }
}
