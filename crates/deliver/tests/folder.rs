//! Scans go to a folder.

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scanner_deliver::Said;
use serde_json::{Value, json};
use support::*;

fn folder(path: &std::path::Path) -> Value {
    json!({"folder": {"path": path}})
}

#[test]
fn a_scan_arrives_once_and_what_has_changed_is_sent_again() {
    let mut scan = Scan::new(1, 5, 700_000);
    let there = tempfile::tempdir().unwrap();
    let at = there.path().join(SCAN);
    assert_eq!(sent(&scan.job(&folder(there.path()))), scan.files.len());
    scan.assert_in(&at);
    let list = fs::read(at.join("delivered.json")).unwrap();
    assert_eq!(sent(&scan.job(&folder(there.path()))), 0);
    assert_eq!(fs::read(at.join("delivered.json")).unwrap(), list, "nothing was delivered anew");
    // A report was made later, and the scan has another name.
    scan.add("report.html", b"<html>", false);
    scan.add("journal.jsonl", b"longer", false);
    assert_eq!(sent(&scan.job(&folder(there.path()))), 2);
    scan.assert_in(&at);
    assert_eq!(wrong(&scan.job(&folder(there.path()))), []);
    // What is half written of a file that is none of the scan any more goes, and what somebody has put there stays.
    fs::write(at.join("metadata/cam0/.gone.json.part"), "half").unwrap();
    fs::write(at.join("metadata/notes.txt"), "somebody's").unwrap();
    assert_eq!(sent(&scan.job(&folder(there.path()))), 0);
    assert!(!at.join("metadata/cam0/.gone.json.part").exists() && at.join("metadata/notes.txt").exists());
}

#[test]
fn a_byte_that_rots_there_is_found_and_put_right() {
    let scan = Scan::new(2, 3, 300_000);
    let there = tempfile::tempdir().unwrap();
    let (job, at) = (scan.job(&folder(there.path())), there.path().join(SCAN));
    let list = || "delivered.json".to_owned();
    assert_eq!(wrong(&job), [(list(), "is not there".to_owned())]);
    sent(&job);
    let (rotten, short, gone) =
        ("metadata/cam0/r01_a001.json", "images/cam0/r01_a000.jpg", "images/cam0/r01_a002.jpg");
    let mut bytes = fs::read(at.join(rotten)).unwrap();
    bytes[200] ^= 4;
    fs::write(at.join(rotten), bytes).unwrap();
    fs::OpenOptions::new().write(true).open(at.join(short)).unwrap().set_len(7).unwrap();
    fs::remove_file(at.join(gone)).unwrap();
    let length = fs::metadata(scan.dir().join(short)).unwrap().len();
    let mut found = wrong(&job);
    found.sort();
    let expected = [
        (short, format!("has 7 bytes instead of {length}")),
        (gone, "is gone".to_owned()),
        (rotten, "has another checksum".to_owned()),
    ];
    assert_eq!(found, expected.map(|(path, what)| (path.to_owned(), what)));
    assert_eq!(sent(&job), 3);
    scan.assert_in(&at);
    assert_eq!(wrong(&job), []);
    fs::write(at.join("delivered.json"), "{torn").unwrap();
    let found = wrong(&job);
    assert!(found.len() == 1 && found[0].0 == list() && found[0].1.contains("damaged"), "{found:?}");
}

