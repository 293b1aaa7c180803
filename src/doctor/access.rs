//! Drivers and device nodes: whether they are there and may be used, and who else has them.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Finding;
use crate::config::{self, Config, MotionBackend};
use crate::daemon::{device_nodes, media_holders};
use crate::rig::camera::{Holder, find_driver};

/// Where nodes are, how their names begin, whose group may use them.
const CAMERA_NODES: [(&str, &str, &str); 3] =
    [("/dev", "media", "video"), ("/dev", "video", "video"), ("/dev/dma_heap", "", "video")];
const PIN_NODES: [(&str, &str, &str); 1] = [("/dev", "gpiochip", "gpio")];

pub(super) fn is_libcamera(camera: &config::Camera) -> bool {
    let name = camera.driver.file_name().and_then(|name| name.to_str());
    matches!(name, Some("libcamera" | "scanner-libcamera"))
}

pub(super) fn drivers(config: &Config) -> Vec<Finding> {
    let judge = |camera: &config::Camera| match find_driver(&camera.driver) {
        Ok(path) => {
            Finding::fine("driver", format!("camera {} is driven by {}", camera.name, path.display()))
        }
        Err(why) => {
            Finding::problem("driver", format!("camera {}: {why}", camera.name), "install the driver")
        }
    };
    config.cameras.iter().map(judge).collect()
}

pub(super) fn devices(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.cameras.iter().any(is_libcamera) {
        findings.extend(CAMERA_NODES.map(|nodes| nodes_of("camera devices", nodes)));
    }
    if matches!(config.motion.backend, MotionBackend::Gpio(_)) {
        findings.extend(PIN_NODES.map(|nodes| nodes_of("pins", nodes)));
    }
    if findings.is_empty() {
        findings.push(Finding::fine("devices", "the configured rig is simulated, and needs none"));
    }
    findings
}

fn nodes_of(check: &'static str, (folder, prefix, group): (&str, &str, &str)) -> Finding {
    let pattern = format!("{folder}/{prefix}*");
    let nodes = match device_nodes(Path::new(folder), prefix) {
        Ok(nodes) => nodes,
        Err(error) => return Finding::unknown(check, format!("{pattern} cannot be looked at: {error}")),
    };
    let closed = |node: &PathBuf| access(node.as_path(), Access::READ_OK | Access::WRITE_OK).is_err();
    let refused = nodes.iter().find(|node| closed(node)).cloned();
    judge_nodes(check, &pattern, group, nodes.len(), refused.as_deref())
}

fn judge_nodes(
    check: &'static str,
    pattern: &str,
    group: &str,
    count: usize,
    refused: Option<&Path>,
) -> Finding {
    if count == 0 {
        let what = "check that the cable is in, and that the system's configuration (config.txt on a Raspberry Pi) \
                    switches the device on; `rpicam-hello --list-cameras` shows cameras";
        return Finding::problem(check, format!("there is no {pattern}"), what);
    }
    match refused {
        Some(node) => Finding::problem(
            check,
            format!("this user may not use {}", node.display()),
            format!(
                "ask as the service's user: sudo -u scanner scanner doctor; if it may not either: sudo usermod -aG {group} scanner"
            ),
        ),
        None => Finding::fine(check, format!("{count} of {pattern}, all of them usable")),
    }
}

pub(super) fn holders() -> Vec<Finding> {
    judge_holders(media_holders())
}

fn judge_holders(held: io::Result<Vec<(PathBuf, Holder)>>) -> Vec<Finding> {
    let check = "camera holders";
    let held = match held {
        Err(error) => return vec![Finding::unknown(check, format!("they cannot be looked at: {error}"))],
        Ok(held) => held,
    };
    if held.is_empty() {
        return vec![Finding::fine(check, "no program that this user can see holds a camera")];
    }
    let what = "during a scan this is our driver; else end that program, or list it in recovery.may_end";
    let advice = |(device, holder): (PathBuf, Holder)| {
        Finding::advice(check, format!("{} is held by {holder}", device.display()), what)
    };
    held.into_iter().map(advice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn what_is_missing_and_what_is_refused_are_different_problems() {
        let judge = |count, refused| judge_nodes("camera devices", "/dev/media*", "video", count, refused);
        assert!(judge(0, None).found.contains("there is no /dev/media*"));
        let refused = judge(2, Some(Path::new("/dev/media1")));
        assert!(refused.found.contains("/dev/media1"), "{refused:?}");
        let Verdict::Problem { what_to_do } = refused.verdict else { panic!("no problem") };
        assert!(what_to_do.contains("usermod -aG video scanner"), "{what_to_do}");
        assert_eq!(judge(2, None).verdict, Verdict::Fine);
    }

    #[test]
    fn holders_that_could_not_be_looked_at_are_not_called_none() {
        assert_eq!(judge_holders(Ok(Vec::new()))[0].verdict, Verdict::Fine);
        let lacking = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        let found = judge_holders(Err(lacking));
        assert_eq!(found[0].verdict, Verdict::Unknown);
        assert!(found[0].found.contains("Too many open files"), "{found:?}");
        let holder = Holder { pid: 7, comm: "motion".into() };
        let found = judge_holders(Ok(vec![("/dev/media0".into(), holder)]));
        assert_eq!(found[0].found, "/dev/media0 is held by motion (process 7)");
    }
}
