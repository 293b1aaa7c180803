//! Shell completions and man pages, made from the command line's own description.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::env::{CompleteEnv, Shells};

use super::args::Args;
use super::exit::{Exit, Failure};
use super::output;

/// In the environment, the shell for which it is to be completed. So the scripts of [`registration`] ask.
const ASKED: &str = "SCANNER_COMPLETE";

/// Answers a shell that asks how a command may go on, and ends the program. Else does nothing.
pub(super) fn answer_shell() {
    CompleteEnv::with_factory(Args::command).var(ASKED).complete();
}

/// What makes a shell ask this program. They belong together: of the same version.
fn registration(shell: clap_complete::Shell) -> io::Result<Vec<u8>> {
    let (shells, name) = (Shells::builtins(), shell.to_string());
    let Some(completer) = shells.completer(&name) else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("no completions can be made for {name}"),
        ));
    };
    let mut script = Vec::new();
    completer.write_registration(ASKED, "scanner", "scanner", "scanner", &mut script)?;
    Ok(script)
}

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    output::print(&String::from_utf8_lossy(&registration(shell)?))?;
    Ok(Exit::Done)
}

pub(super) fn man(directory: &Path) -> Result<Exit, Failure> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Args::command(), directory)?;
    Ok(Exit::Done)
}
