//! File systems and limits out of the ordinary: a limit of the length of files, no locks, one folder behind two mounts,
//! no inodes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::Signal;

use crate::interrupted::{begin_by, end, read_until, signal};
use crate::refused::{SmallDisk, edit};
use crate::storage::assert_empty;
use crate::support::{Finished, Recipe, TestRig, have, skipped};

/// The kernel sends SIGXFSZ besides the error, which would end whoever does not expect it: this program or a driver.
#[test]
fn a_limit_of_the_length_of_files_pauses_the_scan_and_ends_nobody() {
    if !have("prlimit", "this test") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 48, ..Recipe::default() });
    let limited = |bytes: u32, args: &[&str]| {
        let limit = format!("--fsize={bytes}");
        Finished::from(rig.command_by(&["prlimit", &limit], args).output().unwrap())
    };
    // Not even the memory for a frame: the camera cannot be opened, and says why.
    let refused = limited(2000, &["scan"]);
    assert_eq!(refused.code, Some(11), "{}", refused.stderr);
    assert!(refused.stderr.contains("ulimit -f"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("File too large") && !refused.stderr.contains("SIGXFSZ"),
        "{}",
        refused.stderr
    );

    // Frames, the plan and images fit, and the journal does not.
    let paused = limited(20_000, &["scan"]);
    assert_eq!(paused.code, Some(5), "{}", paused.stderr);
    let id = rig.scan_id().unwrap();
    for says in ["File too large", "ulimit -f", "journal.jsonl"] {
        assert!(paused.stderr.contains(says), "{says}: {}", paused.stderr);
    }
    let report = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!(report.code, Some(0), "{}", report.stdout);
    assert!(report.json()["shots"]["done"].as_u64().unwrap() > 0, "{}", report.stdout);

    let export = limited(2000, &["dataset", "export", &id, "--to", "colmap"]);
    assert_eq!(export.code, Some(8), "{}", export.stderr);
    assert!(export.stderr.contains("ulimit -f"), "{}", export.stderr);

    let resumed = rig.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "without the limit");
}

/// Some network and FUSE file systems know no `flock`. The note of its owner guards a scan there.
#[test]
fn without_locks_a_scan_is_written_with_a_warning_and_guarded_by_its_note() {
    if !have("strace", "this test") {
        return;
    }
    for error in ["EOPNOTSUPP", "ENOLCK", "ENOSYS"] {
        let without_locks = format!("inject=flock:error={error}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", &without_locks];
        let rig = TestRig::new(&Recipe { angles: 12, time_scale: 5.0, ..Recipe::default() });
        let (scan, log) = begin_by(rig.command_by(&strace, &["scan"]), "the file system has no locks");
        let mut log = log;
        read_until(&mut log, "(2/12");
        let id = rig.scan_id().unwrap();
        // Another rig, to which nothing but that note says that the scan is somebody's.
        edit(&rig, "runtime_directory = \"run\"", "runtime_directory = \"run2\"");
        let other = Finished::from(rig.command_by(&strace, &["resume", &id]).output().unwrap());
        assert_eq!(other.code, Some(7), "{error}: {}", other.stderr);
        for says in ["belongs to process", "owner.json"] {
            assert!(other.stderr.contains(says), "{error}: {says}: {}", other.stderr);
        }
        let ended = end(scan, log);
        assert_eq!(ended.code, Some(0), "{error}: {}", ended.stderr);
        assert!(!rig.scans().join(&id).join("owner.json").exists());
        rig.assert_complete(&id, error);
    }
}

/// A folder mounted at another place by bindfs. Each such mount has locks of its own, which those of another one know
/// nothing of: as with a folder that two machines have from the network.
struct Mount(PathBuf);

