//! A stack merged by this program: one image in memory at a time.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use scanner_pixels::Area;
use scanner_pixels::picture::Picture;
use scanner_pixels::stack::{Aligner, Kind, Stack};

use super::images::ImageStack;
use super::jpeg;
use super::make::{Trouble, Work};

/// Where a lens position's picture comes from, and how many times as large it shows everything as the middle one; none if that
/// is to be seen by the pictures.
struct Layer<'a> {
    source: Source<'a>,
    scale: Option<f64>,
}

/// A picture that is looked at several times.
enum Source<'a> {
    /// Of a stored image.
    Image(&'a crate::scan::Stored),
    /// That was merged from a bracket: its planes, in a file that nobody sees.
    Planes(File, Area),
}

impl Work<'_> {
    /// The merged picture of `stack`.
    pub(super) fn own(&self, stack: &ImageStack<'_>, aside: &Path) -> Result<Vec<u8>, Trouble> {
        let mut layers = Vec::new();
        let mut rest = stack.images.as_slice();
        for count in &stack.exposures {
            let (images, others) = rest.split_at((*count).min(rest.len()));
            rest = others;
            let of_images: Vec<_> =
                images.iter().map(|image| Layer { source: Source::Image(image), scale: Some(1.0) }).collect();
            layers.extend(match of_images.len() {
                0 => None,
                1 => of_images.into_iter().next().map(|layer| Layer { scale: None, ..layer }),
                _ => {
                    let fused = self.merged(Kind::Exposure, &of_images, 0)?;
                    if stack.exposures.len() == 1 {
                        return jpeg::encode(&fused).map_err(Trouble::Without);
                    }
                    let file = planes(&fused, aside).map_err(|error| self.unwritten(aside, error))?;
                    Some(Layer { source: Source::Planes(file, fused.area), scale: None })
                }
            });
        }
        let picture = self.merged(Kind::Focus, &layers, layers.len() / 2)?;
        jpeg::encode(&picture).map_err(Trouble::Without)
    }

    /// The picture that `layers` give, which lies as that of number `middle` does.
    fn merged(&self, kind: Kind, layers: &[Layer<'_>], middle: usize) -> Result<Picture, Trouble> {
        let Some(first) = layers.get(middle) else {
            return Err(Trouble::Without("there is no image".into()));
        };
        let first = self.picture(&first.source)?;
        let area = first.area;
        let aligner = layers.iter().any(|layer| layer.scale.is_none()).then(|| Aligner::new(&first));
        drop(first);
        let mut scales = Vec::with_capacity(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            scales.push(match (layer.scale, &aligner) {
                (Some(scale), _) => scale,
                (None, Some(aligner)) if index != middle => aligner.scale_of(&self.same_size(layer, area)?),
                (None, Some(_) | None) => 1.0,
            });
        }
        drop(aligner);
        let mut stack = Stack::new(area, kind);
        for (layer, scale) in layers.iter().zip(&scales) {
            stack.weigh(&self.same_size(layer, area)?, *scale);
        }
        for (layer, scale) in layers.iter().zip(&scales) {
            stack.blend(&self.same_size(layer, area)?, *scale);
        }
        Ok(stack.finish())
    }

    /// Asks on the way whether to go on.
    fn same_size(&self, layer: &Layer<'_>, area: Area) -> Result<Picture, Trouble> {
        self.go_on()?;
        let picture = self.picture(&layer.source)?;
        if picture.area == area {
            return Ok(picture);
        }
        Err(Trouble::Without(format!(
            "its images have several sizes, {}x{} and {}x{}",
            area.width, area.height, picture.area.width, picture.area.height
        )))
    }

    fn picture(&self, source: &Source<'_>) -> Result<Picture, Trouble> {
        match source {
            Source::Image(stored) => {
                let jpeg = self.jpeg(stored)?;
                jpeg::decode(&jpeg).map_err(|error| Trouble::Without(format!("{}: {error}", stored.image)))
            }
            Source::Planes(file, area) => read_planes(file, *area)
                .map_err(|error| Trouble::Without(format!("what was set aside: {error}"))),
        }
    }
}

/// The planes of `picture` in a file that is gone once it is closed.
fn planes(picture: &Picture, aside: &Path) -> io::Result<File> {
    let mut file = tempfile::tempfile_in(aside)?;
    for plane in [&picture.y, &picture.u, &picture.v] {
        file.write_all(plane)?;
    }
    Ok(file)
}

fn read_planes(mut file: &File, area: Area) -> io::Result<Picture> {
    file.rewind()?;
    let mut picture = Picture::plain(area, 0, 0, 0);
    for plane in [&mut picture.y, &mut picture.u, &mut picture.v] {
        file.read_exact(plane)?;
    }
    Ok(picture)
}
