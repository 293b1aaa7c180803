//! `scanner storage`: which disk scans go to.

use crate::config::Config;
use crate::daemon::StartError;
use crate::daemon::storage::{self, Found};

use super::exit::{Exit, Failure};
use super::output;

pub(super) fn storage(config: &Config, accept: bool) -> Result<Exit, Failure> {
    let folder = config.storage.directory.display();
    if accept {
        let accepted = storage::accept(&config.storage).map_err(StartError::from)?;
        output::print(&format!("scans go to {folder} from now on: {accepted}"))?;
        return Ok(Exit::Done);
    }
    output::print(&match storage::look(&config.storage).map_err(StartError::from)? {
        Found::Same(known) => format!("scans go to {folder}: {known}"),
        Found::New => format!("scans go to {folder}, which has not been used yet"),
    })?;
    Ok(Exit::Done)
}
