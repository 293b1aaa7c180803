//! Scans go to storage that speaks S3.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use support::*;

/// The storage, in this test's hands: gone with this value.
struct Moto {
    child: Child,
    answers: BufReader<ChildStdout>,
    here: Value,
    secret: tempfile::TempDir,
}

impl Moto {
    /// At a free port, or at this one. None where it is not installed.
    fn start(port: Option<u64>) -> Option<Self> {
        Self::start_with(port, None)
    }

    /// With a certificate and its key, if they are in this folder.
    fn start_with(port: Option<u64>, certificate: Option<&Path>) -> Option<Self> {
        let Some(python) = python() else {
            skipped("moto is not installed: .ci/prepare test");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/storage.py");
        let mut command = Command::new(python);
        command.arg(script).arg(port.unwrap_or(0).to_string()).args(certificate);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut moto = Self { child, answers, here: Value::Null, secret: tempfile::tempdir().unwrap() };
        moto.here = moto.answer();
        fs::write(moto.secret.path().join("secret"), moto.here["secret"].as_str().unwrap()).unwrap();
        Some(moto)
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("moto says {line:?}"))
    }

    fn tell(&mut self, what: &Value) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{what}").unwrap();
        self.answer()
    }

    fn target(&self) -> Value {
        json!({"s3": {
            "endpoint": self.here["endpoint"], "bucket": "scans", "prefix": "rigs/one", "region": "us-east-1",
            "access_key": self.here["access_key"], "secret_file": self.secret.path().join("secret"), "read_back": true,
        }})
    }

    /// That all of `scan` is there, and nothing else.
    fn assert_has(&mut self, scan: &Scan) {
        for path in scan.paths() {
            let to = self.secret.path().join("got");
            let there = self.tell(&json!({"do": "get", "key": key(path), "to": to}));
            let bytes = fs::read(scan.dir().join(path)).unwrap();
            assert_eq!(there["metadata"]["crc32c"], format!("{:08x}", crc32c::crc32c(&bytes)), "{path}");
            assert!(fs::read(to).unwrap() == bytes, "{path} is another one there");
        }
        let mut expected: Vec<String> = scan.paths().into_iter().map(key).collect();
        expected.push(key("delivered.json"));
        expected.sort();
        let there = self.tell(&json!({"do": "list"}));
        let there: Vec<&String> = there.as_object().unwrap().keys().collect();
        assert_eq!(there, expected.iter().collect::<Vec<_>>());
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One that has moto: that of `.ci/prepare`, or the machine's.
fn python() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/moto");
    if ours.join(".complete").is_file() {
        return Some(ours.join("bin/python3"));
    }
    let mut look = Command::new("python3");
    look.args(["-c", "import boto3, flask, moto.server"]).stdout(Stdio::null()).stderr(Stdio::null());
    look.status().is_ok_and(|status| status.success()).then(|| "python3".into())
}

fn key(path: &str) -> String {
    format!("rigs/one/{SCAN}/{path}")
}

#[test]
fn a_scan_arrives_once_and_what_rots_there_is_found() {
    let Some(mut moto) = Moto::start(None) else { return };
    let scan = Scan::new(21, 4, 300_000);
    let mut job = scan.job(&moto.target());
    assert_eq!(sent(&job), scan.files.len());
    moto.assert_has(&scan);
    assert_eq!((sent(&job), wrong(&job)), (0, vec![]));
    let (rotten, gone) = ("images/cam0/r01_a001.jpg", "metadata/cam0/r01_a002.json");
    moto.tell(&json!({"do": "rot", "key": key(rotten)}));
    moto.tell(&json!({"do": "remove", "key": key(gone)}));
    // What is read back only when it is asked for is taken for what it was.
    job["target"]["s3"]["read_back"] = json!(false);
    let expected = [(rotten, "has another checksum"), (gone, "is gone")]
        .map(|(path, what)| (path.to_owned(), what.to_owned()));
    assert_eq!(wrong(&job), expected);
    assert_eq!(sent(&job), 1);
    assert_eq!(wrong(&job), expected[..1]);
    job["target"]["s3"]["read_back"] = json!(true);
    assert_eq!(sent(&job), 1);
    moto.assert_has(&scan);
}

/// Longer than what is sent at once, and not by a whole part.
fn long(seed: u64) -> Vec<u8> {
    let mut bytes = Random(seed).bytes(1 << 20).repeat(32);
    bytes.extend(Random(seed + 1).bytes(12_345));
    bytes
}

#[test]
fn a_long_file_goes_in_parts() {
    let Some(mut moto) = Moto::start(None) else { return };
    let mut scan = Scan::new(22, 0, 1);
    scan.add("raw/cam0/r01_a000.dng", &long(5), true);
    let job = scan.job(&moto.target());
    assert_eq!(sent(&job), scan.files.len());
    moto.assert_has(&scan);
    assert_eq!((sent(&job), wrong(&job)), (0, vec![]));
    // One that is not what it should be is taken back.
    let path = "raw/cam0/r01_a001.dng";
    scan.add(path, &long(6), true);
    let mut bytes = fs::read(scan.dir().join(path)).unwrap();
    bytes[1] ^= 1;
    fs::write(scan.dir().join(path), bytes).unwrap();
    assert_eq!(failure(&scan.job(&moto.target())).0, "damaged_here");
    assert_eq!(moto.tell(&json!({"do": "uploads"})), 0);
    assert!(moto.tell(&json!({"do": "list"})).get(key(path)).is_none());
    assert!(
        moto.tell(&json!({"do": "list"})).get(key("delivered.json")).is_none(),
        "it is not whole any more"
    );
}

