//! Room for a new scan, made by removing old ones where the configuration says so.

use tracing::{info, warn};

use crate::config::{self, Config, Deliver};
use crate::dataset::{self, Listed, Needs, OpenError, ScanId, SpaceError};
use crate::deliver;
use crate::plan::Plan;

use super::error::StartError;
use super::storage;

/// Whether there is room for a scan.
#[derive(Debug)]
pub enum Room {
    /// There is.
    Enough,
    /// Not as long as all is kept that is there; the configuration says that old scans may be removed.
    OnceOldScansGo(SpaceError),
}

/// Whether what a scan needs fits into the folder of the scans, or old scans may make room for it.
pub fn room(storage: &config::Storage, needs: Needs) -> Result<Room, SpaceError> {
    let may_remove = storage.make_room || storage.keep_scans.is_some();
    match dataset::preflight(&storage.directory, needs, storage.keep_free) {
        Err(error) if may_remove && error.missing().is_some() => Ok(Room::OnceOldScansGo(error)),
        fits => fits.map(|_| Room::Enough),
    }
}

/// What a scan of a plan needs, or why there can be none.
#[derive(Debug)]
pub struct Wanted {
    /// The name of the plan.
    pub plan: String,
    /// Space and files.
    pub needs: Result<Needs, StartError>,
    /// Cameras whose images are not counted: how large they are is known once these are open.
    pub uncounted: Vec<String>,
}

impl Wanted {
    pub(super) fn of(config: &Config, name: &str, plan: Result<Plan, StartError>) -> Self {
        let unknown = |plan: &Plan| {
            let unknown = plan.cameras.iter().filter(|camera| camera.intrinsics.size().is_none());
            unknown.map(|camera| camera.name.clone()).collect()
        };
        Self {
            plan: name.to_owned(),
            uncounted: plan.as_ref().map(unknown).unwrap_or_default(),
            needs: plan.map(|plan| dataset::needs(&plan, config.storage.jpeg_quality)),
        }
    }
}

/// Sees to it that what a scan needs fits into the folder of the scans: sweeps up what crashes left, removes
/// complete scans beyond `storage.keep_scans`, and, with `storage.make_room`, as many more complete ones as it
/// takes, the oldest first. Where even that would not do, none of these is removed. What `targets` are to have stays until they have it.
pub(super) fn make_room(
    storage: &config::Storage,
    targets: &[Deliver],
    needs: Needs,
) -> Result<(), StartError> {
    let root = &storage.directory;
    dataset::sweep(root)?;
    if storage.keep_scans.is_some() {
        for id in dataset::removable(&list(storage)?, storage.keep_scans) {
            if !deliver::has_all(targets, &storage.state_directory, &id, &root.join(id.as_str())) {
                info!(scan = %id, "scan {id} stays beyond storage.keep_scans: it is not delivered yet");
                continue;
            }
            remove(storage, &id, "storage.keep_scans is reached");
        }
    }
    let too_little = match dataset::preflight(root, needs, storage.keep_free) {
        Err(error) if storage.make_room => error,
        fits => return Ok(fits.map(drop)?),
    };
    let Some((bytes, files)) = too_little.missing() else { return Err(too_little.into()) };
    let mut scans = list(storage)?;
    scans.retain(|scan| deliver::has_all(targets, &storage.state_directory, &scan.id, &scan.dir));
    let oldest = if files > 0 {
        dataset::removable_for_files(&scans, files)
    } else {
        dataset::removable_for_room(&scans, bytes, Listed::size)
    };
    let Some(oldest) = oldest else { return Err(too_little.into()) };
    for id in oldest {
        remove(storage, &id, "to make room for a new one (storage.make_room)");
        // What a scan took up is an estimate: the file system has the last word.
        if dataset::preflight(root, needs, storage.keep_free).is_ok() {
            break;
        }
    }
    Ok(dataset::preflight(root, needs, storage.keep_free).map(drop)?)
}

/// The scans that this rig made, or may have made: it removes none of others that share the folder.
fn list(storage: &config::Storage) -> Result<Vec<Listed>, StartError> {
    let rig = storage::rig(storage)?;
    let mut scans = dataset::list(&storage.directory).map_err(OpenError::from)?;
    scans.retain(|scan| scan.may_be_of(&rig));
    Ok(scans)
}

fn remove(storage: &config::Storage, id: &ScanId, why: &str) {
    match dataset::remove(&storage.directory, id) {
        Ok(()) => info!(scan = %id, "removed scan {id}: {why}"),
        Err(error) => warn!(scan = %id, "cannot remove scan {id}: {error}"),
    }
}
