//! The configuration over the network: changed while scans run, reloads come and the power goes; and what is refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use scanner::config::Config;
use scanner::drop_in::{PAGE, Store};
use serde_json::{Value, json};

use crate::client::{Answer, Daemon, wait_for};
use crate::support::{Recipe, TestRig};

const CONFIGURATION: &str = "/api/v1/configuration";

/// A service that is found at the same address after a reload.
fn service(rig: TestRig) -> Daemon {
    let mut daemon = Daemon::start_in(rig);
    daemon.restart();
    daemon.wait_until_ready();
    daemon
}

fn file(daemon: &Daemon) -> PathBuf {
    daemon.rig.dir.path().join("scanner.toml.d").join(PAGE)
}

/// What is answered once the service, which may just be reading its configuration, answers at all. An API that is about to end
/// may say so.
fn asked(daemon: &Daemon, method: &str, path: &str, body: &Value) -> Answer {
    wait_for("the service answers", || {
        daemon.try_send(method, path, body).filter(|answer| !is_ending(answer))
    })
}

fn is_ending(answer: &Answer) -> bool {
    answer.status == 503 && answer.json()["type"] == "/problems/unavailable"
}

fn looked(daemon: &Daemon) -> Value {
    let answer = asked(daemon, "GET", CONFIGURATION, &Value::Null);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

fn until_in_force(daemon: &Daemon) {
    wait_for("it is in force", || (looked(daemon)["in_force"] == true).then_some(()));
}

fn set(key: &str, value: impl Into<Value>) -> Value {
    json!([{ "do": "set", "key": key, "value": value.into() }])
}

/// Numbers that are the same each time, and look like chance (an LCG with the constants of Knuth's MMIX).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    /// A change; one in five would not load.
    fn change(&mut self) -> Value {
        let number = self.below(60) + 1;
        match self.below(10) {
            0 => set("scan.queue_depth", number),
            1 => set("motion.settle", format!("{number} ms")),
            2 => set("camera.cam0.controls.exposure", format!("{number} ms")),
            3 => set("recovery.attempts", number % 20 + 1),
            4 => set("gate.policy", ["off", "flag"][(number % 2) as usize]),
            5 => set("storage.jpeg_quality", number + 40),
            6 => json!([{ "do": "unset", "key": "scan.queue_depth" }, { "do": "unset", "key": "motion" }]),
            7 => json!([{ "do": "take_away", "key": "recovery" }]),
            8 => set("scan.queue_depth", number + 64),
            _ => set("camera.cam7.controls.exposure", format!("{number} ms")),
        }
    }
}

#[test]
fn a_hundred_changes_while_scans_run_reloads_come_and_the_power_goes() {
    let recipe = Recipe { angles: 40, time_scale: 20.0, ..Recipe::default() };
    let mut daemon = service(TestRig::new(&recipe));
    let store = Store::new(&daemon.rig.config, daemon.rig.dir.path());
    let mut chance = Chance(20_261_130);
    let (mut written, mut refused, mut cut, mut during) = (0, 0, 0, 0);
    // What the drop-in has said, the oldest first.
    let mut past: Vec<Option<String>> = Vec::new();
    for step in 0..100 {
        if step % 10 == 0 {
            // One may be under way already, or go on by itself.
            asked(&daemon, "POST", "/api/v1/scans", &json!({}));
        }
        let seen = looked(&daemon);
        let before = store.text(PAGE).unwrap();
        let change = json!({ "based_on": seen["fingerprint"], "edits": chance.change() });
        if chance.below(8) == 0 {
            // The power goes in the middle of it, or right behind it.
            let pause = std::time::Duration::from_micros(chance.below(20_000));
            std::thread::scope(|scope| {
                scope.spawn(|| daemon.try_send("PATCH", CONFIGURATION, &change));
                std::thread::sleep(pause);
                daemon.kill();
            });
            cut += 1;
            daemon.restart_killed();
        } else {
            let answer = asked(&daemon, "PATCH", CONFIGURATION, &change);
            let answered = answer.json();
            match answer.status {
                200 => {
                    written += 1;
                    during += i32::from(answered["waits"] == true);
                }
                422 => {
                    refused += 1;
                    assert_eq!(store.text(PAGE).unwrap(), before, "{answered}");
                }
                // Asked once more, since the first answer was lost on its way: it is made already.
                409 => assert_eq!(answered["type"], "/problems/changed_meanwhile", "{answered}"),
                other => panic!("{other}: {answered}"),
            }
        }
        if let Err(errors) = Config::load(&daemon.rig.config) {
            panic!("after step {step}: {errors}");
        }
        if store.text(PAGE).unwrap() != before {
            past.push(before);
        }
        let kept: BTreeSet<Option<String>> =
            store.versions().unwrap().into_iter().map(|version| version.text).collect();
        for text in past.iter().rev().take(18) {
            assert!(kept.contains(text), "step {step}: {text:?} is lost");
        }
    }
    assert!(written > 40 && refused > 5 && cut > 4 && during > 5, "{written} {refused} {cut} {during}");
    daemon.wait_until_ready();
    until_in_force(&daemon);
    for id in daemon.rig.scan_ids() {
        let verified = daemon.rig.run(&["dataset", "verify", &id]);
        assert_eq!(verified.code, Some(0), "{id}: {}{}", verified.stdout, verified.stderr);
    }
}