#[test]
fn a_shot_that_was_lost_here_goes_there_and_nothing_else_does() {
    let mut scan = Scan::new(10, 4, 50_000);
    let there = tempfile::tempdir().unwrap();
    let at = there.path().join(SCAN);
    scan.add("report.html", b"<html>", false);
    sent(&scan.job(&folder(there.path())));
    let lose = |scan: &mut Scan, path: &str| {
        scan.files.retain(|file| file["path"] != path);
        fs::remove_file(scan.dir().join(path)).unwrap();
    };
    // Without a record, an image is damage to the dataset there.
    lose(&mut scan, "images/cam0/r01_a001.jpg");
    lose(&mut scan, "metadata/cam0/r01_a001.json");
    fs::write(at.join("images/notes.txt"), "somebody's").unwrap();
    sent(&scan.job(&folder(there.path())));
    assert_eq!(fs::read(at.join("images/notes.txt")).unwrap(), b"somebody's");
    fs::remove_file(at.join("images/notes.txt")).unwrap();
    scan.assert_in(&at);
    // Cut off in the middle, the first delivery or a later one: what was brought until then is not forgotten.
    for first in [true, false] {
        if first {
            fs::remove_dir_all(&at).unwrap();
        }
        let lost = if first { "r01_a002" } else { "r01_a003" };
        scan.add(&format!("images/cam0/{lost}.jpg"), &[7; 9], true);
        let mut job = scan.job(&folder(there.path()));
        job["files"].as_array_mut().unwrap().push(json!({"path": "not/there"}));
        assert_eq!(failure(&job).0, "gone_here");
        assert!(at.join(format!("images/cam0/{lost}.jpg")).exists() && !at.join("delivered.json").exists());
        lose(&mut scan, &format!("images/cam0/{lost}.jpg"));
        sent(&scan.job(&folder(there.path())));
        scan.assert_in(&at);
    }
    // What was made of the scan, and is not here any more, may be the last copy.
    lose(&mut scan, "report.html");
    sent(&scan.job(&folder(there.path())));
    assert_eq!(fs::read(at.join("report.html")).unwrap(), b"<html>");
    assert_eq!(wrong(&scan.job(&folder(there.path()))), []);
}

#[test]
fn what_lies_there_leads_nowhere_else() {
    let scan = Scan::new(16, 2, 1000);
    let there = tempfile::tempdir().unwrap();
    let (job, at) = (scan.job(&folder(there.path())), there.path().join(SCAN));
    sent(&job);
    let others = there.path().join("others.jpg");
    fs::write(&others, "others'").unwrap();
    let path = "images/../../others.jpg";
    // Whoever may write there has written lists of their own.
    fs::write(at.join("delivering.json"), json!([path]).to_string()).unwrap();
    let mut list: Value = serde_json::from_slice(&fs::read(at.join("delivered.json")).unwrap()).unwrap();
    list["files"].as_array_mut().unwrap().push(json!({"path": path, "bytes": 7, "crc32c": 0}));
    fs::write(at.join("delivered.json"), list.to_string()).unwrap();
    assert_eq!(wrong(&job), [(path.to_owned(), "is no file of a scan".to_owned())]);
    sent(&job);
    assert!(others.exists(), "a file was removed that is none of the scan");
    scan.assert_in(&at);
    // And links.
    let elsewhere = there.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("old.jpg"), "others'").unwrap();
    fs::remove_dir_all(at.join("images/cam0")).unwrap();
    symlink(&elsewhere, at.join("images/cam0")).unwrap();
    fs::write(at.join("delivering.json"), json!(["images/cam0/old.jpg"]).to_string()).unwrap();
    let (kind, message) = failure(&job);
    assert!(kind == "io" && message.contains("images/cam0: it is a link"), "{kind}: {message}");
    assert_eq!(files(&elsewhere), ["old.jpg"]);
}

#[test]
fn any_name_that_a_file_of_a_scan_may_have_arrives_and_stays() {
    let mut scan = Scan::new(11, 1, 1000);
    scan.add("workshop/job/model.part", b"somebody's format", false);
    let there = tempfile::tempdir().unwrap();
    let job = scan.job(&folder(there.path()));
    sent(&job);
    scan.assert_in(&there.path().join(SCAN));
    assert_eq!(wrong(&job), []);
}

#[test]
fn the_scan_itself_is_no_copy_of_it() {
    let scan = Scan::new(12, 2, 1000);
    let there = tempfile::tempdir().unwrap();
    symlink(scan.dir(), there.path().join(SCAN)).unwrap();
    let (kind, message) = failure(&scan.job(&folder(there.path())));
    assert!(kind == "itself" && message.contains("no copy"), "{kind}: {message}");
    assert!(!scan.dir().join("delivered.json").exists());
}

