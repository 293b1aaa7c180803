//! The real binary, killed at, and failed with EIO and ENOSPC at, every file-system call that it makes on a
//! dataset; then `resume`, and every promise checked.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use support::{Recipe, TestRig, have, skipped};

const CHANCE: &str = "chance.so";
const SCAN: &str = "2026-01-02-030405-owl";
/// What is cut off.
const SCANS: &[&str] = &["scan", "--id", SCAN];
/// The points of [`rig`].
const LABELS: [&str; 2] = ["r01_a001", "r01_a002"];
/// Everything that the program may do to a dataset's files and folders.
const CALLS: &str = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat,ftruncate,\
                     unlink,unlinkat,linkat,flock,copy_file_range,sendfile,read,pread64,getdents64,statx";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Injury {
    Kill,
    Eio,
    Enospc,
}

#[derive(Debug, Clone)]
struct Case {
    call: String,
    number: u32,
    injury: Injury,
}

impl Case {
    /// As `strace` is told.
    fn injected(&self) -> Vec<String> {
        let injury = match self.injury {
            Injury::Kill => "signal=KILL",
            Injury::Eio => "error=EIO",
            Injury::Enospc => "error=ENOSPC",
        };
        let inject = format!("inject={}:{injury}:when={}", self.call, self.number);
        vec!["-e".into(), format!("trace={}", self.call), "-e".into(), inject]
    }
}

/// What a camera makes, and the calls that are injured.
#[derive(Debug, Clone, Copy)]
struct Scene {
    camera: &'static str,
    options: &'static str,
    calls: &'static str,
    /// Files of each shot.
    files: usize,
    /// One case in so many is tried, unless `SCANNER_TEST_FULL` is set. No multiple of the number of injuries, so that each
    /// call is met by some of them; the calls differ from seed to seed (`SCANNER_TEST_SEED`, 0 if unset).
    sample: usize,
}

const ONE_FILE: Scene = Scene { camera: "", options: "", calls: CALLS, files: 1, sample: 8 };
/// Those calls by which files come to be.
const SEVERAL_FILES: Scene = Scene {
    camera: "",
    options: "deliver = [\"jpeg\", \"raw\"]",
    calls: "openat,write,fsync,fdatasync,renameat2,mkdir",
    files: 2,
    sample: 8,
};

/// As [`SEVERAL_FILES`], where the program makes both.
const RAW_BESIDE: Scene = Scene { camera: "raw = \"beside\"", options: "", sample: 16, ..SEVERAL_FILES };

#[test]
fn no_scan_is_lost_at_any_file_system_call() {
    survive_all(ONE_FILE);
}

#[test]
fn no_scan_of_several_files_a_shot_is_lost_at_any_file_system_call() {
    survive_all(SEVERAL_FILES);
}

#[test]
fn no_scan_with_raw_images_is_lost_at_any_file_system_call() {
    survive_all(RAW_BESIDE);
}

/// A complete scan gets a point, and the program is cut off while it writes that down.
#[test]
fn no_scan_lies_when_the_adding_of_points_is_cut_off() {
    if !can_be_tried() {
        return;
    }
    let library = no_chance();
    let chance = library.path().join(CHANCE);
    let complete = rig(ONE_FILE);
    assert_eq!(complete.run(&["scan", "--id", SCAN]).code, Some(0));
    let list = library.path().join("points.csv");
    std::fs::write(&list, "turntable\n77\n").unwrap();
    let args = ["extend", SCAN, "--points", list.to_str().unwrap()];
    let again = || {
        let rig = rig(ONE_FILE);
        std::fs::create_dir_all(rig.scans()).unwrap();
        let copied = Command::new("cp").arg("-a").arg(complete.scans().join(SCAN)).arg(rig.scans()).status();
        assert!(copied.unwrap().success());
        rig
    };
    let cases = all_cases(ONE_FILE, &again(), &args, &chance);
    survive_each(cases, ONE_FILE.sample, &|case| {
        let rig = again();
        let victim = strace(&rig, &args, &chance, &case.injected()).output().unwrap();
        let log = String::from_utf8_lossy(&victim.stderr).into_owned();
        let told = victim.status.success();
        let verified = || {
            let verify = rig.run(&["dataset", "verify", SCAN, "--json"]);
            let report: serde_json::Value = serde_json::from_str(&verify.stdout).unwrap_or_default();
            (verify.code == Some(0), report)
        };
        let (sound, report) = verified();
        let extended = report["shots"]["planned"] == 3;
        let complete = report["state"] == "complete";
        if log.contains("panicked") || !sound || extended == complete || told && !extended {
            return Err(format!("told {told}: {report}\n{log}"));
        }
        let resumed = rig.run(&["resume", SCAN]);
        let (sound, after) = verified();
        let all = after["shots"]["done"] == report["shots"]["planned"] && after["state"] == "complete";
        if resumed.code == Some(0) && sound && all {
            Ok(())
        } else {
            Err(format!("{:?}: {}; then {after}", resumed.code, resumed.stderr))
        }
    });
}

