//! Finished scans are brought to a folder, by the real programs: by hand, by the service, around scans and over crashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::interrupted::{assert_no_process_left, begin, end, signal};
use crate::support::{Recipe, TestRig, built};

mod there;

/// A rig that delivers to its folder `nas`, with these lines beside.
fn rig(recipe: &Recipe<'_>, lines: &str) -> TestRig {
    configured(recipe, |_| format!("[[deliver]]\nname = \"nas\"\nto = \"folder\"\npath = \"nas\"\n{lines}\n"))
}

/// A rig that delivers as these lines say.
fn configured(recipe: &Recipe<'_>, lines: impl FnOnce(&TestRig) -> String) -> TestRig {
    // Of another package: cargo does not build it for these tests alone.
    built("scanner-deliver");
    let rig = TestRig::new(recipe).without_model();
    let folder = rig.dir.path().join("scanner.toml.d");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("deliver.toml"), lines(&rig)).unwrap();
    rig
}

fn nas(rig: &TestRig) -> PathBuf {
    rig.dir.path().join("nas")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// What is there of the scan is a scan that is whole.
fn assert_delivered(rig: &TestRig, id: &str) {
    let folder = nas(rig).join(id);
    assert!(folder.join("delivered.json").is_file(), "{id} is not whole there");
    rig.assert_complete(folder.to_str().unwrap(), "what was delivered");
    let parts = parts(&folder);
    assert!(parts.is_empty(), "{parts:?}");
}

/// What is half written below `folder`.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(parts(&path));
        } else if path.to_string_lossy().ends_with(".part") {
            found.push(path);
        }
    }
    found
}

/// How many scans wait for the target.
fn waiting(rig: &TestRig) -> usize {
    rig.run(&["deliver", "--status", "--json"]).json()[0]["waiting"].as_array().unwrap().len()
}