/// Says so when it goes, as it does when a test fails.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_file_that_is_written_to_meanwhile_is_not_called_damaged() {
    let mut scan = Scan::new(13, 1, 1000);
    let path = "workshop/job/job.json";
    scan.add(path, &vec![7; 900_000], false);
    let there = tempfile::tempdir().unwrap();
    let job = scan.job(&folder(there.path()));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stops = Stops(&stop);
        scope.spawn(|| {
            let (new, mut random) = (scan.dir().join("new"), Random(14));
            while !stop.load(Ordering::Relaxed) {
                let count = 800_000 + random.below(100_000) as usize;
                fs::write(&new, vec![random.next() as u8; count]).unwrap();
                fs::rename(&new, scan.dir().join(path)).unwrap();
            }
        });
        for _ in 0..10 {
            match run(&job) {
                Said::Failed { kind, message, of_scan } => {
                    assert!(kind == "changing" && of_scan, "{kind}: {message}");
                    assert!(message.contains("job.json changes again and again"), "{message}");
                }
                Said::Delivered { .. } => {}
                said @ (Said::Progress { .. } | Said::Checked { .. } | Said::Reached {}) => {
                    panic!("{said:?}")
                }
            }
        }
        drop(stops);
    });
    sent(&job);
    scan.assert_in(&there.path().join(SCAN));
}

#[test]
fn what_goes_away_meanwhile_has_nothing_written_in_its_place() {
    let Some(disk) = Disk::mount(8000) else {
        skipped("mounting a tmpfs needs root");
        return;
    };
    let scan = Scan::new(15, 20, 50_000);
    let mut job = scan.job(&json!({"folder": {"path": disk.path(), "mount_point": disk.path()}}));
    job["pace"] = json!(400_000);
    let mut child = begin(&job);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..5 {
        lines.next().unwrap().unwrap();
    }
    assert!(!disk.unmount(&[]), "it was unmounted under what is written there");
    assert!(disk.unmount(&["--lazy"]));
    let last: Said = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
    assert!(!child.wait().unwrap().success());
    let Said::Failed { kind, message, .. } = last else { panic!("{last:?}") };
    assert!(kind == "not_mounted" && message.contains("has gone"), "{kind}: {message}");
    assert_eq!(files(&disk.path()), [""; 0], "it was written to another disk");
}

#[test]
fn what_is_damaged_here_is_not_delivered() {
    let mut scan = Scan::new(3, 3, 300_000);
    let there = tempfile::tempdir().unwrap();
    let job = scan.job(&folder(there.path()));
    let image = scan.dir().join("images/cam0/r01_a001.jpg");
    let whole = fs::read(&image).unwrap();
    let mut bytes = whole.clone();
    bytes[0] ^= 1;
    let damaged: [&[u8]; 3] = [&bytes, &whole[1..], &[&whole[..], &[0]].concat()];
    for bytes in damaged {
        fs::write(&image, bytes).unwrap();
        let (kind, message) = failure(&job);
        assert!(
            kind == "damaged_here" && message.contains("r01_a001.jpg is damaged here"),
            "{kind}: {message}"
        );
    }
    fs::remove_file(&image).unwrap();
    assert_eq!(failure(&job).0, "gone_here");
    symlink("/etc/hostname", &image).unwrap();
    assert_eq!(failure(&job).0, "unread_here");
    assert!(!there.path().join(SCAN).join("delivered.json").exists());
    assert!(!there.path().join(SCAN).join("images/cam0/r01_a001.jpg").exists());
    fs::remove_file(&image).unwrap();
    scan.add("images/cam0/r01_a001.jpg", &whole, true);
    sent(&scan.job(&folder(there.path())));
    scan.assert_in(&there.path().join(SCAN));
}

