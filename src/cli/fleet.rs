//! `scanner node` and `scanner fleet`: a program of its own, which only those who have cameras at other machines need.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::rig::camera::find_driver;

use super::exit::{Exit, Failure};

/// Turns into `scanner-fleet` with these arguments.
pub(super) fn turn_into(arguments: &[OsString]) -> Result<Exit, Failure> {
    let program = find_driver("fleet".as_ref()).map_err(|message| Failure { exit: Exit::Failed, message })?;
    let error = Command::new(&program).args(arguments).exec();
    Err(Failure { exit: Exit::Failed, message: format!("cannot start {}: {error}", program.display()) })
}
