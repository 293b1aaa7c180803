//! The mask of one image: by its silhouette, by the empty rig, or by both.

use std::path::Path;

use scanner_pixels::mask::{self, Blank, Photo, Shape};
use serde::Serialize;

use super::error::MaskError;
use super::file::{self, METHOD, Origin, Outline, Source};
use super::look::Look;
use super::panel::{self, Silhouette, Silhouettes};
use super::photo;
use super::reference::{self, Reference, Unmatched};
use crate::dataset::{self, Contents, OpenError};
use crate::durable::{self, Readers};
use crate::model::Size;
use crate::plan::{PlanCamera, Point};
use crate::scan::Stored;

/// Which masks are made again. One of another image, or one that is not whole, always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remake {
    /// None: they may be by a reference that a person has named.
    None,
    /// Those that would be made by another reference, or otherwise, now.
    #[default]
    Outdated,
    /// All: those that are right, too.
    All,
}

/// A mask that is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    /// Its image's path in the dataset.
    pub image: String,
    /// Its path in the dataset.
    pub mask: String,
    /// Part of the image that the object covers.
    pub covered: f64,
    /// The silhouette by which it was made, as its path in the dataset; none if there is none.
    pub silhouette: Option<String>,
    /// The scan of the empty rig by which it was made; none if the silhouette was enough.
    pub reference: Option<String>,
    /// Whether it was there and right already.
    pub kept: bool,
}

/// What the masks of a scan are made from.
pub(super) struct Work<'a> {
    pub(super) dir: &'a Path,
    pub(super) contents: &'a Contents,
    pub(super) references: &'a [Reference],
    pub(super) silhouettes: Silhouettes<'a>,
    pub(super) remake: Remake,
}

/// The mask of one image, before it is written.
pub(super) struct Found {
    pub(super) made: Made,
    /// Its file; none if it is there.
    bytes: Option<Vec<u8>>,
    pub(super) notes: Vec<String>,
}

/// Why there is none.
pub(super) enum Trouble {
    /// For people. The next image may have one.
    Without(String),
    Fatal(MaskError),
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        Self::Fatal(error.into())
    }
}

/// An image of which a mask is wanted, and where it was taken.
struct Wanted<'a> {
    stored: &'a Stored,
    camera: &'a PlanCamera,
    point: &'a Point,
}

/// What an image is compared with.
struct Sources<'a> {
    silhouette: Option<(Silhouette<'a>, Option<(&'a Reference, &'a Stored)>)>,
    /// Or why there is none.
    empty: Result<(&'a Reference, &'a Stored), Unmatched>,
}

