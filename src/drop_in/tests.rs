//! Whatever is wished, and whenever the power goes, the configuration loads, and what it was is there.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::disk::Disk;
use super::versions::KEPT;
use super::*;
use crate::config::{Config, ConfigErrors};
use crate::durable::{self, Readers};
use crate::units::Seconds;

const MAIN: &str = r#"
[storage]
runtime_directory = "run"
directory = "scans"

[[camera]] # the only one
driver = "scanner-sim"
width = 640
height = 480
fx = 500.0
mount = { distance = "300 mm", height = "60 mm" }

[motion]
backend = "sim"
turntable = { speed = "60 deg/s", acceleration = "120 deg/s2" }

[plan.ring]
shape = "ring"
angles = 36
"#;

/// A disk whose power goes at its step number `left`, which is then done or not done.
struct Failing {
    left: Cell<u32>,
    done: bool,
}

impl Failing {
    fn step(&self, step: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        match left {
            0 => Err(io::Error::other("there is no power")),
            1 if self.done => step().and_then(|()| Err(io::Error::other("the power went"))),
            1 => Err(io::Error::other("the power went")),
            _ => step(),
        }
    }
}

impl Disk for Failing {
    // Nothing is synced: what a step has done is there, and what it has not done is not.
    fn put(&self, path: &Path, text: &str, _like: &Path) -> io::Result<()> {
        self.step(|| durable::swap(path, text.as_bytes(), Readers::AsUsual))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(|| fs::remove_file(path))
    }

    fn keep(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|| durable::swap(path, bytes, Readers::Owner))
    }
}

struct Rig {
    dir: TempDir,
    store: Store,
}

fn rig() -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scanner.toml");
    fs::write(&path, MAIN).unwrap();
    let store = Store::new(&path, &dir.path().join("state"));
    Rig { dir, store }
}

#[expect(clippy::unnecessary_wraps, reason = "as whoever asks is answered")]
fn fits(_: &Config) -> Result<(), String> {
    Ok(())
}

fn wish<'w>(drop_in: &'w str, text: Option<&'w str>) -> Wish<'w> {
    Wish { drop_in, text, based_on: None, by: "test", change: "something" }
}

/// What may be wished: most of it loads.
fn texts() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        6 => (1..200_u32).prop_map(|angles| Some(format!("# of {angles}\n[plan.ring]\nangles = {angles}\n"))),
        2 => (1..5000_u32).prop_map(|ms| Some(format!("[camera.cam0.controls]\nexposure = \"{ms} ms\"\n"))),
        1 => Just(Some("[camera.cam1]\nhold = \"ring\"\n".to_owned())),
        1 => Just(Some("[plan\n".to_owned())),
        1 => Just(Some("[plan]\nring = false\n".to_owned())),
    ]
}

#[derive(Debug, Clone)]
struct Step {
    drop_in: &'static str,
    text: Option<String>,
    /// At which step of the disk the power goes, and whether that one is done.
    cut: Option<(u32, bool)>,
}

fn steps() -> impl Strategy<Value = Step> {
    let drop_in = prop_oneof![3 => Just(PAGE), 1 => Just("50-setup.toml")];
    (drop_in, texts(), proptest::option::weighted(0.3, (1..3_u32, any::<bool>())))
        .prop_map(|(drop_in, text, cut)| Step { drop_in, text, cut })
}