#[test]
fn another_scan_of_the_same_name_is_left_alone() {
    let there = tempfile::tempdir().unwrap();
    let (first, second) = (Scan::new(4, 1, 1000), Scan::new(5, 1, 1000));
    sent(&first.job(&folder(there.path())));
    let (kind, message) = failure(&second.job(&folder(there.path())));
    assert!(kind == "other_scan" && message.contains("plan.json"), "{kind}: {message}");
    first.assert_in(&there.path().join(SCAN));
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let scan = Scan::new(6, 1, 1000);
    let there = tempfile::tempdir().unwrap();
    let (kind, message) = failure(&scan.job(&folder(&there.path().join("nas"))));
    assert!(kind == "no_folder" && message.contains("does not exist"), "{kind}: {message}");
    fs::write(there.path().join("file"), "").unwrap();
    assert_eq!(failure(&scan.job(&folder(&there.path().join("file")))).0, "no_folder");
    let mounted = json!({"folder": {"path": there.path(), "mount_point": there.path()}});
    let (kind, message) = failure(&scan.job(&mounted));
    assert!(kind == "not_mounted" && message.contains("nothing was written"), "{kind}: {message}");
    let nowhere = json!({"folder": {"path": there.path(), "mount_point": there.path().join("nas")}});
    assert_eq!(failure(&scan.job(&nowhere)).0, "not_mounted");
    for (job, kind) in [(&mounted, "not_mounted"), (&folder(&there.path().join("nas")), "no_folder")] {
        assert_eq!(unreached(&scan.job(job)).as_deref(), Some(kind));
    }
    assert_eq!(unreached(&scan.job(&folder(there.path()))), None);
    assert_eq!(files(there.path()), ["file"]);
    let Some(disk) = Disk::mount(2000) else {
        skipped("mounting a tmpfs needs root");
        return;
    };
    let below = disk.path().join("scans");
    fs::create_dir(&below).unwrap();
    sent(&scan.job(&json!({"folder": {"path": below, "mount_point": disk.path()}})));
    scan.assert_in(&below.join(SCAN));
    // A folder of a disk is no place where something is mounted.
    assert_eq!(
        failure(&scan.job(&json!({"folder": {"path": below, "mount_point": below}}))).0,
        "not_mounted"
    );
}

#[test]
fn a_disk_that_is_full_or_not_to_be_written_takes_the_rest_later() {
    let Some(disk) = Disk::mount(512) else {
        skipped("mounting a tmpfs needs root");
        return;
    };
    let scan = Scan::new(7, 12, 200_000);
    let job = scan.job(&folder(&disk.path()));
    let (kind, message) = failure(&job);
    assert!(kind == "full" && message.contains("free some space there"), "{kind}: {message}");
    assert!(!disk.path().join(SCAN).join("delivered.json").exists());
    disk.remount("ro,size=8000k");
    let (kind, message) = failure(&job);
    assert!(kind == "not_allowed" && message.contains("Read-only"), "{kind}: {message}");
    assert_eq!(unreached(&job).as_deref(), Some("not_allowed"));
    disk.remount("rw,size=8000k");
    let rest = sent(&job);
    assert!(rest < scan.files.len(), "{rest} files were sent again");
    scan.assert_in(&disk.path().join(SCAN));
}

#[test]
fn a_pace_is_kept() {
    let scan = Scan::new(8, 4, 100_000);
    let there = tempfile::tempdir().unwrap();
    let bytes: u64 = scan.paths().iter().map(|path| fs::metadata(scan.dir().join(path)).unwrap().len()).sum();
    let mut job = scan.job(&folder(there.path()));
    job["pace"] = json!(bytes * 2);
    let begun = Instant::now();
    sent(&job);
    // What is sent is also read back, and waits for both.
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[test]
fn what_is_no_job_is_refused() {
    let scan = Scan::new(9, 1, 1000);
    let there = tempfile::tempdir().unwrap();
    let mut job = scan.job(&folder(there.path()));
    job["files"][1]["path"] = json!("../../etc/passwd");
    let (kind, message) = failure(&job);
    assert!(kind == "job" && message.contains("is no file of a scan"), "{kind}: {message}");
    for job in [json!(7), json!({}), json!({"work": "copy"})] {
        let (kind, message) = failure(&job);
        assert!(kind == "job" && message.contains("one package"), "{kind}: {message}");
    }
}