impl Work<'_> {
    /// Makes the mask of `stored`, and removes what was there if there is to be none.
    pub(super) fn one(&self, stored: &Stored) -> Result<Found, Trouble> {
        let mask = file::path(&stored.image);
        let to = self.dir.join(&mask);
        let found = self.find(stored);
        match &found {
            Ok(Found { bytes: Some(bytes), .. }) => {
                // Not the scan's own folder, which somebody may have removed meanwhile.
                let written = durable::create_folder_in(self.dir, folder_of(&mask))
                    .and_then(|()| durable::replace(&to, bytes, Readers::AsUsual));
                written.map_err(|source| Trouble::Fatal(MaskError::Write { path: to, source }))?;
            }
            // One of another image, or by another reference, would be taken for its mask.
            Err(Trouble::Without(_)) => drop(std::fs::remove_file(to)),
            Ok(Found { bytes: None, .. }) | Err(Trouble::Fatal(_)) => {}
        }
        found
    }

    fn find(&self, stored: &Stored) -> Result<Found, Trouble> {
        let there = file::read(self.dir, stored);
        if let (Remake::None, Some(there)) = (self.remake, &there) {
            return Ok(Found { made: made_of(stored, there, true), bytes: None, notes: Vec::new() });
        }
        let plan = &self.contents.plan;
        let (camera, point) =
            (plan.camera(plan.camera_of(stored.shot)), plan.point(plan.point_of(stored.shot)));
        let wanted = Wanted { stored, camera, point };
        let sources = self.sources(&wanted);
        let origin = self.origin(&wanted, &sources);
        let there = there.filter(|there| Origin { covered: there.covered, ..origin.clone() } == *there);
        let mut notes = match sources.empty {
            Ok((_, empty)) => {
                Look::taken(&stored.facts).differences(&camera.name, &Look::taken(&empty.facts))
            }
            Err(_) => Vec::new(),
        };
        if let (Remake::None | Remake::Outdated, Some(there)) = (self.remake, &there) {
            return Ok(Found { made: made_of(stored, there, true), bytes: None, notes });
        }
        let (now, size) = decoded(self.dir, stored)?.map_err(Trouble::Without)?;
        let (inside, area) = (self.inside(&wanted, &sources, &now, size, &mut notes)?, now.area());
        let shape = mask::shaped(area, inside).map_err(blank)?;
        let covered = shape.count() as f64 / shape.inside.len() as f64;
        let origin = Origin { covered, ..origin };
        let bytes = file::encode(&shape, size, &origin)
            .map_err(|error| Trouble::Without(format!("its mask cannot be encoded: {error}")))?;
        Ok(Found { made: made_of(stored, &origin, false), bytes: Some(bytes), notes })
    }

    fn sources(&self, wanted: &Wanted<'_>) -> Sources<'_> {
        let find = |point: &Point| reference::find(self.references, wanted.camera, point);
        let silhouette = self.silhouettes.find(wanted.stored);
        Sources {
            silhouette: silhouette.map(|silhouette| (silhouette, find(silhouette.point).ok())),
            empty: find(wanted.point),
        }
    }

    fn origin(&self, wanted: &Wanted<'_>, sources: &Sources<'_>) -> Origin {
        let source = |(reference, empty): (&Reference, &Stored)| Source {
            scan: reference.scan().to_owned(),
            image: empty.image.clone(),
            crc32c: empty.crc32c,
        };
        let silhouette = sources.silhouette.map(|(silhouette, empty)| Outline {
            image: silhouette.stored.image.clone(),
            crc32c: silhouette.stored.crc32c,
            empty: empty.map(source),
            ring_crc32c: empty.is_none().then(|| self.silhouettes.ring_crc32c(silhouette)),
        });
        let reference = sources.empty.ok().map(source);
        Origin { method: METHOD, covered: 0.0, image_crc32c: wanted.stored.crc32c, reference, silhouette }
    }

    /// Whether each pixel of the picture `now` shows the object, as far as it says itself.
    fn inside(
        &self,
        wanted: &Wanted<'_>,
        sources: &Sources<'_>,
        now: &Photo,
        size: Size,
        notes: &mut Vec<String>,
    ) -> Result<Vec<bool>, Trouble> {
        let name = &wanted.camera.name;
        let differs = || differs(wanted, sources, now, size);
        let Some((silhouette, empty)) = sources.silhouette else { return differs() };
        let image = &silhouette.stored.image;
        let outlined = self.outlined(silhouette, empty, wanted.camera)?.and_then(|both| {
            let fits = both.iter().all(|shape| shape.area == now.area());
            if fits { Ok(both) } else { Err("it has another size than the image".into()) }
        });
        match (outlined, sources.empty) {
            (Ok([shining, panel]), Ok(_)) => {
                let differs = match differs() {
                    Ok(differs) => Some(differs),
                    Err(Trouble::Without(reason)) => {
                        notes.push(format!(
                            "{name}: what stands before no panel is outside of masks: {reason}"
                        ));
                        None
                    }
                    Err(fatal @ Trouble::Fatal(_)) => return Err(fatal),
                };
                Ok(mask::object(&shining, &panel, differs.as_deref()))
            }
            (Ok([shining, panel]), Err(_)) => {
                notes.push(format!(
                    "{name}: what does not stand before the panel, but before the table or beside it, is outside of masks; \
                     with a scan of the empty rig (`scanner reference`) it is found, too"
                ));
                Ok(mask::object(&shining, &panel, None))
            }
            (Err(reason), Ok(_)) => {
                notes.push(format!(
                    "{name}: masks are by the empty rig alone, where a silhouette is no use: {reason}"
                ));
                differs()
            }
            (Err(reason), Err(_)) => {
                Err(Trouble::Without(format!("its silhouette {image} is no use: {reason}")))
            }
        }
    }

    /// Where the panel shines in a silhouette, and where it would without the object; or why that cannot be said.
    fn outlined(
        &self,
        silhouette: Silhouette<'_>,
        empty: Option<(&Reference, &Stored)>,
        camera: &PlanCamera,
    ) -> Result<Result<[Shape; 2], String>, OpenError> {
        let shining = match panel::shining(self.dir, silhouette.stored)? {
            Ok(shining) => shining,
            Err(reason) => return Ok(Err(reason)),
        };
        let measured = match empty {
            Some((reference, empty)) => panel::shining(&reference.dir, empty)?.ok(),
            None => None,
        };
        // One that did not shine says nothing: then the ring has to.
        let panel = match measured {
            Some(measured) => Some(measured),
            None => self.silhouettes.panel(silhouette, camera)?,
        };
        Ok(panel.map(|panel| [shining, panel]).ok_or_else(|| "no panel shines in its ring".into()))
    }
}