fn can_be_tried() -> bool {
    if !have("strace", "the crash matrix") || !have("cc", "the crash matrix") {
        return false;
    }
    let isolated = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).status();
    let isolated = isolated.is_ok_and(|status| status.success());
    if !isolated {
        skipped("the crash matrix needs root, for a process name space");
    }
    isolated
}

fn survive_all(scene: Scene) {
    if !can_be_tried() {
        return;
    }
    let library = no_chance();
    let chance = library.path().join(CHANCE);
    survive_each(all_cases(scene, &rig(scene), SCANS, &chance), scene.sample, &|case| {
        survive(scene, case, &chance)
    });
}

fn survive_each(all: Vec<Case>, sample: usize, survive: &(dyn Fn(&Case) -> Result<(), String> + Sync)) {
    let of = all.len();
    let cases = some_of(all, sample);
    let next = AtomicUsize::new(0);
    let violations = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(violation) = survive(case) {
                        violations.lock().unwrap().push(format!("{case:?}: {violation}"));
                    }
                }
            });
        }
    });
    let violations = violations.into_inner().unwrap();
    println!("crash matrix: {} cases of {of}, {} violations", cases.len(), violations.len());
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
}

fn some_of(all: Vec<Case>, sample: usize) -> Vec<Case> {
    if std::env::var_os("SCANNER_TEST_FULL").is_some() {
        return all;
    }
    let seed: usize = std::env::var("SCANNER_TEST_SEED").map_or(0, |seed| seed.parse().unwrap());
    all.into_iter().skip(seed % sample).step_by(sample).collect()
}

fn rig(scene: Scene) -> TestRig {
    TestRig::new(&Recipe { angles: 2, camera: scene.camera, options: &[scene.options], ..Recipe::default() })
}

/// `strace` of the program with `args`; of calls that name a file or descriptor, only those on the dataset.
fn strace(rig: &TestRig, args: &[&str], chance: &Path, extra: &[String]) -> Command {
    let scanner = rig.command(args);
    // In a name space of its own, so that its end is that of all that it started.
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    // Only at the calls that are named does the kernel stop the program.
    command.args(["strace", "-f", "--seccomp-bpf", "-qq", "-o"]);
    command.arg(rig.dir.path().join("trace")).args(extra);
    for folder in [rig.scans().join(SCAN), rig.scans().join(format!(".new-{SCAN}.{:016x}", 0))] {
        for path in paths() {
            for suffix in ["", ".tmp", ".0.tmp", ".1.tmp"] {
                let path = folder.join(format!("{path}{suffix}"));
                command.arg("-P").arg(path.to_str().unwrap().trim_end_matches('/'));
            }
        }
    }
    command.arg("-P").arg(rig.scans());
    for file in [".scanner-places.txt", ".scanner-places.txt.0.tmp"] {
        command.arg("-P").arg(rig.scans().join(file));
    }
    command.arg("-E").arg(format!("LD_PRELOAD={}", chance.display()));
    command.arg(scanner.get_program()).args(scanner.get_args());
    command.env("RUST_LOG", "info").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A library with which every random number is 0: part of a folder's name is one, and strace has to know it before.
fn no_chance() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let source = "#include <string.h>\nlong getrandom(void *to, unsigned long n, unsigned flags) \
                  { (void)flags; memset(to, 0, n); return n; }\n";
    std::fs::write(dir.path().join("chance.c"), source).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", CHANCE, "chance.c"])
        .current_dir(dir.path())
        .status();
    assert!(compiled.unwrap().success());
    dir
}

/// Everything in the dataset of [`rig`].
fn paths() -> Vec<String> {
    let mut paths =
        Vec::from(["", "scan.json", "plan.json", "journal.jsonl", "quarantine"].map(String::from));
    for (folder, extension) in
        [("images", "jpg"), ("raw", "pgm"), ("raw", "dng"), ("metadata", "json"), ("thumbnails", "jpg")]
    {
        paths.extend([folder.to_owned(), format!("{folder}/cam0")]);
        paths.extend(LABELS.map(|label| format!("{folder}/cam0/{label}.{extension}")));
    }
    paths
}

