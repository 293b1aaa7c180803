//! Folders with several scans.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::ScopedJoinHandle;

use crate::dataset::{
    Listed, New, OpenError, OsDisk, RemoveError, ScanId, create, create_named_by_time, create_on, discard,
    list, needed_bytes, newest, removable, removable_for_room, remove, show, sweep, verify,
};
use crate::plan::ShotIndex;
use crate::scan::{Outcome, Record, ScanState, WaitsFor};
use crate::units::Bytes;

use super::super::places::PLACES;
use super::swept::Swept;
use super::{plan, scratch, shared, take};

/// A scan of one shot that ended with `outcome`, or was left running.
fn scan(root: &Path, id: &str, outcome: Option<Outcome>) -> ScanId {
    let id: ScanId = id.parse().unwrap();
    let dataset = create_on(Arc::new(OsDisk), root, &id, plan(1)).unwrap();
    if outcome == Some(Outcome::Complete) {
        take(&dataset, 0, 1).unwrap();
    }
    if let Some(outcome) = outcome {
        dataset.note(&Record::Finished { outcome }).unwrap();
    }
    id
}

/// What is in a folder of scans, but for what is remembered of them.
fn names(root: &Path) -> Vec<String> {
    let names = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != PLACES).collect()
}

fn assert_newest_is_the_first_listed(root: &Path) {
    assert_eq!(newest(root, None).unwrap().as_ref(), list(root).unwrap().first());
}

#[test]
fn scans_are_listed_newest_first_and_damaged_ones_as_such() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(list(&root.path().join("none")).unwrap(), []);
    assert_eq!(newest(&root.path().join("none"), None).unwrap(), None);
    // By number, whatever the names say.
    scan(root.path(), "owl-of-old", Some(Outcome::Complete));
    scan(root.path(), "2026-03-01-000000-dog", Some(Outcome::Cancelled));
    scan(root.path(), "2026-02-01-000000-cat", None);
    // What has no number stands behind all others.
    fs::create_dir(root.path().join("2026-04-01-000000-elk")).unwrap();
    fs::create_dir(root.path().join(".new-x")).unwrap();
    fs::write(root.path().join("notes"), "").unwrap();
    // A lost manifest costs nothing.
    fs::remove_file(root.path().join("owl-of-old/scan.json")).unwrap();

    let scans = list(root.path()).unwrap();
    let seen: Vec<_> = scans
        .iter()
        .map(|scan| (scan.id.as_str(), scan.scan.as_ref().map(|it| (it.state, it.shots.done)).ok()))
        .collect();
    assert_eq!(
        seen,
        [
            ("2026-02-01-000000-cat", Some((ScanState::Running, 0))),
            ("2026-03-01-000000-dog", Some((ScanState::Finished(Outcome::Cancelled), 0))),
            ("owl-of-old", Some((ScanState::Finished(Outcome::Complete), 1))),
            ("2026-04-01-000000-elk", None),
        ]
    );
    // For programs as the API has it.
    let told = serde_json::to_value(&scans).unwrap();
    assert_eq!(
        (&told[2]["scan"]["state"], &told[2]["damage"]),
        (&"complete".into(), &serde_json::Value::Null)
    );
    assert!(told[3]["scan"].is_null() && told[3]["damage"].is_string(), "{told}");
    assert_eq!(show(&scans[1].dir).unwrap(), scans[1]);
    assert_newest_is_the_first_listed(root.path());
    assert!(show(&root.path().join("none")).is_err());
}

/// Whatever people call their scans, those of today are not removed before those of yesterday.
#[test]
fn the_oldest_scan_is_the_one_that_was_created_first() {
    let root = tempfile::tempdir().unwrap();
    let names = ["zebra", "2026-03-01-000000-dog", "2026-01-01-000000-owl"];
    for name in names {
        scan(root.path(), name, Some(Outcome::Complete));
    }
    let scans = list(root.path()).unwrap();
    // With and without what the manifests say.
    assert_newest_is_the_first_listed(root.path());
    for name in names.iter().rev() {
        fs::remove_file(root.path().join(name).join("scan.json")).unwrap();
        assert_newest_is_the_first_listed(root.path());
    }
    let removed: Vec<_> = removable(&scans, Some(1)).iter().map(ToString::to_string).collect();
    assert_eq!(removed, names[..2]);
}

#[test]
fn a_running_scan_shows_that_it_is_in_use_and_its_present_counts() {
    let root = tempfile::tempdir().unwrap();
    let dataset = create_on(Arc::new(OsDisk), root.path(), &"run".parse().unwrap(), plan(2)).unwrap();
    take(&dataset, 0, 1).unwrap();
    let shown = show(dataset.dir()).unwrap();
    assert!(shown.in_use);
    assert_eq!(shown.scan.unwrap().shots.done, 1);
    let dir = dataset.dir().to_owned();
    drop(dataset);
    assert!(!show(&dir).unwrap().in_use);
}