#[test]
fn a_change_during_a_scan_is_kept_and_in_force_when_it_has_ended() {
    let recipe = Recipe { angles: 60, time_scale: 10.0, ..Recipe::default() };
    let daemon = service(TestRig::new(&recipe));
    let id = daemon.begin();
    let seen = looked(&daemon);
    let change = json!({ "based_on": seen["fingerprint"], "edits": set("plan.ring.angles", 5) });
    let done = daemon.patch(CONFIGURATION, &change).json();
    assert_eq!((&done["changed"], &done["waits"]), (&json!(true), &json!(true)), "{done}");
    let seen = looked(&daemon);
    assert_eq!((&seen["in_force"], &seen["waits"]), (&json!(false), &json!(true)));
    until_in_force(&daemon);
    daemon.rig.assert_complete(&id, "it was not disturbed");
    let seen = looked(&daemon);
    let angles = seen["settings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == "plan.ring.angles")
        .unwrap()
        .clone();
    assert_eq!((&angles["value"], &angles["changed_here"]), (&json!(5), &json!(true)), "{angles}");
    assert!(angles["explanation"].as_str().unwrap().contains("points of one turn"), "{angles}");
    assert_eq!(angles["wanted"], "a whole number, from 1 to 10000");
}

/// Who asks while the configuration is read again is answered, or not listened to: never told of a failure. And the API is there
/// again at once, at the same port.
#[test]
fn who_asks_during_a_reload_is_answered_or_finds_nobody() {
    let daemon = service(TestRig::new(&Recipe::default()));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = (0..4).map(|_| {
            scope.spawn(|| {
                let mut answered = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let answer = daemon.try_send("GET", CONFIGURATION, &Value::Null);
                    if let Some(answer) = answer.filter(|answer| !is_ending(answer)) {
                        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
                        answered += 1;
                    }
                }
                answered
            })
        });
        let asking: Vec<_> = asking.collect();
        for depth in 10..30 {
            fs::write(file(&daemon), format!("[scan]\nqueue_depth = {depth}\n")).unwrap();
            let reloaded = daemon.rig.run(&["reload"]);
            assert_eq!(reloaded.code, Some(0), "{}{}", reloaded.stdout, reloaded.stderr);
            // That its port is still taken would be told here.
            let api = wait_for("the API begins", || {
                let api = daemon.rig.run(&["status", "--json"]).json()["api"].clone();
                (!api.is_null()).then_some(api)
            });
            assert_eq!(api["address"], daemon.address.to_string(), "{api}");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for asking in asking {
            assert!(asking.join().unwrap() > 0);
        }
    });
}

/// What newcomers write, as text, and as a key of the form with its value.
const MISTAKES: [(&str, &str, &str); 18] = [
    ("[motion.turntable]\nspeed = 45", "motion.turntable.speed", "45"),
    ("[motion]\nsettle = \"250\"", "motion.settle", "\"250\""),
    ("[motion]\nsettle = \"250 mm\"", "motion.settle", "\"250 mm\""),
    ("[motion]\nsettle = \"0,25 s\"", "motion.settle", "\"0,25 s\""),
    ("[motion]\nsetle = \"250 ms\"", "motion.setle", "\"250 ms\""),
    ("[motion]\nbackend = \"stepper\"", "motion.backend", "\"stepper\""),
    ("[camera.cam0]\nid = 0", "camera.cam0.id", "0"),
    ("[camera.cam0.controls]\ngain = 0.5", "camera.cam0.controls.gain", "0.5"),
    ("[camera.cam0.controls]\ngain = \"two\"", "camera.cam0.controls.gain", "\"two\""),
    ("[camera.cam0]\nwidth = 641", "camera.cam0.width", "641"),
    ("[camera.cam0]\nlive = \"big\"", "camera.cam0.live", "\"big\""),
    ("[camera.cam0.controls]\nwhite_balance = [1.0]", "camera.cam0.controls.white_balance", "[1.0]"),
    ("[plan.ring]\nangles = 0", "plan.ring.angles", "0"),
    ("[plan.ring]\nangles = \"72\"", "plan.ring.angles", "\"72\""),
    ("[plan.ring]\nheight = \"20 mm\"", "plan.ring.height", "\"20 mm\""),
    ("[scan]\nplan = \"rings\"", "scan.plan", "\"rings\""),
    ("[storage]\nmake_room = \"yes\"", "storage.make_room", "\"yes\""),
    ("[schedule]\nopen = [\"22:00\"]", "schedule.open", "[\"22:00\"]"),
];

