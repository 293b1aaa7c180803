//! The model of a scan as it is.

use std::path::Path;

use super::error::HullError;
use super::model::Model;
use super::write::Numbers;
use crate::dataset;
use crate::mask::{self, MaskError, Remake, Wish};

/// Makes the model of the scan at `dir` anew, and before it the masks that are missing. Tells how many images are done, and of how
/// many: a `false` gives it up, and leaves what was there.
///
/// # Errors
/// It is not known where the cameras were, no image has a mask and none can be made, or it cannot be written.
pub fn make(dir: &Path, tell: &(dyn Fn(usize, usize) -> bool + Sync)) -> Result<Numbers, HullError> {
    let contents = dataset::read_contents(dir)?;
    let mut model = Model::begin(dir, &contents)?;
    let missing = Wish { reference: None, remake: Remake::None };
    let unmade = match mask::make(dir, &missing, tell) {
        Ok(_) => None,
        Err(MaskError::GivenUp) => return Err(HullError::GivenUp),
        // Those that are there may do.
        Err(error) => Some(error),
    };
    let of = super::model::photographs(&contents).count();
    let tell = |done: usize| tell(done, of);
    model.catch_up(&contents, &tell)?;
    match (model.images(), unmade) {
        (0, Some(unmade)) => Err(unmade.into()),
        _ => model.write(&contents, &tell),
    }
}
