//! What a shell completes: bash itself, with the script that the package has.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Recipe, TestRig};

/// What bash offers for the last of these words, of a command without the program's name; options aside.
fn offered(rig: &TestRig, words: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_scanner"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    // bash hands on what was written, split into words.
    let script = "source <(scanner completions bash)
        COMP_WORDS=(scanner \"$@\"); COMP_CWORD=$#; COMP_TYPE=9
        _clap_complete_scanner scanner \"${!#}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .args(words)
        .env("PATH", path.unwrap())
        .env("SCANNER_CONFIG", &rig.config)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with('-'))
        .collect()
}

#[test]
fn a_shell_offers_commands_scans_shots_plans_and_cameras() {
    let rig = TestRig::new(&Recipe::default());
    for id in ["2026-11-21-143005-owl", "2026-11-22-143005-wasp"] {
        let scanned = rig.run(&["scan", "--id", id]);
        assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    }
    std::fs::create_dir(rig.scans().join("not a scan")).unwrap();

    assert_eq!(offered(&rig, &["che"]), ["check-config"]);
    // The newest first.
    let both = ["2026-11-22-143005-wasp", "2026-11-21-143005-owl"];
    for words in
        [&["resume", ""][..], &["dataset", "show", "2026"], &["start", "--resume", ""], &["logs", "2"]]
    {
        assert_eq!(offered(&rig, words), both, "{words:?}");
    }
    assert_eq!(offered(&rig, &["retake", "2026-11-21"]), ["2026-11-21-143005-owl"]);
    let shots = offered(&rig, &["retake", both[0], ""]);
    assert!(shots.len() >= 3 && shots.iter().all(|shot| shot.contains('/')), "{shots:?}");
    assert_eq!(offered(&rig, &["retake", both[0], &shots[0]]), shots[..1]);
    assert_eq!(offered(&rig, &["watch", ""])[0], "cam0");
    assert_eq!(offered(&rig, &["scan", ""]).len(), 1);

    // Another configuration than the usual one, and none.
    let config = rig.config.to_str().unwrap();
    let elsewhere = TestRig::new(&Recipe::default());
    assert_eq!(offered(&elsewhere, &["-c", config, "resume", ""]), both);
    assert!(offered(&elsewhere, &["-c", "/nowhere.toml", "resume", ""]).is_empty());
}