#[test]
fn mistakes_are_told_as_check_config_tells_them_in_text_and_in_the_form() {
    let daemon = service(TestRig::new(&Recipe { size: (640, 480), ..Recipe::default() }));
    let path = "/api/v1/configuration/check";
    for (text, key, value) in MISTAKES {
        let told = daemon.post(path, &json!({ "text": text })).json()["problems"].clone();
        // The same file, in its place.
        fs::write(file(&daemon), text).unwrap();
        let said = daemon.rig.run(&["check-config", "--json"]).json()["problems"].clone();
        fs::remove_file(file(&daemon)).unwrap();
        assert_eq!(told, said, "{text}");
        let [problem] = told.as_array().unwrap().as_slice() else { panic!("{text}: {told}") };
        // The place, the cause and the remedy.
        assert!(problem["file"].as_str().unwrap().ends_with(PAGE) && problem["line"] == 2, "{problem}");
        assert!(problem["hint"].as_str().is_some_and(|hint| hint.len() > 5), "{text}: {problem}");
        assert_eq!(problem["key"], key, "{text}: {problem}");

        let edits = set(key, serde_json::from_str::<Value>(value).unwrap());
        let told = daemon.post(path, &json!({ "edits": edits })).json()["problems"].clone();
        let [in_form] = told.as_array().unwrap().as_slice() else { panic!("{key}: {told}") };
        for part in ["message", "hint", "key"] {
            assert_eq!(in_form[part], problem[part], "{key}");
        }
        let seen = looked(&daemon);
        let refused =
            daemon.patch(CONFIGURATION, &json!({ "based_on": seen["fingerprint"], "edits": edits }));
        assert_eq!(
            (refused.status, &refused.json()["type"]),
            (422, &json!("/problems/configuration")),
            "{key}"
        );
        assert!(!file(&daemon).exists(), "{key}");
    }
    let unwritten = daemon.post(path, &json!({ "text": "[scan" })).json();
    assert!(
        unwritten["problems"][0]["message"].as_str().unwrap().starts_with("this is not TOML"),
        "{unwritten}"
    );
}