#[test]
fn a_wrong_key_and_a_bucket_that_is_not_there_are_told_apart() {
    let Some(moto) = Moto::start(None) else { return };
    let scan = Scan::new(23, 1, 1000);
    let with = |name: &str, value: Value| {
        let mut target = moto.target();
        target["s3"][name] = value;
        failure(&scan.job(&target))
    };
    let secret = moto.secret.path().join("wrong");
    fs::write(&secret, "sEcReT\n").unwrap();
    for (kind, message) in [with("secret_file", json!(secret)), with("access_key", json!("AKIANOBODY"))] {
        assert!(kind == "refused" && message.contains("refuses the key"), "{kind}: {message}");
        assert!(!message.contains("sEcReT"), "{message}");
    }
    let (kind, message) = with("bucket", json!("none-of-mine"));
    assert!(kind == "no_bucket" && message.contains("none-of-mine"), "{kind}: {message}");
    let reach = |name: &str, value: Value| {
        let mut target = moto.target();
        target["s3"][name] = value;
        unreached(&scan.job(&target))
    };
    assert_eq!(reach("bucket", json!("none-of-mine")).as_deref(), Some("no_bucket"));
    assert_eq!(reach("secret_file", json!(secret)).as_deref(), Some("refused"));
    assert_eq!(reach("endpoint", json!("http://127.0.0.1:1")).as_deref(), Some("unreachable"));
    assert_eq!(reach("region", json!("us-east-1")), None);
    fs::write(&secret, "\n").unwrap();
    assert_eq!(with("secret_file", json!(secret)).0, "file");
    assert_eq!(with("ca", json!(secret)).0, "file");
    assert_eq!(with("secret_file", json!("/nowhere")).0, "file");
}

#[test]
fn what_breaks_off_goes_on_once_the_storage_is_there_again() {
    let Some(mut moto) = Moto::start(None) else { return };
    let scan = Scan::new(24, 12, 400_000);
    let job = scan.job(&moto.target());
    let mut random = Random(24);
    for _ in 0..3 {
        kill_after(begin(&job), 1 + random.below(8));
    }
    let rest = sent(&job);
    assert!(rest < scan.files.len(), "{rest} files were sent again");
    moto.assert_has(&scan);

    // In the middle, the storage dies; what comes again has nothing.
    let port = moto.here["port"].as_u64();
    let mut child = begin(&job);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    moto.child.kill().unwrap();
    moto.child.wait().unwrap();
    let last = out.lines().last().unwrap().unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(last.contains("\"unreachable\"") && last.contains("cannot be reached"), "{last}");
    assert_eq!(failure(&job).0, "unreachable");
    let Some(mut moto) = Moto::start(port) else { return };
    let job = scan.job(&moto.target());
    assert_eq!(sent(&job), scan.files.len());
    moto.assert_has(&scan);
}

#[test]
fn what_the_storage_refuses_is_told_and_arrives_once_when_it_takes_it() {
    let Some(mut moto) = Moto::start(None) else { return };
    let scan = Scan::new(26, 8, 200_000);
    let mut job = scan.job(&moto.target());
    // A part of it is there before.
    let files = job["files"].as_array_mut().unwrap();
    let later = files.split_off(5);
    assert_eq!(sent(&job), 5);
    job["files"].as_array_mut().unwrap().extend(later);
    for (status, code, kind) in [(507, "XMinioStorageFull", "full"), (503, "SlowDown", "answer")] {
        moto.tell(&json!({"do": "refuse", "as": [status, code]}));
        let (found, message) = failure(&job);
        assert!(found == kind && !message.is_empty(), "{found}: {message}");
    }
    moto.tell(&json!({"do": "refuse", "as": null}));
    assert_eq!(sent(&job), scan.files.len() - 5);
    moto.assert_has(&scan);
    // Each object was taken once, but for the lists of the part.
    for (path, count) in moto.tell(&json!({"do": "taken"})).as_object().unwrap() {
        let is_list = path.ends_with("/delivered.json") || path.ends_with("/delivering.json");
        let expected = if is_list { 2 } else { 1 };
        assert_eq!(count, expected, "{path}");
    }
}

#[test]
fn over_tls_only_who_is_known_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = |name: &str| {
        let dir = folder.path().join(name);
        fs::create_dir(&dir).unwrap();
        let mut command = Command::new("openssl");
        command.args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=storage"
                .split(' '),
        );
        command.args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
        command.args(["-keyout", "key.pem", "-out", "cert.pem"]);
        assert!(command.current_dir(&dir).stderr(Stdio::null()).status().unwrap().success());
        dir
    };
    let (ours, others) = (certificate("ours"), certificate("others"));
    let Some(mut moto) = Moto::start_with(None, Some(&ours)) else { return };
    let scan = Scan::new(25, 1, 1000);
    let mut job = scan.job(&moto.target());
    for ca in [Value::Null, json!(others.join("cert.pem"))] {
        job["target"]["s3"]["ca"] = ca;
        let (kind, message) = failure(&job);
        assert!(kind == "untrusted" && message.contains("`ca`"), "{kind}: {message}");
    }
    job["target"]["s3"]["ca"] = json!(ours.join("cert.pem"));
    assert_eq!(sent(&job), scan.files.len());
    moto.assert_has(&scan);
}
