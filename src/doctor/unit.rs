//! What systemd says of the service, and whether it looks after a machine that hangs.

use std::process::Command;

use super::network::Asked;
use super::properties::value;
use super::{Finding, network};

const UNIT: &str = "scanner.service";
const SOCKET: &str = "scanner.socket";

pub(super) fn examine(asked: Asked) -> Vec<Finding> {
    let unit = show(&[
        "show",
        UNIT,
        "-p",
        "LoadState,ActiveState,Result,NRestarts,UnitFileState,IPAddressAllow,IPAddressDeny",
    ]);
    let manager = show(&["show", "-p", "RuntimeWatchdogUSec"]);
    let Some(unit) = unit else {
        return vec![Finding::unknown("service", "systemd does not run here, or does not answer")];
    };
    let watchdog = judge_watchdog(manager.as_deref().unwrap_or_default(), watchdog_is_there());
    let socket =
        show(&["show", SOCKET, "-p", "ActiveState,IPAddressAllow,IPAddressDeny"]).unwrap_or_default();
    let network = if value(&socket, "ActiveState") == "active" {
        network::examine(&socket, Asked::Socket)
    } else {
        network::examine(&unit, asked)
    };
    vec![judge_unit(&unit), network, watchdog]
}

/// What systemd shows of whom the unit `name` lets through.
pub(super) fn show_filter(name: &str) -> Option<String> {
    show(&["show", name, "-p", "IPAddressAllow,IPAddressDeny"])
}

/// The unit that this process is the service of.
pub(super) fn own() -> Option<String> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let name = groups.lines().find_map(|line| line.strip_prefix("0::")?.rsplit('/').next())?;
    name.ends_with(".service").then(|| name.to_owned())
}

fn show(arguments: &[&str]) -> Option<String> {
    let output = Command::new("systemctl").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn watchdog_is_there() -> bool {
    std::path::Path::new("/dev/watchdog").exists()
}

fn judge_unit(text: &str) -> Finding {
    const CHECK: &str = "service";
    if value(text, "LoadState") != "loaded" {
        return Finding::advice(CHECK, "the service is not installed", "install the package");
    }
    let (state, result) = (value(text, "ActiveState"), value(text, "Result"));
    let restarts = value(text, "NRestarts");
    let found =
        format!("{UNIT} is {state}, last result {result}, restarted {restarts} times since it was started");
    if state == "failed" {
        let what =
            "scanner logs says why; then: sudo systemctl reset-failed scanner; sudo systemctl start scanner";
        return Finding::problem(CHECK, found, what);
    }
    if state != "active" && state != "reloading" {
        return Finding::advice(CHECK, found, "sudo systemctl enable --now scanner");
    }
    if restarts != "0" {
        return Finding::advice(CHECK, found, "scanner logs says why");
    }
    if value(text, "UnitFileState") != "enabled" {
        return Finding::advice(
            CHECK,
            "it runs, but does not start with the machine",
            "sudo systemctl enable scanner",
        );
    }
    Finding::fine(CHECK, found)
}

fn judge_watchdog(text: &str, there: bool) -> Finding {
    const CHECK: &str = "hardware watchdog";
    let set = value(text, "RuntimeWatchdogUSec");
    match (there, set) {
        (false, _) => Finding::unknown(CHECK, "this machine has none"),
        (true, "" | "0" | "infinity") => Finding::advice(
            CHECK,
            "a machine that hangs stays so",
            "sudo install -D -m 644 /usr/share/doc/scanner/examples/hardware-watchdog.conf -t /etc/systemd/system.conf.d, and reboot",
        ),
        (true, set) => Finding::fine(CHECK, format!("a machine that hangs is restarted after {set}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn unit(load: &str, active: &str, restarts: &str, file: &str) -> Verdict {
        let text = format!(
            "LoadState={load}\nActiveState={active}\nResult=success\nNRestarts={restarts}\nUnitFileState={file}\n"
        );
        judge_unit(&text).verdict
    }

    #[test]
    fn the_state_of_the_service_is_judged() {
        assert_eq!(unit("loaded", "active", "0", "enabled"), Verdict::Fine);
        for (load, active, restarts, file) in [
            ("not-found", "inactive", "0", ""),
            ("loaded", "inactive", "0", "enabled"),
            ("loaded", "active", "2", "enabled"),
            ("loaded", "active", "0", "disabled"),
        ] {
            let verdict = unit(load, active, restarts, file);
            assert!(
                matches!(verdict, Verdict::Advice { .. }),
                "{load} {active} {restarts} {file}: {verdict:?}"
            );
        }
        assert!(matches!(unit("loaded", "failed", "5", "enabled"), Verdict::Problem { .. }));
    }

    #[test]
    fn a_watchdog_that_is_there_should_be_used() {
        assert_eq!(judge_watchdog("", false).verdict, Verdict::Unknown);
        assert!(matches!(judge_watchdog("RuntimeWatchdogUSec=0\n", true).verdict, Verdict::Advice { .. }));
        assert_eq!(judge_watchdog("RuntimeWatchdogUSec=15s\n", true).verdict, Verdict::Fine);
    }
}
