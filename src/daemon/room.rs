//! Room for a new scan, made by removing old ones where the configuration says so.

use tracing::{info, warn};

use crate::config;
use crate::dataset::{self, Listed, OpenError, ScanId, SpaceError};
use crate::units::Bytes;

use super::error::StartError;

/// Whether `needed` bytes fit into the folder of the scans, or [`make_room`] may see to it.
pub(super) fn check(storage: &config::Storage, needed: Bytes) -> Result<(), StartError> {
    match dataset::preflight(&storage.directory, needed, storage.keep_free) {
        Err(SpaceError::NotEnough { .. }) if storage.make_room || storage.keep_scans.is_some() => Ok(()),
        fits => Ok(fits.map(drop)?),
    }
}

/// Sees to it that `needed` bytes fit into the folder of the scans: sweeps up what crashes left, removes
/// complete scans beyond `storage.keep_scans`, and, with `storage.make_room`, as many more complete ones as it
/// takes, the oldest first. Where even that would not do, none of these is removed.
pub(super) fn make_room(storage: &config::Storage, needed: Bytes) -> Result<(), StartError> {
    let root = &storage.directory;
    dataset::sweep(root)?;
    if storage.keep_scans.is_some() {
        for id in dataset::removable(&list(storage)?, storage.keep_scans) {
            remove(storage, &id, "storage.keep_scans is reached");
        }
    }
    let too_little = match dataset::preflight(root, needed, storage.keep_free) {
        Err(error) if storage.make_room => error,
        fits => return Ok(fits.map(drop)?),
    };
    let SpaceError::NotEnough { free, .. } = &too_little else { return Err(too_little.into()) };
    let missing = needed + storage.keep_free - *free;
    let Some(oldest) = dataset::removable_for_room(&list(storage)?, missing, Listed::size) else {
        return Err(too_little.into());
    };
    for id in oldest {
        remove(storage, &id, "to make room for a new one (storage.make_room)");
        // What a scan took up is an estimate: the file system has the last word.
        if dataset::preflight(root, needed, storage.keep_free).is_ok() {
            break;
        }
    }
    Ok(dataset::preflight(root, needed, storage.keep_free).map(drop)?)
}

fn list(storage: &config::Storage) -> Result<Vec<Listed>, StartError> {
    Ok(dataset::list(&storage.directory).map_err(OpenError::from)?)
}

fn remove(storage: &config::Storage, id: &ScanId, why: &str) {
    match dataset::remove(&storage.directory, id) {
        Ok(()) => info!(scan = %id, "removed scan {id}: {why}"),
        Err(error) => warn!(scan = %id, "cannot remove scan {id}: {error}"),
    }
}
