//! Models that are made behind scans: each in a thread of its own, off the way of everything else, and one after the other.
//!
//! Nothing of it is kept over a restart or a pause: a scan that goes on is followed from its first image again, whose masks are
//! there by then.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::followers::{Follower, Followers, Following};
use crate::dataset::ScanId;
use crate::hull::{self, Behind, HullError, Numbers};
use crate::mask::MaskError;

/// How often one that follows a scan looks for what was stored.
const LOOK: Duration = Duration::from_secs(1);
/// Behind everything that a scan needs, behind who only looks, and behind masks that somebody waits for.
const NICE: i32 = 15;

/// Begins to follow the scan whose folder is `dir`.
pub(super) fn follow(hulls: &Arc<Followers>, scan: &ScanId, dir: PathBuf) -> Following {
    hulls.begin(scan, ("hull", NICE), move |follower| perform(follower, &dir)).unwrap_or_else(|error| {
        warn!(scan_id = %scan, "scan {scan} gets no model while it is under way: there is no thread to be had ({error})");
        Following::none()
    })
}

fn perform(follower: &Follower, dir: &Path) {
    let scan = follower.scan();
    match hull::follow(dir, follower) {
        Ok(_) | Err(HullError::GivenUp) => {}
        // Somebody was quick to remove it.
        Err(_) if !dir.exists() => {}
        Err(
            error @ (HullError::NoPoses(_)
            | HullError::NoMasks(_)
            | HullError::Masks(MaskError::NoReference(_) | MaskError::EmptyRig(_))),
        ) => debug!(scan_id = %scan, "no model is made of scan {scan}: {error}"),
        Err(error) => {
            warn!(scan_id = %scan, "scan {scan} has no new model: {error}; `scanner dataset hull` makes one");
        }
    }
}

impl Behind for Follower {
    fn scan_goes_on(&self) -> bool {
        self.scan_goes_on()
    }

    fn goes_on(&self) -> bool {
        self.goes_on()
    }

    fn wait(&self) {
        self.wait(LOOK);
    }

    fn written(&self, numbers: &Numbers) {
        let scan = self.scan();
        let Numbers { images, well_covered_percent, .. } = numbers;
        info!(
            scan_id = %scan,
            "the model of scan {scan} is by {images} images; {well_covered_percent} % of its surface is well covered"
        );
    }
}
