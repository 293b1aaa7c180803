//! `scanner dataset hull`: a model of the object.

use std::path::Path;

use crate::hull::{self, Numbers};

use super::exit::{Exit, Failure};
use super::masks::with_bar;
use super::output;

pub(super) fn hull(dir: &Path, json: bool) -> Result<Exit, Failure> {
    let numbers = with_bar("model", |tell| hull::make(dir, tell))?;
    if json {
        output::json(&numbers)?;
        return Ok(Exit::Done);
    }
    let Numbers { images, stored, well_covered_percent, unseen_percent, volume_mm3, size_mm, .. } = numbers;
    let [x, y, z] = size_mm;
    output::print(&format!(
        "{}: from {images} of {stored} images, {x} x {y} x {z} mm, {:.1} cm3; {well_covered_percent} % of its surface is well \
         covered, {unseen_percent} % is in no image",
        dir.join(hull::FILE).display(),
        volume_mm3 / 1000.0,
    ))?;
    Ok(Exit::Done)
}
