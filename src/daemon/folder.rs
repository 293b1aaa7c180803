//! Folders that the service needs, and what is said of those that cannot be had.

use std::path::Path;

use super::error::StartError;
use crate::ownership;

pub(super) fn create_folder(path: &Path) -> Result<(), StartError> {
    ownership::create_folders(path).map_err(io("create", path))
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |source| StartError::Io { action, path, source }
}