proptest! {
    // Each takes as long as six of others.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(6))
    })]

    #[test]
    fn whatever_is_wished_and_whenever_the_power_goes(steps in vec(steps(), 1..50)) {
        let Rig { dir: _dir, store } = rig();
        // What was there, and was replaced, the oldest first.
        let mut past: Vec<(&str, Option<String>)> = Vec::new();
        for Step { drop_in, text, cut } in steps {
            let before = store.text(drop_in).unwrap();
            let loads = Config::load_as_if(store.path(), drop_in, text.as_deref()).is_ok();
            let (left, done) = cut.unwrap_or((u32::MAX, true));
            let put = store.put_on(&Failing { left: Cell::new(left), done }, &wish(drop_in, text.as_deref()), &fits);
            // The machine starts again.
            let store = Store::new(store.path(), &store.path().with_file_name("state"));
            prop_assert!(Config::load(store.path()).is_ok());
            let now = store.text(drop_in).unwrap();
            match put {
                Ok(put) => {
                    prop_assert!(loads);
                    prop_assert_eq!(&now, &text);
                    prop_assert_eq!(put.changed, before != text);
                    prop_assert_eq!(put.fingerprint, store.fingerprint().unwrap());
                }
                Err(StoreError::Config(_)) => prop_assert!(!loads && now == before),
                Err(_) => prop_assert!(cut.is_some() && (now == before || now == text)),
            }
            if now != before {
                past.push((drop_in, before));
            }
            let kept = store.versions().unwrap();
            prop_assert!(kept.len() <= KEPT);
            // A change that was not made, for want of power, keeps what is there, too.
            for (drop_in, text) in past.iter().rev().take(KEPT - 2) {
                let has = |version: &Version| version.drop_in == *drop_in && version.text == *text;
                prop_assert!(kept.iter().any(has), "{} said {:?}: {:?}", drop_in, text, kept);
            }
        }
    }

    /// Keys that are set and unset, with what somebody has written beside them.
    #[test]
    fn keys_are_set_and_unset_and_comments_stay(edits in vec((0..KEYS.len(), proptest::option::of(1..99_i64)), 1..30)) {
        let mut text = "# mine\n[scan] # also mine\nqueue_depth = 2 # few\n".to_owned();
        let mut model = std::collections::BTreeMap::from([("scan.queue_depth", 2)]);
        for (index, value) in edits {
            let key = KEYS[index];
            let change = match value {
                Some(value) => Edit::Set { key: key.to_owned(), value: json!(value) },
                None => Edit::Unset { key: key.to_owned() },
            };
            text = edit(&text, &[change]).unwrap();
            match value {
                Some(value) => model.insert(key, value),
                None => model.remove(key),
            };
            let table: toml::Table = text.parse().unwrap();
            let found = KEYS.iter().filter_map(|key| Some((*key, at(&table, key)?))).collect();
            prop_assert_eq!(&model, &found, "{}", text);
            prop_assert!(text.contains("# mine"), "{}", text);
        }
    }
}

const KEYS: [&str; 6] = [
    "scan.queue_depth",
    "scan.max_failed_in_a_row",
    "camera.cam0.controls.gain",
    "camera.cam0.mount.azimuth",
    "plan.ring.angles",
    "motion.lift.stepper.uart.address",
];

fn at(table: &toml::Table, key: &str) -> Option<i64> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    match rest {
        None => table.get(first)?.as_integer(),
        Some(rest) => at(table.get(first)?.as_table()?, rest),
    }
}

#[test]
fn a_change_of_what_somebody_else_has_changed_is_refused() {
    let Rig { dir, store } = rig();
    let seen = store.fingerprint().unwrap();
    let folder = dir.path().join("scanner.toml.d");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("10-own.toml"), "[scan]\nqueue_depth = 2\n").unwrap();
    let text = Some("[scan]\nqueue_depth = 3\n");
    let refused = store.put(&Wish { based_on: Some(&seen), ..wish(PAGE, text) }, &fits);
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    let seen = store.fingerprint().unwrap();
    let put = store.put(&Wish { based_on: Some(&seen), ..wish(PAGE, text) }, &fits).unwrap();
    assert_eq!((put.changed, put.config.scan.queue_depth), (true, 3));
}

