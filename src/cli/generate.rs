//! Shell completions and man pages, made from the command line's own description.

use std::path::Path;

use clap::CommandFactory;

use super::args::Args;
use super::complete;
use super::exit::{Exit, Failure};
use super::output;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    output::print(&String::from_utf8_lossy(&complete::registration(shell)?))?;
    Ok(Exit::Done)
}

pub(super) fn man(directory: &Path) -> Result<Exit, Failure> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Args::command(), directory)?;
    Ok(Exit::Done)
}