impl Mount {
    fn of(folder: &Path, at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("bindfs").arg(folder).arg(&at).stdin(Stdio::null()).output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self(at)),
            Ok(done) => {
                skipped(&format!("bindfs: {}", String::from_utf8_lossy(&done.stderr)));
                None
            }
            Err(error) => {
                skipped(&format!("bindfs: {error}"));
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

/// A rig of a machine of its own, by what it calls itself.
struct Machine {
    rig: TestRig,
    name: &'static str,
    _mount: Mount,
}

impl Machine {
    fn new(name: &'static str, folder: &Path) -> Option<Self> {
        let recovery = "capture_timeout = \"10 s\"";
        let rig = TestRig::new(&Recipe { angles: 16, time_scale: 2.0, recovery, ..Recipe::default() });
        let mount = Mount::of(folder, rig.scans())?;
        Some(Self { rig, name, _mount: mount })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.rig.command(args);
        command.env("SCANNER_MACHINE_ID", self.name);
        command
    }

    fn run(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }

    /// Neither a person at a terminal nor the service gets the scan of another machine.
    fn is_refused(&self, id: &str, owner: u32) {
        let refused = self.run(&["resume", id]);
        let (service, mut log) = begin_by(self.command(&["run"]), "ready");
        let asked = self.run(&["start", "--resume", id]);
        signal(&service, Signal::TERM);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut log, &mut said).unwrap();
        assert_eq!(service.finish().code, Some(0), "{said}");
        assert!(!said.contains("going on with it"), "{said}");
        for refused in [refused, asked] {
            assert_eq!(refused.code, Some(7), "{}", refused.stderr);
            let remedy = format!("scanner resume {id} --take-over");
            for says in [format!("belongs to process {owner} on "), remedy] {
                assert!(refused.stderr.contains(&says), "{says}: {}", refused.stderr);
            }
        }
    }
}

#[test]
fn of_two_machines_on_one_folder_the_second_takes_nothing_over_without_a_persons_word() {
    let folder = tempfile::tempdir().unwrap();
    let Some(a) = Machine::new("a", folder.path()) else { return };
    let Some(b) = Machine::new("b", folder.path()) else { return };
    // The mounts are as they should be: a lock of one is none to the other.
    let lock = |machine: &Machine| {
        let file = fs::File::open(machine.rig.scans()).unwrap();
        let taken = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        (taken.is_ok(), file)
    };
    let (first, second, again) = (lock(&a), lock(&b), lock(&a));
    assert_eq!((first.0, second.0, again.0), (true, true, false), "locks of the mounts");
    drop((first, second, again));

    let (scan, mut log) = begin_by(a.command(&["scan"]), "(2/16");
    let id = a.rig.scan_id().unwrap();
    // Held, so that it does not end before the other one has tried. Its sign of life stands still meanwhile, as if the
    // network were away; that gives nobody the scan.
    signal(&scan, Signal::STOP);
    b.is_refused(&id, scan.id());
    let listed = b.run(&["dataset", "list", "--json"]).json();
    assert_eq!((&listed[0]["id"], &listed[0]["in_use"]), (&id.as_str().into(), &true.into()), "{listed}");
    signal(&scan, Signal::CONT);
    read_until(&mut log, "scan complete");
    assert_eq!(end(scan, log).code, Some(0));
    a.rig.assert_complete(&id, "on the machine that has it");
    b.rig.assert_complete(&id, "on the other machine");

    // Killed: its sign of life ends for good, which to the other machine looks the same.
    let (mut scan, log) = begin_by(a.command(&["scan", "--id", "killed"]), "(2/16");
    let owner = scan.id();
    scan.kill().unwrap();
    scan.wait().unwrap();
    drop(log);
    b.is_refused("killed", owner);
    let taken = b.run(&["resume", "killed", "--take-over"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    b.rig.assert_complete("killed", "taken over");
    a.rig.assert_complete("killed", "taken over, on the machine that had it");
}

/// There is room for bytes, and none for files: that is said while it is so, though nothing is left of the export.
#[test]
fn an_export_onto_a_disk_without_inodes_leaves_nothing_and_says_why() {
    let rig = TestRig::new(&Recipe { angles: 12, ..Recipe::default() });
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let card = rig.dir.path().join("card");
    let Some(disk) = SmallDisk::mount(card.clone(), 20_000_000) else { return };
    disk.remount("nr_inodes=10");
    let out = card.join("owl");
    let export = || rig.run(&["dataset", "export", &id, "--to", "colmap", "--out", out.to_str().unwrap()]);
    let failed = export();
    assert_eq!(failed.code, Some(8), "{}", failed.stderr);
    for says in ["No space left", "no inodes", "remove files"] {
        assert!(failed.stderr.contains(says), "{says}: {}", failed.stderr);
    }
    assert_empty(&card);

    disk.remount("nr_inodes=1000");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes"), "mine").unwrap();
    let refused = export();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("exists already"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(out.join("notes")).unwrap(), "mine");
    fs::remove_dir_all(&out).unwrap();
    assert_eq!(export().code, Some(0));
    assert_eq!(fs::read_dir(out.join("images/cam0")).unwrap().count(), 12);
}