#[test]
fn what_would_load_and_not_do_is_refused_and_what_is_taken_back_is_kept_as_well() {
    let Rig { dir: _dir, store } = rig();
    let unfit = store.put(&wish(PAGE, Some("")), &|_| Err("not today".into()));
    assert!(matches!(unfit, Err(StoreError::Unfit(reason)) if reason == "not today"));
    assert_eq!(store.versions().unwrap(), []);
    for angles in [10, 20] {
        store.put(&wish(PAGE, Some(&format!("[plan.ring]\nangles = {angles}\n"))), &fits).unwrap();
    }
    let versions = store.versions().unwrap();
    assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
    store.take_back(1, "test", &fits).unwrap();
    assert_eq!(store.text(PAGE).unwrap(), None);
    store.take_back(3, "test", &fits).unwrap();
    assert!(store.text(PAGE).unwrap().unwrap().contains("20"));
    assert!(matches!(store.take_back(9, "test", &fits), Err(StoreError::NoVersion(9))));
    let whole = store.put(&wish(PAGE, Some(&"#".repeat(70_000))), &fits);
    assert!(matches!(whole, Err(StoreError::TooLong { .. })));
}

#[test]
fn versions_that_cannot_be_read_are_not_written_over() {
    let Rig { dir, store } = rig();
    store.put(&wish(PAGE, Some("# one\n")), &fits).unwrap();
    fs::write(dir.path().join("state/configuration-versions.json"), "[{").unwrap();
    let refused = store.put(&wish(PAGE, Some("# two\n")), &fits);
    assert!(matches!(refused, Err(StoreError::Versions { .. })), "{refused:?}");
    assert_eq!(store.text(PAGE).unwrap().unwrap(), "# one\n");
}

#[test]
fn keys_go_where_they_belong() {
    let set = |key: &str, value: serde_json::Value| Edit::Set { key: key.to_owned(), value };
    let made =
        edit("", &[set("camera.cam0.controls.exposure", json!("10 ms")), set("scan.queue_depth", json!(3))]);
    assert_eq!(made.unwrap(), "[camera.cam0.controls]\nexposure = \"10 ms\"\n\n[scan]\nqueue_depth = 3\n");
    let made = edit("# mine\n", &[set("scan.queue_depth", json!(3))]);
    assert_eq!(made.unwrap(), "# mine\n[scan]\nqueue_depth = 3\n");
    let list = "[[camera]]\nname = \"left\"\n[[camera]] # second\ndriver = \"x\"\n";
    let made =
        edit(list, &[set("camera.cam1.hold", json!("ring")), set("camera.left.width", json!(640))]).unwrap();
    assert_eq!(
        made,
        "[[camera]]\nname = \"left\"\nwidth = 640\n[[camera]] # second\ndriver = \"x\"\nhold = \"ring\"\n"
    );
    assert!(matches!(edit(list, &[set("camera.right.width", json!(1))]), Err(EditError::NoTable { .. })));
    let away = [Edit::TakeAway { key: "motion.lift".into() }, set("motion.lift.speed", json!("1 mm/s"))];
    assert_eq!(edit("", &away[..1]).unwrap(), "[motion]\nlift = false\n");
    assert_eq!(edit("", &away).unwrap(), "[motion.lift]\nspeed = \"1 mm/s\"\n");
    assert!(matches!(edit("", &[set("a b", json!(1))]), Err(EditError::Key(_))));
    assert!(matches!(edit("", &[set("a", json!([null]))]), Err(EditError::Value(_))));
    assert!(matches!(edit("a = 1", &[set("a.b", json!(1))]), Err(EditError::NoTable { .. })));
    assert!(matches!(edit("[a", &[]), Err(EditError::Text(_))));
}

