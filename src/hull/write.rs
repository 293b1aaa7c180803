//! A model's files.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use scanner_hull::{Look, Station, Survey, glb};
use scanner_pixels::mask::Photo;
use scanner_pixels::sight::Sight;
use serde::{Deserialize, Serialize};

use super::error::HullError;
use super::model::{Model, photographs, sight};
use crate::dataset::{self, Contents, OpenError, open};
use crate::durable::{self, Readers};
use crate::mask;
use crate::scan::Stored;

/// The model's name in the dataset,
pub const FILE: &str = "preview.glb";
/// and that of its numbers.
pub const NUMBERS: &str = "preview.json";
/// The longest model, in bytes.
pub const LONGEST: u64 = 64 << 20;
/// Longest side of the pictures that give it its colours.
const PICTURE: usize = 480;

/// A model in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ModelNumbers)]
pub struct Numbers {
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Images whose masks have carved it.
    pub images: usize,
    /// Images that were on the disk by then, silhouettes left out.
    pub stored: usize,
    /// Images in the plan, silhouettes left out.
    pub planned: usize,
    /// The part of the surface that is well covered, in percent: at least three images see it, over at least 15 degrees, one of them
    /// by no more than 60 degrees aside, and at least half as finely as the best-seen part. What the object stands on is left out.
    pub well_covered_percent: f64,
    /// The part of the surface that no image shows, in percent; what the object stands on is left out.
    pub unseen_percent: f64,
    /// The surface in square millimetres.
    pub area_mm2: f64,
    /// What it encloses in cubic millimetres: more than the object, as silhouettes show no hollows.
    pub volume_mm3: f64,
    /// Its length along x, y and z in millimetres.
    pub size_mm: [f64; 3],
    /// The side of a voxel in millimetres.
    pub voxel_mm: f64,
    /// Pixels of an image to a millimetre of the surface, where it is sampled finest, times how sharp that image is.
    pub finest_pixels_per_mm: f64,
    /// Corners of its triangles.
    pub vertices: usize,
    /// Its triangles.
    pub triangles: usize,
    /// The length of `preview.glb` in bytes.
    pub bytes: usize,
}

/// The numbers of the model in the dataset at `dir`; none if there is none, or its file is no such one.
pub fn numbers(dir: &Path) -> Option<Numbers> {
    serde_json::from_slice(&open::read(dir, NUMBERS, open::DESCRIPTION).ok()?).ok()
}

impl Model {
    /// Writes the model as it is now, with all images that are there looking at it, into the dataset. Asks `tell` before each of
    /// them, with how many masks have carved: a `false` gives it up.
    ///
    /// # Errors
    /// There is no model (yet), it was given up, or it cannot be written.
    pub fn write(&mut self, contents: &Contents, tell: &dyn Fn(usize) -> bool) -> Result<Numbers, HullError> {
        let mesh = self.mesh(contents, tell)?;
        let views: Vec<(&Stored, Sight)> = photographs(contents)
            .filter_map(|stored| Some((stored, sight(&contents.plan, stored.shot)?)))
            .collect();
        let usual = usual_sharpness(contents);
        let mut survey = Survey::new(&mesh);
        for (stored, sight) in &views {
            if !tell(self.images()) {
                return Err(HullError::GivenUp);
            }
            let usual = usual.get(&contents.plan.camera_of(stored.shot).0);
            let sharpness = usual.map_or(1.0, |usual| stored.facts.sharpness / usual);
            let picture = picture(&self.dir, stored)?;
            survey.look(&Look { sight, sharpness, picture: picture.as_ref() });
        }
        let covered = survey.end();
        let stations: Vec<Station<'_>> =
            views.iter().map(|(stored, sight)| Station { name: &stored.image, sight: *sight }).collect();
        let bytes = glb(&mesh, &covered, &stations);
        let summary = &covered.summary;
        let numbers = Numbers {
            made_at: Timestamp::now(),
            images: self.images(),
            stored: photographs(contents).count(),
            planned: super::model::planned(&contents.plan),
            well_covered_percent: rounded(summary.well_covered, 10.0),
            unseen_percent: rounded(summary.unseen, 10.0),
            area_mm2: rounded(summary.area, 1.0),
            volume_mm3: rounded(summary.volume, 1.0),
            size_mm: summary.size.map(|side| rounded(side, 10.0)),
            voxel_mm: rounded(mesh.voxel, 1000.0),
            finest_pixels_per_mm: rounded(summary.finest, 100.0),
            vertices: mesh.positions.len(),
            triangles: mesh.triangles.len(),
            bytes: bytes.len(),
        };
        let text = serde_json::to_vec_pretty(&numbers).map_err(std::io::Error::from);
        self.put(FILE, &bytes)?;
        let text = text.map_err(|source| HullError::Write { path: self.dir.join(NUMBERS), source })?;
        self.put(NUMBERS, &text)?;
        Ok(numbers)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), HullError> {
        let path = self.dir.join(name);
        durable::replace(&path, bytes, Readers::AsUsual).map_err(|source| HullError::Write { path, source })
    }
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// The median sharpness of each camera's images: what a sharp one of this object has.
fn usual_sharpness(contents: &Contents) -> BTreeMap<u16, f64> {
    let mut all = BTreeMap::<u16, Vec<f64>>::new();
    for stored in photographs(contents) {
        all.entry(contents.plan.camera_of(stored.shot).0).or_default().push(stored.facts.sharpness);
    }
    let median = |(camera, mut values): (u16, Vec<f64>)| {
        values.sort_unstable_by(f64::total_cmp);
        (camera, values[values.len() / 2])
    };
    all.into_iter().map(median).filter(|(_, usual)| *usual > 0.0).collect()
}

/// The image, made small; none where it cannot be decoded, and gives no colour.
fn picture(dir: &Path, stored: &Stored) -> Result<Option<Photo>, HullError> {
    let jpeg = dataset::read_image(dir, stored).map_err(OpenError::from)?;
    Ok(jpeg.ok().and_then(|jpeg| mask::picture(&jpeg, PICTURE).ok()))
}
