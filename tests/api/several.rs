//! Shots of several files: each is listed, sent, and in the archive.

use serde_json::json;

use crate::client::Daemon;
use crate::support::Recipe;

#[test]
fn every_file_of_a_shot_is_listed_sent_and_in_the_archive() {
    let options = ["deliver = [\"jpeg\", \"raw\"]"];
    let daemon = Daemon::start(&Recipe { options: &options, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let shots = daemon.get(&format!("/api/v1/scans/{id}/shots")).json();
    let shot = &shots["shots"][1];
    assert_eq!(shot["image"], "images/cam0/r01_a002.jpg", "{shot}");
    let beside = &shot["beside"][0];
    assert_eq!(beside["path"], "raw/cam0/r01_a002.pgm", "{shot}");
    let folder = daemon.rig.scans().join(&id);
    for (suffix, path) in [("jpg", "images/cam0/r01_a002.jpg"), ("pgm", "raw/cam0/r01_a002.pgm")] {
        let sent = daemon.get(&format!("/api/v1/scans/{id}/shots/1/files/{suffix}"));
        assert_eq!(sent.status, 200);
        assert!(sent.body == std::fs::read(folder.join(path)).unwrap(), "{path}");
    }
    assert_eq!(
        beside["bytes"],
        json!(std::fs::metadata(folder.join("raw/cam0/r01_a002.pgm")).unwrap().len())
    );
    for nothing in ["shots/1/files/cr2", "shots/1/files/json", "shots/9/files/jpg", "shots/1/files/..%2fpgm"]
    {
        assert_eq!(daemon.get(&format!("/api/v1/scans/{id}/{nothing}")).status, 404, "{nothing}");
    }
    let archive = daemon.get(&format!("/api/v1/scans/{id}/archive.zip")).body;
    let file = daemon.rig.dir.path().join("archive.zip");
    std::fs::write(&file, &archive).unwrap();
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                  print('\\n'.join(z.namelist()))";
    let python = std::process::Command::new("python3").args(["-c", script]).arg(&file).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    let names = String::from_utf8(python.stdout).unwrap();
    assert_eq!(names.lines().filter(|name| name.contains("/raw/cam0/")).count(), 3, "{names}");
    // Without one of them, there is no archive, and nothing of the shot is sent in its place.
    std::fs::write(folder.join("raw/cam0/r01_a002.pgm"), "other").unwrap();
    for what in ["archive.zip", "shots/1/files/pgm"] {
        assert_ne!(daemon.get(&format!("/api/v1/scans/{id}/{what}")).status, 200, "{what}");
    }
    // A photograph between scans is the image alone.
    let photo = daemon.post("/api/v1/capture", &json!({}));
    let id = &photo.json()["captures"][0]["id"];
    let image = daemon.get(&format!("/api/v1/captures/{id}/image")).body;
    assert!(image.starts_with(&[0xFF, 0xD8]) && image.ends_with(&[0xFF, 0xD9]), "{}", photo.json());
}
