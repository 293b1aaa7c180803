//! `scanner logs`: the service's part of the journal.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::daemon::StartError;
use crate::dataset::ScanId;

use super::exit::{Exit, Failure};

/// Turns into `journalctl`, which also knows who may read the journal, and says so.
pub(super) fn logs(scan: Option<&str>, follow: bool, explain: bool) -> Result<Exit, Failure> {
    let scan = scan.map(str::parse).transpose().map_err(StartError::ScanId)?;
    let error = Command::new("journalctl").args(arguments(scan.as_ref(), follow, explain)).exec();
    let message = format!(
        "cannot start journalctl: {error}; the log of a service without systemd is what it prints to standard error"
    );
    Err(Failure { exit: Exit::Failed, message })
}

fn arguments(scan: Option<&ScanId>, follow: bool, explain: bool) -> Vec<String> {
    let mut arguments = vec!["--unit=scanner.service".to_owned()];
    if follow {
        // All of a scan, since it is to be followed.
        arguments.extend([
            "--follow".to_owned(),
            format!("--lines={}", if scan.is_some() { "all" } else { "20" }),
        ]);
    }
    if explain {
        arguments.push("--catalog".into());
    }
    arguments.extend(scan.map(|scan| format!("SCAN_ID={scan}")));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_found_by_its_field() {
        let scan: ScanId = "2026-11-21-143005-owl".parse().unwrap();
        assert_eq!(arguments(None, false, false), ["--unit=scanner.service"]);
        let all = [
            "--unit=scanner.service",
            "--follow",
            "--lines=all",
            "--catalog",
            "SCAN_ID=2026-11-21-143005-owl",
        ];
        assert_eq!(arguments(Some(&scan), true, true), all);
    }
}
