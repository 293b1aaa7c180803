//! The command line: a file a command.

mod args;
mod calibrate;
mod check_config;
mod complete;
mod config;
mod control;
mod dataset;
mod deliver;
mod demo;
mod devices;
mod doctor;
mod exit;
mod extend;
mod fleet;
mod generate;
mod hull;
mod logs;
mod marks;
mod masks;
mod merge;
mod notify;
mod open;
mod openapi;
mod output;
mod plan;
mod progress;
mod retake;
mod rig;
mod run;
mod scan;
mod setup;
mod signals;
mod storage;
mod tune;
mod watch;
mod watched;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;
use command_fds::inherited::init_inherited_fds;
use tracing_subscriber::filter::LevelFilter;

use crate::config::Config;
use crate::daemon::{May, TokenAction};
use crate::logging;
use crate::ownership;

use args::{Args, Command};
use exit::{Exit, Failure};

/// Parses the command line, does what it says, and turns the outcome into an exit code (see `scanner --help`).
pub fn main() -> ExitCode {
    #[expect(unsafe_code, reason = "descriptors that systemd passes become owned ones")]
    // SAFETY: nothing has opened or owns a descriptor yet: this is the first thing that the program does.
    let inherited = unsafe { init_inherited_fds() };
    signals::outlive_long_files();
    generate::answer_shell();
    let args = Args::parse();
    if !is_sane(SystemTime::now()) {
        // Before anything asks for the time, the log included.
        let message = "the clock of this machine shows a year that no date can have: set it, for example with `timedatectl set-time`";
        output::error(message);
        return Exit::Failed.into();
    }
    let long_running = matches!(
        args.command,
        Command::Run
            | Command::Scan { .. }
            | Command::Reference { .. }
            | Command::Calibrate(_)
            | Command::Tune(_)
            | Command::Resume { .. }
    );
    // A person who watches a progress bar wants to see what is out of the ordinary; a log is to be complete.
    let default =
        if long_running && !logging::is_interactive() { LevelFilter::INFO } else { LevelFilter::WARN };
    let default = if matches!(args.command, Command::Run) { LevelFilter::INFO } else { default };
    // A driver that finds no camera is nothing out of the ordinary there.
    let filter = matches!(args.command, Command::Setup { .. }).then_some(setup::LOG);
    if let Err(error) = logging::init(args.log.as_deref().or(filter), default) {
        output::error(&format!("cannot set up the log: {error}"));
    }
    if let Err(error) = inherited {
        tracing::warn!("descriptors that were passed to this program cannot be used: {error}");
    }
    let code = match dispatch(args) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, message }) => {
            output::error(&message);
            exit.into()
        }
    };
    logging::flush();
    code
}

fn dispatch(args: Args) -> Result<Exit, Failure> {
    let config = args.config.as_path();
    match args.command {
        Command::Run => run::run(config, load(config)?),
        Command::Scan { plan, id, what, json } => {
            scan::scan(load(config)?, plan, id.as_deref(), what, false, json)
        }
        Command::Reference { plan, id, what, json } => {
            scan::scan(load(config)?, plan, id.as_deref(), what, true, json)
        }
        Command::Board(what) => calibrate::board(&what),
        Command::Calibrate(what) => calibrate::calibrate(load(config)?, what),
        Command::Calibration(what) => calibrate::calibration(&load(config)?, &what),
        Command::Tune(what) => tune::tune(config, load(config)?, what),
        Command::Resume { scan, homed, take_over, json } => {
            scan::resume(load(config)?, &scan, scan::Word { homed, take_over }, json)
        }
        Command::Setup { answers, try_parts } => setup::setup(config, answers.as_deref(), try_parts),
        Command::Demo(demo) => demo::demo(&demo),
        Command::Plan(plan) => plan::plan(&load(config)?, &plan),
        Command::CheckConfig { devices, json } => check_config::check_config(config, devices, json),
        Command::Config { command } => config::config(config, command),
        Command::Devices { release, json } => devices::devices(load(config)?, release, json),
        Command::Dataset { command } => dataset::dataset(config, command),
        Command::Deliver(what) => deliver::deliver(&load(config)?, &what),
        Command::Storage { accept } => storage::storage(&load(config)?, accept),
        Command::Status { json } => control::status(&load(config)?, json),
        Command::Start { plan, reference, resume, what, unattended } => {
            control::start(&load(config)?, plan, reference, resume, what, unattended)
        }
        Command::Extend { scan, points, proposed: _ } => {
            extend::extend(&load(config)?, &scan, points.as_deref())
        }
        Command::Retake { scan, shots } => retake::retake(&load(config)?, &scan, &shots),
        Command::Pause => control::pause(&load(config)?),
        Command::Cancel => control::cancel(&load(config)?),
        Command::Node { file } => fleet::turn_into(&["node".into(), "--config".into(), file.into()]),
        Command::Fleet { arguments } => fleet::turn_into(&arguments),
        Command::Doctor { json } => doctor::doctor(config, json),
        Command::Logs(what) => logs::logs(&what),
        Command::Notify { test, json } => notify::notify(&load(config)?, test, json),
        Command::Reload => control::reload(&load(config)?),
        Command::Clear => control::clear(&load(config)?),
        Command::Home { axes } => control::home(&load(config)?, axes),
        Command::Rig { command } => rig::rig(load(config)?, command),
        Command::SafeState { force } => rig::safe_state(&load(config)?, force),
        Command::Press { button } => control::press(&load(config)?, button.into()),
        Command::Pair { code, refuse } => control::pair(&load(config)?, &code, refuse),
        Command::Open { name, json } => open::open(&load(config)?, name, json),
        Command::Token { name, look_only, revoke, list } => {
            let may = if look_only { May::Look } else { May::Use };
            let action = match (list, revoke) {
                (true, _) => TokenAction::List,
                (false, true) => TokenAction::Revoke { name },
                (false, false) => TokenAction::New { name, may },
            };
            control::token(&load(config)?, action)
        }
        Command::Watch { camera, url, ca, seconds } => watch::watch(config, &camera, url, ca, seconds),
        Command::Openapi => openapi::openapi(),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { directory } => generate::man(&directory),
    }
}

/// Whether a clock that shows `now` shows what can be written as a date, in the years up to 9999. With a day to spare for
/// time zones.
fn is_sane(now: SystemTime) -> bool {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let later = now.checked_add(DAY);
    later.is_some_and(|later| jiff::Timestamp::try_from(later).is_ok())
}

fn load(path: &Path) -> Result<Config, Failure> {
    let config = Config::load_even_undescribed(path).map_err(|errors| Failure::new(Exit::Config, &errors))?;
    ownership::share_like(&config.storage.runtime_directory);
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_beyond_the_years_that_dates_have_is_found_out() {
        // 9999-12-29 22:00 UTC is the last moment that leaves a day to the last one of jiff.
        const LAST: u64 = 253_402_120_800;
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for sane in [at(0), SystemTime::UNIX_EPOCH - Duration::from_secs(3600), SystemTime::now(), at(LAST)] {
            assert!(is_sane(sane), "{sane:?}");
        }
        // The year 10000, and what a register without a battery shows.
        for insane in [at(LAST + 1), at(253_402_300_800), at(i64::MAX.unsigned_abs())] {
            assert!(!is_sane(insane), "{insane:?}");
        }
    }
}
