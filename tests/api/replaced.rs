//! Somebody else has put something in the place of a stored file.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::client::{Answer, Daemon};
use crate::support::Recipe;

const SECRET: &str = "what only root may read";
/// As many as read files at a time, and one.
const READERS: usize = 9;

/// What can stand there.
const KINDS: [&str; 5] = ["zero", "secret", "pipe", "folder", "grown"];

fn replace(file: &Path, kind: &str, secret: &Path) {
    if kind == "grown" {
        // Beyond what a thumbnail may have, too.
        let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
        return file.write_all(&vec![0; 9 << 20]).unwrap();
    }
    fs::remove_file(file).unwrap();
    match kind {
        "zero" => std::os::unix::fs::symlink("/dev/zero", file).unwrap(),
        "secret" => std::os::unix::fs::symlink(secret, file).unwrap(),
        "pipe" => {
            let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
            rustix::fs::mknodat(rustix::fs::CWD, file, kind, mode, 0).unwrap();
        }
        "folder" => fs::create_dir(file).unwrap(),
        other => panic!("{other}"),
    }
}

fn put_back(file: &Path, content: &[u8]) {
    if file.is_dir() && !file.is_symlink() {
        fs::remove_dir(file).unwrap();
    } else {
        fs::remove_file(file).unwrap();
    }
    fs::write(file, content).unwrap();
}

/// Refused as it is, before anything of it is sent.
fn assert_refused(answer: &Answer, context: &str) {
    assert_eq!(answer.status, 409, "{context}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{context}");
    assert_eq!(answer.json()["type"], "/problems/dataset", "{context}");
    assert!(!String::from_utf8_lossy(&answer.body).contains(SECRET), "{context}");
}

/// Asks for `paths`, each more often than there are threads that read files, while others go on being served.
fn check(daemon: &Daemon, file: &Path, paths: &[String]) {
    let secret = daemon.rig.dir.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let content = fs::read(file).unwrap();
    for kind in KINDS {
        replace(file, kind, &secret);
        for path in paths {
            std::thread::scope(|scope| {
                for _ in 0..READERS {
                    scope.spawn(|| assert_refused(&daemon.get(path), &format!("{path} with {kind}")));
                }
                assert_eq!(daemon.get("/api/v1/scans").status, 200);
            });
        }
        put_back(file, &content);
        for path in paths {
            assert_eq!(daemon.get(path).status, 200, "{path} without {kind}");
        }
    }
}

fn only(folder: PathBuf) -> PathBuf {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn of_a_scan_nothing_is_sent_but_what_was_stored_and_everybody_else_is_served() {
    let daemon = Daemon::start(&Recipe { angles: 1, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let dir = daemon.rig.scans().join(&id);
    let path = |what: &str| format!("/api/v1/scans/{id}/{what}");
    check(&daemon, &only(dir.join("images/cam0")), &[path("shots/0/image"), path("archive.zip")]);
    let thumbnail = [path("shots/0/thumbnail"), path("thumbnail"), path("archive.zip")];
    check(&daemon, &only(dir.join("thumbnails/cam0")), &thumbnail);
    check(&daemon, &only(dir.join("metadata/cam0")), &[path("archive.zip")]);
    // A folder on the way is none of the dataset either.
    let images = dir.join("images");
    fs::rename(&images, daemon.rig.dir.path().join("images")).unwrap();
    std::os::unix::fs::symlink(daemon.rig.dir.path().join("images"), &images).unwrap();
    for what in ["shots/0/image", "archive.zip"] {
        let answer = daemon.get(&path(what));
        assert_eq!(answer.status, 500, "{what}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("link"), "{}", answer.json());
    }
    fs::remove_file(&images).unwrap();
    // An archive without an image would look whole; without a thumbnail it is.
    assert_eq!(daemon.get(&path("archive.zip")).status, 409);
    fs::rename(daemon.rig.dir.path().join("images"), &images).unwrap();
    fs::remove_file(only(dir.join("thumbnails/cam0"))).unwrap();
    assert_eq!(daemon.get(&path("shots/0/thumbnail")).status, 404);
    assert_eq!(daemon.get(&path("archive.zip")).status, 200);
}

#[test]
fn of_photographs_nothing_is_sent_but_what_was_stored() {
    let daemon = Daemon::start(&Recipe { time_scale: 1.0, ..Recipe::default() });
    let taken = daemon.post("/api/v1/capture", &json!({}));
    assert_eq!(taken.status, 200, "{}", taken.json());
    let folder = daemon.rig.scans().join("_captures");
    check(&daemon, &folder.join("000001.jpg"), &["/api/v1/captures/1/image".into()]);
    check(&daemon, &folder.join("000001.thumb.jpg"), &["/api/v1/captures/1/thumbnail".into()]);
    let facts = folder.join("000001.json");
    let content = fs::read(&facts).unwrap();
    replace(&facts, "pipe", Path::new(""));
    for _ in 0..READERS {
        // One that cannot be read is none.
        assert_eq!(daemon.get("/api/v1/captures").json()["captures"], json!([]));
        assert_ne!(daemon.get("/api/v1/captures/1/image").status, 200);
    }
    put_back(&facts, &content);
    assert_eq!(daemon.get("/api/v1/captures/1/image").status, 200);
}

#[test]
fn a_support_bundle_follows_no_link_and_says_what_it_could_not_read() {
    let daemon = Daemon::start(&Recipe { angles: 1, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let secret = daemon.rig.dir.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    for kind in ["secret", "zero", "pipe"] {
        let file = daemon.rig.scans().join(&id).join("scan.json");
        let content = fs::read(&file).unwrap();
        replace(&file, kind, &secret);
        let bundle = daemon.get("/api/v1/support.zip");
        assert_eq!(bundle.status, 200, "{kind}");
        let text = String::from_utf8_lossy(&bundle.body);
        assert!(!text.contains(SECRET), "{kind}");
        assert!(text.contains("newest-scan/scan.json.unread.txt"), "{kind}");
        assert!(text.contains("scan.json is no regular file"), "{kind}");
        assert!(text.contains("newest-scan/plan.json"), "{kind}");
        put_back(&file, &content);
    }
    assert_eq!(daemon.get("/api/v1/status").json()["scanning"], Value::Bool(false));
}
