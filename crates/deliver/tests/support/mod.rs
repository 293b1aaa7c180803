//! A scan, a target, and the program between them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses a part of this")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use scanner_deliver::Said;
use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_scanner-deliver");
pub(crate) const SCAN: &str = "2026-11-30-143005-owl";

/// Numbers that are the same for the same seed (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The folder of a scan, with files of chance.
pub(crate) struct Scan {
    root: tempfile::TempDir,
    /// Those that the journal records, with length and checksum, behind the plan.
    pub(crate) files: Vec<Value>,
}

impl Scan {
    /// With so many images, of at most so many bytes.
    pub(crate) fn new(seed: u64, images: usize, most: u64) -> Self {
        let mut scan = Self { root: tempfile::tempdir().unwrap(), files: Vec::new() };
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        scan.add("plan.json", &random.bytes(300), false);
        for number in 0..images {
            let bytes = random.below(most) as usize;
            scan.add(&format!("images/cam0/r01_a{number:03}.jpg"), &random.bytes(bytes), true);
            scan.add(&format!("metadata/cam0/r01_a{number:03}.json"), &random.bytes(400), false);
        }
        scan.add("empty.jsonl", b"", true);
        scan.add("journal.jsonl", &random.bytes(2000), false);
        scan
    }

    pub(crate) fn dir(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn add(&mut self, path: &str, bytes: &[u8], is_recorded: bool) {
        let at = self.dir().join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, bytes).unwrap();
        self.files.retain(|file| file["path"] != path);
        self.files.push(if is_recorded {
            json!({"path": path, "recorded": {"bytes": bytes.len(), "crc32c": crc32c::crc32c(bytes)}})
        } else {
            json!({"path": path})
        });
    }

    pub(crate) fn paths(&self) -> Vec<&str> {
        self.files.iter().map(|file| file["path"].as_str().unwrap()).collect()
    }

    /// The job that brings it to `target`.
    pub(crate) fn job(&self, target: &Value) -> Value {
        json!({
            "work": "copy", "scan": SCAN, "source": self.dir(), "by": "a test", "files": self.files, "target": target,
        })
    }

    /// That all of it is in `folder`, and nothing else.
    pub(crate) fn assert_in(&self, folder: &Path) {
        for path in self.paths() {
            assert_eq!(
                fs::read(folder.join(path)).unwrap(),
                fs::read(self.dir().join(path)).unwrap(),
                "{path}"
            );
        }
        let mut there = files(folder);
        there.retain(|path| path != "delivered.json");
        let mut here: Vec<String> = self.paths().into_iter().map(str::to_owned).collect();
        here.sort();
        assert_eq!(there, here);
        let list: Value = serde_json::from_slice(&fs::read(folder.join("delivered.json")).unwrap()).unwrap();
        assert_eq!(list["scan"], SCAN);
        let listed: Vec<&str> =
            list["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert_eq!(listed, self.paths());
    }
}

/// The paths of all files below `folder`, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// The program at work on a job.
pub(crate) fn begin(job: &Value) -> Child {
    let mut child = Command::new(PROGRAM).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(job.to_string().as_bytes()).unwrap();
    child
}

/// What it says last, of the whole of `job`.
pub(crate) fn run(job: &Value) -> Said {
    let output = begin(job).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last =
        text.lines().last().unwrap_or_else(|| panic!("it says nothing, and ends with {}", output.status));
    let said: Said = serde_json::from_str(last).unwrap();
    assert_eq!(output.status.success(), !matches!(said, Said::Failed { .. }), "{said:?}");
    said
}

/// The kind and message of the failure that it ends with.
pub(crate) fn failure(job: &Value) -> (String, String) {
    match run(job) {
        Said::Failed { kind, message, of_scan: _ } => (kind, message),
        said @ (Said::Progress { .. } | Said::Delivered { .. } | Said::Checked { .. } | Said::Reached {}) => {
            panic!("{said:?} is no failure")
        }
    }
}

/// How many files it had to send.
pub(crate) fn sent(job: &Value) -> usize {
    match run(job) {
        Said::Delivered { sent_files, .. } => sent_files,
        said @ (Said::Progress { .. } | Said::Failed { .. } | Said::Checked { .. } | Said::Reached {}) => {
            panic!("it is not delivered: {said:?}")
        }
    }
}

/// The same job, but to look at what is there: the files that are wrong, with what is wrong.
pub(crate) fn wrong(job: &Value) -> Vec<(String, String)> {
    let mut job = job.clone();
    job["work"] = json!("check");
    match run(&job) {
        Said::Checked { wrong, .. } => wrong.into_iter().map(|wrong| (wrong.path, wrong.what)).collect(),
        said @ (Said::Progress { .. } | Said::Failed { .. } | Said::Delivered { .. } | Said::Reached {}) => {
            panic!("it was not checked: {said:?}")
        }
    }
}

/// The same job, but only to look whether the target is there: it is not, and why.
pub(crate) fn unreached(job: &Value) -> Option<String> {
    let mut job = job.clone();
    (job["work"], job["files"]) = (json!("reach"), json!([]));
    match run(&job) {
        Said::Reached {} => None,
        Said::Failed { kind, .. } => Some(kind),
        said @ (Said::Progress { .. } | Said::Delivered { .. } | Said::Checked { .. }) => {
            panic!("it was not only looked: {said:?}")
        }
    }
}

/// Kills it once it has said `lines` lines; whether it had ended before.
pub(crate) fn kill_after(mut child: Child, lines: u64) -> bool {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    for _ in 0..lines {
        line.clear();
        if out.read_line(&mut line).unwrap() == 0 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap().success()
}

/// Says that a test is skipped; where all are to run, that is a failure.
#[expect(clippy::print_stdout, reason = "who runs the tests is to see it")]
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("SCANNER_TEST_ALL").is_none(), "this test cannot be skipped here: {why}");
    println!("SKIPPED: {why}");
}

/// A tmpfs, gone with this value.
pub(crate) struct Disk(tempfile::TempDir);

impl Disk {
    /// Of so many KiB; none where nothing may be mounted.
    pub(crate) fn mount(kib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Whether it is unmounted, with these arguments.
    pub(crate) fn unmount(&self, arguments: &[&str]) -> bool {
        Command::new("umount").args(arguments).arg(self.0.path()).output().unwrap().status.success()
    }

    /// With other options.
    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.0.path()).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}
