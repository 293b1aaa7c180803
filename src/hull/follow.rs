//! A model that is made behind a scan under way.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::HullError;
use super::model::{Model, photographs};
use super::write::Numbers;
use crate::dataset::{self, Contents};
use crate::mask::{Making, MaskError, Remake, Wish, find};
use crate::plan::ShotIndex;

/// Fewer images than this leave over what nobody would know again.
const FEWEST: usize = 8;
/// A model is written no sooner than this after the one before,
const PAUSE: Duration = Duration::from_secs(15);
/// nor sooner than so many times as long as that took: images cost the more of it the more there are.
const SHARE: u32 = 10;

/// What tells how the scan stands that is followed.
pub trait Behind {
    /// Whether the scan goes on: if not, nothing more is stored.
    fn scan_goes_on(&self) -> bool;
    /// Whether to go on; a `false` gives the model up.
    fn goes_on(&self) -> bool;
    /// Waits for a while: until something may be new.
    fn wait(&self);
    /// A model was written.
    fn written(&self, numbers: &Numbers);
}

/// Makes masks of the images of the scan at `dir` as they are stored, and a model from them, every now and then and once the scan
/// does not go on. On this thread alone. A scan of the empty rig before it is needed for masks while it goes on; silhouettes
/// alone say where the panel is only once a ring is whole, so then it is made at the end.
///
/// # Errors
/// There is nothing to make a model from, or it cannot be written; or it was given up.
pub fn follow(dir: &Path, behind: &dyn Behind) -> Result<Numbers, HullError> {
    let mut model = Model::begin(dir, &dataset::read_contents(dir)?)?;
    // Tells at once if there are to be no masks.
    let is_early = making(dir)?.has_reference();
    let mut looked_at = BTreeSet::new();
    let mut written: Option<(usize, Instant, Duration)> = None;
    loop {
        // Asked before the dataset is: what is stored between both is seen.
        let is_last = !behind.scan_goes_on();
        if !behind.goes_on() {
            return Err(HullError::GivenUp);
        }
        let contents = dataset::read_contents(dir)?;
        if is_last || is_early {
            masks(dir, &contents, &mut looked_at, behind)?;
        }
        let tell = |_| behind.goes_on();
        model.catch_up(&contents, &tell)?;
        if is_last {
            let numbers = model.write(&contents, &tell)?;
            behind.written(&numbers);
            return Ok(numbers);
        }
        let images = model.images();
        let is_due = written
            .is_none_or(|(before, at, took)| images > before && at.elapsed() >= PAUSE.max(took * SHARE));
        if is_due && images >= FEWEST {
            let start = Instant::now();
            // What few images leave over may be nothing.
            match model.write(&contents, &tell) {
                Ok(numbers) => behind.written(&numbers),
                Err(HullError::Nothing(_)) => {}
                Err(error) => return Err(error),
            }
            written = Some((images, Instant::now(), start.elapsed()));
        }
        behind.wait();
    }
}

fn making(dir: &Path) -> Result<Making, MaskError> {
    Making::prepare(dir, &Wish { reference: None, remake: Remake::None })
}

/// Makes the masks of those images that have none and were not looked at yet.
fn masks(
    dir: &Path,
    contents: &Contents,
    looked_at: &mut BTreeSet<(ShotIndex, u32)>,
    behind: &dyn Behind,
) -> Result<(), HullError> {
    let new: Vec<_> = photographs(contents)
        .filter(|stored| looked_at.insert((stored.shot, stored.crc32c)))
        .filter(|stored| find(dir, stored).is_none())
        .map(|stored| stored.shot)
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    match making(dir)?.of(new).alone(&mut || behind.goes_on()) {
        Ok(()) => Ok(()),
        Err(MaskError::GivenUp) => Err(HullError::GivenUp),
        Err(error) => Err(error.into()),
    }
}