#[test]
fn only_complete_scans_beyond_the_number_are_removable_oldest_first() {
    let root = tempfile::tempdir().unwrap();
    let complete: Vec<_> = (1..=4)
        .map(|day| scan(root.path(), &format!("2026-01-0{day}-000000-owl"), Some(Outcome::Complete)))
        .collect();
    let running = scan(root.path(), "2025-01-01-000000-ant", None);
    let incomplete = scan(root.path(), "2025-01-02-000000-ant", Some(Outcome::Incomplete));
    let scans = list(root.path()).unwrap();
    assert_eq!(removable(&scans, None), []);
    assert_eq!(removable(&scans, Some(4)), []);
    assert_eq!(removable(&scans, Some(2)), complete[..2]);
    assert_eq!(removable(&scans, Some(0)).len(), 4);

    for id in [&running, &incomplete] {
        assert!(matches!(remove(root.path(), id), Err(RemoveError::NotComplete { .. })));
    }
    // The manifest alone does not make a scan complete.
    let manifest = fs::read_to_string(root.path().join(complete[0].as_str()).join("scan.json")).unwrap();
    let lie = manifest.replace(complete[0].as_str(), incomplete.as_str());
    fs::write(root.path().join(incomplete.as_str()).join("scan.json"), lie).unwrap();
    assert!(matches!(remove(root.path(), &incomplete), Err(RemoveError::NotComplete { .. })));

    remove(root.path(), &complete[0]).unwrap();
    assert_eq!(list(root.path()).unwrap().len(), 5);
    assert!(!root.path().join(complete[0].as_str()).exists());
}

#[test]
fn room_is_made_by_the_oldest_complete_scans_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let complete: Vec<_> = (1..=4)
        .map(|day| scan(root.path(), &format!("2026-01-0{day}-000000-owl"), Some(Outcome::Complete)))
        .collect();
    scan(root.path(), "2025-01-01-000000-ant", None);
    for (day, outcome) in [(2, Outcome::Incomplete), (3, Outcome::Cancelled), (4, Outcome::Aborted)] {
        scan(root.path(), &format!("2025-01-0{day}-000000-ant"), Some(outcome));
    }
    fs::create_dir(root.path().join("2024-01-01-000000-elk")).unwrap();
    let scans = list(root.path()).unwrap();
    let choose = |missing: f64| removable_for_room(&scans, Bytes::new(missing), |_| Bytes::new(100.0));
    assert_eq!(choose(0.0).as_deref(), Some(&[][..]));
    assert_eq!(choose(1.0).as_deref(), Some(&complete[..1]));
    assert_eq!(choose(100.0).as_deref(), Some(&complete[..1]));
    assert_eq!(choose(101.0).as_deref(), Some(&complete[..2]));
    assert_eq!(choose(400.0).as_deref(), Some(&complete[..]));
    assert_eq!(choose(401.0), None, "all of them would not do, so none goes");
    // One that frees nothing stays.
    let empty = |scan: &Listed| Bytes::new(if scan.id == complete[0] { 0.0 } else { 100.0 });
    assert_eq!(removable_for_room(&scans, Bytes::new(150.0), empty).as_deref(), Some(&complete[1..3]));
}

#[test]
fn the_size_of_a_scan_is_what_its_removal_frees() {
    let root = tempfile::tempdir().unwrap();
    scan(root.path(), "one", Some(Outcome::Complete));
    let size = || list(root.path()).unwrap()[0].size().get();
    let before = size();
    let big = root.path().join("one/quarantine");
    fs::create_dir_all(&big).unwrap();
    fs::write(big.join("big"), vec![1; 1 << 20]).unwrap();
    assert!((1e6..1.2e6).contains(&(size() - before)), "{} after {before}", size());
    fs::hard_link(big.join("big"), root.path().join("elsewhere")).unwrap();
    assert!(size() - before < 1e5, "what has another name is not freed");
}

#[test]
fn a_scan_is_resumable_unless_it_has_ended_or_somebody_is_at_it() {
    let root = tempfile::tempdir().unwrap();
    let resumable = |id: &str| show(&root.path().join(id)).unwrap().is_resumable();
    for (id, outcome, expected) in [
        ("running", None, true),
        ("complete", Some(Outcome::Complete), false),
        ("incomplete", Some(Outcome::Incomplete), false),
        ("cancelled", Some(Outcome::Cancelled), false),
    ] {
        scan(root.path(), id, outcome);
        assert_eq!(resumable(id), expected, "{id}");
    }
    let dataset = create_on(Arc::new(OsDisk), root.path(), &"busy".parse().unwrap(), plan(1)).unwrap();
    dataset.note(&Record::Paused { reason: "test".into(), waits_for: WaitsFor::Person }).unwrap();
    assert!(!resumable("busy"));
    drop(dataset);
    assert!(resumable("busy"));
}

