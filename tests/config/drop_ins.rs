//! Several files, and what is relative to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scanner::config::{Config, Panel, PlanShape};
use scanner::units::Millimetres;

use super::{SHIPPED, messages};

/// A folder with `scanner.toml` and drop-ins.
fn folder(main: &str, drop_ins: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scanner.toml");
    fs::write(&path, main).unwrap();
    fs::create_dir(folder.path().join("scanner.toml.d")).unwrap();
    for (name, text) in drop_ins {
        fs::write(folder.path().join("scanner.toml.d").join(name), text).unwrap();
    }
    (folder, path)
}

#[test]
fn drop_ins_override_key_by_key_in_the_order_of_their_names() {
    let (folder, path) = folder(
        SHIPPED,
        &[
            ("20-b.toml", b"[recovery]\nattempts = 5\n[plan.extra]\nshape = 'list'\nfile = 'points.csv'"),
            ("10-a.toml", b"[recovery]\nattempts = 4\nbackoff = '1 s'\n[plan.cylinder]\nheights = ['10 mm']"),
            (".hidden.toml", b"[recovery]\nattempts = 9"),
            ("30-c.toml.off", b"[recovery]\nattempts = 8"),
        ],
    );
    let config = Config::load(&path).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((config.recovery.attempts, config.recovery.backoff), (5, Duration::from_secs(1)));
    assert_eq!(config.recovery.capture_timeout, Duration::from_secs(10));
    // Lists are replaced, the rest of the table stays.
    let heights = vec![Millimetres::new(10.0)];
    assert_eq!(config.plans[0].shape, PlanShape::Cylinder { angles: 36, heights });
    // A path starts from the folder of the main file.
    let file = folder.path().join("points.csv");
    assert_eq!(config.plans[1].shape, PlanShape::List { file });
}

#[test]
fn a_camera_in_a_drop_in_replaces_all_cameras() {
    let camera = b"[[camera]]\nname='top'\ndriver='/opt/drv'\nid='x'\nwidth=640\nheight=480\nfx=500\n\
        mount = { distance = '1 m', height = '0 mm' }";
    let (_folder, path) = folder(SHIPPED, &[("camera.toml", camera)]);
    let names: Vec<String> =
        Config::load(&path).unwrap().cameras.into_iter().map(|camera| camera.name).collect();
    assert_eq!(names, ["top"]);
}