/// How often each call is made by the program with `args`, by the thread that makes it most often: that is how strace counts.
fn all_cases(scene: Scene, rig: &TestRig, args: &[&str], chance: &Path) -> Vec<Case> {
    let output =
        strace(rig, args, chance, &["-e".into(), format!("trace={}", scene.calls)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace = std::fs::read_to_string(rig.dir.path().join("trace")).unwrap();
    let mut counts = BTreeMap::<(String, String), u32>::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else { continue };
        let rest = rest.trim_start();
        if rest.starts_with('<') || rest.starts_with('+') || rest.starts_with('-') {
            continue;
        }
        let Some((call, _)) = rest.split_once('(').filter(|(call, _)| scene.calls.contains(call)) else {
            continue;
        };
        *counts.entry((call.to_owned(), thread.to_owned())).or_default() += 1;
    }
    let mut most = BTreeMap::<String, u32>::new();
    for ((call, _), count) in counts {
        let entry = most.entry(call).or_default();
        *entry = count.max(*entry);
    }
    println!("calls on the dataset, by the busiest thread: {most:?}");
    for call in ["openat", "write", "fsync", "fdatasync"] {
        assert!(most.contains_key(call), "the trace shows no {call}: the matrix would be empty there");
    }
    let injuries = [Injury::Kill, Injury::Eio, Injury::Enospc];
    let numbers =
        most.into_iter().flat_map(|(call, count)| (1..=count).map(move |number| (call.clone(), number)));
    numbers
        .flat_map(|(call, number)| injuries.map(|injury| Case { call: call.clone(), number, injury }))
        .collect()
}

fn survive(scene: Scene, case: &Case, chance: &Path) -> Result<(), String> {
    let rig = rig(scene);
    let victim = strace(&rig, SCANS, chance, &case.injected()).output().unwrap();
    let log = String::from_utf8_lossy(&victim.stderr).into_owned();
    if log.contains("panicked") {
        return Err(format!("a panic is a defect: {log}"));
    }
    let folder = rig.scans().join(SCAN);
    if victim.status.success() {
        // It says complete, so it must be, with no help.
        check(scene, &rig, &folder, "said complete", &log)?;
    } else if victim.status.code() == Some(5) && check(scene, &rig, &folder, "said paused", &log).is_ok() {
        return Err(format!("it said that it is paused, and its journal that it is complete: {log}"));
    }
    let args: &[&str] = if folder.join("journal.jsonl").exists() { &["resume", SCAN] } else { &["scan"] };
    let mut resumed = rig.run(args);
    let mut id = if args[0] == "scan" { rig.scan_id().unwrap_or_default() } else { SCAN.to_owned() };
    if args[0] == "resume" && resumed.code == Some(9) {
        // Cut down while its folder was being made: it never began, and says so. A new scan must not be hindered.
        if victim.status.success() || log.contains("captured") {
            return Err(format!("a scan that had begun is refused: {}\n{log}", resumed.stderr));
        }
        resumed = rig.run(&["scan"]);
        id = newest_but(&rig, SCAN);
    }
    if resumed.code != Some(0) {
        return Err(format!("{args:?} ended with {:?}: {}\nbefore: {log}", resumed.code, resumed.stderr));
    }
    check(scene, &rig, &rig.scans().join(id), "after resume", &resumed.stderr)
}

fn newest_but(rig: &TestRig, other: &str) -> String {
    let names =
        std::fs::read_dir(rig.scans()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != other && !name.starts_with('.')).max().unwrap_or_default()
}

fn check(scene: Scene, rig: &TestRig, folder: &Path, when: &str, log: &str) -> Result<(), String> {
    let verify = rig.run(&["dataset", "verify", folder.to_str().unwrap(), "--json"]);
    let report: serde_json::Value = serde_json::from_str(&verify.stdout).unwrap_or_default();
    let sound = verify.code == Some(0) && report["state"] == "complete";
    let count = |of: &str| std::fs::read_dir(folder.join(of)).map(Iterator::count).unwrap_or_default();
    let files = ["images/cam0", "raw/cam0"].map(count);
    if sound && files == [2, 2 * (scene.files - 1)] {
        return Ok(());
    }
    Err(format!("{when}: {files:?} images and others; {}{}\nlog: {log}", verify.stdout, verify.stderr))
}

/// What cannot be read at this moment is not damaged: a resume stops and says why, and nothing is lost or moved.
#[test]
fn an_image_that_cannot_be_read_now_is_not_lost() {
    if !have("strace", "reads that fail") {
        return;
    }
    let rig = rig(ONE_FILE);
    assert_eq!(rig.run(&["scan", "--id", SCAN]).code, Some(0));
    let folder = rig.scans().join(SCAN);
    for place in ["images/cam0", "metadata/cam0"] {
        for error in ["EMFILE", "ENFILE", "ENOMEM", "EACCES", "EIO", "ESTALE", "EAGAIN"] {
            let scanner = rig.command(&["resume", SCAN]);
            let resumed = Command::new("strace")
                .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-e"])
                .arg(format!("inject=openat:error={error}:when=1"))
                .arg("-P")
                .arg(folder.join(place))
                .arg(scanner.get_program())
                .args(scanner.get_args())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&resumed.stderr);
            assert!(!resumed.status.success(), "{error} at {place} was not met: {said}");
            assert!(said.contains("cannot read") && said.contains("r01_a001"), "{error}: {said}");
            assert!(!folder.join("quarantine").exists(), "{error}: {said}");
            rig.assert_complete(SCAN, error);
        }
    }
    let journal = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    assert!(!journal.contains("lost"), "{journal}");
    assert_eq!(rig.run(&["resume", SCAN]).code, Some(0));
}
