//! What is shown, but not changed over the network: whoever could change it could have the machine run, end or read what they
//! like.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::config::{Survey, generic};
use crate::daemon::is_known_driver;

const PROGRAM: &str = "it names a program";
const SECRET: &str = "it names the file of a secret";
const FILE: &str = "it names a file of the machine";

/// Why a key is not changed over the network; none if it is.
pub(super) fn reserved(key: &str) -> Option<&'static str> {
    let open = generic(key);
    Some(match open.as_str() {
        "camera.NAME.driver" | "recovery.may_end" => PROGRAM,
        "camera.NAME.options" => "what a driver is told may name programs and files",
        "api.certificate" | "api.key" | "api.tokens" => SECRET,
        "storage.state_directory" | "storage.runtime_directory" => {
            "the files of the service itself are there"
        }
        "plan.NAME.file" | "gpio.chip" | "motion.AXIS.stepper.uart.port" => FILE,
        _ if open.starts_with("gpio.simulation.") => FILE,
        _ if open.starts_with("notify.") || open.starts_with("mqtt.") || open.starts_with("deliver.") => {
            "it may name programs, and addresses and files that are secrets"
        }
        _ => return None,
    })
}

/// Whether nothing that is reserved differs between two configurations. A camera or a plan that is new may have what another
/// one has already, and one may go.
///
/// # Errors
/// What differs, why it is not changed, and how it is.
pub(super) fn check(before: &Survey, after: &Survey) -> Result<(), String> {
    let keys: BTreeSet<&str> =
        before.settings.iter().chain(&after.settings).map(|setting| setting.key.as_str()).collect();
    for key in keys {
        let Some(reason) = reserved(key) else { continue };
        let (old, new) = (before.written(key), after.written(key));
        let open = generic(key);
        let of_many =
            matches!(open.as_str(), "camera.NAME.driver" | "camera.NAME.options" | "plan.NAME.file");
        let is_gone = !after.settings.iter().any(|setting| setting.key == key);
        let known = || {
            before
                .settings
                .iter()
                .any(|other| generic(&other.key) == open && before.written(&other.key) == new)
        };
        let is_ours = open == "camera.NAME.driver" && new.and_then(Json::as_str).is_some_and(is_known_driver);
        if old == new || (of_many && (is_gone || known())) || is_ours {
            continue;
        }
        return Err(format!(
            "`{key}` is not changed over the network: {reason}. On the machine itself: sudo scanner config, or an editor"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MAIN: &str = "[[camera]]\nname = \"a\"\ndriver = \"libcamera\"\n[[notify]]\nname = \"phone\"\nthrough = \"ntfy\"\n\
        url = \"https://ntfy.sh/x\"\n[motion]\nbackend = \"sim\"\nturntable = { speed = \"60 deg/s\", acceleration = \"120 deg/s2\" }\n\
        [plan.ring]\nshape = \"ring\"\nangles = 36\n";

    #[test]
    fn what_names_programs_files_and_secrets_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scanner.toml");
        fs::write(&path, MAIN).unwrap();
        let before = Survey::of(&path, None);
        assert!(before.problems.is_empty(), "{:?}", before.problems);
        let judged = |text: &str| {
            let after = Survey::of(&path, Some(("60-page.toml", Some(text))));
            assert!(after.problems.is_empty(), "{text}: {:?}", after.problems);
            check(&before, &after)
        };
        for fine in [
            "",
            "[scan]\nqueue_depth = 2",
            "[camera.a.controls]\ngain = 2.0",
            "[camera.a]\ndriver = \"gphoto2\"",
            "[[camera]]\nname = \"b\"\ndriver = \"libcamera\"",
            "[[camera]]\nname = \"a\"\ndriver = \"libcamera\"\n[[camera]]\nname = \"b\"\ndriver = \"libcamera\"\nid = \"1\"",
        ] {
            judged(fine).unwrap();
        }
        for (wrong, key) in [
            ("[camera.a]\ndriver = \"/bin/sh\"", "camera.a.driver"),
            ("[camera.a.options]\nfolder = \"/etc\"", "camera.a.options"),
            ("[[camera]]\nname = \"b\"\ndriver = \"/bin/sh\"", "camera.b.driver"),
            ("[notify.phone]\nurl = \"https://evil.example/x\"", "notify.phone.url"),
            ("[notify]\nphone = false", "notify.phone.name"),
            ("[[notify]]\nname = \"x\"\nthrough = \"command\"\ncommand = [\"/bin/sh\"]", "notify."),
            ("[api]\ntokens = \"/tmp/mine.json\"", "api.tokens"),
            ("[api]\ncertificate = \"a\"\nkey = \"b\"", "api.certificate"),
            ("[mqtt]\nbroker = \"mqtt://evil.example\"", "mqtt.broker"),
            ("[[deliver]]\nname = \"x\"\nto = \"folder\"\npath = \"/tmp\"", "deliver."),
            ("[[deliver]]\nname = \"x\"\nto = \"workshop\"\nkey = \"/etc/shadow\"", "deliver."),
            ("[recovery]\nmay_end = [\"bash\"]", "recovery.may_end"),
            ("[storage]\nstate_directory = \"/tmp\"", "storage.state_directory"),
            ("[plan.x]\nshape = \"list\"\nfile = \"/etc/passwd\"", "plan.x.file"),
            ("[gpio]\nbackend = \"sim\"\nsimulation = { record = \"/tmp/x\" }", "gpio.simulation.record"),
        ] {
            let refused = judged(wrong).unwrap_err();
            assert!(refused.starts_with(&format!("`{key}")), "{wrong}: {refused}");
        }
    }
}
