//! `scanner logs`: the service's part of the journal.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::daemon::StartError;
use crate::dataset::ScanId;

use super::args::LogsArgs;
use super::exit::{Exit, Failure};

/// Turns into `journalctl`, which also knows who may read the journal, and what a time is, and says so.
pub(super) fn logs(what: &LogsArgs) -> Result<Exit, Failure> {
    let scan = what.scan.as_deref().map(str::parse).transpose().map_err(StartError::ScanId)?;
    let error = Command::new("journalctl").args(arguments(scan.as_ref(), what)).exec();
    let message = format!(
        "cannot start journalctl: {error}; the log of a service without systemd is what it prints to standard error"
    );
    Err(Failure { exit: Exit::Failed, message })
}

fn arguments(scan: Option<&ScanId>, what: &LogsArgs) -> Vec<String> {
    let mut arguments = vec!["--unit=scanner.service".to_owned()];
    if what.follow {
        arguments.push("--follow".to_owned());
    }
    let lines = match what.lines {
        Some(lines) => Some(lines.to_string()),
        // All of a scan, or since a time: it is to be followed from there.
        None if what.follow && (scan.is_some() || what.since.is_some()) => Some("all".to_owned()),
        None if what.follow => Some("20".to_owned()),
        None => None,
    };
    arguments.extend(lines.map(|lines| format!("--lines={lines}")));
    arguments.extend(what.since.as_ref().map(|since| format!("--since={since}")));
    arguments.extend(what.until.as_ref().map(|until| format!("--until={until}")));
    if what.explain {
        arguments.push("--catalog".into());
    }
    arguments.extend(scan.map(|scan| format!("SCAN_ID={scan}")));
    arguments
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Args, Command};
    use super::*;

    /// What journalctl gets for this command line.
    fn asked(line: &str) -> String {
        let words = std::iter::once("scanner").chain(line.split('|'));
        let Command::Logs(what) = Args::try_parse_from(words).unwrap().command else { panic!("{line}") };
        let scan = what.scan.as_deref().map(|scan| scan.parse().unwrap());
        let arguments = arguments(scan.as_ref(), &what);
        assert_eq!(arguments[0], "--unit=scanner.service");
        arguments[1..].join("|")
    }

    #[test]
    fn journalctl_gets_what_was_asked_for() {
        assert_eq!(asked("logs"), "");
        assert_eq!(asked("logs|-n|50"), "--lines=50");
        assert_eq!(asked("logs|-f"), "--follow|--lines=20");
        assert_eq!(asked("logs|-f|-n|5"), "--follow|--lines=5");
        assert_eq!(asked("logs|--since|1 hour ago"), "--since=1 hour ago");
        assert_eq!(asked("logs|-S|-15min|-U|-5min"), "--since=-15min|--until=-5min");
        assert_eq!(asked("logs|-f|-S|today"), "--follow|--lines=all|--since=today");
        assert_eq!(
            asked("logs|2026-11-21-143005-owl|-f|-x"),
            "--follow|--lines=all|--catalog|SCAN_ID=2026-11-21-143005-owl"
        );
    }
}