#[test]
fn a_sweep_removes_left_overs_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    scan(root.path(), "keep", None);
    for name in [".new-a.1", ".trash-b"] {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("x"), "x").unwrap();
    }
    sweep(root.path()).unwrap();
    assert_eq!(names(root.path()), ["keep"]);
}

/// Threads meet as containers and machines on one share do: with the same process id.
#[test]
fn of_those_who_create_one_scan_at_once_one_wins_and_none_hurts_another() {
    let root = tempfile::tempdir().unwrap();
    let (root, ended, start) = (root.path(), AtomicBool::new(false), Barrier::new(32));
    let id: ScanId = "one".parse().unwrap();
    std::thread::scope(|scope| {
        let of_one_name = |_| scope.spawn(|| (start.wait(), create(root, &id, plan(3))).1);
        let of_one_name: Vec<_> = (0..16).map(of_one_name).collect();
        let by_time = |_| {
            scope.spawn(|| {
                (
                    start.wait(),
                    create_named_by_time(New { rig: Some("rig-a"), ..New::default() }, root, &plan(3)),
                )
                    .1
            })
        };
        let by_time: Vec<_> = (0..16).map(by_time).collect();
        let sweeper = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                sweep(root).unwrap();
            }
        });
        let of_one_name: Vec<_> = of_one_name.into_iter().map(ScopedJoinHandle::join).collect();
        let by_time: Vec<_> = by_time.into_iter().map(ScopedJoinHandle::join).collect();
        ended.store(true, Ordering::Relaxed);
        sweeper.join().unwrap();
        let of_one_name = of_one_name.into_iter().map(Result::unwrap);
        let (made, refused): (Vec<_>, Vec<_>) = of_one_name.partition(Result::is_ok);
        assert_eq!(made.len(), 1, "{refused:?}");
        let exists = |error: &OpenError| matches!(error, OpenError::Exists { .. });
        assert!(refused.iter().all(|refused| refused.as_ref().is_err_and(exists)), "{refused:?}");
        for dataset in made.into_iter().chain(by_time.into_iter().map(Result::unwrap)) {
            let dataset = dataset.unwrap();
            take(&dataset, 0, 1).unwrap();
            assert!(verify(dataset.dir()).unwrap().is_sound());
        }
    });
    assert_eq!(names(root).len(), 17, "{:?}", names(root));
    list(root).unwrap().iter().for_each(|scan| discard(root, &scan.id).unwrap());
    assert_eq!(names(root).len(), 0, "{:?}", names(root));
}

/// Somebody on another machine may sweep between any two steps: the folder is gone, and another one is made.
#[test]
fn a_folder_that_is_swept_away_while_it_is_built_is_built_anew() {
    for step in 0.. {
        let root = tempfile::tempdir().unwrap();
        let swept = Arc::new(Swept::after(step, root.path()));
        let dataset = create_on(shared(&swept), root.path(), &"one".parse().unwrap(), plan(1)).unwrap();
        take(&dataset, 0, 1).unwrap();
        assert!(verify(dataset.dir()).unwrap().is_sound(), "step {step}");
        assert_eq!(names(root.path()), ["one"], "step {step}");
        if !swept.has_swept() {
            assert!(step > 8, "{step}");
            break;
        }
    }
}

#[test]
fn a_better_quality_needs_more_room() {
    let amounts = [50, 75, 90, 95, 100].map(|quality| needed_bytes(&plan(144), quality).get());
    assert!(amounts.is_sorted());
    // 144 shots of 12.3 million pixels at quality 95.
    assert!((1.0e9..2.0e9).contains(&amounts[3]), "{amounts:?}");
}

#[test]
fn whoever_looks_at_a_thumbnail_while_it_is_written_sees_one_that_is_whole() {
    let root = scratch();
    let dataset = create(root.path(), &super::id(), plan(1)).unwrap();
    let path = dataset.dir().join(crate::dataset::layout::thumbnail(&dataset.plan(), ShotIndex(0)));
    // As large as none is, so that a half of it would be met.
    let pictures = [1_u8, 2].map(|byte| vec![byte; 4 << 20]);
    dataset.thumbnail(ShotIndex(0), &pictures[0]);
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..60 {
                dataset.thumbnail(ShotIndex(0), &pictures[round % 2]);
            }
            written.store(true, Ordering::Relaxed);
        });
        while !written.load(Ordering::Relaxed) {
            let seen = fs::read(&path).unwrap();
            assert!(pictures.contains(&seen), "{} bytes, and of them {:?}", seen.len(), seen.first());
        }
    });
}