/// Which pixels of the picture `now` show what the empty rig does not.
fn differs(
    wanted: &Wanted<'_>,
    sources: &Sources<'_>,
    now: &Photo,
    size: Size,
) -> Result<Vec<bool>, Trouble> {
    let (reference, empty) = sources.empty.map_err(|unmatched| {
        let reason = match unmatched {
            Unmatched::Place => "the empty rig was not photographed from there",
            Unmatched::Camera => {
                "the empty rig was photographed with the camera mounted, or its size set, otherwise"
            }
        };
        Trouble::Without(reason.into())
    })?;
    let of_empty = |reason| Trouble::Without(format!("{} of {}: {reason}", empty.image, reference.scan()));
    let (before, before_size) = decoded(&reference.dir, empty)?.map_err(of_empty)?;
    if before_size != size {
        let Size { width, height } = before_size;
        return Err(of_empty(format!("it has another size, {width}x{height}")));
    }
    let table = photo::table(wanted.camera, &wanted.point.pose, now);
    mask::differs(&before, now, &table).map_err(blank)
}

/// The folder that the file `path` is in.
fn folder_of(path: &str) -> &Path {
    Path::new(path).parent().unwrap_or(Path::new(""))
}

fn blank(blank: Blank) -> Trouble {
    let reason = match blank {
        Blank::Nothing => "it shows nothing but the empty rig: the mask would be empty",
        Blank::Everything => {
            "it shows nothing of the empty rig, so the mask would cover all: has the camera been moved, or the light \
             changed, since then?"
        }
    };
    Trouble::Without(reason.into())
}

fn made_of(stored: &Stored, origin: &Origin, kept: bool) -> Made {
    Made {
        image: stored.image.clone(),
        mask: file::path(&stored.image),
        covered: origin.covered,
        silhouette: origin.silhouette.as_ref().map(|silhouette| silhouette.image.clone()),
        reference: origin.reference.as_ref().map(|reference| reference.scan.clone()),
        kept,
    }
}
/// A stored image and its true size, or what is wrong with it.
fn decoded(dir: &Path, stored: &Stored) -> Result<Result<(Photo, Size), String>, OpenError> {
    let jpeg = dataset::read_image(dir, stored)?;
    Ok(jpeg.and_then(|jpeg| {
        photo::decode(&jpeg).map_err(|error| format!("the image cannot be decoded: {error}"))
    }))
}