#[test]
fn a_mistake_in_a_drop_in_is_shown_there() {
    let (_folder, path) = folder(SHIPPED, &[("a.toml", b"\n[recovery]\natempts = 5")]);
    let errors = Config::load(&path).unwrap_err();
    let [problem] = errors.problems() else { panic!("{errors}") };
    assert!(problem.file.ends_with("scanner.toml.d/a.toml"), "{problem:?}");
    assert_eq!((problem.line, problem.column), (Some(3), Some(1)));
    assert_eq!(problem.hint.as_deref(), Some("did you mean `attempts`?"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let (folder, path) = folder(SHIPPED, &[("a.toml", b"[storage] # \xc3\xa4\n# \xff\n")]);
    let errors = Config::load(&path).unwrap_err();
    assert_eq!(messages(&errors), ["the file is not UTF-8 text"]);
    assert_eq!((errors.problems()[0].line, errors.problems()[0].column), (Some(2), Some(3)));

    fs::create_dir(folder.path().join("scanner.toml.d/b.toml")).unwrap();
    let errors = Config::load(&path).unwrap_err();
    assert_eq!(errors.problems().len(), 2, "{errors}");
    assert!(errors.problems()[1].file.ends_with("b.toml"), "{errors}");

    let missing = folder.path().join("none.toml");
    let errors = Config::load(&missing).unwrap_err();
    assert_eq!(errors.problems()[0].file, missing.display().to_string());
    assert_eq!(errors.problems()[0].message, "the file is missing");
    let hint = errors.problems()[0].hint.as_deref().unwrap();
    for way in ["-c FILE", "SCANNER_CONFIG", "`scanner setup`", "`scanner demo`"] {
        assert!(hint.contains(way), "{hint}");
    }
}

#[test]
fn the_start_button_starts_the_named_plan_or_the_first_one() {
    let plans = "[plan.zebra]\nshape='ring'\nangles=1\n[plan.ant]\nshape='ring'\nangles=2\n";
    let names = |text: &str| -> Vec<String> {
        let config = Config::from_text("a.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
        config.plans.into_iter().map(|plan| plan.name).collect()
    };
    let (before, after) = SHIPPED.split_once("[scan]").unwrap();
    assert_eq!(names(&format!("{before}{plans}[scan]{after}")), ["cylinder", "zebra", "ant"]);
    assert_eq!(names(&format!("{before}{plans}[scan]\nplan='ant'{after}")), ["ant", "cylinder", "zebra"]);
}

#[test]
fn relative_folders_start_from_the_file() {
    let text = SHIPPED.replace("[storage]", "[storage]\ndirectory = 'scans'\nruntime_directory = '/tmp/run'");
    let storage = Config::from_text("/srv/scanner/a.toml", &text).unwrap().storage;
    assert_eq!(storage.directory, Path::new("/srv/scanner/scans"));
    assert_eq!(storage.runtime_directory, Path::new("/tmp/run"));
}

#[test]
fn state_is_kept_on_the_machine_unless_a_rig_has_folders_of_its_own() {
    let decoded = |storage: &str, api: &str| {
        let text = SHIPPED.replace("[storage]", &format!("[storage]\n{storage}"));
        let text = text.replace("[api]", &format!("[api]\n{api}"));
        Config::from_text("/srv/scanner/a.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
    };
    let usb = decoded("directory = '/media/disk/scans'", "");
    assert_eq!(usb.storage.state_directory, Path::new("/var/lib/scanner"));
    assert_eq!(usb.api.tokens, Path::new("/var/lib/scanner/tokens.json"));
    assert_eq!(usb.api.former_tokens.as_deref(), Some(Path::new("/media/disk/tokens.json")));
    let own = decoded("directory = 'scans'\nruntime_directory = 'run'", "");
    assert_eq!(own.storage.state_directory, Path::new("/srv/scanner"));
    assert_eq!(own.api.former_tokens, None);
    let written =
        decoded("directory = '/media/disk/scans'\nstate_directory = 'state'", "tokens = 'let-in.json'");
    assert_eq!(written.storage.state_directory, Path::new("/srv/scanner/state"));
    assert_eq!(written.api.tokens, Path::new("/srv/scanner/let-in.json"));
    assert_eq!(written.api.former_tokens, None);
}

#[test]
fn relative_folders_in_a_drop_in_start_from_the_main_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("scanner.toml");
    fs::write(&main, SHIPPED).unwrap();
    fs::create_dir(folder.path().join("scanner.toml.d")).unwrap();
    fs::write(folder.path().join("scanner.toml.d/disk.toml"), "[storage]\ndirectory = 'scans'").unwrap();
    assert_eq!(Config::load(&main).unwrap().storage.directory, folder.path().join("scans"));
}

#[test]
fn false_takes_away_what_another_file_has_and_a_later_file_brings_it_back() {
    let off = b"[motion]\nlift = false\nrail = false\n[plan]\ncylinder = false\nother = false\n[plan.turn]\nshape='ring'\nangles=3";
    let (_folder, path) = folder(SHIPPED, &[("20-off.toml", off)]);
    let config = Config::load(&path).unwrap_or_else(|errors| panic!("{errors}"));
    let axes: Vec<_> = config.motion.axes.iter().map(|axis| axis.axis.name()).collect();
    let plans: Vec<_> = config.plans.iter().map(|plan| plan.name.as_str()).collect();
    assert_eq!((axes, plans), (vec!["turntable"], vec!["turn"]));
    let back = b"[motion.lift]\nspeed='1 mm/s'\nacceleration='1 mm/s2'\ntravel=['0 mm', '5 mm']";
    let (_folder, path) = folder(SHIPPED, &[("20-off.toml", off), ("30-back.toml", back)]);
    assert_eq!(Config::load(&path).unwrap().motion.axes.len(), 2);
    // It is then as if it were not written: by default, or a mistake.
    let off = b"[storage]\nkeep_scans = 3\nmake_room = true\n[panel]\nbackend = 'sim'\n";
    let gone =
        b"panel = false\n[storage]\nkeep_scans = false\nmake_room = false\n[camera.cam1]\ncontrols = false\n";
    let (_folder, path) = folder(SHIPPED, &[("20-on.toml", off), ("30-off.toml", gone)]);
    let config = Config::load(&path).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        (config.storage.keep_scans, config.storage.make_room, config.panel),
        (None, false, Panel::None)
    );
    assert_eq!((config.cameras[0].controls.gain, config.cameras[1].controls.gain), (Some(1.0), None));
    for wrong in ["[motion]\nturntable = true", "[motion.turntable]\nspeed = false", "camera = false"] {
        let (_folder, path) = folder(SHIPPED, &[("20-wrong.toml", wrong.as_bytes())]);
        Config::load(&path).unwrap_err();
    }
}

#[test]
fn a_drop_in_is_tried_in_its_place_before_it_is_there() {
    let (folder, path) = folder(
        SHIPPED,
        &[
            ("10-a.toml", b"[recovery]\nattempts = 4\nbackoff = '1 s'"),
            ("60-b.toml", b"[recovery]\nbackoff = '2 s'"),
        ],
    );
    let tried = "[recovery]\nattempts = 5\nbackoff = '3 s'";
    let config = Config::load_as_if(&path, "50-setup.toml", Some(tried)).unwrap();
    assert_eq!((config.recovery.attempts, config.recovery.backoff), (5, Duration::from_secs(2)));
    assert_eq!(Config::load_as_if(&path, "10-a.toml", None).unwrap().recovery.attempts, 3);
    let errors = Config::load_as_if(&path, "50-setup.toml", Some("[recovery]\natempts = 5")).unwrap_err();
    let [problem] = errors.problems() else { panic!("{errors}") };
    assert!(problem.file.ends_with("scanner.toml.d/50-setup.toml") && problem.line == Some(2), "{problem:?}");
    assert_eq!(fs::read_dir(folder.path().join("scanner.toml.d")).unwrap().count(), 2, "nothing was written");
    assert_eq!(Config::files(&path).unwrap().len(), 3);
}