#[test]
fn by_hand_scans_are_brought_checked_and_put_right() {
    let rig = rig(&Recipe::default(), "");
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    assert_eq!(waiting(&rig), 1);
    // A folder that is not there is not made.
    let refused = rig.run(&["deliver"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("does not exist") && !nas(&rig).exists(), "{}", refused.stderr);
    let status = rig.run(&["deliver", "--status"]).stdout;
    assert!(status.contains("failed") && status.contains("does not exist"), "{status}");
    fs::create_dir(nas(&rig)).unwrap();
    let brought = rig.run(&["deliver"]);
    assert_eq!(brought.code, Some(0), "{}", brought.stderr);
    assert_delivered(&rig, &id);
    assert_eq!(waiting(&rig), 0);
    let status = rig.run(&["deliver", "--status"]).stdout;
    assert!(!status.contains("failed"), "{status}");
    assert!(rig.run(&["deliver"]).stdout.contains("is there already"));

    let image = nas(&rig).join(&id).join("images/cam0/r01_a001.jpg");
    let mut bytes = fs::read(&image).unwrap();
    bytes[500] ^= 1;
    fs::write(&image, bytes).unwrap();
    let check = rig.run(&["deliver", &id, "--check"]);
    assert_eq!(check.code, Some(9), "{}{}", check.stdout, check.stderr);
    assert!(check.stdout.contains("images/cam0/r01_a001.jpg has another checksum"), "{}", check.stdout);
    assert_eq!(waiting(&rig), 1, "it is to be brought again");
    let brought = rig.run(&["deliver", &id, "--to", "nas", "--json"]);
    assert_eq!(brought.json()[0]["done"]["sent_files"], 1, "{}", brought.stdout);
    assert_eq!(rig.run(&["deliver", &id, "--check"]).code, Some(0));

    // What is gone there is found, too; and what is found is not forgotten where it cannot be put right now.
    fs::remove_dir_all(nas(&rig).join(&id)).unwrap();
    let check = rig.run(&["deliver", &id, "--check"]);
    assert_eq!(check.code, Some(9), "{}{}", check.stdout, check.stderr);
    assert!(check.stdout.contains("delivered.json is not there"), "{}", check.stdout);
    assert_eq!(waiting(&rig), 1, "it is to be brought again");
    assert_eq!(rig.run(&["deliver"]).code, Some(0));
    let away = rig.dir.path().join("away");
    fs::rename(nas(&rig), &away).unwrap();
    assert_eq!(rig.run(&["deliver", &id]).code, Some(1));
    assert_eq!(waiting(&rig), 1, "nobody knows whether it is there");
    fs::rename(&away, nas(&rig)).unwrap();
    // Brought back from there, as a whole: its list is none of its files.
    fs::copy(nas(&rig).join(&id).join("delivered.json"), rig.scans().join(&id).join("delivered.json"))
        .unwrap();
    assert_eq!(rig.run(&["deliver"]).code, Some(0));
    let listed = fs::read_to_string(nas(&rig).join(&id).join("delivered.json")).unwrap();
    assert!(listed.contains("plan.json") && !listed.contains("delivered.json"), "{listed}");

    // A scan that has got another name is another one.
    assert_eq!(rig.run(&["dataset", "describe", &id, "--name", "Owl"]).code, Some(0));
    assert_eq!(waiting(&rig), 1);
    assert_eq!(rig.run(&["deliver"]).code, Some(0));
    assert_delivered(&rig, &id);
    for (wrong, code, says) in [
        (vec!["deliver", "--to", "nowhere"], 3, "there are: nas"),
        (vec!["deliver", "2020-01-01-000000-owl"], 10, "2020-01-01-000000-owl"),
    ] {
        let refused = rig.run(&wrong);
        assert_eq!(refused.code, Some(code), "{}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
}

#[test]
fn only_what_was_delivered_is_removed() {
    let rig = rig(&Recipe::default(), "");
    let text = fs::read_to_string(&rig.config).unwrap();
    fs::write(&rig.config, text.replace("keep_free", "keep_scans = 1\nkeep_free")).unwrap();
    let [first, second, third, fourth] = [1, 2, 3, 4].map(|day| format!("2026-01-0{day}-000000-owl"));
    for id in [&first, &second] {
        assert_eq!(rig.run(&["scan", "--id", id]).code, Some(0));
    }
    let scan = rig.run(&["scan", "--id", &third]);
    assert!(scan.stderr.contains(&format!("{first} stays beyond storage.keep_scans")), "{}", scan.stderr);
    assert_eq!(rig.scan_ids().len(), 3);
    fs::create_dir(nas(&rig)).unwrap();
    assert_eq!(rig.run(&["deliver", &first]).code, Some(0));
    assert_eq!(rig.run(&["scan", "--id", &fourth]).code, Some(0));
    assert_eq!(rig.scan_ids(), [&second, &third, &fourth].map(Clone::clone));
    assert_delivered(&rig, &first);
    // One that is gone here can be looked at there.
    assert_eq!(rig.run(&["deliver", &first, "--check"]).code, Some(0));
}

#[test]
fn the_service_delivers_by_itself_and_goes_on_after_a_crash() {
    let recipe = Recipe { angles: 16, size: (320, 240), ..Recipe::default() };
    let rig = rig(&recipe, "pace = \"100 kB\"");
    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let status = || rig.run(&["status", "--json"]).json();
    wait_until("the scan has ended", || status()["scanning"] == false);
    let id = rig.scan_id().unwrap();
    wait_until("it cannot be delivered", || status()["deliveries"][0]["trouble"].is_string());
    assert!(rig.run(&["status"]).stdout.contains("1 scans wait for nas"));
    fs::create_dir(nas(&rig)).unwrap();
    let begun = || nas(&rig).join(&id).join("images/cam0").exists();
    wait_until("it is being delivered", begun);
    signal(&service, Signal::KILL);
    let killed = end(service, log);
    assert!(killed.stderr.contains("not delivered to \"nas\""), "{}", killed.stderr);
    assert!(!nas(&rig).join(&id).join("delivered.json").exists(), "it was too fast for this test");
    assert_no_process_left(&rig);
    let (service, log) = begin(&rig, &["run"], "ready");
    wait_until("it is delivered", || waiting(&rig) == 0);
    assert_delivered(&rig, &id);
    wait_until("that is told", || status()["deliveries"][0]["waiting"] == 0);
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("delivered to \"nas\""), "{}", ended.stderr);
    assert_no_process_left(&rig);
}

#[test]
fn a_scan_has_its_way_and_what_was_cut_off_for_it_goes_on() {
    let recipe = Recipe { angles: 16, size: (320, 240), ..Recipe::default() };
    let rig = rig(&recipe, "pace = \"100 kB\"");
    fs::create_dir(nas(&rig)).unwrap();
    let (service, log) = begin(&rig, &["run"], "ready");
    let status = || rig.run(&["status", "--json"]).json();
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let first = rig.scan_id().unwrap();
    wait_until("the first one is being delivered", || {
        status()["deliveries"][0]["under_way"]["scan"] == first.as_str()
    });
    assert_eq!(rig.run(&["start"]).code, Some(0));
    wait_until("it makes way", || {
        let now = status();
        now["deliveries"][0]["under_way"].is_null() || now["scanning"] == false
    });
    wait_until("both are delivered", || waiting(&rig) == 0 && rig.scan_ids().len() == 2);
    for id in rig.scan_ids() {
        assert_delivered(&rig, &id);
    }
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert!(!ended.stderr.contains("not delivered"), "{}", ended.stderr);
    assert_no_process_left(&rig);
}

#[test]
fn what_was_in_the_way_is_not_told_any_more_once_somebody_has_brought_it_by_hand() {
    let rig = rig(&Recipe::default(), "");
    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let trouble = || rig.run(&["status", "--json"]).json()["deliveries"][0]["trouble"].is_string();
    wait_until("it cannot be delivered", trouble);
    fs::create_dir(nas(&rig)).unwrap();
    assert_eq!(rig.run(&["deliver"]).code, Some(0));
    wait_until("nothing is in the way", || !trouble());
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert_no_process_left(&rig);
}
