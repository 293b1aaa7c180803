//! The machine: versions, voltage and heat, memory for cameras, the clock.

use std::process::Command;

use super::{Finding, first_line};
use crate::clock;
use crate::config::Config;

/// Contiguous memory below which full-resolution buffers of one camera do not fit, in MB.
const LEAST_CMA: u64 = 128;
/// No clock that was ever set is before this, in seconds since 1970: 2025.
const BEFORE_THIS_PROGRAM: i64 = 1_735_689_600;

/// Which board this is, by its device tree, such as `Raspberry Pi 5 Model B Rev 1.0`; none if it has no device tree.
pub fn model() -> Option<String> {
    first_line("/proc/device-tree/model").map(|model| model.trim_end_matches('\0').to_owned())
}

pub(super) fn versions() -> Vec<Finding> {
    let uname = rustix::system::uname();
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let model = model().unwrap_or_else(|| "no Raspberry Pi".into());
    vec![
        Finding::fine("scanner", env!("CARGO_PKG_VERSION")),
        Finding::fine(
            "system",
            format!(
                "{} on {}, Linux {} ({})",
                system.unwrap_or("unknown").trim_matches('"'),
                model,
                uname.release().to_string_lossy(),
                uname.machine().to_string_lossy()
            ),
        ),
    ]
}

pub(super) fn throttling() -> Finding {
    let of_kernel = first_line("/sys/devices/platform/soc/soc:firmware/get_throttled");
    let of_firmware = || {
        let output = Command::new("vcgencmd").arg("get_throttled").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    judge_throttling(of_kernel.or_else(of_firmware).as_deref())
}

fn judge_throttling(text: Option<&str>) -> Finding {
    const CHECK: &str = "power";
    let digits = text.map(|text| text.trim_start_matches("throttled=").trim_start_matches("0x"));
    let Some(bits) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        return Finding::unknown(CHECK, "the firmware says nothing of voltage and heat (no Raspberry Pi?)");
    };
    let set = |bit: u32| bits & (1 << bit) != 0;
    let supply = "use the official power supply and a short, thick cable; motors and lights need a supply of their own";
    if set(0) {
        return Finding::problem(CHECK, "the voltage is too low right now", supply);
    }
    if set(1) || set(2) || set(3) {
        return Finding::problem(CHECK, "the processor is slowed down right now", "cool it");
    }
    if set(16) {
        return Finding::advice(CHECK, "the voltage has been too low since the start", supply);
    }
    if set(17) || set(18) || set(19) {
        return Finding::advice(CHECK, "the processor was slowed down since the start", "cool it");
    }
    Finding::fine(CHECK, "voltage and heat have been in order since the start")
}

pub(super) fn contiguous_memory(config: &Config) -> Finding {
    let real = config.cameras.iter().any(super::access::is_libcamera);
    judge_memory(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default(), real)
}

fn judge_memory(meminfo: &str, real_cameras: bool) -> Finding {
    const CHECK: &str = "camera memory";
    let megabytes = |key: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
    };
    let (Some(total), Some(free)) = (megabytes("CmaTotal"), megabytes("CmaFree")) else {
        return Finding::unknown(CHECK, "this kernel keeps no contiguous memory (CMA) apart");
    };
    let found = format!("{free} MB of {total} MB of contiguous memory (CMA) are free");
    if real_cameras && total < LEAST_CMA {
        let what = "write cma=256M into /boot/firmware/cmdline.txt and reboot";
        return Finding::problem(CHECK, found, what);
    }
    Finding::fine(CHECK, found)
}

pub(super) fn clock() -> Finding {
    let set = std::path::Path::new("/run/systemd/timesync/synchronized").exists();
    judge_clock(jiff::Timestamp::now().as_second(), set)
}

fn judge_clock(now: i64, synchronised: bool) -> Finding {
    const CHECK: &str = "clock";
    let what = "connect the machine to a network with NTP, or fit a real-time clock: scans are named by it";
    if now < BEFORE_THIS_PROGRAM {
        return Finding::problem(CHECK, "it was never set", what);
    }
    if synchronised {
        return Finding::fine(CHECK, "set by the network");
    }
    Finding::advice(CHECK, "systemd-timesyncd has not set it since the start", what)
}

/// Hours of `[schedule]` are refused without one, by the configuration itself.
pub(super) fn zone() -> Finding {
    const CHECK: &str = "time zone";
    match clock::zone() {
        Ok(zone) => Finding::fine(CHECK, zone.iana_name().unwrap_or("known").to_owned()),
        Err(reason) => Finding::advice(CHECK, reason, clock::ZONE_ADVICE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn what_the_firmware_says_is_told_with_the_worst_first() {
        let cases = [
            ("throttled=0x0", "in order"),
            ("0", "in order"),
            ("throttled=0x50005", "too low right now"),
            ("50000", "too low since"),
            ("0x4", "slowed down right now"),
            ("throttled=0x80000", "slowed down since"),
        ];
        for (text, wanted) in cases {
            let finding = judge_throttling(Some(text));
            assert!(finding.found.contains(wanted), "{text}: {finding:?}");
        }
        assert_eq!(judge_throttling(None).verdict, Verdict::Unknown);
        assert_eq!(judge_throttling(Some("VCHI initialization failed")).verdict, Verdict::Unknown);
    }

    #[test]
    fn little_contiguous_memory_is_a_problem_of_real_cameras_only() {
        let meminfo = "MemTotal: 900000 kB\nCmaTotal:          65536 kB\nCmaFree:           60000 kB\n";
        assert!(matches!(judge_memory(meminfo, true).verdict, Verdict::Problem { .. }));
        assert_eq!(judge_memory(meminfo, false).verdict, Verdict::Fine);
        assert_eq!(judge_memory("MemTotal: 1 kB\n", true).verdict, Verdict::Unknown);
        let enough = meminfo.replace("65536", "524288");
        assert_eq!(judge_memory(&enough, true).verdict, Verdict::Fine);
    }

    #[test]
    fn a_clock_that_stands_at_its_beginning_is_a_problem() {
        assert!(matches!(judge_clock(0, true).verdict, Verdict::Problem { .. }));
        assert!(matches!(judge_clock(BEFORE_THIS_PROGRAM, false).verdict, Verdict::Advice { .. }));
        assert_eq!(judge_clock(BEFORE_THIS_PROGRAM, true).verdict, Verdict::Fine);
    }
}