#[test]
fn who_may_look_changes_nothing_and_nobody_sees_secrets_or_names_programs() {
    let rig = TestRig::new(&Recipe::default());
    let told = "\n[[notify]]\nname = \"phone\"\nthrough = \"ntfy\"\nurl = \"https://ntfy.sh/sEcReT\"\n";
    fs::write(&rig.config, fs::read_to_string(&rig.config).unwrap() + told).unwrap();
    let mut daemon = service(rig);
    let seen = looked(&daemon);
    assert!(!seen.to_string().contains("sEcReT"));
    let url = seen["settings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == "notify.phone.url")
        .unwrap()
        .clone();
    assert!(url["secret"] == true && url["value"].is_null() && url["reserved"].is_string(), "{url}");
    let kept = daemon.get("/api/v1/configuration/backup.toml");
    let kept = String::from_utf8(kept.body).unwrap();
    assert!(!kept.contains("sEcReT") && kept.contains("notify.phone.url"), "{kept}");

    let change = |edits: Value| json!({ "based_on": seen["fingerprint"], "edits": edits });
    for (key, value) in [
        ("camera.cam0.driver", json!("/bin/sh")),
        ("recovery.may_end", json!(["bash"])),
        ("notify.phone.url", json!("https://evil.example/x")),
        ("api.tokens", json!("/tmp/tokens.json")),
    ] {
        let refused = daemon.patch(CONFIGURATION, &change(set(key, value)));
        assert_eq!((refused.status, &refused.json()["type"]), (403, &json!("/problems/reserved")), "{key}");
    }
    let later = json!({ "based_on": "00", "edits": set("scan.queue_depth", 2) });
    let refused = daemon.patch(CONFIGURATION, &later);
    assert_eq!((refused.status, &refused.json()["type"]), (409, &json!("/problems/changed_meanwhile")));
    assert_eq!(daemon.patch(CONFIGURATION, &json!({ "edits": [] })).status, 422, "it is based on nothing");
    assert!(!file(&daemon).exists());

    // What was before comes back, and a backup.
    let done = daemon.patch(CONFIGURATION, &change(set("scan.queue_depth", 2)));
    assert_eq!(done.status, 200, "{}", done.json());
    until_in_force(&daemon);
    let versions = asked(&daemon, "GET", "/api/v1/configuration/versions", &Value::Null).json();
    let (number, by) = (&versions["versions"][0]["number"], &versions["versions"][0]["by"]);
    assert_eq!((number, by), (&json!(1), &json!("test")), "{versions}");
    let back = asked(&daemon, "POST", "/api/v1/configuration/versions/1/restore", &json!({}));
    assert_eq!((back.status, file(&daemon).exists()), (200, false));
    until_in_force(&daemon);
    let body = json!({ "based_on": looked(&daemon)["fingerprint"], "text": kept.replace("angles = 3", "angles = 7") });
    let restored = asked(&daemon, "PUT", "/api/v1/configuration/backup.toml", &body);
    assert_eq!(restored.status, 200, "{}", restored.json());
    until_in_force(&daemon);
    let config = Config::load(&daemon.rig.config).unwrap();
    assert!(config.notify.len() == 1 && fs::read_to_string(file(&daemon)).unwrap().contains("angles = 7"));

    let guest = daemon.rig.run(&["token", "guest", "--look-only"]).stdout.trim().to_owned();
    daemon.token = guest;
    assert_eq!(daemon.get(CONFIGURATION).status, 200);
    let checked = daemon.post("/api/v1/configuration/check", &json!({ "edits": set("scan.queue_depth", 3) }));
    assert_eq!(checked.status, 200);
    // What others have in their files is not to be learned by having them named.
    let private = daemon.rig.dir.path().join("private.csv");
    fs::write(&private, "a,secret,of,others\n").unwrap();
    let text = format!("[plan.x]\nshape = \"list\"\nfile = {private:?}\n");
    let checked = daemon.post("/api/v1/configuration/check", &json!({ "text": text })).json();
    let refused = checked["refused"].as_str().unwrap();
    assert!(
        refused.contains("not changed over the network") && !checked.to_string().contains("secret,of"),
        "{checked}"
    );
    let based_on = looked(&daemon)["fingerprint"].clone();
    let refused =
        daemon.patch(CONFIGURATION, &json!({ "based_on": based_on, "edits": set("scan.queue_depth", 3) }));
    assert_eq!((refused.status, &refused.json()["type"]), (403, &json!("/problems/look_only")));
}

#[test]
fn the_commands_change_it_as_well() {
    let daemon = service(TestRig::new(&Recipe::default()));
    let rig = &daemon.rig;
    let said = |args: &[&str]| {
        let done = rig.run(&[&["config"], args].concat());
        assert_eq!(done.code, Some(0), "{args:?}: {}{}", done.stdout, done.stderr);
        done.stdout
    };
    assert!(said(&["unset", "motion.setle"]).contains("60-page.toml says nothing of `motion.setle`"));
    assert!(!said(&["versions"]).contains("unset"), "nothing has changed");
    let told = said(&["set", "motion.settle", "250 ms"]);
    assert!(told.contains("60-page.toml") && told.contains("the new configuration is in force"), "{told}");
    assert!(said(&["show"]).contains("250 ms"));
    assert!(said(&["show", "--defaults"]).contains("scan.max_failed_in_a_row"));
    assert!(said(&["explain", "motion.settle"]).contains("Default: \"200 ms\""));
    let unknown = rig.run(&["config", "explain", "settle"]);
    assert!(unknown.stderr.contains("did you mean `motion.settle`?"), "{}", unknown.stderr);
    let wrong = rig.run(&["config", "set", "motion.settle", "soon"]);
    assert_eq!(wrong.code, Some(3), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("`motion.settle` is wrong"), "{}", wrong.stderr);
    let backup = rig.dir.path().join("kept.toml");
    said(&["backup", backup.to_str().unwrap()]);
    said(&["set", "camera.cam0.id", "1"]);
    assert_eq!(Config::load(&rig.config).unwrap().cameras[0].id, "1");
    assert!(said(&["unset", "camera.cam0.id"]).contains("still says something of it"));
    said(&["set", "scan.queue_depth", "9"]);
    assert!(said(&["versions"]).contains("scan.queue_depth = 9"));
    said(&["restore", backup.to_str().unwrap()]);
    let config = Config::load(&rig.config).unwrap();
    assert_eq!((config.scan.queue_depth, config.motion.settle.as_millis()), (4, 250));
    let gone = said(&["take-back", "1"]);
    assert!(gone.contains("removed") && gone.contains("60-page.toml"), "{gone}");
    assert_eq!(Config::load(&rig.config).unwrap().motion.settle.as_millis(), 1);
    let none = rig.run(&["config", "take-back", "99"]);
    assert_eq!(none.code, Some(10), "{}", none.stderr);
    let secret = rig.run(&["config", "set", "notify.phone.url", "https://a/b"]);
    assert_eq!(secret.code, Some(3), "{}", secret.stderr);
    assert_eq!(looked(&daemon)["in_force"], true);
}