#[test]
fn one_camera_of_a_list_is_changed_by_its_name() {
    let with = |text: &str| {
        let Rig { dir: _dir, store } = rig();
        Config::load_as_if(store.path(), PAGE, Some(text))
    };
    let config = with("[camera.cam0.controls]\nexposure = \"10 ms\"\n").unwrap();
    assert_eq!(config.cameras[0].controls.exposure, Some(Seconds::new(0.01)));
    let told = |result: Result<Config, ConfigErrors>| result.unwrap_err().problems()[0].message.clone();
    assert_eq!(
        told(with("[camera.cam1]\nid = \"1\"\n")),
        "`camera.cam1` changes a `[[camera]]` that is not there"
    );
    assert_eq!(told(with("[camera]\ncam0 = 1\n")), "`camera.cam0` cannot be a whole number");
    assert_eq!(
        told(with("[camera.cam0]\nname = \"a\"\n")),
        "`camera.cam0` cannot be given another name here"
    );
    assert_eq!(told(with("[camera]\ncam0 = false\n")), "there is no camera");
}

/// Of any configuration that is shipped, on any rig that has another one of them.
#[test]
fn a_backup_comes_back_whatever_the_other_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut shipped: Vec<_> = ["", "examples"]
        .iter()
        .flat_map(|below| fs::read_dir(folder.join(below)).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    shipped.sort();
    assert!(shipped.len() > 6, "{shipped:?}");
    let next = |index: usize| {
        [(index, index), (index, (index + 1) % shipped.len()), ((index + 1) % shipped.len(), index)]
    };
    for (from, to) in (0..shipped.len()).flat_map(next).map(|(from, to)| (&shipped[from], &shipped[to])) {
        let Rig { dir: _dir, store } = rig();
        fs::copy(from, store.path()).unwrap();
        let wanted = Config::load(store.path()).unwrap();
        let kept = backup(store.path(), "Backup").unwrap();
        assert_eq!(Config::from_text(store.path().to_str().unwrap(), &kept).unwrap(), wanted, "{from:?}");
        fs::copy(to, store.path()).unwrap();
        let restored =
            restore(store.path(), &kept).unwrap_or_else(|error| panic!("{from:?} on {to:?}: {error}"));
        let config = Config::load_as_if(store.path(), PAGE, Some(&restored.text)).unwrap();
        assert_eq!(config, wanted, "{from:?} on {to:?}");
        if from == to {
            assert_eq!(restored.text, "# From a backup.\n");
        }
    }
}

#[test]
fn a_backup_has_no_secrets_and_they_are_left_as_they_are() {
    const PHONE: &str = "\n[[notify]]\nname = \"phone\"\nthrough = \"ntfy\"\nurl = \"https://ntfy.sh/sEcReT\"\ntoken_file = \"a.token\"\n";
    const MAIL: &str = "[[notify]]\nname = \"mail\"\nthrough = \"mail\"\nto = [\"me@example.org\"]\n";
    let Rig { dir: _dir, store } = rig();
    fs::write(store.path(), format!("{MAIN}{PHONE}{MAIL}")).unwrap();
    let wanted = Config::load(store.path()).unwrap();
    let kept = backup(store.path(), "Backup").unwrap();
    assert!(!kept.contains("sEcReT") && kept.contains("notify.phone.url"), "{kept}");
    // Where it is known, it stays; where it is not, who needs it is left out.
    fs::write(store.path(), format!("{MAIN}{PHONE}")).unwrap();
    let restored = restore(store.path(), &kept).unwrap();
    assert_eq!(restored.left_out, Vec::<String>::new());
    assert_eq!(Config::load_as_if(store.path(), PAGE, Some(&restored.text)).unwrap(), wanted);
    fs::write(store.path(), MAIN).unwrap();
    let restored = restore(store.path(), &kept).unwrap();
    assert_eq!(restored.left_out, ["notify.phone"]);
    let config = Config::load_as_if(store.path(), PAGE, Some(&restored.text)).unwrap();
    assert_eq!(config.notify.iter().map(|notify| notify.name.as_str()).collect::<Vec<_>>(), ["mail"]);
    for wrong in ["[a", "nothing = 1", ""] {
        restore(store.path(), wrong).unwrap_err();
    }
}
